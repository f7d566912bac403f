"""Roots of many functions at once, each between two places where its signs differ."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from shapeplan.numerics.arrays import Floats, Index

_ROUNDS = 100
_LAST = 0.9
"""Least step away from an end, over the width at which a search ends: next to a root it closes the bracket."""


def roots(
    function: Callable[[Floats, Index], Floats],
    low: Floats,
    high: Floats,
    at_low: Floats,
    at_high: Floats,
    *,
    width: float,
    residual: float,
) -> Floats:
    """Return where functions that rise reach zero, by the false position of Anderson and Björck (1973).

    Parameters
    ----------
    function : callable
        From places, and the indices of the functions that they are of, to values; infinite where it is not defined.
    low, high : ndarray, shape (functions,)
        Where each is below zero, and where it is not.
    at_low, at_high : ndarray, shape (functions,)
        Its values there.
    width, residual : float
        A search ends when its bracket is narrower, relative to its upper end, or its value this little above zero.

    Returns
    -------
    ndarray, shape (functions,)
        The upper ends of the last brackets: places that just reach zero. `high` where nothing is bracketed.
    """
    low, high, at_low, at_high = (np.array(values, dtype=float) for values in (low, high, at_low, at_high))
    active = np.flatnonzero((at_low < 0) & (at_high >= 0))
    moved = np.zeros(len(low))  # -1 where the lower end moved last, +1 where the upper one did
    for step in range(_ROUNDS):
        if not active.size:
            break
        a, b, at_a, at_b = low[active], high[active], at_low[active], at_high[active]
        # A bracket is halved until the function is defined at both ends, and now and then to be sure that it shrinks.
        with np.errstate(invalid="ignore"):
            share = np.where(np.isfinite(at_a) & np.isfinite(at_b) & (step % 4 < 3), at_a / (at_a - at_b), 0.5)
        edge = np.minimum(_LAST * width * np.abs(b) / (b - a), 0.5)
        middle = a + np.clip(share, edge, 1 - edge) * (b - a)
        value = function(middle, active)
        below = value < 0
        # An end that stays for the second time in a row pulls less from now on.
        with np.errstate(invalid="ignore"):
            stays = np.where(below, 1 - value / at_a, 1 - value / np.where(at_b > 0, at_b, 1.0))
        side = np.where(below, -1.0, 1.0)
        stays = np.where(moved[active] == side, np.where(stays > 0, stays, 0.5), 1.0)
        moved[active] = side
        low[active], at_low[active] = np.where(below, middle, a), np.where(below, value, at_a * stays)
        high[active], at_high[active] = np.where(below, b, middle), np.where(below, at_b * stays, value)
        done = (high[active] - low[active] < width * np.abs(high[active])) | (~below & (value < residual))
        active = active[~done]
    return high
