"""Rows that are alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shapeplan.numerics.arrays import Ints


def first_alike(*columns: NDArray[Any]) -> Ints:
    """Return for every row the first one that is equal in all columns, which may be the row itself.

    Parameters
    ----------
    *columns : ndarray, shape (rows,)
        At least one.

    Returns
    -------
    ndarray of int, shape (rows,)
    """
    order = np.lexsort(columns)
    # A sort that is stable has the first row of those alike in front.
    new = np.zeros(len(order), dtype=bool)
    new[:1] = True
    for column in columns:
        new[1:] |= column[order[1:]] != column[order[:-1]]
    first = np.empty(len(order), dtype=int)
    first[order] = order[np.flatnonzero(new)][np.cumsum(new) - 1]
    return first


def group_alike(*columns: NDArray[Any]) -> Ints:
    """Return the group of every row, shape (rows,), counted from 0 in order of appearance; as `first_alike`."""
    return np.unique(first_alike(*columns), return_inverse=True)[1].reshape(-1)
