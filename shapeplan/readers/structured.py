"""YAML, JSON and JSON Lines to a table, keeping the line of every cell or record."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from shapeplan.errors import ErrorDetail, InputError, details_at
from shapeplan.readers.histories import points_in, table_of
from shapeplan.readers.json_text import load_json, load_line, mistake
from shapeplan.readers.last_line import short_last_cell
from shapeplan.readers.metric_names import is_loss
from shapeplan.readers.names import SIZES, claim_of
from shapeplan.readers.table import Record, Table, flattened
from shapeplan.readers.tree import LinedList, LinedMapping, bad_syntax, check_tree
from shapeplan.readers.yaml_text import load_yaml

RUNS = "runs"
_ROWS = ("data", "rows", "records", "results", "trials", "experiments")
"""Other words for ``runs`` in use."""
_SETTINGS = frozenset({"config", "cfg", "args", "arguments", "hparams", "hyperparameters", "settings", "model"})
_RESULTS = frozenset({"results", "result", "metrics", "summary", "eval", "evaluation", "scores"})
"""Keys of a file a run: how it was made, and what came of it."""
_WANTED = "write a list of runs, or a mapping with a list under 'runs:'"


def parse_yaml(body: str, name: str, *, lone_record: bool = False) -> Table:
    """Parse a YAML log: a list of runs, or settings and ``runs:``.

    Raises
    ------
    InputError
        If the text is no YAML, has the wrong shape, or a key twice.
    """
    table = _table(load_yaml(body, name), name, lone_record)
    row = len(table) - 1
    line = max((table.line_of(row, column) for column in table.columns), default=1)
    return replace(table, short_cells=short_last_cell(body, name, line, table.cells))


def parse_json(body: str, name: str, *, lone_record: bool = False) -> Table:
    """Parse a JSON log: an array of runs, or an object with settings and ``runs``; errors as for YAML."""
    try:
        return _table(load_json(body, name), name, lone_record)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and body.lstrip().startswith("{"):
            return parse_jsonl(body, name)
        message, line = mistake(error)
        raise bad_syntax("bad-json", message, name, line) from None


def parse_jsonl(body: str, name: str) -> Table:
    """Parse JSON Lines: one object a line; errors as for YAML."""
    items = []
    for number, line in enumerate(_lines(body), 1):
        if line.strip():
            try:
                items.append(load_line(line, name, number))
            except json.JSONDecodeError as error:
                printed = _printed(line)
                if printed is None:
                    raise bad_syntax("bad-json", mistake(error)[0], name, number) from None
                items.append(load_line(printed, name, number))
    return _table(items, name)


def _printed(line: str) -> str | None:
    """Return a mapping that Python printed as JSON, or None where a line is none."""
    try:
        found = ast.literal_eval(line.strip())
        return json.dumps(found) if isinstance(found, dict) and all(isinstance(key, str) for key in found) else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _lines(body: str) -> Iterator[str]:
    """Yield the lines, one at a time: a list of them takes as much memory as the text again."""
    start = 0
    while start <= len(body):
        end = body.find("\n", start)
        end = len(body) if end < 0 else end
        yield body[start:end]
        start = end + 1


def _table(data: object, name: str, lone_record: bool = False) -> Table:
    check_tree(data, name)
    settings: LinedMapping | None = None
    runs = data
    if isinstance(data, LinedMapping):
        settings = data
        if RUNS not in data and not lone_record and not _is_document(data):
            if _is_a_run(data) or _lists_points(data):
                return _table(LinedList([data], [data.line]), name)
            if (rows := _rows_of(data)) is not None:
                return _table(rows, name)
            if (key := _key_of_rows(data)) is not None:
                data.add(RUNS, data.pop(key), data.line_of(key))
        if lone_record and RUNS not in data:
            return Table.of_records([Record(data.line, data, data.lines)])
        if RUNS not in data:
            if _is_document(data):
                message = f"is a document of shapeplan ({data['kind']}), not a log"
                raise InputError(ErrorDetail("no-log", message, "give the log that it was made from", name, data.line))
            keys = ", ".join(list(data)[:8]) or "none"
            raise InputError(
                ErrorDetail("no-runs", f"the mapping has no 'runs' (its keys: {keys})", _WANTED, name, data.line)
            )
        runs = data[RUNS]
    if isinstance(runs, LinedMapping) and runs and all(isinstance(value, LinedMapping) for value in runs.values()):
        runs = _named(runs)
    if not isinstance(runs, list):
        line = settings.line_of(RUNS) if settings else 1
        found = _kind(runs)
        raise InputError(
            ErrorDetail("wrong-type", f"the runs are {found}, not a list", _WANTED, name, line, value=found)
        )
    if not runs:
        raise InputError(ErrorDetail("no-rows", "has no runs", "add an entry a point of training", name))
    wrong = [i for i, item in enumerate(runs) if not isinstance(item, LinedMapping)]
    if wrong:
        raise InputError(*details_at(wrong, lambda i: _no_mapping(runs, i, name)))
    table = table_of([Record(item.line, item, item.lines) for item in runs], name, runs[0].line)
    if settings is None:
        return table
    rest = {key: value for key, value in settings.items() if key != RUNS}
    return replace(table, settings=rest, settings_lines={key: settings.line_of(key) for key in rest})


def _no_mapping(runs: list[Any], i: int, name: str) -> ErrorDetail:
    found = _kind(runs[i])
    message = f"entry {i + 1} of the runs is {found}, not a mapping"
    line = runs.lines[i] if isinstance(runs, LinedList) else None
    return ErrorDetail("wrong-type", message, "write column: value pairs", name, line, value=found)


def _is_document(data: LinedMapping) -> bool:
    return str(data.get("kind", "")).startswith("shapeplan.")


def _is_a_run(data: LinedMapping) -> bool:
    """Return whether a mapping is one run: a loss is in it, or in one of the mappings in it, and no list of rows."""
    if any(isinstance(value, list) for value in data.values()):
        return False
    parts = [value for value in data.values() if isinstance(value, LinedMapping)]
    if not _RESULTS.isdisjoint(data) and (not _SETTINGS.isdisjoint(data) or _has_size(data)):
        return any(map(_has_loss, parts))
    scalars = any(is_loss(key) for key, value in data.items() if not isinstance(value, LinedMapping))
    return scalars != (sum(_is_a_run(part) for part in parts) == 1)


def _has_size(data: LinedMapping) -> bool:
    scalars = [key for key, value in data.items() if not isinstance(value, LinedMapping)]
    return any((claim := claim_of(key)) is not None and claim.role in SIZES for key in scalars)


def _has_loss(data: LinedMapping) -> bool:
    return any(_has_loss(value) if isinstance(value, LinedMapping) else is_loss(key) for key, value in data.items())


def _lists_points(data: LinedMapping) -> bool:
    """Return whether a mapping is one run that lists its points of training; columns of a table all are lists."""
    columns = all(isinstance(value, list) for value in data.values())
    return not columns and points_in(flattened(Record(data.line, data))) is not None


def _rows_of(data: LinedMapping) -> LinedList | None:
    """Return the rows in a mapping that is nothing else: rows by name of run, or lists or rows by column."""
    columns, rows = data.get("columns"), data.get("data")
    if isinstance(columns, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        cells = {str(column): [row[i] for row in rows] for i, column in enumerate(columns)}
        return _of_columns(cells, data) if all(len(row) == len(columns) for row in rows) else None
    values = list(data.values())
    if len(data) > 1 and all(isinstance(value, LinedMapping) for value in values):
        by_row = len({tuple(value) for value in values}) == 1 and all(key.isdigit() for key in values[0])
        return _of_columns({key: list(value.values()) for key, value in data.items()}, data) if by_row else _named(data)
    if (
        len(data) > 1
        and all(isinstance(value, list) for value in values)
        and len({len(value) for value in values}) == 1
    ):
        return _of_columns(dict(data), data)
    return None


def _key_of_rows(data: LinedMapping) -> str | None:
    """Return the key of the rows in a mapping without ``runs``: another word for it, or its one list of rows."""
    lists = [
        key for key, value in data.items() if isinstance(value, list) and value and isinstance(value[0], LinedMapping)
    ]
    return next((word for word in _ROWS if word in data), lists[0] if len(lists) == 1 else None)


def _of_columns(columns: dict[str, list[Any]], data: LinedMapping) -> LinedList:
    rows = []
    for cells in zip(*columns.values(), strict=True):
        row = LinedMapping(data.line)
        for column, cell in zip(columns, cells, strict=True):
            row.add(column, cell, data.line_of(column))
        rows.append(row)
    return LinedList(rows, [data.line] * len(rows))


def _named(data: LinedMapping) -> LinedList:
    """Return rows that stand under the names of their runs."""
    rows = []
    for name, cells in data.items():
        row = LinedMapping(cells.line)
        if "run" not in cells:
            row.add("run", name, data.line_of(name))
        for column, cell in cells.items():
            row.add(column, cell, cells.line_of(column))
        rows.append(row)
    return LinedList(rows, [row.line for row in rows])


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "text" if isinstance(value, str) else "a number"
