"""Tables whose rows are no runs: a measurement a row, or a column a run, as melted and turned frames have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.metric_names import is_loss
from shapeplan.readers.names import SHAPE, SIZES, claim_of, run_column, word_of
from shapeplan.readers.numbers import is_blank
from shapeplan.readers.table import Record, Table

_KEYS = ("metric", "key", "variable", "metric_name", "tag")
_VALUES = ("value", "metric_value", "val")
_OF_TIME = ("timestamp", "time", "wall_time", "created_at", "datetime", "date")
"""What differs between measurements of one point."""
_LOOK = 1000
"""Rows that show whether a table is of measurements."""
MOST_TURNED, _LEAST = 200, 3
"""How many names a table that is turned may have."""


def reshaped(table: Table, name: str) -> Table:
    """Return a table with a row a point of training, if it has a measurement a row, or a column a run.

    Raises
    ------
    InputError
        If a measurement comes twice at one point; it is placed in the input `name`.
    """
    return _of_measurements(table, name) or _turned(table) or table


def _of_measurements(table: Table, source: str) -> Table | None:
    """Return rows of all measurements of one point: those that agree in all but the measurement and its time."""
    names, values = ([column for column in table.columns if word_of(column) in words] for words in (_KEYS, _VALUES))
    if len(names) != 1 or len(values) != 1 or any(map(is_loss, table.columns)):
        return None
    (name,), (value,) = names, values
    if not any(is_loss(str(table.cells[name][row])) for row in range(min(len(table), _LOOK))):
        return None
    of_point = [column for column in table.columns if column not in (name, value) and word_of(column) not in _OF_TIME]
    # Cells of JSON may be lists, which no mapping takes as keys: points are told apart by the text of theirs.
    cells: dict[tuple[str, ...], dict[str, object]] = {}
    lines: dict[tuple[str, ...], dict[str, int]] = {}
    for record in table.records:
        own = {column: record.cells.get(column) for column in of_point}
        point, measured = tuple(map(str, own.values())), str(record.cells.get(name)).strip()
        found = cells.setdefault(point, own)
        if measured in found:
            message = f"{measured!r} is measured in line {lines[point][measured]} already, at the same point"
            hint = "keep one row a point and measurement, or add the column that tells the points apart (the step)"
            raise InputError(ErrorDetail("repeated-measurement", message, hint, source, record.line, name, measured))
        found[measured] = record.cells.get(value)
        lines.setdefault(point, {})[measured] = record.line
    notes = [f"{name!r} names what every row measures: rows of one point are one"]
    records = [Record(min(lines[point].values()), of, lines[point]) for point, of in cells.items()]
    evaluated = [record for record in _with_sizes(records, table) if any(map(is_loss, record.cells))]
    if out := len(records) - len(evaluated):
        notes.append(f"points at which no loss was measured are left out: {out}")
    return table.reshaped(evaluated, notes)


def _with_sizes(records: Sequence[Record], table: Table) -> list[Record]:
    """Return points with the sizes of their run, where those are measured at some and are the same wherever."""
    run = run_column(table.columns)
    if run is None:
        return list(records)
    names = dict.fromkeys(name for record in records for name in record.cells)
    sizes = [name for name in names if (claim := claim_of(name)) is not None and claim.role in SIZES]
    known: dict[tuple[str, str], dict[str, object]] = {}
    for record in records:
        for name in sizes:
            if name in record.cells:
                cell = record.cells[name]
                known.setdefault((str(record.cells[run]), name), {})[str(cell)] = cell
    complete = []
    for record in records:
        of_run = {name: known.get((str(record.cells[run]), name), {}) for name in sizes if name not in record.cells}
        added = {name: next(iter(found.values())) for name, found in of_run.items() if len(found) == 1}
        complete.append(replace(record, cells={**added, **record.cells}))
    return complete


def _turned(table: Table) -> Table | None:
    """Return a row a run of a table whose first column names what is in the rows, and whose header names runs."""
    if not _LEAST <= len(table) <= MOST_TURNED or len(table.columns) < _LEAST:
        return None
    first, *runs = table.columns
    names = [str(cell).strip() for cell in table.cells[first]]
    claims = [claim for name in names if (claim := claim_of(name)) is not None]
    sizes = any(claim.role in (*SHAPE, "params") for claim in claims)
    if not sizes or not any(map(is_loss, names)) or len(set(names)) < len(names):
        return None
    if any(is_loss(run) or ((claim := claim_of(run)) is not None and claim.role in SHAPE) for run in runs):
        return None
    named = any(claim.role == "run" for claim in claims)
    records = []
    for run in runs:
        cells: dict[str, object] = {} if named else {"run": run}
        cells |= {name: cell for name, cell in zip(names, table.cells[run], strict=True) if not is_blank(cell)}
        lines = {name: int(line) for name, line in zip(names, table.lines, strict=True)}
        records.append(Record(table.header_line, cells, lines))
    note = f"{first!r} names what is in the rows: a column is a run"
    return table.reshaped(records, [note])
