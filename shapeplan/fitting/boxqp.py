"""Convex quadratic programs inside a box, many small ones at once; non-negative least squares is one of them."""

from __future__ import annotations

import numpy as np

from shapeplan.arrays import Bools, Floats, Ints

_ROUNDS = 100
"""Rounds of pivoting; a problem of p variables needs about p, and cycling is broken well before this."""
_PATIENCE = 3
_DEFINITE = 1e-14
_TINY = 1e-300


def solve_box_qp(hessian: Floats, gradient: Floats, lower: Floats, upper: Floats) -> Floats:
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
    # A whiff of ridge keeps dependent variables solvable; it is far below the scatter of any real data.
    unit[:, index, index] += 1e-14
    slope, low, high = gradient / scale, lower * scale, upper * scale
    tolerance = 1e-13 * np.maximum(np.abs(slope).max(axis=1, keepdims=True), 1e-300)
    usable = diagonal > 0

    # -1 at the lower bound, 0 free, +1 at the upper bound; at first where the gradient presses against a bound.
    pressed = np.where((low >= 0) & (slope > 0), -1, np.where((high <= 0) & (slope < 0), 1, 0))
    side: Ints = np.where(usable, pressed, -1)
    solution = np.zeros_like(slope)
    fewest = np.full(len(slope), size + 1)
    patience = np.full(len(slope), _PATIENCE)
    todo = np.arange(len(slope))
    for _ in range(_ROUNDS):
        here, mine = side[todo], unit[todo]
        at_bound = np.where(here < 0, low[todo], np.where(here > 0, high[todo], 0.0))
        free = here == 0
        rest = -slope[todo] - (mine @ at_bound[..., None])[..., 0]
        masked = np.where(free[:, :, None] & free[:, None, :], mine, 0.0)
        masked[:, index, index] = np.where(free, mine[:, index, index], 1.0)
        answer = np.linalg.solve(masked, np.where(free, rest, 0.0)[..., None])[..., 0]
        solution[todo] = np.where(free, answer, at_bound)
        force = (mine @ solution[todo][..., None])[..., 0] + slope[todo]
        wanted = np.where(
            free,
            np.where(solution[todo] < low[todo], -1, np.where(solution[todo] > high[todo], 1, 0)),
            np.where((force * here > tolerance[todo]) & usable[todo], 0, here),
        )
        wrong = wanted != here
        count = wrong.sum(axis=1)
        unsettled = count > 0
        if not unsettled.any():
            break
        todo, wrong, wanted, count = todo[unsettled], wrong[unsettled], wanted[unsettled], count[unsettled]
        better = count < fewest[todo]
        fewest[todo] = np.minimum(fewest[todo], count)
        patience[todo] = np.where(better, _PATIENCE, patience[todo] - 1)
        last = np.zeros_like(wrong)
        last[np.arange(len(todo)), size - 1 - np.argmax(wrong[:, ::-1], axis=1)] = True
        side[todo] = np.where(np.where((patience[todo] >= 0)[:, None], wrong, last), wanted, side[todo])
    return np.asarray(np.clip(solution, low, high) / scale)


def solve_nnls(gram: Floats, moments: Floats) -> Floats:
    """Minimize ``|A x - y|`` over ``x >= 0`` for a batch, given ``A'A`` (batch, p, p) and ``A'y`` (batch, p)."""
    zeros = np.zeros_like(moments)
    return solve_box_qp(gram, -moments, zeros, np.full_like(moments, np.inf))


def is_definite(matrices: Floats) -> Bools:
    """Return which of a batch of symmetric matrices, shape (batch, p, p), are positive definite beyond rounding."""
    index = np.arange(matrices.shape[1])
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        scale = np.sqrt(np.maximum(matrices[:, index, index], _TINY))
        unit = matrices / (scale[:, :, None] * scale[:, None, :])
    finite = np.asarray(np.isfinite(unit).all(axis=(1, 2)))
    unit[~finite] = np.eye(len(index))
    try:
        np.linalg.cholesky(unit)
    except np.linalg.LinAlgError:
        return np.asarray((np.linalg.eigvalsh(unit)[:, 0] > _DEFINITE) & finite)
    return finite
