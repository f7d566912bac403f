"""Columns that do not move along a run: counters of one logging interval, and a metric that was not measured anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.readers.columns import Columns
from shapeplan.readers.cross_check import which_lines
from shapeplan.runs import Runs

_EQUAL = 1e-6
"""Relative difference within which a counter stands still."""
_MOST = 0.5
"""Share of the runs with several rows from which a counter is of intervals in all of them."""
_UNRELATED = 0.75
"""Share of the pairs of neighbours along a counter whose loss falls, below which it does not tell how far a run is."""
_FEWEST = 4
"""Rows of a run whose order alone tells something."""
_IN_ORDER = 0.8
"""Share of the pairs of neighbours along the lines in which a counter grows, from which lines are in order."""
_STALE, _FEWEST_STALE, _STEPS = 0.05, 2, 50
"""Share and number of the pairs of neighbours of a run with one metric from which it is told, where the others differ
by so many times the last digit."""
_ENOUGH = 100_000
"""Rows that tell how a log counts."""
_SUM = "sum over the run what counts one logging interval"


def doubt_counters(runs: Runs, values: Mapping[str, Floats], columns: Columns) -> list[Caution]:
    """Return cautions where compute or data fall or stand still while a run goes on.

    How far a run is, is told by its steps. Without them a counter is of intervals if it goes up and down along the
    lines, and the loss does not go with it either: lines may be in any order, but not both.

    Where most lines are in order, a row with less than the one before it, but a lower loss, is told too.

    Parameters
    ----------
    runs : Runs
        Every row of the log.
    values : mapping of str to ndarray, shape (rows,)
        What its columns say, by role.
    columns : Columns
        Which columns they are.
    """
    if runs.loss is None or len(runs.run_names) == len(runs) or "run" not in columns.roles:
        return []
    names = {role: columns.roles.get(role) for role in ("tokens", "examples")}
    names["flops"] = columns.flops.name if columns.flops else None
    counters = {name: values[role] for role, name in names.items() if name is not None and role in values}
    steps = values.get("steps")
    before, after = _neighbours(runs, np.arange(len(runs)) if steps is None else steps)
    if not after.size:
        return []
    several = _any(runs, after)
    down, less, same = [], [], []
    for column, counter in counters.items():
        change = np.log(counter[after] / counter[before])
        fell, stood = change < -_EQUAL, np.abs(change) <= _EQUAL
        falling, still = _any(runs, after[fell]), several & ~_any(runs, after[~stood])
        ordered = steps is not None
        if steps is None:
            fell &= runs.loss[after] < runs.loss[before]
            ordered = bool(np.mean(change > _EQUAL) > _IN_ORDER)
            falling &= _any(runs, after[~fell & ~stood]) & _unrelated(runs, counter)
        if falling.sum() > _MOST * several.sum():
            down.append(column)
        elif ordered and fell.any():
            less.append((column, after[fell]))
        if still.sum() > _MOST * several.sum():
            same.append(column)
    return [*_go_down(down), *_are_less(runs, less), *_stand_still(same)]


def doubt_stale(runs: Runs) -> list[Caution]:
    """Return a caution for rows that repeat the metric of the row before in their run, to the last digit.

    It was filled in, or not measured anew. Metrics that are written with few digits, or hardly move, repeat by chance.
    """
    if runs.loss is None or len(runs.run_names) == len(runs):
        return []
    before, after = _neighbours(runs, runs.flops)
    change = np.abs(runs.loss[after] - runs.loss[before])
    same = change == 0
    if same.sum() < max(_FEWEST_STALE, _STALE * same.size) or same.all():
        return []
    if np.median(change[~same]) < _STEPS * np.diff(np.unique(runs.loss)).min():
        return []
    where = which_lines(runs, _mask(runs, after[same]))
    message = f"{where}: {runs.metric} is that of the row before in the run, to the last digit"
    return [Caution(codes.STALE_METRIC, message, "was it filled in, or not measured anew? remove such rows")]


def _go_down(columns: Sequence[str]) -> Iterator[Caution]:
    if columns:
        message = f"within most runs {_named(columns)} up and down, and not up alone"
        yield Caution(codes.BROKEN_ARITHMETIC, message, f"log what was spent since the start of the run; {_SUM}")


def _are_less(runs: Runs, found: Sequence[tuple[str, Index]]) -> Iterator[Caution]:
    for column, rows in found:
        message = f"{which_lines(runs, _mask(runs, rows))}: {column!r} is less than earlier in the same run"
        yield Caution(codes.NOT_CUMULATIVE, message, "add what was spent before a run was resumed, or remove the rows")


def _stand_still(columns: Sequence[str]) -> Iterator[Caution]:
    if columns:
        message = f"in all rows of most runs {_named(columns, 'is', 'are')} the same, while the loss moves"
        yield Caution(
            codes.NOT_CUMULATIVE, message, f"a planned total is right for the last row of a run alone; {_SUM}"
        )


def _named(columns: Sequence[str], one: str = "goes", several: str = "go") -> str:
    return f"{' and '.join(map(repr, columns))} {one if len(columns) == 1 else several}"


def _mask(runs: Runs, rows: Index) -> Bools:
    return np.isin(np.arange(len(runs)), rows)


def _any(runs: Runs, rows: Index) -> Bools:
    """Return which runs have any of the rows, shape (runs,)."""
    return np.asarray(np.bincount(runs.run[rows], minlength=len(runs.run_names)) > 0)


def _neighbours(runs: Runs, along: Floats | Index) -> tuple[Index, Index]:
    """Return pairs of rows that follow one another in a run, the second further along; of very many rows the first."""
    order = np.lexsort((along[:_ENOUGH], runs.run[:_ENOUGH]))
    before, after = order[:-1], order[1:]
    pairs = (runs.run[before] == runs.run[after]) & (along[after] > along[before])
    return before[pairs], after[pairs]


def _unrelated(runs: Runs, counter: Floats) -> Bools:
    """Return whether the loss of a run does not fall along a counter, shape (runs,); not where rows are few."""
    before, after = _neighbours(runs, counter)
    loss, count = runs.observed(), len(runs.run_names)
    pairs = np.bincount(runs.run[after], minlength=count)
    falls = np.bincount(runs.run[after], loss[after] < loss[before], minlength=count)
    return np.asarray((pairs >= _FEWEST - 1) & (falls < _UNRELATED * pairs))
