"""Which rows of a log are fitted: conditions on cells, rows without a finite metric, the last point of a run, the best.

Every row that is left out is recorded with the reason.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.cells import ABSENT
from shapeplan.errors import ArgumentError, ErrorDetail, InputError
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools
from shapeplan.provenance import DroppedRow
from shapeplan.readers.names import listed, word_of
from shapeplan.readers.numbers import as_number, is_missing
from shapeplan.readers.spelling import normal
from shapeplan.readers.states import TRUTH, commonest, may_tell, unfinished
from shapeplan.readers.table import Table
from shapeplan.runs import Runs

_CONDITION = re.compile(
    r"\s*(?P<column>.+?)\s*(?P<sign>!=|<=|>=|==|=|<|>|\s(?:not\s+)?in\s)\s*(?P<value>.*?)\s*", re.DOTALL
)
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FEW = 3
"""Rows left out that are named."""
_SAME_COMPUTE = 0.02
"""Compute this near, relative, is the same for ``best_of``."""


@frozen
class Selection:
    """Which rows a user wants.

    Attributes
    ----------
    where : tuple of str
        Conditions such as ``State=finished``, all of which hold.
    drop_nonfinite : bool
        Whether rows whose metric is empty or not finite are left out.
    last_point : bool
        Whether of every run only its last row is kept.
    best_of : tuple of str
        Columns of the recipe: of runs of one shape and compute that differ in them the best is kept.
    all_points : bool
        Whether of runs that a training tool logged every evaluation is a row, not the last alone.
    """

    where: tuple[str, ...] = ()
    drop_nonfinite: bool = False
    last_point: bool = False
    best_of: tuple[str, ...] = ()
    all_points: bool = False


@frozen
class _Condition:
    text: str
    column: str
    sign: str
    values: tuple[str, ...]

    def holds(self, cell: object) -> bool:
        if self.sign in _ORDERS:
            mine, limit = as_number(cell), as_number(self.values[0])
            return mine is not None and limit is not None and _ORDERS[self.sign](mine, limit)
        found = any(_equal(cell, value) for value in self.values)
        return found is (self.sign in ("=", "in"))


def select_rows(table: Table, conditions: Sequence[str], name: str) -> tuple[Table, tuple[DroppedRow, ...]]:
    """Return the rows for which all conditions hold, and the others.

    Raises
    ------
    ArgumentError
        If a condition cannot be read, or names no column.
    InputError
        If no row is left.
    """
    if not conditions:
        return table, ()
    parsed = [_condition(text, table.columns) for text in conditions]
    kept = np.ones(len(table), dtype=bool)
    failed: dict[int, str] = {}
    for one in parsed:
        holds = np.array([one.holds(cell) for cell in table.cells[one.column]])
        failed |= dict.fromkeys(np.flatnonzero(kept & ~holds).tolist(), f"not {one.text}")
        kept &= holds
    if not kept.any():
        seen = {one.column: sorted(set(map(_text, table.cells[one.column])))[:8] for one in parsed}
        there = "; ".join(f"{column} is {', '.join(values)}" for column, values in seen.items())
        raise InputError(ErrorDetail("no-rows", f"no row has {' and '.join(conditions)}", there, name))
    return table.take(kept), _dropped(table, failed, name)


def drop_nonfinite(table: Table, metric: str, name: str) -> tuple[Table, tuple[DroppedRow, ...]]:
    """Return the rows whose metric is a finite number or text that is an error of its own, and the others."""
    failed: dict[int, str] = {}
    for row, cell in enumerate(table.cells[metric]):
        number = as_number(cell)
        if is_missing(cell) or (number is not None and not np.isfinite(number)):
            failed[row] = f"{metric} is {_text(cell) or 'empty'}"
    if len(failed) == len(table):
        raise InputError(ErrorDetail("no-rows", f"no row has a finite {metric}", "check the column", name))
    kept = np.ones(len(table), dtype=bool)
    kept[list(failed)] = False
    return table.take(kept), _dropped(table, failed, name)


def _dropped(table: Table, failed: Mapping[int, str], name: str) -> tuple[DroppedRow, ...]:
    return tuple(DroppedRow(int(table.lines[row]), failed[row], table.file_of(row, name)) for row in sorted(failed))


def drop_untrained(table: Table, progress: Sequence[str], name: str) -> tuple[Table, tuple[DroppedRow, ...]]:
    """Return the rows for which no column of compute or data is zero, and the others: points before any training."""
    failed = {
        row: f"{column} is 0, before any training"
        for column in progress
        for row, cell in enumerate(table.cells[column])
        if as_number(cell) == 0
    }
    kept = np.ones(len(table), dtype=bool)
    kept[list(failed)] = False
    return (table.take(kept), _dropped(table, failed, name)) if kept.any() else (table, ())


def refuse_unfinished(table: Table, conditions: Sequence[str], name: str) -> list[ErrorDetail]:
    """Return an error for every row whose run did not finish, unless a condition is on its state."""
    details = []
    asked = {_condition(text, table.columns).column for text in conditions}
    for column in table.columns:
        if column in asked or not may_tell(column):
            continue
        states = [_text(cell) for cell in table.cells[column]]
        bad = unfinished(column, states)
        if not bad:
            continue
        good = commonest(states, bad)
        for row, state in enumerate(states):
            if state in bad:
                out = f"{column}={good}" if good is not None else f"{column}!={state}"
                hint = f"`where='{out}'` leaves such rows out, `where='{column}!='` keeps them"
                place = (table.file_of(row, name), table.line_of(row, column), column, state)
                is_flag = state.lower() in TRUTH or as_number(state) is not None
                said = f"has {column} = {state}" if is_flag else f"is {state}"
                message = f"the run {said}: its loss is not final"
                details.append(ErrorDetail("unfinished-run", message, hint, *place))
    return details


def last_points(runs: Runs) -> tuple[Runs, tuple[DroppedRow, ...]]:
    """Return the row of every run with the most compute, and the others."""
    keep = np.zeros(len(runs), dtype=bool)
    keep[runs.last_rows()] = True
    return _split(runs, keep, "not the last point of its run")


def best_of(runs: Runs, columns: Sequence[str]) -> tuple[Runs, tuple[DroppedRow, ...]]:
    """Return the row of least loss of every shape and compute, where rows differ in some columns of the recipe.

    Raises
    ------
    ArgumentError
        If a column is not in the log.
    """
    chosen = [_column(column, list(runs.cells), "`best_of`") for column in columns]
    group, groups = np.empty(len(runs), dtype=int), 0
    first: dict[tuple[float, ...], tuple[int, float]] = {}
    for i in np.argsort(runs.flops, kind="stable").tolist():
        shape, flops = tuple(runs.shape[i].tolist()), float(runs.flops[i])
        if shape not in first or flops > first[shape][1] * (1 + _SAME_COMPUTE):
            first[shape], groups = (groups, flops), groups + 1
        group[i] = first[shape][0]
    loss = runs.observed()
    best: dict[int, int] = {}
    for i in np.argsort(loss, kind="stable").tolist():
        best.setdefault(int(group[i]), i)
    keep = np.isin(np.arange(len(runs)), list(best.values()))
    kept, dropped = _split(runs, keep, f"not the best of its shape and compute over {', '.join(chosen)}")
    return replace(kept, tried=runs), dropped


def _split(runs: Runs, keep: Bools, why: str) -> tuple[Runs, tuple[DroppedRow, ...]]:
    dropped = tuple(DroppedRow(int(runs.lines[i]), why, runs.file_of(i)) for i in np.flatnonzero(~keep).tolist())
    return runs.take(keep), dropped


def _condition(text: str, columns: Sequence[str]) -> _Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        hint = "write e.g. `where='State=finished'`, 'width>=256' or 'seed in 1,2'"
        raise ArgumentError(ErrorDetail("bad-condition", f"{text!r} is no condition", hint, value=text))
    sign = {"==": "="}.get(match["sign"].strip(), re.sub(r"\s+", " ", match["sign"].strip()))
    values = (
        tuple(_unquoted(part) for part in match["value"].split(",")) if "in" in sign else (_unquoted(match["value"]),)
    )
    odd = any(value[:1] in ("=", "<", ">") or "==" in value for value in values)
    number = as_number(values[0])
    if odd or (sign in _ORDERS and (number is None or not np.isfinite(number))):
        message = f"{values[0]!r} is not a number, so that nothing is {sign} it"
        message = f"{text!r} has two signs" if odd else message
        hint = "write one of =, !=, <, <=, >, >=, in" if odd else "compare with a number"
        raise ArgumentError(ErrorDetail("bad-condition", message, hint, value=text))
    return _Condition(text.strip(), _column(match["column"], columns, "`where`"), sign, values)


def _unquoted(text: str) -> str:
    """Return a value without blanks and quotes around it."""
    body = text.strip()
    return body[1:-1] if len(body) > 1 and body[0] == body[-1] and body[0] in "\"'" else body


def _column(wanted: str, columns: Sequence[str], option: str) -> str:
    if wanted in columns:
        return wanted
    alike = [column for column in columns if normal(column) == normal(wanted)] or [
        column for column in columns if word_of(column) == normal(wanted)
    ]
    if len(alike) == 1:
        return alike[0]
    message = f"{option} names {wanted!r}, which is " + ("no column" if not alike else f"{' or '.join(alike)}")
    hint = f"the columns are: {listed(columns)}"
    raise ArgumentError(ErrorDetail("missing-column", message, hint, value=wanted))


def _equal(cell: object, value: str) -> bool:
    text = _text(cell)
    mine, other = as_number(text), as_number(value)
    return text.lower() == value.strip().lower() or (mine is not None and mine == other)


def _text(cell: object) -> str:
    return "" if cell is None or cell is ABSENT else str(cell).strip()


def describe_dropped(dropped: Sequence[DroppedRow], name: str) -> list[str]:
    """Return a note a reason: how many rows it left out, and of few the files, where the log is of several."""
    notes = []
    for reason in dict.fromkeys(row.reason for row in dropped):
        files = [row.file for row in dropped if row.reason == reason]
        named = f" ({', '.join(files)})" if len(files) <= _FEW and all(file != name for file in files) else ""
        notes.append(f"left out {len(files)} row{'s' if len(files) > 1 else ''}: {reason}{named}")
    return notes
