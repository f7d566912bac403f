"""From the shapes a method gives to shapes that can be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.arrays import Bools, Floats
from shapeplan.errors import Complaint, PlanError
from shapeplan.planning.constraints import impossible
from shapeplan.planning.optimum import Optimum
from shapeplan.planning.rounding import Grain
from shapeplan.quantities import format_flops
from shapeplan.sweeps.grid import LARGEST_SIZE

SMALLEST_SIZE = 1e-3
REACH = 2
"""Multiples on either side of the best shape among which the least loss is looked for."""
LIMITED_REACH = 6
"""The same, where limits leave a part of the lattice only, for all dimensions but the finest."""
_CELLS = 400_000


def check_shapes(law: Optimum, shape: Mapping[str, Floats], flops: Floats) -> None:
    """Raise `PlanError` if a method gave no shape for a budget, or an absurd one."""
    for i, budget in enumerate(flops.tolist()):
        sizes = {dim: float(values[i]) for dim, values in shape.items()}
        if law.asked.limits.any and not all(np.isfinite(size) for size in sizes.values()):
            raise impossible(law.fit, law.asked, budget)
        if absurd := [dim for dim, size in sizes.items() if not SMALLEST_SIZE <= size <= LARGEST_SIZE]:
            said = ", ".join(f"{dim} {sizes[dim]:.3g}" for dim in absurd)
            message = f"the plan would be {said} at {format_flops(budget)} FLOPs"
            raise PlanError(Complaint("absurd-shape", message, "the exponents are not determined: extend those arms"))


def round_to_least_loss(law: Optimum, grain: Grain, shape: Mapping[str, Floats], flops: Floats) -> dict[str, Floats]:
    """Return, for every budget, the shape of least loss among those that can be built around the best one.

    Parameters
    ----------
    law : Optimum
        The law, with what the shape must keep.
    grain : Grain
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
    check_shapes(law, shape, flops)
    limited = law.asked.limits.any
    free = [dim for dim in shape if dim not in grain.held]
    size = (2 * LIMITED_REACH) ** max(len(free) - 1, 0) * 2 * REACH if limited else (2 * REACH) ** len(free)
    step = max(1, _CELLS // size)
    pieces = []
    for first in range(0, len(flops), step):
        rows = slice(first, first + step)
        near = {dim: values[rows] for dim, values in shape.items()}
        places = _along_limits(law, grain, near, flops[rows]) if limited else grain.lattice(near, REACH)
        pieces.append(_least(law, places, flops[rows]))
    return {dim: np.concatenate([piece[dim] for piece in pieces]) for dim in pieces[0]}


def _along_limits(law: Optimum, grain: Grain, shape: Mapping[str, Floats], flops: Floats) -> dict[str, Floats]:
    """Return shapes that can be built along the limits, shape (budgets, shapes).

    A limit ties dimensions to each other: a coarse step in one is paid by another far from its best value. So all
    dimensions but the finest are tried on a wide lattice, and for each the finest is re-optimized within the limits.
    """
    free = [dim for dim in shape if dim not in grain.held]
    if not free:
        return grain.lattice(shape, REACH)
    finest = min(free, key=lambda dim: grain.multiple(dim) / float(np.median(shape[dim])))
    coarse = replace(grain, held={**grain.held, finest: 0.0}).lattice(shape, LIMITED_REACH)
    count = len(coarse[finest][0])
    held = {dim: coarse[dim].ravel() for dim in shape if dim != finest}
    compute = np.repeat(flops, count)
    bounds: dict[str, tuple[ArrayLike, ArrayLike]] = {**law.asked.bounds(law.fit)}
    bounds |= {dim: (sizes, sizes) for dim, sizes in held.items()}
    near = {finest: np.repeat(shape[finest], count), **held}
    found = law.fit.best_shapes(law.fit.law.arrays(), compute, bounds, law.asked.limits, near)
    # Where no value of the finest keeps the limits, any will do to be ruled out.
    best = np.where(np.isfinite(found[finest]), found[finest], near[finest])
    steps = grain.lattice_of(finest, best, REACH)
    whole = {dim: np.repeat(sizes, steps.shape[1]) for dim, sizes in held.items()} | {finest: steps.ravel()}
    ordered = grain.complete({dim: whole[dim] for dim in shape})
    return {dim: values.reshape(len(flops), -1) for dim, values in ordered.items()}


def _least(law: Optimum, places: Mapping[str, Floats], flops: Floats) -> dict[str, Floats]:
    rows, budget = np.arange(len(flops)), flops[:, None]
    kept = _inside(law, places)
    if law.asked.limits.any:
        kept = kept & law.asked.kept_by(law.fit, places, budget)
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = np.where(kept, law.losses(places, budget), np.inf)
    loss = np.where(np.isfinite(loss), loss, np.inf)
    best = np.argmin(loss, axis=1)
    if np.isfinite(loss[rows, best]).all():
        return {dim: values[rows, best] for dim, values in places.items()}
    message = "no shape that can be built keeps the limits near the best one"
    hint = "raise the limits, or round to smaller multiples (--multiple-of)"
    raise PlanError(Complaint("impossible-limits", message, hint))


def _inside(law: Optimum, places: Mapping[str, Floats]) -> Bools:
    """Return which places lie in the trust region; all of a budget where none does, as with coarse multiples."""
    bounds = law.asked.bounds(law.fit)
    inside = np.all([(low <= places[dim]) & (places[dim] <= high) for dim, (low, high) in bounds.items()], axis=0)
    return np.asarray(inside | ~inside.any(axis=1, keepdims=True))
