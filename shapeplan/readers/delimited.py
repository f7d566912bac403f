"""Text in cells (CSV, TSV, and their kin with semicolons or bars) to a table."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import NamedTuple, TypeAlias

import numpy as np

from shapeplan.cells import Cells
from shapeplan.errors import MOST_KEPT, ErrorDetail, InputError, details_at
from shapeplan.numerics.arrays import Ints
from shapeplan.readers.comments import settings_in_comments
from shapeplan.readers.drawn import undrawn
from shapeplan.readers.headers import groups_names, header_mistakes, refuse_no_header
from shapeplan.readers.last_line import short_last_cell
from shapeplan.readers.metric_names import is_loss
from shapeplan.readers.names import listed
from shapeplan.readers.numbers import as_number
from shapeplan.readers.plain_text import split_plain
from shapeplan.readers.reshaped import MOST_TURNED
from shapeplan.readers.table import Table, refuse_many_columns
from shapeplan.readers.units import unit_of

_Row: TypeAlias = tuple[int, list[str]]
_CHUNK = 2**15
"""Rows that are in memory as lists of texts at a time."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r"""^"?sep=(.)"?;*,*$""")
_NO_UNITS = {
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "-",
    "--",
    "?",
    "missing",
    "diverged",
    "failed",
    "oom",
    "crashed",
    "error",
}
_CORNER = "parameter"
_DASHES = ("-", "--")
_TABLE, _LOOK = 3, 5
"""Cells that a header has at least, below lines that have one; and lines that show what separates cells."""
# The module csv has only a limit for the whole process; a longer cell, such as a logged prompt, would stop the reading.
csv.field_size_limit(2**24)
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
    whole = body
    if (found := undrawn(body)) is not None:
        body, delimiter, drawn = found
        notes.append(f"{name} is read as {drawn}")
    body, delimiter = _delimiter(body, delimiter, notes)
    refuse_many_columns(1 + body.count(delimiter, 0, body.find("\n")), name)
    grid = _grid(body, name, delimiter, notes)
    for mended in (_without_groups, _without_ends, _with_corner, _without_index, _without_empty, _without_headers):
        grid = mended(grid, notes)
    refuse_no_header(grid.header, grid.line, name)
    faults = header_mistakes(grid.header, grid.line, name)
    faults += _faults(grid, delimiter, name)
    grid = _with_units(grid, notes)
    if not len(grid.lines) and faults:
        raise InputError(*faults)
    if not len(grid.lines):
        hint = "add a row a point of training"
        raise InputError(ErrorDetail("no-rows", "has a header but no rows", hint, name, grid.line))
    # Of columns of one name the first is looked through, so that its mistakes are named together with that one.
    cells = dict(zip(reversed(grid.header), reversed(grid.columns), strict=True))
    named = {column: cells[column] for column in dict.fromkeys(grid.header) if column}
    said = settings_in_comments(body, grid.header)
    named |= {key: Cells([value] * len(grid.lines)) for key, value in said.items()}
    if said:
        notes.append(f"comments above the table hold for all its rows: {listed(list(said))}")
    return Table(
        named,
        grid.lines,
        notes=tuple(notes),
        header_line=grid.line,
        semicolons=delimiter == ";",
        faults=tuple(faults),
        short_cells=short_last_cell(whole, name, int(grid.lines[-1]), named),
    )


class _Grid(NamedTuple):
    """A header and its line, the columns below it, the lines of the rows, and rows that have more or fewer cells.

    Of those the first are kept, and the others counted.
    """

    header: list[str]
    line: int
    columns: list[Cells]
    lines: Ints
    others: list[_Row]
    unkept: int = 0


def _grid(body: str, name: str, delimiter: str, notes: list[str]) -> _Grid:
    """Return the cells without blank rows and those that begin with ``#``; where all do, it begins their names."""
    plain = split_plain(body.replace("\r\n", "\n"), delimiter)
    if plain is not None and len(plain[0]) > 1:
        header = [str(column[0]) for column in plain]
        # A first line with few cells may be a title.
        if sum(map(bool, header)) >= _TABLE or len(header) < _TABLE:
            return _Grid(header, 1, [column.below(1) for column in plain], np.arange(2, len(plain[0]) + 1), [])
    hashed: list[_Row] = []
    bare: list[int] = []
    rows = _without_comments(_rows(body, name, delimiter, bare), hashed)
    first, second, rows = _below_titles(rows, notes)
    if (
        first is not None
        and hashed
        and len(hashed[-1][1]) == len(first[1]) > 1
        and _names(hashed[-1])
        and _is_data(first)
    ):
        # NumPy writes its header as a comment.
        above = hashed.pop()
        rows = chain([first], [second] if second else [], rows)
        first, second = (above[0], [above[1][0].lstrip().lstrip("#"), *above[1][1:]]), next(rows)
    if first is None or second is None:
        every = [(line, [cell.strip() for cell in cells]) for line, cells in _rows(body, name, delimiter)]
        width = max((len(cells) for _, cells in every), default=0)
        if not every or (width <= 1 and first is None):
            raise InputError(ErrorDetail("empty", "has no cells", "a log has a header and rows", name))
        if width > 1:
            first, *rest = (row for row in every if len(row[1]) == width)
            rows, hashed = iter(rest), []
    else:
        rows = chain([second], rows)
    assert first is not None
    header = [cell.strip() for cell in first[1]]
    columns, lines, others, unkept = _columns(rows, len(header))
    out = [line for line, cells in hashed if len(cells) == len(header) > 1]
    if out:
        notes.append(
            f"left out {len(out)} row{'s that begin' if len(out) > 1 else ' that begins'} with # ({_places(out)})"
        )
    # Spreadsheets write such rows below the table; between its rows they are rows that have lost their cells.
    within = [line for line in bare if first[0] < line < (lines[-1] if len(lines) else 0)]
    if within:
        many = "rows have" if len(within) > 1 else "row has"
        notes.append(f"{len(within)} {many} separators alone ({_places(within)}): left out")
    return _Grid(header, first[0], columns, lines, others, unkept)


def _places(lines: list[int]) -> str:
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines[:5]))}{' ...' if len(lines) > 5 else ''}"


def _columns(rows: Iterator[_Row], width: int) -> tuple[list[Cells], Ints, list[_Row], int]:
    """Return the columns of the rows that have so many cells, their lines, other rows, and how many more there are."""
    parts: list[list[Cells]] = []
    lines: list[Ints] = [np.empty(0, dtype=int)]
    others: list[_Row] = []
    unkept = 0
    while chunk := list(islice(rows, _CHUNK)):
        whole = [row for row in chunk if len(row[1]) == width]
        for line, cells in (row for row in chunk if len(row[1]) != width):
            # One cell more in every row may be no mistake: see `_without_ends`.
            if len(others) < MOST_KEPT or len(cells) == width + 1:
                others.append((line, [cell.strip() for cell in cells]))
            else:
                unkept += 1
        if whole:
            lines.append(np.array([line for line, _ in whole]))
            columns = zip(*(cells for _, cells in whole), strict=True)
            parts.append([Cells.of_texts(list(map(str.strip, column))) for column in columns])
    return [Cells.joined([part[i] for part in parts]) for i in range(width)], np.concatenate(lines), others, unkept


def _faults(grid: _Grid, delimiter: str, name: str) -> list[ErrorDetail]:
    width = len(grid.header)
    faults = details_at(range(len(grid.others)), lambda i: _fault(*grid.others[i], width, delimiter, name))
    return [*faults[:-1], replace(faults[-1], more=faults[-1].more + grid.unkept)] if grid.unkept else faults


def _fault(line: int, cells: list[str], width: int, delimiter: str, name: str) -> ErrorDetail:
    more = len(cells) > width
    return ErrorDetail(
        "too-many-cells" if more else "too-few-cells",
        f"the row has {len(cells)} cells, the header {width}",
        "quote cells that hold the delimiter" if more else "fill in the missing cells",
        name,
        line,
        value=delimiter.join(cells)[:80],
    )


def _lines(body: str) -> Iterator[str]:
    """Yield the lines with their ends, one at a time: a list of them takes as much memory as the text again."""
    return (match[0] for match in _LINE.finditer(body))


def _delimiter(body: str, said: str, notes: list[str]) -> tuple[str, str]:
    """Return the text, a line ``sep=;`` made blank, and what separates its cells."""
    end = body.find("\n")
    if end >= 0 and (match := _SEP_LINE.match(body[:end].strip())):
        return body[end:], match[1]
    plain = (line for line in _lines(body) if line.strip() and not line.startswith("#"))
    first = [re.sub(r'"[^"]*"', "", line) for line in islice(plain, _LOOK)]
    # What separates cells is in every line; what is in a name or a title is not.
    least = {mark: min((line.count(mark) for line in first), default=0) for mark in _DELIMITERS}
    other = max(_DELIMITERS, key=lambda mark: (least[mark], sum(line.count(mark) for line in first), mark == said))
    if least[said] or not least[other]:
        return body, said
    notes.append(f"cells are separated by {'tabs' if other == chr(9) else repr(other)}")
    return body, other


def _rows(body: str, name: str, delimiter: str, bare: list[int] | None = None) -> Iterator[_Row]:
    """Yield the lines and cells of all rows but blank ones; lines of separators alone are added to `bare`."""
    reader = csv.reader(_lines(body), delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            if cells and (cells[0].strip() or any(cell.strip() for cell in cells)):
                yield start, cells
            elif len(cells) > 1 and bare is not None:
                bare.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        detail = ErrorDetail("bad-quoting", f"cannot be split into cells: {error}", "check the quotes", name, start)
        raise InputError(detail) from None


def _below_titles(rows: Iterator[_Row], notes: list[str]) -> tuple[_Row | None, _Row | None, Iterator[_Row]]:
    """Return the first two rows of a table and the others; lines with few cells above its names are titles."""
    above = list(islice(rows, _LOOK))
    header = next((i for i, row in enumerate(above) if _filled(row) >= _TABLE), 0)
    if any(_filled(row) > 1 for row in above[:header]) and _is_data(above[header]):
        header = 0
    if header:
        first, last = above[0][0], above[header - 1][0]
        lines = f"line {first} above the header is a title" if header == 1 else f"lines {first} to {last} are titles"
        notes.append(f"{lines}: left out")
    first_row, second = [*above[header : header + 2], None, None][:2]
    return first_row, second, chain(above[header + 2 :], rows)


def _filled(row: _Row) -> int:
    return sum(bool(cell.strip()) for cell in row[1])


def _names(row: _Row) -> bool:
    """Return whether a row has names alone."""
    return all(cell.strip() and as_number(cell) is None for cell in row[1])


def _is_data(row: _Row) -> bool:
    return any(as_number(cell) is not None for cell in row[1])


def _without_comments(rows: Iterator[_Row], hashed: list[_Row]) -> Iterator[_Row]:
    """Yield the rows that do not begin with ``#``, and collect those that do."""
    for row in rows:
        if row[1][0].lstrip().startswith("#"):
            hashed.append(row)
        else:
            yield row


def _without_ends(grid: _Grid, notes: list[str]) -> _Grid:
    """Return the grid without a cell of every row that the header lacks: an empty one at its end, or R's row names."""
    width, rows = len(grid.header), [cells for _, cells in grid.others]
    if len(grid.lines) or grid.unkept or not all(len(cells) == width + 1 for cells in rows):
        return grid
    if all(not cells[-1] for cells in rows):
        kept, note = slice(0, -1), "every row ends with what separates cells: left out"
    elif len(rows) > 1 and [cells[0] for cells in rows] == [str(i) for i in range(1, len(rows) + 1)]:
        kept, note = slice(1, None), "the first cell of every row numbers it, and the header has none: left out"
    else:
        return grid
    columns, lines, others, _ = _columns(((line, cells[kept]) for line, cells in grid.others), width)
    notes.append(note)
    return grid._replace(columns=columns, lines=lines, others=others)


def _without_groups(grid: _Grid, notes: list[str]) -> _Grid:
    """Return the grid without a line above the header that groups columns."""
    below = [str(column[0]) for column in grid.columns] if len(grid.lines) else []
    if not groups_names(grid.header, below):
        return grid
    notes.append(f"line {grid.line} groups the columns whose names stand in line {grid.lines[0]}: left out")
    columns = [column.below(1) for column in grid.columns]
    return grid._replace(header=below, line=int(grid.lines[0]), columns=columns, lines=grid.lines[1:])


def _with_corner(grid: _Grid, _: list[str]) -> _Grid:
    """Return the grid with a name over the names of what its rows hold, above which a turned frame has none."""
    turned = (
        not grid.header[0]
        and 0 < len(grid.lines) <= MOST_TURNED
        and any(is_loss(str(cell)) for cell in grid.columns[0])
    )
    return grid._replace(header=[_CORNER, *grid.header[1:]]) if turned else grid


def _without_index(grid: _Grid, notes: list[str]) -> _Grid:
    """Return the grid without the numbers that pandas writes before the rows in a column without a name."""
    if len(grid.header) < 2 or grid.header[0] or grid.others:
        return grid
    numbers = [str(cell) for cell in grid.columns[0]] if len(grid.lines) else []
    if not numbers or len(set(numbers)) < len(numbers) or not all(number.isdecimal() for number in numbers):
        return grid
    notes.append("the first column has no name and numbers the rows: left out")
    return grid._replace(header=grid.header[1:], columns=grid.columns[1:])


def _without_empty(grid: _Grid, notes: list[str]) -> _Grid:
    """Return the grid without columns that have neither a name nor cells: lines end with what separates cells."""
    kept = [i for i, name in enumerate(grid.header) if name or any(str(cell) for cell in grid.columns[i])]
    out = len(grid.header) - len(kept)
    if not out or not kept:
        return grid
    last = kept[-1] < len(grid.header) - 1 and out == 1
    what = "the last column has" if last else "a column has" if out == 1 else f"{out} columns have"
    notes.append(f"{what} neither a name nor cells: left out")
    return grid._replace(header=[grid.header[i] for i in kept], columns=[grid.columns[i] for i in kept])


def _without_headers(grid: _Grid, notes: list[str]) -> _Grid:
    """Return the grid without rows that repeat the header, as logs that were put one below the other have."""
    column = next((i for i, name in enumerate(grid.header) if name), None)
    if column is None or not len(grid.lines):
        return grid
    cells, name = grid.columns[column], grid.header[column]
    texts = cells.texts()
    alike: list[int] = (
        [i for i, cell in enumerate(cells) if cell == name]
        if texts is None
        else np.flatnonzero(texts == name.encode()).tolist()
    )
    again = [row for row in alike if [str(cells[row]) for cells in grid.columns] == grid.header]
    if not again:
        return grid
    kept = np.setdiff1d(np.arange(len(grid.lines)), again)
    places = ", ".join(str(grid.lines[row]) for row in again[:_LOOK]) + (" ..." if len(again) > _LOOK else "")
    notes.append(f"the header is repeated in line{'s' if len(again) > 1 else ''} {places}: left out")
    return grid._replace(columns=[column.take(kept) for column in grid.columns], lines=grid.lines[kept])


def _with_units(grid: _Grid, notes: list[str]) -> _Grid:
    """Return the grid with the units that stand in a row of their own below the header in the header."""
    if len(grid.lines) < 2:
        return grid
    first, second = ([str(column[row]) for column in grid.columns] for row in (0, 1))
    numeric = [as_number(cell) is not None for cell in second]
    if not any(numeric) or any(as_number(cell) is not None or not _UNIT.fullmatch(cell) for cell in first):
        return grid
    # A dash is no unit in a row of units, and no number in a row of a run that failed.
    scaled = any(cell and unit_of(cell).scale not in (None, 1.0) for cell in first)
    if any(cell.lower() in _NO_UNITS and not (scaled and cell in _DASHES) for cell in first):
        return grid
    if not any(cell for cell, number in zip(first, numeric, strict=True) if number):
        return grid
    notes.append(f"line {grid.lines[0]} has no number: read as the units of the columns")
    units = [cell.strip("()[] -") for cell in first]
    header = [
        f"{column} ({unit})" if unit and number else column
        for column, unit, number in zip(grid.header, units, numeric, strict=True)
    ]
    return grid._replace(header=header, columns=[column.below(1) for column in grid.columns], lines=grid.lines[1:])
