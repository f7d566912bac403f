"""Rows before the end of their runs that lie above the others: warm-up, or points before the learning rate decays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.fitting.problem import Problem
from shapeplan.numerics.arrays import Floats, robust_sigma
from shapeplan.runs import Runs

_FEWEST = 5
"""Rows of either kind below which nothing is said."""
_LAST = 0.999
"""Share of the compute of a run from which on a row is its end."""
_MATERIAL, _NOT_CHANCE = 0.005, 4.0
"""Relative difference of the medians, and as a multiple of its standard error, above which it is told."""
_EFFICIENCY = 1.25
"""Standard error of a median over that of a mean, of normal errors."""


@dataclass(frozen=True)
class MidRun:
    """How rows before the end of their runs lie to the law, against rows at the end.

    Attributes
    ----------
    rows : int
        Rows before the end.
    above : float
        By how much the median of their logarithmic residuals is above that of the ends.
    error : float
        Its standard error.
    """

    rows: int
    above: float
    error: float


def measure_mid_run(runs: Runs, problem: Problem, residuals: Floats) -> MidRun | None:
    """Compare residuals pred/y - 1, shape (fitted rows,), before the end of runs with those at it; None of few rows."""
    rows = problem.all_rows
    early = runs.flops[rows] < _LAST * runs.spent()[runs.run[rows]]
    if early.sum() < _FEWEST or (~early).sum() < _FEWEST:
        return None
    off = -np.log1p(residuals)
    before, end = float(np.median(off[early])), float(np.median(off[~early]))
    scatter = robust_sigma(off - np.where(early, before, end))
    error = _EFFICIENCY * scatter * float(np.sqrt(1 / early.sum() + 1 / (~early).sum()))
    return MidRun(int(early.sum()), before - end, error)


def mid_run_cautions(found: MidRun | None) -> list[Caution]:
    """Return a caution where rows before the end of their runs are above the others by more than chance."""
    if found is None or found.above < max(_MATERIAL, _NOT_CHANCE * found.error):
        return []
    message = (
        f"the {found.rows} rows before the end of their runs lie {np.expm1(found.above):.1%} higher, against the law, "
        "than the ends: of warm-up, or before the learning rate decays"
    )
    hint = "a run that ended there would do better: `last_point` keeps the ends alone"
    return [Caution(codes.MID_RUN_ROWS, message, hint)]
