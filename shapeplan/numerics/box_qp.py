"""Convex quadratic programs inside a box, many small ones at once; non-negative least squares is one of them."""

from __future__ import annotations

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index, Ints

_ROUNDS = 100
"""Rounds of pivoting; a problem of p variables needs about p, and cycling is broken well before this."""
_PATIENCE = 3


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
    unit = hessian / (scale[:, :, None] * scale[:, None, :])
    # A ridge of 1e-14 keeps dependent variables solvable; it is far below the noise of real data.
    unit[:, index, index] += 1e-14
    slope, low, high = gradient / scale, lower * scale, upper * scale
    tolerance = 1e-13 * np.maximum(np.abs(slope).max(axis=1, keepdims=True), 1e-300)
    usable = diagonal > 0

    # -1 at the lower bound, 0 free, +1 at the upper bound; at first where the gradient presses against a bound.
    if free is None:
        pressed = np.where((low >= 0) & (slope > 0), -1, np.where((high <= 0) & (slope < 0), 1, 0))
    else:
        pressed = np.where(free, 0, -1)
    side: Ints = np.where(usable, pressed, -1)
    solution = np.empty_like(slope)
    fewest = np.full(len(slope), size + 1)
    patience = np.full(len(slope), _PATIENCE)
    box = _Boxed(unit, slope, low, high, tolerance, usable)
    todo = np.arange(len(slope))
    for _ in range(_ROUNDS):
        solution[todo], wanted = box.pivot(side)
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
    return np.asarray(np.clip(solution, low, high) / scale)


@frozen
class _Boxed:
    """Programs with a unit diagonal; a variable that is not usable stays at its lower bound."""

    unit: Floats
    slope: Floats
    low: Floats
    high: Floats
    tolerance: Floats
    usable: Bools

    def take(self, batch: Index) -> _Boxed:
        return _Boxed(*(array[batch] for array in vars(self).values()))

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
        leaving = np.where((force * side > self.tolerance) & self.usable, 0, side)
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
