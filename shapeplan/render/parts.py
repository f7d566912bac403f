"""The pieces that all tables are made of: plain tables, key-value lists, numbers and intervals as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from shapeplan.render.text import printable
from shapeplan.wording import compact


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> Table:
    """Return a plain table: the first `left` columns flush left, the rest right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)
    for i, name in enumerate(headers):
        made.add_column(Text(printable(name)), justify="left" if i < left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(Text(printable(cell)) for cell in row))
    return made


def facts(pairs: Iterable[tuple[str, str]]) -> Table:
    """Return names and values, a pair a line."""
    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(style="bold", overflow="fold")
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(Text(printable(name)), Text(printable(value)))
    return made


def narrowed(made: Table, width: int, measure: Callable[[Table], int]) -> list[Table]:
    """Return a table as one or several, none wider than a terminal, so that no number is broken.

    Parameters
    ----------
    made : Table
        From `table`; key-value lists, which fold by the word, are returned as they are.
    width : int
        Columns of the terminal.
    measure : callable
        How wide a table is if nothing folds.

    Returns
    -------
    list of Table
        The table; else rows and columns exchanged; else its columns in groups, each with the first column.
    """
    if not made.show_header or len(made.columns) < 2 or measure(made) <= width:
        return [made]
    columns = [[str(column.header), *map(str, column.cells)] for column in made.columns]
    flipped = table(columns[0], columns[1:])
    if len(columns[0]) > 2 and measure(flipped) <= width:
        return [flipped]
    left = 1 + sum(column.justify == "left" for column in made.columns[1:])
    groups = [_columns(columns[:2], left)]
    kept = [columns[1]]
    for column in columns[2:]:
        wider = _columns([columns[0], *kept, column], left)
        if measure(wider) <= width:
            groups[-1], kept = wider, [*kept, column]
        else:
            kept = [column]
            groups.append(_columns([columns[0], column], left))
    return groups


def _columns(columns: Sequence[Sequence[str]], left: int) -> Table:
    """Return a table from its columns, each with its header first."""
    header, *rows = zip(*columns, strict=True)
    return table(header, rows, left=left)


def title(text: str) -> Text:
    """Return a heading."""
    return Text(printable(text), style="bold")


def alarm(text: str) -> Text:
    """Return a line that must be read before any number."""
    return Text(printable(text), style="bold red")


def count(number: int, noun: str) -> str:
    """Return ``1 row``, ``2 rows``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def shape_text(shape: Mapping[str, float]) -> str:
    """Return ``width 608, depth 10``."""
    return ", ".join(f"{dim} {compact(value, 4)}" for dim, value in shape.items())


def coverage(level: float) -> str:
    """Return the level of intervals as ``90%`` or ``99.9%``."""
    return f"{100 * level:g}%"
