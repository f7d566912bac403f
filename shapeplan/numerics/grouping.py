"""Rows that are alike, of columns with millions of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shapeplan.numerics.arrays import Bools, Ints


def first_alike(*columns: NDArray[Any]) -> Ints:
    """Return for every row the first one that is equal in all columns, which may be the row itself.

    Parameters
    ----------
    *columns : ndarray of numbers, shape (rows,)
        At least one.

    Returns
    -------
    ndarray of int, shape (rows,)
    """
    if not len(columns[0]):
        return np.empty(0, dtype=int)
    order, new = _in_order(columns)
    if new.all():
        return np.arange(len(order))
    first = np.empty(len(order), dtype=int)
    first[order] = order[np.flatnonzero(new)][np.cumsum(new) - 1]
    return first


def group_alike(*columns: NDArray[Any]) -> Ints:
    """Return the group of every row, shape (rows,), counted from 0; as `first_alike`."""
    first = first_alike(*columns)
    number = np.cumsum(first == np.arange(len(first))) - 1
    return np.asarray(number[first])


def first_of_group(group: Ints) -> Ints:
    """Return for every row the first one of its group, shape (rows,); groups are numbered from 0."""
    first = np.zeros(int(group.max(initial=-1)) + 1, dtype=int)
    # Of rows that are assigned to one place the last stays.
    first[group[::-1]] = np.arange(len(group))[::-1]
    return first[group]


def is_function(values: NDArray[Any], group: Ints) -> bool:
    """Return whether every group, numbered from 0, has one value."""
    if not len(group):
        return True
    one = np.empty(int(group.max()) + 1, dtype=values.dtype)
    one[group] = values
    return bool((one[group] == values).all())


def _in_order(columns: tuple[NDArray[Any], ...]) -> tuple[Ints, Bools]:
    """Return an order in which rows that are alike follow one another, the first in front, and where others begin."""
    if len(columns) == 1:
        order = np.argsort(columns[0], kind="stable")
        return order, _differ(columns, order)
    # One sort by a sum that equal rows share is several times as fast as a sort by every column.
    key = np.zeros(len(columns[0]))
    for weight, column in zip(np.sqrt(_PRIMES), columns, strict=False):
        key += weight * column
    if len(columns) <= len(_PRIMES) and np.isfinite(key).all():
        order = np.argsort(key, kind="stable")
        key = key[order]
        same = np.flatnonzero(key[1:] == key[:-1])
        if not any((column[order[same]] != column[order[same + 1]]).any() for column in columns):
            new = np.ones(len(order), dtype=bool)
            new[same + 1] = False
            return order, new
    order = np.lexsort(columns)
    return order, _differ(columns, order)


def _differ(columns: tuple[NDArray[Any], ...], order: Ints) -> Bools:
    """Return for every row in an order whether it differs from the one before."""
    new = np.zeros(len(order), dtype=bool)
    new[:1] = True
    for column in columns:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    return new


_PRIMES = np.array([2.0, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37])
