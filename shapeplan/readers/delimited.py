"""Text in cells (CSV, TSV, and their kin with semicolons or bars) to a table."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.numbers import as_number
from shapeplan.readers.table import Record, Table

_DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r"""^"?sep=(.)"?;*,*$""")
_UNIT = re.compile(r"[\(\[]?[\w%/^*. -]{0,20}[\)\]]?")


def parse_delimited(body: str, name: str, delimiter: str) -> Table:
    """Parse delimited text with a header row.

    Parameters
    ----------
    body, name : str
        The text, and the input for errors.
    delimiter : str
        What the name of the file says; another one is used where the header shows it.

    Raises
    ------
    InputError
        If a header is missing, empty or duplicate, a row has too many or too few cells, or there are no rows.
    """
    notes: list[str] = []
    body, delimiter = _delimiter(body, delimiter, notes)
    rows = _without_comments(_rows(body, name, delimiter), notes)
    if not rows:
        raise InputError(ErrorDetail("empty", "has no cells", "a log has a header and rows", name))
    rows = _without_index(rows, notes)
    (line, header), *rest = rows
    details = _header_mistakes(header, line, name)
    if details:
        raise InputError(*details)
    faults = tuple(
        ErrorDetail(
            "too-many-cells" if len(cells) > len(header) else "too-few-cells",
            f"the row has {len(cells)} cells, the header {len(header)}",
            "quote cells that hold the delimiter" if len(cells) > len(header) else "fill in the missing cells",
            name,
            place,
            value=delimiter.join(cells)[:80],
        )
        for place, cells in rest
        if len(cells) != len(header)
    )
    rest = [(place, cells) for place, cells in rest if len(cells) == len(header)]
    header, rest = _with_units(header, rest, notes)
    if not rest and faults:
        raise InputError(*faults)
    if not rest:
        raise InputError(
            ErrorDetail("no-rows", "has a header but no rows", "add a row a point of training", name, line)
        )
    records = tuple(Record(place, dict(zip(header, cells, strict=True))) for place, cells in rest)
    semicolons = delimiter == ";"
    return Table(tuple(header), records, notes=tuple(notes), header_line=line, semicolons=semicolons, faults=faults)


def _delimiter(body: str, said: str, notes: list[str]) -> tuple[str, str]:
    """Return the text, a line ``sep=;`` made blank, and what separates its cells."""
    first, newline, rest = body.partition("\n")
    if match := _SEP_LINE.match(first.strip()):
        return newline + rest, match[1]
    header = next((line for line in body.splitlines() if line.strip() and not line.startswith("#")), "")
    outside = re.sub(r'"[^"]*"', "", header)
    if said in outside:
        return body, said
    other = max(_DELIMITERS, key=outside.count)
    if other not in outside:
        return body, said
    notes.append(f"cells are separated by {'tabs' if other == chr(9) else repr(other)}")
    return body, other


def _rows(body: str, name: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the lines and cells of all rows but blank ones."""
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
    return rows


def _without_comments(rows: list[tuple[int, list[str]]], notes: list[str]) -> list[tuple[int, list[str]]]:
    """Return the rows without those that begin with ``#``; where all do below the header, it begins their names."""
    plain = [(line, cells) for line, cells in rows if not cells[0].startswith("#")]
    if len(plain) < 2:
        width = max((len(cells) for _, cells in rows), default=0)
        return [(line, cells) for line, cells in rows if len(cells) == width] if width > 1 else plain
    width = len(plain[0][1])
    out = [line for line, cells in rows if cells[0].startswith("#") and len(cells) == width > 1]
    if out:
        places = f"line{'s' if len(out) > 1 else ''} {', '.join(map(str, out[:5]))}{' ...' if len(out) > 5 else ''}"
        notes.append(f"left out {len(out)} row{'s that begin' if len(out) > 1 else ' that begins'} with # ({places})")
    return plain


def _without_index(rows: list[tuple[int, list[str]]], notes: list[str]) -> list[tuple[int, list[str]]]:
    """Return the rows without the numbers that pandas writes before them in a column without a name."""
    (_, header), *rest = rows
    if len(header) < 2 or header[0] or any(len(cells) != len(header) for _, cells in rest):
        return rows
    numbers = [cells[0] for _, cells in rest]
    if not numbers or len(set(numbers)) < len(numbers) or not all(number.isdecimal() for number in numbers):
        return rows
    notes.append("the first column has no name and numbers the rows: left out")
    return [(line, cells[1:]) for line, cells in rows]


def _with_units(
    header: list[str], rows: list[tuple[int, list[str]]], notes: list[str]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header with the units that stand in a row of their own below it, and the other rows."""
    if len(rows) < 2:
        return header, rows
    (line, first), second = rows[0], rows[1][1]
    numeric = [as_number(cell) is not None for cell in second]
    if not any(numeric) or any(as_number(cell) is not None or not _UNIT.fullmatch(cell) for cell in first):
        return header, rows
    if not any(cell for cell, number in zip(first, numeric, strict=True) if number):
        return header, rows
    notes.append(f"line {line} has no number: read as the units of the columns")
    units = [cell.strip("()[] -") for cell in first]
    return [
        f"{column} ({unit})" if unit and number else column
        for column, unit, number in zip(header, units, numeric, strict=True)
    ], rows[1:]


def _header_mistakes(header: list[str], line: int, name: str) -> list[ErrorDetail]:
    details = [
        ErrorDetail("duplicate-header", f"the header has it {count} times", "rename or remove one", name, line, column)
        for column, count in Counter(header).items()
        if count > 1 and column
    ]
    return details + [
        ErrorDetail("empty-header", f"the header's cell {i} is empty", "name the column", name, line, value="")
        for i, column in enumerate(header, 1)
        if not column
    ]
