"""The faults of an input as a table: where each is, what stands there, what is wrong with it, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from shapeplan.errors import ErrorDetail
from shapeplan.render.text import printable

_LONGEST = 40
"""Characters of a value that are shown."""


def render_faults(details: Sequence[ErrorDetail]) -> Table:
    """Return a row a fault; columns that say nothing of any are left out."""
    columns = {
        "place": [_place(detail) for detail in details],
        "column": [detail.column or "" for detail in details],
        "value": [_shortened(detail.value or "") for detail in details],
        "what is wrong": [detail.message for detail in details],
        "how to mend it": [detail.hint or "" for detail in details],
    }
    told = {name: cells for name, cells in columns.items() if any(cells)}
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)
    for name in told:
        # A place can be clicked on and searched for, as long as it is in one piece.
        made.add_column(name, overflow="fold", no_wrap=name == "place")
    for row in zip(*told.values(), strict=True):
        made.add_row(*(Text(printable(cell)) for cell in row))
    return made


def _place(detail: ErrorDetail) -> str:
    if detail.line is None:
        return detail.file or ""
    return f"{detail.file}:{detail.line}" if detail.file else f"line {detail.line}"


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST else value[: _LONGEST - 3] + "..."
