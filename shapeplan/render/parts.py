"""The pieces that all tables are made of: plain tables, key-value lists, numbers and intervals as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from shapeplan.fitting.evidence import Interval
from shapeplan.render.text import printable


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


def title(text: str) -> Text:
    """Return a heading."""
    return Text(printable(text), style="bold")


def alarm(text: str) -> Text:
    """Return a line that must be read before any number."""
    return Text(printable(text), style="bold red")


def span(interval: Interval | None, digits: int = 3) -> str:
    """Return an interval as text, ``-`` where there is none."""
    return "-" if interval is None else f"{compact(interval[0], digits)} to {compact(interval[1], digits)}"


def compact(value: float, digits: int = 3) -> str:
    """Return a number to that many significant digits, whole numbers whole, without an exponent where that is short."""
    if value != value:
        return "undefined"
    if abs(value) < 1e7 and (float(value).is_integer() or abs(value) >= 10 ** (digits - 1)):
        return f"{value:.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def count(number: int, noun: str) -> str:
    """Return ``1 row``, ``2 rows``."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def shape_text(shape: Mapping[str, float]) -> str:
    """Return ``width 608, depth 10``."""
    return ", ".join(f"{dim} {compact(value, 4)}" for dim, value in shape.items())


def percent(value: float | None, *, signed: bool = False) -> str:
    """Return a fraction as a percentage with two digits after the point, ``-`` where there is none."""
    if value is None:
        return "-"
    text = f"{value:+.2%}" if signed else f"{value:.2%}"
    return "0.00%" if text in ("+0.00%", "-0.00%") else text
