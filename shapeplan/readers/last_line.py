"""A file that ends inside its last cell: a copy or a download that stopped, whose last number may be another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shapeplan import codes
from shapeplan.cells import ABSENT, Cells
from shapeplan.errors import Caution
from shapeplan.frozen import frozen

_FEWEST = 8
"""Other cells that tell how long one is."""


@frozen
class ShortCell:
    """The last cell of a file without a newline at its end, shorter than every other of its column.

    Attributes
    ----------
    name : str
        The file.
    line : int
        Of the cell.
    column, text : str
        Its column, and the cell.
    least : int
        Characters of the shortest other one.
    """

    name: str
    line: int
    column: str
    text: str
    least: int


def short_last_cell(body: str, name: str, line: int, columns: Mapping[str, Cells]) -> tuple[ShortCell, ...]:
    """Return the last cell of a text if it may be the beginning of a longer one; none or one.

    Parameters
    ----------
    body, name : str
        The text, of which rows are the end, and the file.
    line : int
        Of its last row.
    columns : mapping of str to Cells
        The rows, by column in the order of the text; cells of text, or absent.
    """
    there = [column for column, cells in columns.items() if cells[len(cells) - 1] is not ABSENT]
    if not there or body.endswith(("\n", "\r")):
        return ()
    column = there[-1]
    *others, last = (str(cell).strip() for cell in columns[column] if cell is not ABSENT)
    if len(others) < _FEWEST or not last or not body.rstrip().endswith(last):
        return ()
    least = min(map(len, others))
    return (ShortCell(name, line, column, last, least),) if len(last) < least else ()


def doubt_last_cells(cells: Iterable[ShortCell], read: Iterable[str]) -> list[Caution]:
    """Return a caution for every such cell of a column that the fit rests on."""
    used = set(read)
    return [
        Caution(
            codes.CUT_LINE,
            f"{cell.name}:{cell.line}: column {cell.column!r}: the file ends inside a line, without a newline, at "
            f"{cell.text!r}, which is shorter than all other cells of its column ({cell.least} characters or more)",
            "copy the file again, or remove the line",
        )
        for cell in cells
        if cell.column in used
    ]
