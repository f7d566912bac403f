"""What is in a log, as tables."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import RenderableType

from shapeplan.fitting.check import Check
from shapeplan.quantities import format_count, format_flops
from shapeplan.render.parts import count, facts, shape_text, table, title
from shapeplan.wording import compact

_SHOWN_VALUES = 8


def render_check(found: Check, worded: Callable[[str], str] = str) -> list[RenderableType]:
    """Return the tables of a check: contents, dimensions, star and grid, and which laws the log can identify.

    `worded` says an advice as the reader is used to.
    """
    runs = found.runs
    loss = runs.observed()
    pairs = [
        ("rows", f"{count(len(runs), 'row')} of {count(len(runs.run_names), 'run')}, {count(found.shapes, 'shape')}"),
        (runs.metric, f"{compact(float(loss.min()), 4)} to {compact(float(loss.max()), 4)}"),
        (
            "compute",
            f"{format_flops(float(runs.flops.min()))} to {format_flops(float(runs.flops.max()))} "
            f"{runs.flops_convention} FLOPs",
        ),
    ]
    if runs.examples is not None:
        low, high = float(runs.examples.min()), float(runs.examples.max())
        pairs.append((runs.examples_unit, f"{format_count(low)} to {format_count(high)}"))
    rows = [[dim, f"{len(values)}", _some(values), _role(found, dim)] for dim, values in found.values.items()]
    parts: list[RenderableType] = [title("The log"), facts(pairs)]
    if rows:
        parts += [title("Dimensions"), table(["dimension", "distinct", "values", "in a law"], rows, left=4)]
        parts += [title("Star and grid"), facts(_sweep(found))]
    parts += [title("What this sweep is, and what it can answer"), facts(_kinds(found, worded))]
    parts += [title("Laws that the log can identify")]
    laws = [[law.law, "yes" if law.supported else "no", law.reason or ""] for law in found.laws]
    return [*parts, table(["law", "identified", "why not"], laws, left=3)]


def _kinds(found: Check, worded: Callable[[str], str]) -> list[tuple[str, str]]:
    pairs = []
    for kind in found.kinds:
        pairs += [(kind.name, kind.what), ("  answers", kind.answers), ("  not", kind.lacks)]
        pairs += [("  add", worded(kind.remedy))]
    return pairs


def _sweep(found: Check) -> list[tuple[str, str]]:
    runs, star = found.runs, found.star
    if star is None:
        pairs = [("star", found.no_star or "none")]
    else:
        pairs = [("centre", f"{shape_text(star.center)}, {len(star.center_rows)} rows, held out of the star's fit")]
        for dim, rows in star.arms.items():
            values = tuple(map(float, star.values(runs, dim)))
            pairs.append((f"{dim} arm", f"{_some(values)} ({len(rows)} rows)"))
        pairs.append(("grid", f"{found.grid_rows} rows beside the star"))
    if found.start:
        flops = f"{format_flops(found.start.flops)} {runs.flops_convention} FLOPs"
        pairs.append(("start", f"{shape_text(found.start.shape)} at {flops} ({found.start.source})"))
    return pairs


def _role(found: Check, dim: str) -> str:
    tie = found.dimensions.tied.get(dim)
    if tie:
        return f"tied: {tie}"
    return "not varied" if dim in found.dimensions.fixed else "free"


def _some(values: tuple[float, ...]) -> str:
    texts = [compact(value, 4) for value in values]
    if len(texts) <= _SHOWN_VALUES:
        return ", ".join(texts)
    return ", ".join([*texts[:3], "...", *texts[-2:]])
