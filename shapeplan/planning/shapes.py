"""From the shapes a method gives to shapes that can be built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.bounds import bound_of
from shapeplan.errors import ErrorDetail, PlanError
from shapeplan.numerics.arrays import CELLS_IN_CACHE, Bools, Floats
from shapeplan.planning.constraints import impossible
from shapeplan.planning.optimum import Optimum
from shapeplan.planning.rounding import RoundingRule
from shapeplan.quantities import format_flops

REACH = 2
"""Multiples on either side of the best shape among which the least loss is looked for."""
WIDE_REACH = 6
"""The same, where steps are coarse or limits leave a part of the lattice only, for all dimensions but the finest."""
_COARSE = 0.5
"""A step is coarse if it is more than this share of a value."""


def check_shapes(optimum: Optimum, shape: Mapping[str, Floats], flops: Floats) -> None:
    """Raise `PlanError` if a method gave no shape for a budget, or an absurd one."""
    for i, budget in enumerate(flops.tolist()):
        sizes = {dim: float(values[i]) for dim, values in shape.items()}
        if optimum.asked.limits.any and not all(np.isfinite(size) for size in sizes.values()):
            raise impossible(optimum.fit, optimum.asked, budget)
        if absurd := [dim for dim, size in sizes.items() if not bound_of(dim).holds(size)]:
            said = ", ".join(f"{dim} {sizes[dim]:.3g}" for dim in absurd)
            message = f"the plan would be {said} at {format_flops(budget)} FLOPs"
            raise PlanError(ErrorDetail("absurd-shape", message, "the exponents are not determined: extend those arms"))


def round_to_least_loss(
    optimum: Optimum, rounding_rule: RoundingRule, shape: Mapping[str, Floats], flops: Floats
) -> dict[str, Floats]:
    """Return, for every budget, the shape of least loss among those that can be built around the best one.

    Parameters
    ----------
    optimum : Optimum
        The law, with what the shape must keep.
    rounding_rule : RoundingRule
        What can be built.
    shape : mapping of str to ndarray, shape (budgets,)
        The best values of the free dimensions.
    flops : ndarray, shape (budgets,)
        Budgets.

    Returns
    -------
    dict of str to ndarray, shape (budgets,)
        All dimensions.

    Raises
    ------
    PlanError
        If no shape on the lattice keeps the limits.
    """
    check_shapes(optimum, shape, flops)
    free = [dim for dim in shape if dim not in rounding_rule.held]
    coarse = any(rounding_rule.multiple(dim) > _COARSE * float(shape[dim].min()) for dim in free)
    # A law of parameters alone takes any shape far away for as good.
    wide = (optimum.asked.limits.any or coarse) and optimum.fit.law.form.knows_shape
    size = (2 * WIDE_REACH) ** max(len(free) - 1, 0) * 2 * REACH if wide else (2 * REACH) ** len(free)
    step = max(1, CELLS_IN_CACHE // size)
    pieces = []
    for first in range(0, len(flops), step):
        rows = slice(first, first + step)
        near = {dim: values[rows] for dim, values in shape.items()}
        places = _branched(optimum, rounding_rule, near, flops[rows]) if wide else rounding_rule.lattice(near, REACH)
        pieces.append(_least(optimum, places, flops[rows]))
    return {dim: np.concatenate([piece[dim] for piece in pieces]) for dim in pieces[0]}


def _branched(
    optimum: Optimum, rounding_rule: RoundingRule, shape: Mapping[str, Floats], flops: Floats
) -> dict[str, Floats]:
    """Return shapes that can be built, shape (budgets, shapes), where rounding one dimension moves the others far.

    A coarse step in one dimension, and any step along a limit, is paid by the others. So dimensions are rounded from
    the coarsest to the finest, each to many multiples, and for every one of these the rest is re-optimized.
    """
    free = [dim for dim in shape if dim not in rounding_rule.held]
    free.sort(key=lambda dim: -rounding_rule.multiple(dim) / float(np.median(shape[dim])))
    place, compute = dict(shape), flops
    for done, dim in enumerate(free):
        steps = rounding_rule.lattice_of(dim, place[dim], REACH if done == len(free) - 1 else WIDE_REACH)
        count = steps.shape[1]
        place = {name: np.repeat(values, count) for name, values in place.items()} | {dim: steps.ravel()}
        compute = np.repeat(compute, count)
        if done < len(free) - 1:
            place = _reoptimized(optimum, place, compute, free[: done + 1])
    return {dim: values.reshape(len(flops), -1) for dim, values in rounding_rule.complete(place).items()}


def _reoptimized(
    optimum: Optimum, place: Mapping[str, Floats], flops: Floats, rounded: Sequence[str]
) -> dict[str, Floats]:
    """Return places with all but the rounded dimensions at their best."""
    bounds: dict[str, tuple[ArrayLike, ArrayLike]] = {**optimum.asked.bounds(optimum.fit)}
    bounds |= {dim: (place[dim], place[dim]) for dim in rounded}
    found = optimum.fit.best_shapes(optimum.fit.law.arrays(), flops, bounds, optimum.asked.limits, place)
    # Where the rest cannot keep the limits any will do: the place will be ruled out.
    return {
        dim: np.where(np.isfinite(values) & (dim not in rounded), values, place[dim]) for dim, values in found.items()
    }


def _least(optimum: Optimum, places: Mapping[str, Floats], flops: Floats) -> dict[str, Floats]:
    rows, budget = np.arange(len(flops)), flops[:, None]
    kept = _inside(optimum, places)
    if optimum.asked.limits.any:
        kept = kept & optimum.asked.kept_by(optimum.fit, places, budget)
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = np.where(kept, optimum.losses(places, budget), np.inf)
    loss = np.where(np.isfinite(loss), loss, np.inf)
    best = np.argmin(loss, axis=1)
    if np.isfinite(loss[rows, best]).all():
        return {dim: values[rows, best] for dim, values in places.items()}
    message = "no shape that can be built keeps the limits near the best one"
    hint = "raise the limits, round to smaller multiples (`multiples`), or look further with `trust`"
    raise PlanError(ErrorDetail("impossible-limits", message, hint))


def _inside(optimum: Optimum, places: Mapping[str, Floats]) -> Bools:
    """Return which places lie in the trust region; all of a budget where none does, as with coarse multiples."""
    bounds = optimum.asked.bounds(optimum.fit)
    inside = np.all([(low <= places[dim]) & (places[dim] <= high) for dim, (low, high) in bounds.items()], axis=0)
    return np.asarray(inside | ~inside.any(axis=1, keepdims=True))
