"""Rows that are alike, of columns with millions of rows."""

from __future__ import annotations

import itertools
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
    key = _key(columns)
    if np.isfinite(key).all():
        # A plain sort, which tells whether there are equal rows at all, takes a third of the time of one of the order.
        ordered = np.sort(key)
        if (ordered[1:] != ordered[:-1]).all():
            return np.arange(len(key))
        order = np.argsort(key, kind="stable")
        first = _firsts(order, ordered[1:] != ordered[:-1])
        if len(columns) == 1 or all((column == column[first]).all() for column in columns):
            return first
    order = np.lexsort(columns)
    return _firsts(order, np.any([column[order][1:] != column[order][:-1] for column in columns], axis=0))


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


def _key(columns: tuple[NDArray[Any], ...]) -> NDArray[Any]:
    """Return a number for every row that rows which are alike share; few others share one.

    A sort by such a sum is several times as fast as a sort by every column.
    """
    if len(columns) == 1:
        return columns[0]
    key = np.zeros(len(columns[0]))
    for weight, column in zip(itertools.cycle(np.sqrt(_PRIMES)), columns, strict=False):
        key += weight * column
    return key


def _firsts(order: Ints, changes: Bools) -> Ints:
    """Return the first row that is like each, from an order in which like rows follow one another, the first in front.

    `changes` is whether a row differs from the one before, from the second on.
    """
    first = np.empty(len(order), dtype=int)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    first[order] = np.repeat(order[starts], np.diff(np.append(starts, len(order))))
    return first


_PRIMES = np.array([2.0, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37])
