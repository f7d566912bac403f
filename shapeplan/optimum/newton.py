"""Newton's method inside a box, for many small problems at once, with limits by multipliers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.numerics.box_qp import solve_box_qp
from shapeplan.optimum.objective import ShapeObjective

_STEPS = 60
_HALVINGS, _GENTLE = 14, 5
"""How often a step is shortened at most, and how often by halves; from then on to a tenth."""
_TOLERANCE = 1e-12
"""Gain of a step, relative, that ends a descent: the step is taken, and leaves about the square of that."""
_ROUNDS = 40
_STIFFER = 5.0
"""Factor of the weight of violations where a round of multipliers does not shrink them enough."""
_STIFF, _STIFFEST = 1e4, 1e7
_HOPELESS = 1e-3
"""Violation of a limit, relative, that stiff weights must have brought below."""
_MET = 1e-10
"""Violation of a limit, relative, that counts as none."""


def descend(goal: ShapeObjective, low: Floats, high: Floats, start: Floats) -> Floats:
    """Return local minima inside boxes, limits not counted but for the multipliers the goal has.

    Parameters
    ----------
    goal : ShapeObjective
        The problems.
    low, high : ndarray, shape (problems, dims)
        Their boxes.
    start : ndarray, shape (problems, dims)
        Where to start, inside.

    Returns
    -------
    ndarray, shape (problems, dims)
        NaN where the loss is not finite.
    """
    place = start.copy()
    active, index = np.arange(len(place)), np.arange(place.shape[1])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        value, gradient, hessian = goal.local(place)
        for _ in range(_STEPS):
            sound = np.isfinite(value) & np.isfinite(hessian).all(axis=(1, 2))
            place[active[~sound]] = np.nan
            active, value, gradient, hessian = active[sound], value[sound], gradient[sound], _convex(hessian[sound])
            if not active.size:
                break
            hessian[:, index, index] += 1e-12 * hessian[:, index, index].max(axis=1, keepdims=True) + 1e-300
            step = solve_box_qp(hessian, gradient, low[active] - place[active], high[active] - place[active])
            gain = -(gradient * step).sum(axis=1)
            last = ~(gain > _TOLERANCE * np.abs(value))
            if last.any():
                _backtrack(goal, place, active[last], step[last], value[last], gain[last])
            active, step, value, gain = active[~last], step[~last], value[~last], gain[~last]
            if not active.size:
                break
            # Most steps go down as they are: where one ends is looked at once, as the next one needs it.
            here, before = goal.take(active), place[active]
            place[active] = before + step
            fresh = here.local(place[active])
            up = np.flatnonzero(~(_falls(fresh[0], value, gain) & here.defined(place[active])))
            if up.size:
                place[active[up]] = before[up]
                _backtrack(goal, place, active[up], step[up], value[up], gain[up])
                for array, again in zip(fresh, goal.take(active[up]).local(place[active[up]]), strict=True):
                    array[up] = again
            value, gradient, hessian = fresh
    return place


def descend_within(goal: ShapeObjective, low: Floats, high: Floats, start: Floats) -> tuple[Floats, Floats]:
    """Return local minima inside boxes that keep the limits, and how far they are above them.

    Multipliers are raised round by round (the augmented Lagrangian of Hestenes 1969 and Powell 1969).

    Returns
    -------
    place : ndarray, shape (problems, dims)
        The minima.
    excess : ndarray, shape (problems,)
        The largest violation of a limit, relative; it stays large where no shape of the box keeps them all.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        count, problems = len(goal.excess(start)), len(start)
        goal = replace(goal, multipliers=np.zeros((count, problems)), scale=np.abs(goal.loss(start)))
        place, over = start.copy(), np.full(problems, np.inf)
        multipliers, worst, weight = np.zeros((count, problems)), np.full(problems, np.inf), goal.weight
        active = np.arange(problems)
        for _ in range(_ROUNDS):
            here = replace(goal.take(active), multipliers=multipliers[:, active], weight=weight)
            moved = descend(here, low[active], high[active], place[active])
            place[active] = np.where(np.isfinite(moved), moved, place[active])
            excess = here.excess(place[active])
            raised = np.maximum(here.multipliers + weight * excess, 0.0)
            change = np.max(np.abs(raised - here.multipliers), axis=0, initial=0.0) / weight
            over[active] = np.maximum(np.max(excess, axis=0, initial=0.0), 0.0)
            multipliers[:, active] = raised
            slow = change > worst[active] / 4
            # A problem is done when its limits are met; it has no answer if stiff weights bring it no nearer.
            stuck = slow & (weight >= _STIFF) & (over[active] > _HOPELESS)
            worst[active] = change
            active = active[(change >= _MET) & ~stuck]
            if not active.size:
                break
            if slow.any() and weight < _STIFFEST:
                weight *= _STIFFER
        return place, over


def _convex(hessian: Floats) -> Floats:
    """Return the matrices with negative eigenvalues turned positive, so that a step goes down."""
    try:
        if np.isfinite(np.linalg.cholesky(hessian)).all():
            return hessian
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(hessian)
    return np.asarray((vectors * np.abs(values)[:, None, :]) @ vectors.transpose(0, 2, 1))


def _backtrack(goal: ShapeObjective, place: Floats, active: Index, step: Floats, value: Floats, gain: Floats) -> None:
    """Move some of the places to the end of the longest of ever shorter steps that lowers the loss enough."""
    here, before = goal.take(active), place[active]
    share = np.ones(len(active))
    for halving in range(_HALVINGS):
        place[active] = before + share[:, None] * step
        wrong = ~_falls(here.value(place[active]), value, share * gain)
        if not wrong.any():
            return
        share = np.where(wrong, share * (0.5 if halving < _GENTLE else 0.1), share)
    place[active] = before + np.where(wrong, 0.0, share)[:, None] * step


def _falls(fresh: Floats, value: Floats, gain: Floats) -> Bools:
    """Return whether a step lowers the loss enough, for the gain that its slope promises (Armijo's rule)."""
    return np.asarray(fresh <= value - 1e-4 * gain + 1e-15 * np.abs(value))
