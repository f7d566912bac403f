"""What has become of a design, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from shapeplan.design.campaign import STATES, Campaign, Outlook, Progress
from shapeplan.quantities import format_flops
from shapeplan.render.parts import count, facts, table, title
from shapeplan.render.pool import chosen_table
from shapeplan.wording import compact

_MOST_ROWS = 40
"""Rows of a table, above which those that are done or pending are counted alone."""


def render_status(found: Campaign, outlook: Outlook | None) -> list[RenderableType]:
    """Return the rows by state, what has been spent, and whether what is there suffices."""
    own, counts = found.design.flops_convention, found.counts
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    so_far = format_flops(found.spent) if found.spent else "none"
    spent = f"{so_far} of {format_flops(found.planned)} {own} FLOPs ({found.share:.1%})"
    pairs = [("runs", states), ("spent", spent), *_failed(found)]
    if early := [row.name for row in found.rows if row.early]:
        pairs.append(("finished early", _some(early)))
    if longer := [row.name for row in found.rows if row.longer]:
        pairs.append(("longer than planned", _some(longer)))
    if found.unmatched:
        pairs.append(("not of the design", _some(found.unmatched)))
    shown = [row for row in found.rows if len(found.rows) <= _MOST_ROWS or row.state not in ("done", "pending")]
    parts: list[RenderableType] = [title(f"{count(len(found.rows), 'run')} of the design")]
    if shown:
        metric = found.log.metric if found.log else found.design.metric
        headers = ["run", "state", "spent", f"of {own} FLOPs", metric]
        parts.append(table(headers, [_row(row) for row in shown], left=2))
    return [*parts, facts(pairs), *(_outlook(outlook, own) if outlook else ())]


def _row(row: Progress) -> list[str]:
    spent = "-" if row.run is None else f"{row.spent / row.planned:.0%}"
    loss = "-" if row.loss is None else compact(row.loss, 5)
    return [row.name, row.state, spent, format_flops(row.planned), loss]


def _failed(found: Campaign) -> list[tuple[str, str]]:
    """Return what runs that failed have cost."""
    lost = sum(row.spent for row in found.rows if row.state in ("crashed", "diverged"))
    return [("lost", f"{format_flops(lost)} FLOPs by runs that crashed or diverged")] if lost else []


def _outlook(found: Outlook, convention: str) -> list[RenderableType]:
    choice = found.choice
    own = choice.flops_convention if choice else convention
    advice = "stop early" if found.stop else "plan from these" if choice is None else "go on"
    pairs = [("advice", f"{advice}: {found.why}")]
    if choice is not None:
        pairs.append(("the rest", f"{count(len(choice.left), 'run')}, {format_flops(choice.left_flops)} {own} FLOPs"))
    parts: list[RenderableType] = [title(f"For a plan at {format_flops(found.target)} {own} FLOPs"), facts(pairs)]
    if choice is not None and not found.stop:
        parts += [title("The next runs of the rest"), chosen_table(choice)]
    return parts


def _some(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
