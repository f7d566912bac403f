"""Tables for people, as a page shows them: the same tables that the terminal shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from shapeplan.frozen import frozen


@frozen
class Block:
    """A piece of a page.

    Attributes
    ----------
    kind : str
        ``heading``, ``table``, ``facts``, ``alarm`` or ``text``.
    text : str
        Of a heading, an alarm or a text.
    headers : tuple of str
        Of a table.
    rows : tuple of tuple of str
        Of a table, or the pairs of facts.
    left : int
        How many columns of a table are words.
    caption : str
        What a table is of: the heading before it.
    """

    kind: str
    text: str = ""
    headers: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = field(default=())
    left: int = 1
    caption: str = ""


def blocks(parts: Iterable[RenderableType]) -> list[Block]:
    """Return what `render_fit` and its like made, as blocks of a page."""
    found: list[Block] = []
    heading = ""
    for part in parts:
        if isinstance(part, Table):
            found.append(_table(part, heading))
        elif isinstance(part, Text) and part.style:
            heading = part.plain
            found.append(Block("alarm" if "red" in str(part.style) else "heading", heading))
        elif text := str(part).strip():
            found.append(Block("text", text))
    return found


def _table(made: Table, caption: str) -> Block:
    rows = tuple(zip(*([str(cell) for cell in column.cells] for column in made.columns), strict=True))
    if not made.show_header:
        return Block("facts", rows=rows, caption=caption)
    headers = tuple(str(column.header) for column in made.columns)
    left = sum(column.justify == "left" for column in made.columns)
    return Block("table", headers=headers, rows=rows, left=left, caption=caption)
