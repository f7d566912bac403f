"""The first runs of a pool, before any law: those that pin down a smooth surface in the logarithms, among the cheap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shapeplan.design.coverage import kalman_update, log_axes
from shapeplan.numerics.arrays import Bools, Floats
from shapeplan.runs import Runs

_CURVED = 0.5
"""Prior standard deviation of coefficients of the second order beside those of the first."""
_CHEAP = 0.5
"""Quantile of the compute of the pool up to which runs are cheap."""


def first_runs(pool: Runs, done: Sequence[int], left: Bools, budget: float, count: int) -> list[int]:
    """Return the rows that tell most about a quadratic in the logarithms of shape and compute, given those done.

    The Bayesian D-optimal design, built greedily: every run is the one whose metric is least certain given those before
    it (the largest gain of the determinant of the information). It is looked for among the cheaper half of the pool,
    and among all where none of that is left.

    Parameters
    ----------
    pool : Runs
        Runs to choose from.
    done : sequence of int
        Rows of the pool that are known.
    left : ndarray of bool, shape (rows,)
        Rows that may be chosen.
    budget : float
        Compute of all together, in the convention of the pool.
    count : int
        How many at most.
    """
    surface = _quadratic(pool)
    known = np.eye(surface.shape[1])
    for row in done:
        known = kalman_update(known, surface[row])
    cheap = pool.flops <= np.quantile(pool.flops, _CHEAP)
    left, chosen = left.copy(), list[int]()
    while len(chosen) < count:
        able = left & (pool.flops <= budget)
        able = able & cheap if (able & cheap).any() else able
        if not able.any():
            break
        spread = np.einsum("ri,ij,rj->r", surface, known, surface)
        row = int(np.argmax(np.where(able, spread, -np.inf)))
        chosen.append(row)
        left[row] = False
        budget -= float(pool.flops[row])
        known = kalman_update(known, surface[row])
    return chosen


def identifying(pool: Runs) -> int:
    """Return how many runs identify a law: one more than a constant, and two for every size that varies and compute."""
    return 2 + 2 * int(log_axes(pool).shape[1])


def _quadratic(pool: Runs) -> Floats:
    """Return a constant, the standardized logarithms of what varies, and their products, shape (rows, terms)."""
    logs = log_axes(pool)
    z = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    products = [_CURVED * z[:, i] * z[:, j] for i in range(z.shape[1]) for j in range(i, z.shape[1])]
    return np.column_stack([np.ones(len(pool)), z, *products])
