"""The rows of an isoFLOP sweep that a law is fitted to: with those far from the valleys, or without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shapeplan.fitting.selection.backtest import Backtest
from shapeplan.fitting.valleys import FAR
from shapeplan.numerics.arrays import Bools
from shapeplan.provenance import DroppedRow
from shapeplan.runs import Runs

BETTER_WITHOUT = 0.9
"""Backtest error without the rows far from the valleys, over that with them, below which they are left out."""


def rows_to_fit(whole: Runs, near: Runs, far: Bools, every: Backtest, fewer: Backtest) -> tuple[Runs, bool]:
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
