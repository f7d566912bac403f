"""The array types that every floor above speaks."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Index: TypeAlias = NDArray[np.intp]
Bools: TypeAlias = NDArray[np.bool_]
Number: TypeAlias = float | Floats
CELLS_IN_MEMORY = 2_000_000
"""Numbers of one array that are worked on at once where only memory is bounded."""
CELLS_IN_CACHE = 40_000
"""Numbers of one array that are worked on at once where many passes go over them."""


def weighted_sum(vectors: Floats, weights: Floats) -> Floats:
    """Return ``weights @ vectors`` for a batch: of (batch, vectors, size) and (batch, vectors), shape (batch, size)."""
    return np.asarray((weights[:, None, :] @ vectors)[:, 0])


def robust_sigma(deviations: Floats) -> float:
    """Return a standard deviation of deviations from zero that is robust: from their median absolute value."""
    return 1.4826 * float(np.median(np.abs(deviations)))


def central_interval(values: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the ends of the central interval that holds `level` of the values along the first axis.

    Quantiles interpolate linearly, as ``numpy.quantile`` does; that one loads ``numpy.ma``, a quarter of our start-up.
    """
    ordered = np.sort(values, axis=0)
    ends = []
    for share in ((1 - level) / 2, (1 + level) / 2):
        place = share * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        ends.append(ordered[below] + (place - below) * (ordered[above] - ordered[below]))
    return ends[0], ends[1]


def widened(values: Floats, ends: tuple[Floats, Floats], own: ArrayLike) -> tuple[Floats, Floats]:
    """Return the ends of intervals of positive values, wider by an error that is independent of theirs.

    On every side the logarithmic widths add as squares. An end on the wrong side of its value has no width.

    Parameters
    ----------
    values : ndarray
        The estimates.
    ends : (ndarray, ndarray)
        Their intervals.
    own : array_like
        Logarithmic half width of the other error.
    """
    below, above = np.maximum(np.log(values / ends[0]), 0.0), np.maximum(np.log(ends[1] / values), 0.0)
    return values * np.exp(-np.hypot(below, own)), values * np.exp(np.hypot(above, own))


def nearest_multiple(values: Floats, multiple: float | Floats) -> Floats:
    """Return the multiples nearest to values, at least one.

    Nearest in ratio: 1.5 is closer to 2 than to 1 when both are factors.
    """
    below = np.maximum(np.floor(values / multiple), 1.0) * multiple
    above = below + multiple
    return np.where(values / below <= above / values, below, above)


def plain(value: float) -> int | float:
    """Return a number as an int if it is whole, else without what binary fractions add to its digits."""
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() else rounded


ROUNDING = 1e-6
"""Relative: what the arithmetic of another machine, or other software, may make of the same numbers."""


def same(one: ArrayLike, other: ArrayLike) -> bool:
    """Return whether numbers are the same but for `ROUNDING`; NaN is NaN."""
    return np.shape(one) == np.shape(other) and bool(np.allclose(one, other, rtol=ROUNDING, atol=1e-12, equal_nan=True))
