"""The line of an input in which a mistake is, with its place in the line."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from shapeplan.errors import ErrorDetail, ShapeplanError
from shapeplan.readers.binary import is_binary
from shapeplan.readers.source import STDIN, Text, read_text

_WIDEST = 100
"""Characters of a line that are shown; of a longer one, those around the mistake."""
_MARGIN = 30
_CELL = r'\s*"(?:[^"]|"")*"\s*|[^{0}]*'


class Excerpt(NamedTuple):
    """A line of an input, the number of it, and where in it the mistake begins and how long it is."""

    line: str
    number: int
    start: int
    length: int


def excerpts(details: list[ErrorDetail]) -> list[Excerpt | None]:
    """Return the line of every mistake, None where there is none: no file, no line, or it can be read but once."""
    texts: dict[str, _Lines | None] = {}
    found: list[Excerpt | None] = []
    for detail in details:
        name = detail.file
        if name is None or detail.line is None or name == STDIN:
            found.append(None)
            continue
        if name not in texts:
            texts[name] = _lines(name)
        lines = texts[name]
        found.append(None if lines is None else _excerpt(lines, detail, detail.line))
    return found


class _Lines(NamedTuple):
    """A text and its lines."""

    text: Text
    lines: list[str]


def _lines(name: str) -> _Lines | None:
    try:
        text = read_text(name) if os.path.isfile(name) and not is_binary(name) else None
    except ShapeplanError:
        return None
    return None if text is None else _Lines(text, text.body.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _excerpt(found: _Lines, detail: ErrorDetail, number: int) -> Excerpt | None:
    text, lines = found
    if not 0 < number <= len(lines):
        return None
    line = lines[number - 1]
    span = _span(text, lines, line, detail)
    if span is None:
        # A row that a tool's log was made into has no line of its own: it is placed on the first.
        if number == 1 and (text.format in ("json", "jsonl") or text.suffix in (".log", ".txt", ".out")):
            return None
        span = len(line) - len(line.lstrip()), max(len(line.strip()), 1)
    start, length = span
    if len(line) > _WIDEST:
        first = max(0, min(start - _MARGIN, len(line) - _WIDEST))
        line, start = line[first : first + _WIDEST], start - first
        length = min(length, _WIDEST - start)
    return Excerpt(line.replace("\t", " "), number, start, length)


def _span(text: Text, lines: list[str], line: str, detail: ErrorDetail) -> tuple[int, int] | None:
    """Return where a mistake begins in its line, and its length; None if that is not sure."""
    if detail.column is not None and text.format in ("csv", "tsv"):
        # A column that is missing is looked for in the header, where it is not.
        header = next((one for one in lines if one.strip() and not one.lstrip().startswith("#")), "")
        mark = max(",;\t|", key=header.count)
        names = [one.strip(' "') for _, one in _cells(header, mark)]
        cells = _cells(line, mark)
        if detail.column in names and names.index(detail.column) < len(cells):
            start, cell = cells[names.index(detail.column)]
            blank = len(cell) - len(cell.lstrip())
            return start + (blank if cell.strip() else 0), max(len(cell.strip()), 1)
    elif detail.column is not None:
        key = re.escape(detail.column.rsplit(".", 1)[-1])
        cell = rf"""(?<![\w"'-])["']?{key}["']?\s*:\s*("[^"]*"|'[^']*'|[^,}}\]#]*[^,}}\]#\s])"""
        found = list(re.finditer(cell, line))
        same = [match for match in found if match[1].strip("\"'").lower() == (detail.value or "").lower()]
        sure = same if detail.value else found
        if len(sure) == 1:
            return sure[0].start(1), len(sure[0][1])
    if detail.value and line.count(detail.value) == 1:
        return line.index(detail.value), len(detail.value)
    return None


def _cells(line: str, mark: str) -> list[tuple[int, str]]:
    """Return where every cell of a line begins, and it."""
    cells, place = [], 0
    pattern = re.compile(_CELL.format(re.escape(mark)))
    while place <= len(line):
        match = pattern.match(line, place)
        cell = match[0] if match else ""
        cells.append((place, cell))
        place += len(cell) + 1
    return cells
