"""The cells of a log by role, as numbers and labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shapeplan.cells import ABSENT
from shapeplan.errors import ErrorDetail, count_of, details_at
from shapeplan.numerics.arrays import Floats
from shapeplan.readers.columns import SETTINGS, Columns
from shapeplan.readers.names import SHAPE, word_of
from shapeplan.readers.notations import DOTTED, WITH_UNITS
from shapeplan.readers.numbers import (
    A_LIST,
    A_MAPPING,
    as_number,
    decimal_commas,
    is_blank,
    is_missing,
    label_faults,
    read_numbers,
)
from shapeplan.readers.table import Table
from shapeplan.readers.within import check_derived, out_of_bounds

_LARGE, _HEAD = 50_000, 1_000
"""Rows from which on a table is large, and how many of one are looked at first."""
_SPARSE = 3
"""Empty cells after which a row is told once."""
_HEAD_DIMS = ("head_dim", "d_head", "dim_head", "head_size")
_PROGRESS = ("flops", "tokens", "examples", "steps")
_MANY = 3
"""Rows that lack most cells beyond which they are no totals."""
_FEW_OF, _LAST = 20, 50
_STATISTICS = (
    r"mean|average|avg\.?|median|(?:sub|grand )?totals?|sums?|std\.?(?: ?dev\.?)?|stdev|stddev|summary|min(?:imum)?"
    r"|max(?:imum)?|count|overall|(?:geometric |geo)mean|mean ?\u00b1 ?std|(?:10|25|50|75|90) ?%|mittelwert|summe"
    r"|gesamt|durchschnitt|moyenne|somme|m\u00e9diane|media|promedio|suma"
)
_OF_ALL = r"(?:[ _](?:of )?(?:all|runs|all runs))?(?: ?\([^)]*\))?"
_SUMMARY = re.compile(rf"(?:(?:the )?(?:{_STATISTICS}){_OF_ALL}|all(?: runs)?):?", re.IGNORECASE)
"""Names of rows that sum up others, as spreadsheets and ``describe`` of data frames add them at the end."""
_SPARE = ("heads", "mlp_ratio", "steps", "batch_size", "batch_tokens", "tokens_per_param")
"""Roles that a log can do without: a column of them that holds no number at all is ignored."""


def read_values(table: Table, columns: Columns, name: str) -> tuple[dict[str, Any], list[str], list[ErrorDetail]]:
    """Return the values by role, how they were written if not as plain numbers, and what is wrong with cells."""
    wanted: dict[str, str] = {columns.roles[role]: role for role in columns.dims}
    for role in (
        "heads",
        "mlp_ratio",
        "examples",
        "tokens",
        "steps",
        "batch_size",
        "batch_tokens",
        "tokens_per_param",
        "params",
        "active_params",
    ):
        if role in columns.roles:
            wanted.setdefault(columns.roles[role], role)
    if columns.flops:
        wanted[columns.flops.name] = "flops"
    if columns.metric:
        wanted[columns.metric] = "metric"
    values: dict[str, Any] = {}
    notes: dict[str, list[str]] = {}
    units: list[str] = []
    european = decimal_commas(table)
    details: list[ErrorDetail] = []
    for column, role in wanted.items():
        numbers, notation, mistakes = read_numbers(table, column, name, positive=role != "metric", european=european)
        if mistakes and role in _SPARE and count_of(mistakes) == len(table) and _is_spare(table, column, role):
            continue
        unit = columns.flops.unit if role == "flops" and columns.flops else columns.scales.get(role, 1.0)
        if unit != 1.0 and notation in WITH_UNITS:
            # What a cell says of itself is what it is, whatever its header says.
            mistakes += _without_unit(table, column, name)
            numbers = numbers / unit
            units.append(column)
        with np.errstate(over="ignore"):
            values[role] = numbers if role == "flops" else numbers * unit
            if role != "metric":
                mistakes += out_of_bounds(numbers * unit, role, table, column, name)
                mistakes += _thousands(role, notation, table, column, name)
                mistakes += _fractional(numbers, role, table, column, name) if unit == 1.0 and not notation else []
        if role == "metric":
            # A run that was not evaluated here is left out as one that diverged is.
            mistakes = [_of_metric(found, column) for found in mistakes]
            mistakes += _decimal_dots(notation, table, column, name)
        told = {found.line for found in details if found.code == "step-zero"}
        details += [found for found in _at_step_zero(mistakes, role, column) if found.line not in told]
        if notation:
            notes.setdefault(notation, []).append(column)
    if "run" in columns.roles:
        mistakes = label_faults(table, columns.roles["run"], name)
        if not (mistakes and "run" in columns.unsure):
            values["run"] = table.cells[columns.roles["run"]]
            details += [*mistakes, *_summaries(table, columns.roles["run"], name)]
    for role in SETTINGS:
        column = columns.roles.get(role, "")
        plain = table.cells[column].numbers() if column and role not in columns.dims else None
        details += out_of_bounds(plain, role, table, column, name) if plain is not None else []
    details = _sparse_rows(_files_without(details, table), several=bool(table.files))
    said = [f"cells of {', '.join(map(repr, found))} are read with {notation}" for notation, found in notes.items()]
    if units:
        said.append(f"the units of {', '.join(map(repr, units))} are those of the cells, not of the header too")
    return values, said, details


def head_faults(table: Table, columns: Columns, name: str) -> list[ErrorDetail]:
    """Return what is wrong with the first rows of a large table where most cells of a column are; else nothing.

    A wrong column of a million rows is told at once so, and not when all of its cells are looked at.
    """
    if len(table) < _LARGE:
        return []
    head = table.take(np.arange(len(table)) < _HEAD)
    details = read_values(head, columns, name)[2]
    wrong: Counter[str | None] = Counter()
    for found in details:
        wrong[found.column] += count_of([found])
    column, count = wrong.most_common(1)[0] if wrong else (None, 0)
    if column is None or count < _HEAD / 2:
        return []
    below = len(table) - _HEAD
    message = (
        f"{count} of the first {_HEAD} cells of {column!r} are wrong, and the {below} rows below them are not read"
    )
    hint = "mend the column, or name another in its place with `columns`"
    return [ErrorDetail("wrong-column", message, hint, name, head.header_line, column), *details]


def _is_spare(table: Table, column: str, role: str) -> bool:
    """Return whether a column that holds no number may be ignored: a ratio that says something is a dimension lost."""
    return role != "mlp_ratio" or all(is_blank(cell) for cell in table.cells[column])


def _without_unit(table: Table, column: str, name: str) -> list[ErrorDetail]:
    """Return an error for every cell without a unit in a column whose header says one, and other cells theirs."""
    cells = table.cells[column]
    bare = [
        row
        for row, cell in enumerate(cells)
        if not is_blank(cell) and not re.search(r"[A-Za-z]\.?$", str(cell).strip())
    ]
    said = ("two-units", "the header says a unit, and other cells theirs")
    return _at_cells(bare, table, column, name, lambda _: (*said, "write all cells with their unit, or none"))


def _of_metric(found: ErrorDetail, column: str) -> ErrorDetail:
    """Return what is wrong with a cell of the metric, with the option that leaves such rows out."""
    if found.code == "empty-cell":
        return replace(found, hint=f"{found.hint}; `drop_nonfinite` leaves such rows out")
    word = (found.value or "").strip()
    if found.code != "not-a-number" or word in ("", A_LIST, A_MAPPING):
        return found
    if is_missing(word):
        return replace(found, hint="`drop_nonfinite` leaves such rows out, as it does those of an empty cell")
    if re.search(r"\d", word):
        return found
    return replace(found, hint=f"`where='{column}!={word}'` leaves such rows out")


def _decimal_dots(notation: str | None, table: Table, column: str, name: str) -> list[ErrorDetail]:
    """Return an error where dots of a metric, beside decimal commas elsewhere, may be decimal too: 3.841 or 3841."""
    if notation != DOTTED.name:
        return []
    cells = [str(cell).strip() for cell in table.cells[column]]
    if any(cell.count(".") > 1 for cell in cells):
        return []
    row = next(i for i, cell in enumerate(cells) if "." in cell)
    message = f"may be {cells[row]} or {cells[row].replace('.', '')}: other columns have decimal commas"
    hint = "write the column with decimal commas as the others, or all of them with dots"
    line = table.line_of(row, column)
    return [ErrorDetail("ambiguous-number", message, hint, table.file_of(row, name), line, column, cells[row])]


def _thousands(role: str, notation: str | None, table: Table, column: str, name: str) -> list[ErrorDetail]:
    """Return an error for every size of a model with a K: of a width 1K is 1024 as often as 1000."""
    if role not in SHAPE or notation not in WITH_UNITS:
        return []
    cells = table.cells[column]
    rows = [row for row, cell in enumerate(cells) if re.search(r"[kK]\s*$", str(cell))]
    said = ("ambiguous-number", "K may be 1000 or 1024", "write the number without it")
    return _at_cells(rows, table, column, name, lambda _: said)


def _fractional(steps: Floats, role: str, table: Table, column: str, name: str) -> list[ErrorDetail]:
    """Return an error for every number of steps that is not whole."""
    if role != "steps":
        return []
    rows = np.flatnonzero(np.isfinite(steps) & (steps != np.round(steps))).tolist()
    hint = f"if they are thousands, say so in the header: '{column} (k)'"
    return _at_cells(rows, table, column, name, lambda cell: ("not-whole", f"{cell} is no number of steps", hint))


def _summaries(table: Table, column: str, name: str) -> list[ErrorDetail]:
    """Return an error for rows that are called as what is computed over others: mean, total."""
    cells, last = table.cells[column], range(max(len(table) - _LAST, 0), len(table))
    rows = [row for row in last if _SUMMARY.fullmatch(str(cells[row]).strip())]
    labels = {str(cells[row]).strip() for row in rows}
    # Runs may be called so too, but not each by another of these words.
    described = len(labels) == len(rows) < len(table) / 2
    if not rows or not (described or len(rows) <= max(_MANY, len(table) // _FEW_OF)):
        return []
    message, else_ = "the row seems to be computed over others", "leaves it out; if it is a run, call it otherwise"
    return _at_cells(
        rows, table, column, name, lambda cell: ("summary-row", message, f"`where='{column}!={cell}'` {else_}")
    )


def _at_cells(
    rows: Sequence[int], table: Table, column: str, name: str, what: Callable[[str], tuple[str, str, str]]
) -> list[ErrorDetail]:
    """Return an error for cells of a column, with its code, message and hint by the text of the cell."""
    cells = table.cells[column]

    def detail(row: int) -> ErrorDetail:
        cell = str(cells[row]).strip()
        return ErrorDetail(*what(cell), table.file_of(row, name), table.line_of(row, column), column, cell)

    return details_at(rows, detail)


def _files_without(details: list[ErrorDetail], table: Table) -> list[ErrorDetail]:
    """Return the mistakes with one in place of those of a file that does not have a column at all, and others do."""
    kept = details
    for column in dict.fromkeys(found.column for found in details if found.code == "empty-cell"):
        if not table.files or column is None:
            continue
        having = dict.fromkeys(
            file for file, cell in zip(table.files, table.cells[column], strict=True) if cell is not ABSENT
        )
        hint = "add the column there, by the same name; or read the files one by one"
        message = f"the file has no such column, and {next(iter(having), '')} has"
        lacking = dict.fromkeys(file for file in table.files if file not in having)
        kept = [
            *(found for found in kept if found.column != column or found.file not in lacking),
            *(ErrorDetail("no-column", message, hint, file, column=column) for file in lacking),
        ]
    return kept


def _sparse_rows(details: list[ErrorDetail], *, several: bool) -> list[ErrorDetail]:
    """Return the mistakes with one in place of those of a row that lacks most cells, of one log or of several.

    It is a total or an average, where there are few; else cells merged in a spreadsheet, or logs with other names.
    """
    empty = Counter((found.file, found.line) for found in details if found.code == "empty-cell")
    kept: list[ErrorDetail] = []
    told = set()
    for found in details:
        place = (found.file, found.line)
        if found.code != "empty-cell" or empty[place] < _SPARSE:
            kept.append(found)
        elif place not in told:
            told.add(place)
            message = f"{empty[place]} cells of the row are empty"
            hint = f"is it a total? `where='{found.column}!='` leaves it out; else fill them in"
            if len(empty) > _MANY and not several:
                hint = "cells that were merged are empty below the first: fill them down (pandas: frame.ffill())"
            elif len(empty) > _MANY:
                hint = "do the logs name their columns alike? read those that do not by themselves, or rename them"
            kept.append(replace(found, code="sparse-row", message=message, hint=hint))
    return kept


def _at_step_zero(mistakes: list[ErrorDetail], role: str, column: str) -> list[ErrorDetail]:
    """Return the mistakes of a column with one in place of those of rows that are logged before any training."""
    zeros: list[ErrorDetail] = []
    others: list[ErrorDetail] = []
    for found in mistakes:
        is_zero = found.code == "not-positive" and as_number(found.value) == 0
        (zeros if is_zero else others).append(found)
    if role not in _PROGRESS or not zeros:
        return mistakes
    many = f", and in {count_of(zeros) - 1} rows below" if count_of(zeros) > 1 else ""
    message = f"{column} is 0 here{many}: a row of step 0, before any training"
    hint = f"`where='{column}>0'` leaves such rows out, `last_point` too"
    first = replace(zeros[0], code="step-zero", message=message, hint=hint)
    return [first, *others]


def with_width(values: dict[str, Any], columns: Columns, table: Table, name: str) -> Columns:
    """Return the columns with a width from heads and their size, where no column is the width."""
    found = [column for column in columns.ignored if word_of(column) in _HEAD_DIMS]
    sizes = table.cells[found[0]].numbers() if found and "heads" in values and "width" not in columns.dims else None
    if sizes is None or not np.isfinite(sizes).all() or (sizes <= 0).any():
        return columns
    values["width"] = values["heads"] * sizes
    check_derived("width", values["width"], table.lines, name)
    note = f"width is {columns.roles['heads']!r} x {found[0]!r}"
    ignored = tuple(column for column in columns.ignored if column != found[0])
    return replace(columns, dims=("width", *columns.dims), notes=(*columns.notes, note), ignored=ignored)


def with_ratio(values: dict[str, Any], columns: Columns, table: Table, name: str) -> Columns:
    """Return the columns with an MLP dim from its ratio to the width, where that is a column."""
    ratio = values.pop("mlp_ratio", None)
    if ratio is None or "mlp_dim" in values or "width" not in columns.dims:
        return columns
    values["mlp_dim"] = ratio * values["width"]
    check_derived("mlp_dim", values["mlp_dim"], table.lines, name)
    note = f"mlp_dim is {columns.roles['mlp_ratio']!r} x width"
    dims = tuple(dim for dim in SHAPE if dim in columns.dims or dim == "mlp_dim")
    dims += tuple(dim for dim in columns.dims if dim not in SHAPE)
    return replace(columns, dims=dims, notes=(*columns.notes, note))


def with_tokens(values: dict[str, Any], columns: Columns, table: Table, name: str) -> Columns:
    """Return the columns with tokens from those per parameter, where nothing else says how long runs are."""
    ratio = values.pop("tokens_per_param", None)
    if ratio is None or "params" not in values or {"tokens", "examples", "steps"} & values.keys():
        return columns
    values["tokens"] = ratio * values["params"]
    check_derived("tokens", values["tokens"], table.lines, name)
    note = f"tokens are {columns.roles['tokens_per_param']!r} x {columns.roles['params']!r}"
    return replace(columns, notes=(*columns.notes, note))
