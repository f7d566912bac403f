"""Convex quadratic programs inside a box, many small ones at once; non-negative least squares is one of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shapeplan.numerics.arrays import Bools, Floats, Index, Ints

_ROUNDS = 100
"""Rounds of pivoting; a problem of p variables needs about p, and cycling is broken well before this."""
_PATIENCE = 3
_TOLERANCE = 1e-13
"""Force, over the largest slope, above which a variable leaves its bound."""
_TINY = 1e-300


def solve_box_qp(hessian: Floats, gradient: Floats, lower: Floats, upper: Floats, free: Bools | None = None) -> Floats:
    """Minimize ``d' H d / 2 + g' d`` over ``lower <= d <= upper`` for a batch of problems.

    Block principal pivoting, with Murty's rule (the last wrong variable alone) as the back-up against cycling (Kim
    and Park 2011): every variable that is on the wrong side changes sides at once while that helps.

    Parameters
    ----------
    hessian : ndarray, shape (batch, p, p)
        Positive semidefinite; a variable with a zero diagonal stays at its lower bound.
    gradient : ndarray, shape (batch, p)
        Gradient at ``d = 0``.
    lower, upper : ndarray, shape (batch, p)
        The box; `upper` may be infinite.
    free : ndarray of bool, shape (batch, p), optional
        A guess at which variables are free, the others being at their lower bounds. It saves rounds if it is right.

    Returns
    -------
    ndarray, shape (batch, p)
        The minimizers.
    """
    size = gradient.shape[1]
    index = np.arange(size)
    diagonal = hessian[:, index, index]
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    inverse = 1.0 / scale
    unit = hessian * inverse[:, :, None]
    unit *= inverse[:, None, :]
    # A ridge of 1e-14 keeps dependent variables solvable; it is far below the noise of real data.
    unit[:, index, index] += 1e-14
    slope, low, high = gradient / scale, lower * scale, upper * scale
    usable = diagonal > 0

    # -1 at the lower bound, 0 free, +1 at the upper bound; at first where the gradient presses against a bound.
    if free is None:
        pressed = np.where((low >= 0) & (slope > 0), -1, np.where((high <= 0) & (slope < 0), 1, 0))
    else:
        pressed = np.where(free, 0, -1)
    side: Ints = np.where(usable, pressed, -1)
    box = _Boxed(unit, slope, low, high, usable)
    solution, wanted = box.pivot(side)
    wrong = wanted != side
    if wrong.any():
        _settle(box, solution, side, wanted)
    return np.asarray(np.clip(solution, low, high) / scale)


def _settle(box: _Boxed, solution: Floats, side: Ints, wanted: Ints) -> None:
    """Go on with the problems whose variables are not where they should be, and put their solutions into an array.

    Parameters
    ----------
    box : _Boxed
        The problems.
    solution : ndarray, shape (batch, p)
        Of the first round.
    side, wanted : ndarray of int, shape (batch, p)
        On which side every variable was, and where it should have been.
    """
    size = side.shape[1]
    todo = np.arange(len(side))
    fewest, patience = np.full(len(side), size + 1), np.full(len(side), _PATIENCE)
    for _ in range(_ROUNDS - 1):
        wrong = wanted != side
        count = wrong.sum(axis=1)
        unsettled = np.flatnonzero(count)
        if not unsettled.size:
            break
        todo, box, side = todo[unsettled], box.take(unsettled), side[unsettled]
        wrong, wanted, count = wrong[unsettled], wanted[unsettled], count[unsettled]
        fewest, patience = fewest[unsettled], patience[unsettled]
        patience = np.where(count < fewest, _PATIENCE, patience - 1)
        fewest = np.minimum(fewest, count)
        last = np.zeros_like(wrong)
        last[np.arange(len(todo)), size - 1 - np.argmax(wrong[:, ::-1], axis=1)] = True
        side = np.where(np.where((patience >= 0)[:, None], wrong, last), wanted, side)
        solution[todo], wanted = box.pivot(side)


class _Boxed(NamedTuple):
    """Programs with a unit diagonal; a variable that is not usable stays at its lower bound."""

    unit: Floats
    slope: Floats
    low: Floats
    high: Floats
    usable: Bools

    def take(self, batch: Index) -> _Boxed:
        unit, slope, low, high, usable = self
        return _Boxed(unit[batch], slope[batch], low[batch], high[batch], usable[batch])

    def pivot(self, side: Ints) -> tuple[Floats, Ints]:
        """Solve for the free variables; return the solution and on which side every variable should have been."""
        free = side == 0
        if free.all():
            inside = np.asarray(np.linalg.solve(self.unit, -self.slope[..., None])[..., 0], dtype=float)
            return inside, self._beyond(inside)
        index = np.arange(self.unit.shape[1])
        at_bound = np.where(side < 0, self.low, np.where(side > 0, self.high, 0.0))
        rest = -self.slope - (self.unit @ at_bound[..., None])[..., 0]
        masked = np.where(free[:, :, None] & free[:, None, :], self.unit, 0.0)
        masked[:, index, index] = np.where(free, self.unit[:, index, index], 1.0)
        inside = np.linalg.solve(masked, np.where(free, rest, 0.0)[..., None])[..., 0]
        answer = np.asarray(np.where(free, inside, at_bound), dtype=float)
        force = (self.unit @ answer[..., None])[..., 0] + self.slope
        tolerance = _TOLERANCE * np.maximum(np.abs(self.slope).max(axis=1, keepdims=True), _TINY)
        leaving = np.where((force * side > tolerance) & self.usable, 0, side)
        return answer, np.where(free, self._beyond(answer), leaving)

    def _beyond(self, values: Floats) -> Ints:
        """Return which values are below the box (-1), above it (+1) or inside (0)."""
        return np.asarray(np.where(values < self.low, -1, np.where(values > self.high, 1, 0)), dtype=np.int64)


def solve_nnls(gram: Floats, moments: Floats, positive: Bools | None = None) -> Floats:
    """Minimize ``|A x - y|`` over ``x >= 0`` for a batch, given ``A'A`` (batch, p, p) and ``A'y`` (batch, p).

    `positive`, of the shape of `moments`, is a guess at which x are.
    """
    zeros = np.zeros_like(moments)
    return solve_box_qp(gram, -moments, zeros, np.full_like(moments, np.inf), positive)
