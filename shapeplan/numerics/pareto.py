"""The Pareto front of two quantities that are both better when smaller."""

from __future__ import annotations

import numpy as np

from shapeplan.numerics.arrays import Floats, Index

_FEW = 10_000
"""Rows that are sorted at once; of more, those that a few of them beat are left out first."""


def front_rows(cost: Floats, loss: Floats) -> Index:
    """Return the rows that no row of as little cost beats, in order of cost; of several alike the first.

    Parameters
    ----------
    cost, loss : ndarray, shape (rows,)
        Both are better when smaller.
    """
    if len(cost) <= _FEW:
        return _sorted_front(cost, loss)
    some = np.arange(0, len(cost), len(cost) // _FEW + 1)
    front = some[_sorted_front(cost[some], loss[some])]
    best = np.concatenate([[np.inf], loss[front]])[np.searchsorted(cost[front], cost, side="right")]
    kept = np.flatnonzero(loss <= best)
    return np.asarray(kept[_sorted_front(cost[kept], loss[kept])])


def _sorted_front(cost: Floats, loss: Floats) -> Index:
    order = np.lexsort((loss, cost))
    best = np.minimum.accumulate(loss[order])
    return np.asarray(order[np.flatnonzero(best < np.concatenate([[np.inf], best[:-1]]))])
