"""CSV and TSV to a table."""

from __future__ import annotations

import csv
import io
from collections import Counter

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.table import Record, Table


def parse_delimited(body: str, name: str, delimiter: str) -> Table:
    """Parse delimited text with a header row.

    Raises
    ------
    InputError
        If a header is missing, empty or duplicate, a row has too many or too few cells, or there are no rows.
    """
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((start, [cell.strip() for cell in cells]))
            start = reader.line_num + 1
    except csv.Error as error:
        detail = ErrorDetail("bad-quoting", f"cannot be split into cells: {error}", "check the quotes", name, start)
        raise InputError(detail) from None
    if not rows:
        raise InputError(ErrorDetail("empty", "has no cells", "a log has a header and rows", name))
    line, header = rows[0]
    _check_header(header, line, name, delimiter)
    details = [
        ErrorDetail(
            "too-many-cells" if len(cells) > len(header) else "too-few-cells",
            f"the row has {len(cells)} cells, the header {len(header)}",
            "quote cells that hold the delimiter" if len(cells) > len(header) else "fill in the missing cells",
            name,
            place,
            value=delimiter.join(cells)[:80],
        )
        for place, cells in rows[1:]
        if len(cells) != len(header)
    ]
    if details:
        raise InputError(*details)
    if len(rows) == 1:
        raise InputError(
            ErrorDetail("no-rows", "has a header but no rows", "add a row a point of training", name, line)
        )
    records = tuple(Record(place, dict(zip(header, cells, strict=True))) for place, cells in rows[1:])
    return Table(tuple(header), records)


def _check_header(header: list[str], line: int, name: str, delimiter: str) -> None:
    details = [
        ErrorDetail("duplicate-header", f"the header has it {count} times", "rename or remove one", name, line, column)
        for column, count in Counter(header).items()
        if count > 1 and column
    ]
    details += [
        ErrorDetail("empty-header", f"the header's cell {i} is empty", "name the column", name, line, value="")
        for i, column in enumerate(header, 1)
        if not column
    ]
    if len(header) == 1:
        other = next((mark for mark in (";", "\t", "|", ",") if mark != delimiter and mark in header[0]), None)
        if other:
            word = {"\t": "tabs", ",": "commas"}.get(other, f"{other!r}")
            details.append(
                ErrorDetail(
                    "wrong-delimiter",
                    f"the header is one cell, split by {word}",
                    "separate cells by commas (.csv) or tabs (.tsv)",
                    name,
                    line,
                    value=header[0][:80],
                )
            )
    if details:
        raise InputError(*details)
