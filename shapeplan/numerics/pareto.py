"""The Pareto front of two quantities that are both better when smaller."""

from __future__ import annotations

import numpy as np

from shapeplan.numerics.arrays import Floats, Index


def front_rows(cost: Floats, loss: Floats) -> Index:
    """Return the rows that no row of as little cost beats, in order of cost; of several alike the first.

    Parameters
    ----------
    cost, loss : ndarray, shape (rows,)
        Both are better when smaller.
    """
    order = np.lexsort((loss, cost))
    best = np.minimum.accumulate(loss[order])
    return np.asarray(order[np.flatnonzero(best < np.concatenate([[np.inf], best[:-1]]))])
