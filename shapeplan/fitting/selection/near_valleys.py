"""The rows of an isoFLOP sweep that a law is fitted to: with those far from the valleys, or without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from shapeplan.errors import FitError
from shapeplan.fitting.selection.backtest import Backtest
from shapeplan.fitting.selection.choice import Choice
from shapeplan.fitting.selection.identifiability import Contents
from shapeplan.fitting.valleys import FAR
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools
from shapeplan.provenance import DroppedRow
from shapeplan.runs import Runs

BETTER_WITHOUT = 0.9
"""Backtest error without the rows far from the valleys, over that with them, below which they are left out."""


@frozen
class ChosenOn:
    """The rows that a law is fitted to, what they offer, and the choice of a law on them."""

    runs: Runs
    contents: Contents
    choice: Choice


_Chosen = TypeVar("_Chosen", bound=ChosenOn)


def near_valleys(found: _Chosen, far: Bools, chosen_on: Callable[[Runs], _Chosen]) -> _Chosen:
    """Return the choice on the rows of an isoFLOP sweep that are to be fitted, with a note on which they are.

    Parameters
    ----------
    found : ChosenOn
        The choice on all rows.
    far : ndarray of bool, shape (rows,)
        Which of them are far from the valleys; there may be none.
    chosen_on : callable
        The choice on some rows; a `FitError` where they support no law.
    """
    if not far.any():
        return found
    try:
        near = chosen_on(found.runs.take(~far))
    except FitError:
        return found
    runs, left_out = _rows_to_fit(found.runs, near.runs, far, found.choice.backtest, near.choice.backtest)
    return replace(near if left_out else found, runs=runs)


def _rows_to_fit(whole: Runs, near: Runs, far: Bools, every: Backtest, fewer: Backtest) -> tuple[Runs, bool]:
    """Return the rows with a note on what was done, and whether those far from the valleys are left out.

    Far from every optimum rows bend a law that is not exactly true, where nobody asks it. They are left out where the
    backtest of the law of choice, on the other rows, is better so by a tenth.

    Parameters
    ----------
    whole, near : Runs
        All rows, and those that are not far.
    far : ndarray of bool, shape (rows,)
        Which of all are.
    every, fewer : Backtest
        Of the laws chosen on each.
    """
    with_them, without = every.errors_by_top(whole, ~far), fewer.errors_by_top(near)
    cuts = sorted(with_them.keys() & without.keys())
    if not cuts:
        return whole, False
    before, after = (float(np.exp(np.mean(np.log([errors[cut] for cut in cuts])))) for errors in (with_them, without))
    what = (
        f"{int(far.sum())} of {len(far)} rows of this isoFLOP sweep lose more than {FAR:.0%} to the best of their "
        f"budget; the backtest beside them is {before:.2%} with them in the fit, {after:.2%} without"
    )
    if not after < BETTER_WITHOUT * before:
        return replace(whole, notes=(*whole.notes, f"{what}: they are in it")), False
    left_out = tuple(
        DroppedRow(int(whole.lines[i]), "far from the valley of its budget", whole.file_of(i))
        for i in np.flatnonzero(far).tolist()
    )
    return replace(near, dropped=(*near.dropped, *left_out), notes=(*near.notes, f"{what}: they are left out")), True
