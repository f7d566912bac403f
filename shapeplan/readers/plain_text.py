"""Delimited text without quotes, comments, blank lines and blanks around cells, split all at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from shapeplan.cells import LONGEST, Cells
from shapeplan.numerics.arrays import Ints

_MARKS = ('"', "#", "\r", "\t", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f")
_BLOCK = 2**22
"""Characters that are split at a time, which bounds the memory that it takes."""


def split_plain(body: str, delimiter: str) -> list[Cells] | None:
    """Return the columns of a text, the header's cells first, or None where it is not as plain as that.

    Parameters
    ----------
    body : str
        Lines, a row each.
    delimiter : str
        One character in ASCII.
    """
    if not _is_plain(body, delimiter):
        return None
    parts: list[list[Cells]] = []
    for block in _blocks(body):
        split = _split(np.frombuffer(block.encode(), dtype=np.uint8), ord(delimiter))
        if split is None or (parts and len(split) != len(parts[0])):
            return None
        parts.append(split)
    return [Cells.joined(columns) for columns in zip(*parts, strict=True)]


def _is_plain(body: str, delimiter: str) -> bool:
    """Return whether a text has no quotes and comments, and no blanks around cells; blank lines are seen later."""
    if not body.isascii() or any(mark in body for mark in _MARKS if mark != delimiter):
        return False
    around = (f" {delimiter}", f"{delimiter} ", " \n", "\n ")
    return " " not in body or not (body[0] == " " or body[-1] == " " or any(blank in body for blank in around))


def _blocks(body: str) -> Iterator[str]:
    """Yield the text in pieces of whole lines, each with the end of its last line."""
    start = 0
    while start < len(body):
        end = body.find("\n", start + _BLOCK) + 1 or len(body)
        block = body[start:end]
        yield block if block.endswith("\n") else block + "\n"
        start = end


def _split(text: Ints, delimiter: int) -> list[Cells] | None:
    """Return the columns of whole lines, or None if their numbers of cells differ, one is blank or a cell is long."""
    ends = np.flatnonzero(text == ord("\n"))
    between = np.flatnonzero(text == delimiter)
    width, odd = divmod(len(between), len(ends))
    if odd:
        return None
    starts = np.concatenate([[0], ends[:-1] + 1])
    marks = np.column_stack([starts - 1, between.reshape(len(ends), width), ends])
    blank = ends - starts == width
    if not width or blank.any() or not (marks[:, :-1] < marks[:, 1:]).all():
        return None
    columns, padded = [], np.append(text, np.zeros(LONGEST, dtype=np.uint8))
    for column in range(width + 1):
        first = marks[:, column] + 1
        length = marks[:, column + 1] - first
        longest = max(int(length.max()), 1)
        if longest > LONGEST:
            return None
        cells = sliding_window_view(padded, longest)[first]
        if (length < longest).any():
            cells *= np.arange(longest, dtype=np.uint8) < length.astype(np.uint8)[:, None]
        columns.append(Cells(cells.view(f"S{longest}").reshape(-1)))
    return columns
