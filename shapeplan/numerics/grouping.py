"""Rows that are alike, of columns with millions of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shapeplan.numerics.arrays import Bools, Ints

_FEW = 1024
"""Groups up to which rows are looked up among them, which takes a quarter of the time of a sort of the order."""
_ODD, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
"""The golden ratio times 2^64 (Knuth 1973, section 6.4), and by how much its products are folded."""


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
    key = columns[0] if len(columns) == 1 else _hash(columns)
    # A plain sort, which tells whether there are equal rows at all, takes a third of the time of one of the order.
    ordered = np.sort(key)
    changes = ordered[1:] != ordered[:-1]
    if changes.all():
        return np.arange(len(key))
    if np.count_nonzero(changes) < _FEW:
        first = first_of_group(np.searchsorted(np.append(ordered[:1], ordered[1:][changes]), key))
    else:
        first = _firsts(np.argsort(key, kind="stable"), changes)
    alone = first == np.arange(len(first))
    if all(((column == column[first]) | alone).all() for column in columns):
        return first
    # Rows that are not alike share a hash, as rows with NaN do, which is like nothing.
    order = np.lexsort(columns)
    return _firsts(order, np.any([column[order][1:] != column[order][:-1] for column in columns], axis=0))


def group_alike(*columns: NDArray[Any]) -> Ints:
    """Return the group of every row, shape (rows,), counted from 0; as `first_alike`."""
    first = first_alike(*columns)
    number = np.cumsum(first == np.arange(len(first))) - 1
    return np.asarray(number[first])


def heads(group: Ints) -> Ints:
    """Return the first row of every group, shape (groups,); groups are numbered from 0."""
    first = np.zeros(int(group.max(initial=-1)) + 1, dtype=int)
    # Of rows that are assigned to one place the last stays.
    first[group[::-1]] = np.arange(len(group))[::-1]
    return first


def first_of_group(group: Ints) -> Ints:
    """Return for every row the first one of its group, shape (rows,)."""
    return heads(group)[group]


def is_function(values: NDArray[Any], group: Ints) -> bool:
    """Return whether every group, numbered from 0, has one value."""
    if not len(group):
        return True
    one = np.empty(int(group.max()) + 1, dtype=values.dtype)
    one[group] = values
    return bool((one[group] == values).all())


def _hash(columns: tuple[NDArray[Any], ...]) -> NDArray[np.uint64]:
    """Return a number for every row that rows which are alike share, and hardly any others: 64 bits, by products."""
    key = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        # Zero has two signs, and is equal to itself.
        key ^= (column + 0.0).view(np.uint64) if column.dtype == np.float64 else column.astype(np.uint64)
        key *= _ODD
        key ^= key >> _SHIFT
    return key


def _firsts(order: Ints, changes: Bools) -> Ints:
    """Return the first row that is like each, from an order in which like rows follow one another, the first in front.

    `changes` is whether a row differs from the one before, from the second on.
    """
    first = np.empty(len(order), dtype=int)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    first[order] = np.repeat(order[starts], np.diff(np.append(starts, len(order))))
    return first
