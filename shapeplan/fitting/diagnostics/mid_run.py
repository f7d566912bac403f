"""Rows before the end of their runs that lie above the others: warm-up, or points before the learning rate decays.

They are told by the law, where they lie above the ends of runs as a whole, and without it, where some lie above the
line from the row before to the row after them in the same run: the losses of a run fall ever more slowly. Rows long
before all others of their runs bend the law to themselves, and are told by the law of the others.
"""

from __future__ import annotations

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.fitting.problem import Problem
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, Index, robust_sigma
from shapeplan.runs import Runs

_FEWEST = 5
"""Rows of either kind below which nothing is said."""
_LAST = 0.999
"""Share of the compute of a run from which on a row is its end."""
_MATERIAL, _NOT_CHANCE = 0.005, 4.0
"""Relative difference of the medians, and as a multiple of its standard error, above which it is told."""
_EFFICIENCY = 1.25
"""Standard error of a median over that of a mean, of normal errors."""
_BUMP = 0.01
"""Height above the line between its neighbours from which a row may be no point of the same curve, in logarithms."""
_COMMON = 0.1
"""Share of the rows between two others from which on they are a kind of rows, and no outliers."""
_LONG_BEFORE = 0.1
"""Share of the compute of the next row of its run below which a row, and those before it, are long before the rest."""
_FAR_ABOVE = 0.1
"""Height above the law of the other rows from which such rows are told: a law is not known well so far below them."""


@frozen
class MidRun:
    """How rows before the end of their runs lie: to the law against ends, to rows beside them, to the law of the rest.

    Attributes
    ----------
    rows : int
        Rows before the end.
    above : float
        By how much they are too high: the difference of medians of logarithmic residuals, or the median height.
    error : float
        Its standard error; of a height, the standard deviation of one.
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


def measure_bumps(runs: Runs) -> MidRun | None:
    """Find rows above the line, in logarithms, between their neighbours in the same run; None of few.

    Scatter is measured without the rows that may be too high, since these bend the lines of their neighbours.
    """
    rows, heights, scale = _above_neighbours(runs, np.arange(len(runs)))
    high = heights > _BUMP * scale
    if high.sum() < _FEWEST:
        return None
    _, of_others, scale_of_others = _above_neighbours(runs, np.setdiff1d(np.arange(len(runs)), rows[high]))
    if of_others.size < _FEWEST:
        return None
    others = of_others / scale_of_others
    noise = robust_sigma(others - np.median(others))
    told = heights[high & (heights > _NOT_CHANCE * noise * scale)]
    many = told.size >= max(_FEWEST, _COMMON * rows.size)
    return MidRun(told.size, float(np.median(told)), noise) if many else None


def measure_first(candidate: Candidate, runs: Runs) -> MidRun | None:
    """Compare rows long before all others of their runs with the law that is fitted to the rest; None of few."""
    rows = candidate.problem.all_rows
    ordered = rows[np.lexsort((runs.flops[rows], runs.run[rows]))]
    before, after = ordered[:-1], ordered[1:]
    gaps = before[(runs.run[before] == runs.run[after]) & (runs.flops[before] < _LONG_BEFORE * runs.flops[after])]
    until = np.zeros(len(runs.run_names))
    np.maximum.at(until, runs.run[gaps], runs.flops[gaps])
    alone = rows[runs.flops[rows] <= until[runs.run[rows]]]
    keep = ~np.isin(np.arange(len(runs)), alone)
    if len(alone) < _FEWEST or len(rows) - len(alone) < _FEWEST or candidate.lacking(runs, keep):
        return None
    without = candidate.without(keep[None])
    off, others = (-np.log1p(candidate.errors(without, 0, runs, some)) for some in (alone, np.setdiff1d(rows, alone)))
    if not (np.isfinite(off).all() and np.isfinite(others).all()):
        return None
    return MidRun(len(alone), float(np.median(off)), robust_sigma(others - np.median(others)))


def _above_neighbours(runs: Runs, rows: Index) -> tuple[Index, Floats, Floats]:
    """Return those of some rows that lie between two others of their run, and how high above the line between these.

    Returns
    -------
    rows : ndarray of int, shape (between,)
        The rows.
    heights : ndarray, shape (between,)
        Differences of logarithmic losses.
    scale : ndarray, shape (between,)
        Their standard deviation where that of a row is 1.
    """
    assert runs.loss is not None, "a log that is fitted has losses"
    flops = np.log(runs.flops)
    rows = rows[np.lexsort((flops[rows], runs.run[rows]))]
    before, here, after = rows[:-2], rows[1:-1], rows[2:]
    rising = (flops[before] < flops[here]) & (flops[here] < flops[after])
    inner = rising & (runs.run[before] == runs.run[after])
    before, here, after = before[inner], here[inner], after[inner]
    share = (flops[here] - flops[before]) / (flops[after] - flops[before])
    loss = np.log(runs.loss)
    heights = loss[here] - (1 - share) * loss[before] - share * loss[after]
    return here, heights, np.sqrt(1 + share**2 + (1 - share) ** 2)


def mid_run_cautions(
    to_law: MidRun | None, to_neighbours: MidRun | None = None, to_others: MidRun | None = None
) -> list[Caution]:
    """Return a caution where rows before the end of their runs are above the others by more than chance."""
    cause = "of warm-up, or before the learning rate decays"
    if to_law is not None and to_law.above >= max(_MATERIAL, _NOT_CHANCE * to_law.error):
        message = (
            f"the {to_law.rows} rows before the end of their runs lie {np.expm1(to_law.above):.1%} higher, against "
            f"the law, than the ends: {cause}"
        )
    elif to_neighbours is not None:
        message = (
            f"{to_neighbours.rows} rows lie {np.expm1(to_neighbours.above):.1%} (median) above the line between the "
            f"rows before and after them in the same run: {cause}"
        )
    elif to_others is not None and to_others.above >= max(_FAR_ABOVE, _NOT_CHANCE * to_others.error):
        message = (
            f"{to_others.rows} rows long before the others of their runs lie {np.expm1(to_others.above):.1%} (median) "
            f"above the law that the others give: {cause}"
        )
    else:
        return []
    hint = "a run that ended there would do better: `last_point` keeps the ends alone"
    return [Caution(codes.MID_RUN_ROWS, message, hint)]
