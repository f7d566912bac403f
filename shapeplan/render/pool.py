"""Runs to do next, of a pool, as a table."""

from __future__ import annotations

from rich.console import RenderableType

from shapeplan.design.pool import PoolChoice, PoolRun
from shapeplan.quantities import format_count, format_flops
from shapeplan.render.parts import count, facts, table, title
from shapeplan.wording import compact


def render_pool(found: PoolChoice) -> list[RenderableType]:
    """Return the runs, what they cost, and what they are expected to leave of the regret and of the error."""
    own = found.flops_convention
    what = "The next run" if len(found.chosen) == 1 else "The next runs"
    why = "to identify a law" if found.why_first else f"for a plan at {format_flops(found.target)} {own} FLOPs"
    rest = f"{format_flops(found.left_flops)} of {count(len(found.left), 'run')} that {_are(found)} left"
    pairs = [("spends", f"{format_flops(found.flops)} {own} FLOPs, of {rest}")]
    return [title(f"{what} of the pool, {why}"), chosen_table(found), facts([*pairs, *_rests_on(found)])]


def chosen_table(found: PoolChoice) -> RenderableType:
    """Return the runs, the best first."""
    dims, judged = list(found.chosen[0].shape), found.why_first is None
    rows = [
        [
            one.name,
            *(f"{one.shape[dim]}" for dim in dims),
            "-" if one.examples is None else format_count(one.examples),
            format_flops(one.flops),
            *(_left(one) if judged else ()),
        ]
        for one in found.chosen
    ]
    left = ["regret left", "error left"] if judged else []
    return table(["run", *dims, found.pool.examples_unit, f"{found.flops_convention} FLOPs", *left], rows)


def _rests_on(found: PoolChoice) -> list[tuple[str, str]]:
    """Return what the choice rests on, and what its columns are."""
    if found.why_first is not None:
        return [
            ("why", found.why_first),
            (
                "chosen",
                "cheap ones that identify a law first, then those that cover the shapes and compute of the pool",
            ),
        ]
    fit, first = found.fit, found.chosen[0]
    assert fit is not None, "runs are judged by a law"
    noise = compact(100 * (found.noise or 0.0))
    return [
        ("chosen", "by what they tell of the plan and of the whole pool, over the root of their cost"),
        ("regret", f"of the plan expected now {_percent(first.regret_before)}; left: with a run and those above it"),
        ("error", f"of the loss of the plan now {_percent(first.error_before)} (standard deviation)"),
        (
            "rests on",
            f"the law {fit.law.form.name}, {count(fit.bootstrap.replicates, 'draw')}, noise of a run {noise}%",
        ),
    ]


def _left(one: PoolRun) -> tuple[str, str]:
    return _percent(one.regret_after), _percent(one.error_after)


def _percent(value: float | None) -> str:
    return "-" if value is None else compact(100 * value) + "%"


def _are(found: PoolChoice) -> str:
    return "is" if len(found.left) == 1 else "are"
