"""Shapes that people would pick instead: read from a name or from sizes, and compared at the same budget."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.fitting.records import Interval
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import CELLS_IN_MEMORY, Floats, central_interval, plain
from shapeplan.planning.budget_for_loss import LEAST_FLOPS, least_flops, share_interval
from shapeplan.planning.optimum import KNOTS, Optimum
from shapeplan.planning.plan import Alternative, SameLoss
from shapeplan.planning.shape_cost import ShapeCost
from shapeplan.planning.size import SIZE
from shapeplan.quantities import parse_assignments
from shapeplan.sweeps.dimensions import wrong_size

_SIZES = re.compile(r"\s*(\d{1,9})\s*x\s*(\d{1,9})\s*x\s*(\d{1,9})\s*", re.IGNORECASE)
_OTHER_COUNT = re.compile(r"\s*\d+(\s*x\s*\d+)+\s*", re.IGNORECASE)
_HINT = "write e.g. ViT-g/14, 24x1024x4096, or width=1024,depth=24,mlp_dim=4096"
_OFF_TIE = 0.02


@frozen
class ReferenceShape:
    """A shape to compare with.

    Attributes
    ----------
    name : str
        As the user wrote it.
    shape : mapping of str to int
        The dimensions of the law.
    notes : tuple of str
        How it was understood.
    """

    name: str
    shape: Mapping[str, float]
    notes: tuple[str, ...] = ()


def read_versus(text: str, fit: Fit) -> ReferenceShape:
    """Read a shape to compare with.

    Parameters
    ----------
    text : str
        A name of the catalogue; three sizes, of which the smaller of the first two is the depth and the third the MLP
        dim; or ``name=size`` for every dimension.
    fit : Fit
        Its dimensions are looked for.

    Raises
    ------
    ArgumentError
        If it is none of these, or lacks a dimension of the law.
    """
    dims = fit.dimensions.every
    hint = "write params=7e10, or the name of a model" if dims == (SIZE,) else _HINT
    notes: list[str] = []
    if "=" in text:
        given = parse_assignments(text, _HINT)
        if unknown := sorted(set(given) - set(dims)):
            message = f"the law has no dimension {', '.join(unknown)}"
            raise ArgumentError(ErrorDetail("bad-versus", message, f"its dimensions are {', '.join(dims)}", value=text))
    elif sizes := _SIZES.fullmatch(text):
        one, other, mlp_dim = (float(size) for size in sizes.groups())
        given = {"width": max(one, other), "depth": min(one, other), "mlp_dim": mlp_dim}
        notes.append(f"{text} is width {given['width']:g}, depth {given['depth']:g}, mlp_dim {mlp_dim:g}")
    elif _OTHER_COUNT.fullmatch(text):
        message = f"{text[:60]!r} gives {text.lower().count('x') + 1} sizes; a shape is depth, width and MLP dim"
        raise ArgumentError(ErrorDetail("bad-versus", message, hint, value=text))
    else:
        # The catalogue is large, and most plans are compared with nothing.
        from shapeplan.architectures.catalogue import find_model

        record, changes = find_model(text)
        if dims == (SIZE,):
            given = {SIZE: float(record.model(**changes).params)}
        else:
            given = {dim: float(record.settings[dim]) for dim in SHAPE_DIMS if dim in record.settings}
            notes.append(f"{text} is compared as a shape, {_said(given)}, in the architecture of the law")
    if missing := [dim for dim in fit.dims if dim not in given]:
        message = f"{text[:60]!r} lacks {', '.join(missing)}"
        raise ArgumentError(ErrorDetail("bad-versus", message, hint, value=text))
    for dim, size in given.items():
        if why := wrong_size(dim, size):
            raise ArgumentError(ErrorDetail("bad-versus", f"{text[:60]!r} has a {dim} of {size:g}", why))
    follow = fit.dimensions.complete({dim: given[dim] for dim in fit.dims})
    # A law of parameters sees every size in their count.
    for dim in (*fit.dimensions.tied, *fit.dimensions.fixed) if fit.law.form.dims else ():
        if dim in given and abs(given[dim] / follow[dim] - 1) > _OFF_TIE:
            notes.append(
                f"{text}: the law does not see its {dim} of {given[dim]:g}; in the log it would be {follow[dim]:.4g}"
            )
    for dim in given.keys() - set(dims):
        notes.append(f"{text}: the law has no {dim}; its {given[dim]:g} is not compared")
    whole = {dim: plain(float(given.get(dim, follow[dim]))) for dim in dims}
    return ReferenceShape(text, whole, tuple(notes))


def compare_with(
    rated: Sequence[ReferenceShape], optimum: Optimum, plan: ShapeCost, *, tell_loss: bool
) -> list[tuple[Alternative, ...]]:
    """Return, for every budget, the shapes with what they lose to the plan, and what their loss costs otherwise.

    Parameters
    ----------
    rated : sequence of ReferenceShape
        The shapes.
    optimum : Optimum
        The law, with what the plan must keep.
    plan : ShapeCost
        The recommended shapes.
    tell_loss : bool
        Whether the law's loss can be believed.
    """
    columns = [_column(one, optimum, plan, tell_loss=tell_loss) for one in rated]
    return [tuple(column[i] for column in columns) for i in range(len(plan.flops))]


def alternatives(
    name: str,
    shape: Mapping[str, Floats],
    optimum: Optimum,
    plan: ShapeCost,
    *,
    tell_loss: bool,
    limited: Optimum | None = None,
) -> list[Alternative]:
    """Return a shape a budget with what it costs and loses to the plan, which may have limits that it has not."""
    its = ShapeCost.of(optimum, shape, plan.flops, tell_loss=tell_loss)
    regrets = None if its.loss is None or plan.loss is None else its.loss / plan.loss - 1.0
    intervals = None if regrets is None else _regret_intervals(optimum, its, limited or optimum, plan, regrets)
    kept = (limited or optimum).asked.kept_by(optimum.fit, shape, plan.flops)
    dims, heads = optimum.fit.dimensions.every, shape.get("heads")
    return [
        Alternative(
            name=name,
            shape={dim: plain(float(values[i])) for dim, values in shape.items() if dim in dims},
            params=_whole(its.params, i),
            flops_per_example=_number(its.each, i),
            loss=_number(its.loss, i),
            regret=_number(regrets, i),
            regret_ci=intervals[i] if intervals else None,
            keeps_limits=bool(kept[i]),
            heads=None if heads is None else int(heads[i]),
            examples=_whole(its.examples, i),
        )
        for i in range(len(plan.flops))
    ]


def _column(one: ReferenceShape, optimum: Optimum, plan: ShapeCost, *, tell_loss: bool) -> list[Alternative]:
    shape = {dim: np.full(len(plan.flops), float(size)) for dim, size in one.shape.items()}
    found = alternatives(one.name, shape, optimum, plan, tell_loss=tell_loss)
    losses = np.array([np.nan if other.loss is None else other.loss for other in found])
    known = np.flatnonzero(np.isfinite(losses))
    if not known.size:
        return found
    needed = least_flops(optimum, losses[known], plan.flops[known])
    best = optimum.under(optimum.fit.law.arrays(), np.where(np.isfinite(needed), needed, 1.0))
    forward = optimum.fit.cost_model.flops_per_example(best) if optimum.fit.cost is not None else None
    for place, i in enumerate(known):
        if not LEAST_FLOPS < needed[place] < np.inf:
            continue
        other = found[i]
        inference = None
        if forward is not None and other.flops_per_example:
            inference = float(forward[place]) / other.flops_per_example
        budget = float(plan.flops[i])
        ci = None
        if len(plan.flops) <= KNOTS:
            ci = share_interval(optimum, {dim: v[i : i + 1] for dim, v in shape.items()}, budget, float(needed[place]))
        same = SameLoss(float(needed[place]), float(needed[place]) / budget, ci, inference)
        found[i] = replace(other, same_loss=same)
    return found


def _regret_intervals(
    optimum: Optimum, its: ShapeCost, limited: Optimum, plan: ShapeCost, regrets: Floats
) -> list[Interval | None] | None:
    """Return the interval of the regret; None where undefined.

    That under the draws, both shapes under the same draw, extended to the regret, which few draws may all lie beside.
    To it comes, as a square, what laws that extrapolate about as well differ by.
    """
    fit = optimum.fit
    if not fit.bootstrap.draws:
        return None
    between = NormalDist().inv_cdf((1 + fit.bootstrap.level) / 2) * _between_laws(optimum, its, limited, plan, regrets)
    columns = fit.bootstrap.columns()
    piece = max(1, CELLS_IN_MEMORY // max(1, fit.bootstrap.replicates))
    ends: list[Interval | None] = []
    for first in range(0, len(plan.flops), piece):
        rows = slice(first, first + piece)
        one, other = (
            under.losses({dim: v[rows] for dim, v in ledger.shape.items()}, ledger.flops[rows], columns)
            for under, ledger in ((optimum, its), (limited, plan))
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = central_interval(one / other - 1.0, fit.bootstrap.level)
        below, above = np.maximum(regrets[rows] - low, 0.0), np.maximum(high - regrets[rows], 0.0)
        low, high = regrets[rows] - np.hypot(below, between[rows]), regrets[rows] + np.hypot(above, between[rows])
        pairs = zip(low.tolist(), high.tolist(), strict=True)
        ends += [pair if math.isfinite(sum(pair)) else None for pair in pairs]
    return ends


def _between_laws(optimum: Optimum, its: ShapeCost, limited: Optimum, plan: ShapeCost, regrets: Floats) -> Floats:
    """Return the standard deviation of the regret over the rival laws, about that under the law of the plan."""
    squares, count = np.zeros_like(regrets), np.ones_like(regrets)
    for rival, rival_limited in zip(optimum.rivals, limited.rivals, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            best = rival_limited.losses(plan.shape, plan.flops)
            apart = (rival.losses(its.shape, its.flops) / best - 1.0 - regrets) ** 2
        known = np.isfinite(apart)
        squares, count = squares + np.where(known, apart, 0.0), count + known
    return np.sqrt(squares / count)


def _said(shape: Mapping[str, float]) -> str:
    return ", ".join(f"{dim} {size:g}" for dim, size in shape.items())


def _number(values: Floats | None, i: int) -> float | None:
    return None if values is None else _finite(values[i])


def _whole(values: Floats | None, i: int) -> int | None:
    return None if values is None else round(float(values[i]))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
