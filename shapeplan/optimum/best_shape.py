"""The shape of least loss at a compute, for any law: closed form where the law has one, else Newton in log-shape."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.laws import Form
from shapeplan.numerics.arrays import Floats
from shapeplan.optimum.cost_model import NO_LIMITS, CostModel, Limits
from shapeplan.optimum.newton import descend, descend_within
from shapeplan.optimum.objective import Data, ShapeObjective
from shapeplan.sweeps.dimensions import Tie

_KEPT = 1e-7
"""Violation of a limit, relative, up to which a shape counts as within."""

Bounds = Mapping[str, tuple[ArrayLike, ArrayLike]]


def best_shape(
    form: Form,
    units: Mapping[str, float],
    constants: Mapping[str, Floats],
    flops: ArrayLike,
    cost_model: CostModel,
    bounds: Bounds,
    limits: Limits = NO_LIMITS,
    near: Mapping[str, ArrayLike] | None = None,
) -> dict[str, Floats]:
    """Return the shape of least loss.

    Parameters
    ----------
    form : Form
        The law's form. One of parameters alone, without shape, is minimized along the line from the smallest shape
        within bounds to the largest: all dimensions grow as their ranges do.
    units : mapping of str to float
        Its units.
    constants : mapping of str to ndarray, shape (problems,)
        Its constants, such as bootstrap draws.
    flops : array_like, shape (problems,) or ()
        Compute.
    cost_model : CostModel
        Dimensions and cost.
    bounds : mapping of str to (low, high)
        Smallest and largest value of every free dimension, each of shape (problems,) or (); where they are equal, the
        dimension is held. One that is kept in proportion to another follows that, whatever its own bounds.
    limits : Limits
        What the shape and its training may take.
    near : mapping of str to array_like, shape (problems,) or (), optional
        Where to start: shapes that are best under like constants, or near by.

    Returns
    -------
    dict of str to ndarray, shape (problems,)
        One a free dimension, within bounds; NaN where no shape within bounds keeps the limits, or none has a finite
        loss. Empty if there is no shape to choose, or the law needs a cost that is not known.
    """
    dims = cost_model.dimensions.free
    if not dims or cost_model.needs(form) or not constants:
        return {}
    ends = [end for dim in dims for end in bounds[dim]]
    problems = max(np.size(flops), *(np.size(value) for value in (*constants.values(), *ends)))

    def spread(value: ArrayLike) -> Floats:
        return np.broadcast_to(np.asarray(value, dtype=float), (problems,))

    named = {name: spread(value) for name, value in constants.items()}
    budget = spread(flops)
    with np.errstate(divide="ignore"):
        low, high = (np.log(np.column_stack([spread(bounds[dim][end]) for dim in dims])) for end in (0, 1))
    goal = ShapeObjective(form, units, named, budget, cost_model, limits)
    moving = [dim for k, dim in enumerate(dims) if (low[:, k] < high[:, k]).all()]
    followers = {dim: tie for dim, tie in cost_model.dimensions.kept.items() if dim in moving}
    leaders = [k for k, dim in enumerate(dims) if dim not in followers]
    if not form.dims:
        goal = replace(goal, origin=low, directions=(high - low)[:, None, :])
        low, high = np.zeros((problems, 1)), np.ones((problems, 1))
    elif followers:
        origin, directions = _in_proportion(dims, leaders, followers, problems)
        goal = replace(goal, origin=origin, directions=directions)
        low, high = low[:, leaders], high[:, leaders]
    start = None
    if near is not None and form.dims:
        start = np.clip(np.log(np.column_stack([spread(near[dims[k]]) for k in leaders])), low, high)
        start = np.where(np.isfinite(start), start, (low + high) / 2)
    if limits.any:
        place = _within_limits(goal, low, high, start)
    else:
        place, inside = _closed(goal, low, high)
        rest = np.flatnonzero(~inside)
        if rest.size:
            start = (low + high) / 2 if start is None else start
            place[rest] = descend(goal.take(rest), low[rest], high[rest], start[rest])
    log_shape = goal.log_shape(place)
    return {dim: np.exp(log_shape[:, k]) for k, dim in enumerate(dims)}


def _in_proportion(
    dims: Sequence[str], leaders: Sequence[int], followers: Mapping[str, Tie], problems: int
) -> tuple[Floats, Floats]:
    """Return origin and directions of log-shape where some dimensions follow others."""
    origin, directions = np.zeros(len(dims)), np.zeros((len(leaders), len(dims)))
    directions[np.arange(len(leaders)), leaders] = 1.0
    for dim, tie in followers.items():
        origin[dims.index(dim)] = np.log(tie.ratio)
        directions[leaders.index(dims.index(tie.to)), dims.index(dim)] = tie.power
    return (
        np.broadcast_to(origin, (problems, *origin.shape)),
        np.broadcast_to(directions, (problems, *directions.shape)),
    )


def _closed(
    goal: ShapeObjective, low: Floats, high: Floats
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return the closed form, and for which problems it is the answer: where it exists and lies inside the bounds."""
    dims = goal.cost_model.dimensions.free
    closed: Mapping[str, Floats] = {}
    if goal.origin is None:
        closed = goal.form.optimum(goal.constants, np.log(goal.budget / goal.units.get("flops", 1.0)))
    if not closed:
        return np.zeros_like(low), np.zeros(len(low), dtype=bool)
    with np.errstate(divide="ignore"):
        place = np.column_stack([np.log(closed[dim] * goal.units[dim]) for dim in dims])
    return place, np.isfinite(place).all(axis=1) & (place >= low).all(axis=1) & (place <= high).all(axis=1)


def _within_limits(goal: ShapeObjective, low: Floats, high: Floats, near: Floats | None) -> Floats:
    """Return the best places that keep the limits; NaN where there is none.

    Limits from above keep the problem convex: one descent, from the middle, or from the smallest shape where serving
    the middle would take the whole budget.
    """
    ample = replace(goal, limits=replace(goal.limits, examples=math.inf))
    start = (low + high) / 2 if near is None else near
    place, loss = _descend_from(ample, low, high, start)
    if math.isfinite(goal.limits.examples):
        sound = np.isfinite(loss)
        over = goal.excess(np.where(sound[:, None], place, low))
        short = np.flatnonzero(~(sound & (over <= _KEPT).all(axis=0)))
        if short.size:
            starts = None if near is None else near[short]
            place[short], loss[short] = _where_data_end(goal.take(short), low[short], high[short], starts)
    return np.where(np.isfinite(loss)[:, None], place, np.nan)


def _where_data_end(goal: ShapeObjective, low: Floats, high: Floats, near: Floats | None) -> tuple[Floats, Floats]:
    """Return the best places, and their loss, of problems whose best shape would see more examples than there are.

    Where the budget ends first the problem is convex, and its best place is known to lie beyond the limit: so no place
    inside that side is best, only its border, which the other sides have too. There, on repeated examples or on all
    that may be seen, the problem is not convex, and is searched from the corners of the box and its middle.
    """
    problems, dims = low.shape
    shares = np.array([*itertools.product((0.0, 1.0), repeat=dims), (0.5,) * dims])
    starts = low + shares[:, None, :] * (high - low) if near is None else near[None]
    again = np.tile(np.arange(problems), len(starts))
    sides: tuple[Data, ...] = ("scarce",) if goal.limits.epochs == 1 else ("repeated", "scarce")
    searches = [
        _descend_from(replace(goal, data=side).take(again), low[again], high[again], starts.reshape(-1, dims))
        for side in sides
    ]
    found = np.concatenate([place for place, _ in searches]).reshape(-1, problems, dims)
    loss = np.concatenate([losses for _, losses in searches]).reshape(-1, problems)
    mine = (np.argmin(loss, axis=0), np.arange(problems))
    return found[mine], loss[mine]


def _descend_from(goal: ShapeObjective, low: Floats, high: Floats, start: Floats) -> tuple[Floats, Floats]:
    """Return local minima that keep the limits, and their loss, which is infinite where none was found."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        start = np.where(np.isfinite(goal.loss(start))[:, None], start, low)
        place, excess = descend_within(goal, low, high, start)
        loss = goal.loss(place)
    return place, np.where((excess <= _KEPT) & np.isfinite(loss), loss, np.inf)
