"""Runs to add, as a table."""

from __future__ import annotations

from rich.console import RenderableType

from shapeplan.design.next_run import NextRuns
from shapeplan.quantities import format_count, format_flops
from shapeplan.render.parts import count, facts, table, title
from shapeplan.wording import compact


def render_next(found: NextRuns) -> list[RenderableType]:
    """Return the runs, what they cost and save, and why they were chosen."""
    own = found.fit.flops_convention
    parts: list[RenderableType] = []
    if found.completing:
        parts += _completing(found)
    if found.suggestions:
        parts += _suggestions(found)
    spends = ("spends", f"{format_flops(found.flops)} of {format_flops(found.budget)} {own} FLOPs")
    return [*parts, facts([spends, *_rests_on(found)])]


def _completing(found: NextRuns) -> list[RenderableType]:
    fit = found.fit
    rows = [
        [_letter(i), *(f"{size}" for size in one.shape.values()), format_count(one.examples), format_flops(one.flops)]
        for i, one in enumerate(found.completing)
    ]
    headers = ["", *found.completing[0].shape, fit.examples_unit, f"{fit.flops_convention} FLOPs"]
    return [
        title("Runs for what the log does not tell; the law cannot judge them"),
        table(headers, rows),
        facts((_letter(i), one.reason) for i, one in enumerate(found.completing)),
    ]


def _suggestions(found: NextRuns) -> list[RenderableType]:
    fit, own = found.fit, found.fit.flops_convention
    dims = list(found.suggestions[0].shape)
    each = sum(one.flops for one in found.suggestions) / len(found.suggestions)
    rows = [
        [
            f"{rank}",
            *(f"{one.shape[dim]}" for dim in dims),
            format_count(one.examples),
            format_flops(one.flops),
            _percent(one.regret_after),
            _percent(one.gain_per_flop * each),
        ]
        for rank, one in enumerate(found.suggestions, start=1)
    ]
    headers = ["", *dims, fit.examples_unit, f"{own} FLOPs", "regret left", f"saved per {format_flops(each)}"]
    what = "The next run" if len(rows) == 1 else "The next runs"
    return [
        title(f"{what}, for a plan at {format_flops(found.target)} {own} FLOPs"),
        table(headers, rows),
        facts((f"{rank}", one.reason) for rank, one in enumerate(found.suggestions, start=1)),
    ]


def _rests_on(found: NextRuns) -> list[tuple[str, str]]:
    """Return how regrets are to be read, and what they rest on; nothing where no run has one."""
    if found.regret is None:
        return []
    fit = found.fit
    return [
        ("regret", f"of the plan expected now {_percent(found.regret)}; left: with a run and those above it"),
        ("saved", "by which a run shrinks it, for as much compute"),
        (
            "rests on",
            f"the law {fit.law.form.name}, {count(fit.bootstrap.replicates, 'draw')}, noise of a run"
            f" {compact(100 * found.noise)}%; {count(found.considered, 'run')} compared",
        ),
    ]


def _letter(index: int) -> str:
    return chr(ord("a") + index % 26)


def _percent(value: float) -> str:
    """Return a fraction as a percentage to three digits: regrets may be small."""
    return compact(100 * value) + "%"
