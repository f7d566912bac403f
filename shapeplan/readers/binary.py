"""Tables in binary files: workbooks (.xlsx) and Parquet, read by the libraries of the extra ``import``."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.provenance import Source
from shapeplan.readers.delimited import parse_delimited
from shapeplan.readers.histories import table_of
from shapeplan.readers.source import check_size, first_line, library
from shapeplan.readers.table import Record, Table
from shapeplan.readers.tree import plain


def is_binary(path: str | Path) -> bool:
    """Return whether a path is a file of a known binary format, by its suffix."""
    return Path(path).suffix.lower() in _READERS and os.path.isfile(path)


def read_binary(path: str | Path) -> tuple[Table, Source]:
    """Read a workbook's first sheet with rows, or a Parquet file.

    Raises
    ------
    InputError
        If the library that reads it is missing, or it cannot be read.
    """
    name = str(path)
    module, read = _READERS[Path(path).suffix.lower()]
    reader = library(module, name, "save it as CSV")
    try:
        raw = Path(path).read_bytes()
        check_size(raw, name)
        table = read(reader, io.BytesIO(raw), name)
    except InputError:
        raise
    except Exception as error:  # What a library raises on a broken file is its own affair.
        message = f"cannot be read as {Path(path).suffix[1:]}: {first_line(error)[:100]}"
        raise InputError(ErrorDetail("unreadable", message, "save it again, or as CSV", name)) from None
    if table is None:
        raise InputError(ErrorDetail("no-rows", "has no rows", "add a row a point of training", name))
    table = replace(table, notes=tuple(f"{name}: {note}" for note in table.notes))
    return table, Source(name, hashlib.sha256(raw).hexdigest())


def _workbook(openpyxl: Any, raw: io.BytesIO, name: str) -> Table | None:
    """Return the first sheet that has a header and rows, read as its text would be; lines are those of the sheet."""
    book = openpyxl.load_workbook(raw, read_only=True, data_only=True)
    found: list[tuple[str, Table]] = []
    for sheet in book.worksheets:
        rows = [["" if cell is None else cell for cell in cells] for cells in sheet.iter_rows(values_only=True)]
        if sum(sum(str(cell).strip() != "" for cell in row) > 1 for row in rows) < _HEADER_AND_ROW:
            continue
        width = max(i for row in rows for i, cell in enumerate(row, 1) if str(cell).strip())
        if any(sum(str(row[i]).strip() != "" for row in rows if i < len(row)) == 1 for i in range(width)):
            _refuse_formulas(openpyxl.load_workbook(raw, read_only=True)[sheet.title], rows, name)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(row[:width] for row in rows)
        try:
            found.append((sheet.title, parse_delimited(text.getvalue(), name, ",")))
        except InputError:
            if not found:
                raise
    if not found:
        return None
    (title, table), *others = found
    twins = [other for other, its in others if its.columns == table.columns]
    if twins:
        message = f"sheets {', '.join(map(repr, (title, *twins)))} have the same columns, and one sheet is read"
        raise InputError(ErrorDetail("two-logs", message, "put their rows into one sheet, or save each as CSV", name))
    said = (f"sheet {title!r} is read",) if len(book.worksheets) > 1 else ()
    return replace(table, notes=(*said, *table.notes))


def _refuse_formulas(sheet: Any, rows: Sequence[Sequence[object]], name: str) -> None:
    """Raise `InputError` for a column of a sheet whose cells hold formulas, and no values: none has worked them out."""
    for line, (cells, values) in enumerate(zip(sheet.iter_rows(values_only=True), rows, strict=False), 1):
        for number, (cell, value) in enumerate(zip(cells, values, strict=False)):
            if value == "" and str(cell).startswith("="):
                message = f"the cell holds the formula {str(cell)[:_LONGEST_FORMULA]!r}, and no value"
                hint = "open the workbook in a spreadsheet program and save it, or save it as CSV"
                column = next((str(row[number]) for row in rows if number < len(row) and row[number] != ""), None)
                raise InputError(ErrorDetail("no-value", message, hint, name, line, column))


def _parquet(parquet: Any, raw: io.BytesIO, name: str) -> Table | None:
    rows = parquet.read_table(raw).to_pylist()
    # An index of pandas that numbers the rows is no column.
    numbers = {
        key for key, cell in (rows[0] if rows else {}).items() if _INDEX.fullmatch(key) and isinstance(cell, int)
    }
    records = [
        Record(number, {key: plain(cell) for key, cell in row.items() if key not in numbers})
        for number, row in enumerate(rows, 1)
    ]
    return table_of(records, name) if records else None


_HEADER_AND_ROW = 2
_LONGEST_FORMULA = 40
_INDEX = re.compile(r"__index_level_\d+__")
_Read = Callable[[Any, io.BytesIO, str], Table | None]
_READERS: dict[str, tuple[str, _Read]] = {
    ".xlsx": ("openpyxl", _workbook),
    ".xlsm": ("openpyxl", _workbook),
    ".parquet": ("pyarrow.parquet", _parquet),
    ".pq": ("pyarrow.parquet", _parquet),
}
