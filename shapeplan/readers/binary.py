"""Tables in binary files: workbooks (.xlsx) and Parquet, read by the libraries of the extra ``import``."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.numbers import is_blank
from shapeplan.readers.source import check_size, library
from shapeplan.readers.table import Record, Table, flattened
from shapeplan.runs import Source


def is_binary(path: str | Path) -> bool:
    """Return whether a path is a file of a known binary format, by its suffix."""
    return Path(path).suffix.lower() in _READERS and Path(path).is_file()


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
        records, notes = read(reader, io.BytesIO(raw))
    except InputError:
        raise
    except Exception as error:  # What a library raises on a broken file is its own affair.
        first = str(error).split("\n")[0] or type(error).__name__
        message = f"cannot be read as {Path(path).suffix[1:]}: {first[:100]}"
        raise InputError(ErrorDetail("unreadable", message, "save it again, or as CSV", name)) from None
    if not records:
        raise InputError(ErrorDetail("no-rows", "has no rows", "add a row a point of training", name))
    table = Table.of_records(records, [f"{name}: {note}" for note in notes])
    return table, Source(name, hashlib.sha256(raw).hexdigest())


def _workbook(openpyxl: Any, raw: io.BytesIO) -> tuple[list[Record], list[str]]:
    """Return the rows of the first sheet that has a header and rows; lines are those of the sheet."""
    book = openpyxl.load_workbook(raw, read_only=True, data_only=True)
    for sheet in book.worksheets:
        rows = [
            (number, cells)
            for number, cells in enumerate(sheet.iter_rows(values_only=True), 1)
            if not all(is_blank(cell) for cell in cells)
        ]
        if len(rows) < 2:
            continue
        header = [None if is_blank(cell) else str(cell).strip() for cell in rows[0][1]]
        records = [
            Record(number, {column: cell for column, cell in zip(header, cells, strict=False) if column})
            for number, cells in rows[1:]
        ]
        return records, [f"sheet {sheet.title!r} is read"] if len(book.worksheets) > 1 else []
    return [], []


def _parquet(parquet: Any, raw: io.BytesIO) -> tuple[list[Record], list[str]]:
    rows = parquet.read_table(raw).to_pylist()
    return [flattened(Record(number, row)) for number, row in enumerate(rows, 1)], []


_Read = Callable[[Any, io.BytesIO], tuple[list[Record], list[str]]]
_READERS: dict[str, tuple[str, _Read]] = {
    ".xlsx": ("openpyxl", _workbook),
    ".xlsm": ("openpyxl", _workbook),
    ".parquet": ("pyarrow.parquet", _parquet),
}
