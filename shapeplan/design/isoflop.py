"""The isoFLOP analysis to train: budgets of compute, each with models of several sizes around the expected best."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from shapeplan import codes
from shapeplan.architectures import Architecture
from shapeplan.arguments import several, whole
from shapeplan.design.budget import check_budget
from shapeplan.design.ladder import USUAL_ASPECT, Ladder, free_dims, ladder_of_aspect, ladder_of_plans
from shapeplan.design.layout import MOST_POINTS, MOST_RUNS, Design, Entry, check_architecture, check_ratio, planned
from shapeplan.errors import ArgumentError, Caution, ErrorDetail
from shapeplan.fitting.result import Fit
from shapeplan.fitting.valleys import FEWEST_BUDGETS, FEWEST_SIZES
from shapeplan.numerics.arrays import Floats
from shapeplan.quantities import Convention, convert_flops, format_count, format_flops

_APART = 1.2
"""Ratio of budgets below which their rows could be taken for those of one."""
_BEYOND_LADDER = 1.1
_UNEVEN = 2.5
"""Power of the ratio of neighbouring sizes up to which rounding may move it."""
USUAL_SIZES, USUAL_RATIO = 7, 1.5
"""Seven sizes half as large again as their neighbours reach from 0.3 to 3.4 times the expected best."""


def design_isoflop(
    budgets: Sequence[float],
    architecture: Architecture,
    *,
    sizes: int = USUAL_SIZES,
    ratio: float = USUAL_RATIO,
    fit: Fit | None = None,
    aspect: float | None = None,
    flops_convention: Convention = "training",
) -> Design:
    """Lay out an isoFLOP analysis (Hoffmann et al. 2022, arXiv:2203.15556, approach 2).

    Parameters
    ----------
    budgets : sequence of float
        Compute of every run of a budget.
    architecture : Architecture
        Everything that is not shape.
    sizes : int
        Models a budget.
    ratio : float
        Of the parameters of neighbouring sizes.
    fit : Fit, optional
        Law whose best shapes are the ladder of models, and tell where the best is expected. By default a decoder's
        width is `aspect` times its depth, and the best is at 20 tokens a parameter; other families need a law.
    aspect : float, optional
        Width over depth, 64 by default, where no law tells it.
    flops_convention : {"forward", "training"}
        What the budgets and the compute column count.

    Returns
    -------
    Design
        Every run with the whole examples that its budget buys, by the exact FLOPs of its shape.

    Raises
    ------
    ArgumentError
        If a number makes no sense, or a budget is too small for so many sizes.
    PlanError
        If the law is not to be planned from.
    """
    wanted = _check(budgets, sizes)
    ratio = check_ratio(ratio)
    check_architecture(architecture)
    if not free_dims(architecture):
        message = "the architecture fixes every dimension, so that there is one size"
        raise ArgumentError(ErrorDetail("bad-shape", message, "leave width or depth out of it"))
    ladder = _ladder(architecture, np.array(wanted), fit, aspect, flops_convention)
    entries: list[Entry] = []
    notes = [f"sizes: {ladder.says}"]
    cautions = list(ladder.cautions)
    for budget in wanted:
        runs = _runs_of(budget, ladder, sizes, ratio, flops_convention)
        entries += runs
        notes.append(_told(budget, ladder, runs))
        cautions += _uneven(budget, ladder, runs, ratio)
    if len(wanted) < FEWEST_BUDGETS:
        message = f"how the best size grows is not told by fewer than {FEWEST_BUDGETS} budgets"
        cautions.append(Caution(codes.TOO_FEW_RUNS, message, f"give {FEWEST_BUDGETS} or more, over a decade or more"))
    rows = planned(entries, architecture, flops_convention)
    return Design(rows, "isoflop", cautions=tuple(cautions), notes=tuple(notes))


def _check(budgets: Sequence[float], sizes: int) -> list[float]:
    budgets, sizes = [check_budget(one) for one in several("budgets", budgets)], whole("sizes", sizes)
    near = [one for one, other in pairwise(sorted(budgets)) if other < _APART * one]
    if near:
        why = f"two budgets are within {_APART - 1:.0%} of {format_flops(near[0])}"
        raise ArgumentError(ErrorDetail("bad-flops", why, "write e.g. `budgets=1e18,3e18,1e19`"))
    if not FEWEST_SIZES <= sizes <= MOST_POINTS:
        hint = f"give {FEWEST_SIZES} to {MOST_POINTS}: a parabola through fewer is no check"
        raise ArgumentError(ErrorDetail("bad-points", f"{sizes} sizes is out of range", hint))
    if len(budgets) * sizes > MOST_RUNS:
        message = f"the analysis has {len(budgets) * sizes} runs, more than {MOST_RUNS}"
        raise ArgumentError(ErrorDetail("bad-points", message, "ask for fewer budgets or sizes"))
    return sorted(budgets)


def _ladder(
    architecture: Architecture, budgets: Floats, fit: Fit | None, aspect: float | None, convention: Convention
) -> Ladder:
    if fit is not None:
        return ladder_of_plans(fit, architecture, budgets, aspect, convention)
    if architecture.examples_unit == "tokens":
        return ladder_of_aspect(architecture, USUAL_ASPECT if aspect is None else aspect, convention)
    message = f"how many {architecture.examples_unit} a parameter are best is not known of {architecture.family.name}"
    raise ArgumentError(ErrorDetail("bad-design", message, "give a law"))


def _runs_of(budget: float, ladder: Ladder, sizes: int, ratio: float, convention: Convention) -> list[Entry]:
    """Return the runs of a budget, from the smallest model to the largest."""
    best = ladder.best(budget)
    steps = ratio ** (np.arange(sizes) - (sizes - 1) / 2)
    shapes = [ladder.shape(params) for params in best * steps]
    each = convert_flops(1.0, "forward", convention)
    examples = [np.floor(budget / (each * float(ladder.architecture.flops_per_example(shape)))) for shape in shapes]
    distinct = len({tuple(shape.values()) for shape in shapes})
    if best * steps[-1] > ladder.params[-1] * _BEYOND_LADDER:
        largest = format_count(float(ladder.params[-1]))
        message = f"{format_flops(budget)} FLOPs ask for more than {largest} parameters, the most that are laid out"
        raise ArgumentError(ErrorDetail("bad-flops", message, "give smaller budgets, fewer sizes or a smaller ratio"))
    if distinct < sizes or min(examples) < 1:
        few = f"only {distinct} of its {sizes} sizes differ when they can be built"
        why = few if distinct < sizes else "its largest model would not see one example"
        message = f"a budget of {format_flops(budget)} FLOPs does not make {sizes} runs: {why}"
        hint = "give larger budgets, fewer sizes, another ratio, or an architecture of narrower heads"
        raise ArgumentError(ErrorDetail("budget-too-small", message, hint))
    return [
        Entry(f"iso-{format_flops(budget)}-" + "-".join(map(str, shape.values())), shape, float(n))
        for shape, n in zip(shapes, examples, strict=True)
    ]


def _uneven(budget: float, ladder: Ladder, runs: Sequence[Entry], ratio: float) -> list[Caution]:
    """Return a caution where what can be built is not spread around the expected best as asked."""
    params = sorted(float(ladder.architecture.params(run.shape)) for run in runs)
    steps = [large / small for small, large in pairwise(params)]
    best = ladder.best(budget)
    why = []
    if not params[0] < best < params[-1]:
        why.append(f"do not reach around the expected best, {format_count(best)} parameters")
    if max(steps) > ratio**_UNEVEN or min(steps) < ratio ** (1 / _UNEVEN):
        why.append(f"are {min(steps):.3g} to {max(steps):.3g} times apart, not {ratio:g}")
    if not why:
        return []
    message = f"at {format_flops(budget)} the sizes that can be built {' and '.join(why)}"
    hint = "an architecture of narrower or fewer heads has more sizes; or give a larger budget"
    return [Caution(codes.UNEVEN_SPACING, message, hint)]


def _told(budget: float, ladder: Ladder, runs: Sequence[Entry]) -> str:
    """Return what the runs of a budget are, in words."""
    params = [float(ladder.architecture.params(run.shape)) for run in runs]
    unit = ladder.architecture.examples_unit
    ratios = [run.examples / size for run, size in zip(runs, params, strict=True)]
    return (
        f"{format_flops(budget)}: {format_count(min(params))} to {format_count(max(params))} parameters around "
        f"{format_count(ladder.best(budget))}, {ratios[-1]:.3g} to {ratios[0]:.3g} {unit} per parameter"
    )
