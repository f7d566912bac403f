"""The part of a report that follows its slider: for every budget answer, tables, warnings, and marks in pictures."""

from __future__ import annotations

import shlex
from collections.abc import Container, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from rich.console import RenderableType

from shapeplan.errors import Caution, PlanError
from shapeplan.figures.valley import valley
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.planning.answer import answer, next_step
from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.quantities import format_flops
from shapeplan.render.plan import both, budget_rows, main_tables, more_tables
from shapeplan.render.report.blocks import Block, blocks

_CURVE = 17
"""Points of a curve that follows the slider."""
_DIGITS = 5


@frozen
class WarningGroup:
    """Warnings of one code."""

    code: str
    messages: tuple[str, ...]


@frozen
class BudgetPart:
    """What a page shows of one budget.

    Attributes
    ----------
    label : str
        The budget, in both conventions.
    sentences : tuple of str
        The answer.
    tables, more : tuple of Block
        What stands below it, and what is folded.
    warnings : tuple of WarningGroup
        Those of this budget.
    row : tuple of str
        Its row in the table of budgets.
    always : bool
        Whether that row is always shown.
    """

    label: str
    sentences: tuple[str, ...]
    tables: tuple[Block, ...]
    more: tuple[Block, ...]
    warnings: tuple[WarningGroup, ...]
    row: tuple[str, ...]
    always: bool


def budget_parts(plan: Plan, shown: Sequence[float], law: str) -> tuple[tuple[str, ...], tuple[BudgetPart, ...]]:
    """Return the headers of the table of budgets, and the parts of all budgets of a plan.

    Parameters
    ----------
    plan : Plan
        For all budgets of the slider.
    shown : sequence of float
        Budgets whose rows are always in the table.
    law : str
        The law document, as the next command names it.
    """
    (made,) = blocks([budget_rows(plan)])
    parts = []
    for budget, row in zip(plan.budgets, made.rows, strict=True):
        alone = replace(plan, budgets=(budget,))
        command = f"shapeplan recommend --law {shlex.quote(law)} --flops {format_flops(budget.flops)}"
        place = f"at {format_flops(budget.flops)}: "
        own = [replace(one, message=one.message.removeprefix(place)) for one in budget.cautions]
        parts.append(
            BudgetPart(
                label=both(budget),
                sentences=tuple(answer(alone, budget, next_step(alone, command))),
                tables=_blocks(main_tables(alone, budget)),
                more=_blocks(more_tables(alone, budget)),
                warnings=grouped(own),
                row=row,
                always=budget.flops in shown,
            )
        )
    return made.headers, tuple(parts)


def grouped(cautions: Sequence[Caution]) -> tuple[WarningGroup, ...]:
    """Return warnings by code, in order of their first appearance."""
    order = {caution.code: place for place, caution in reversed([*enumerate(cautions)])}
    by_code = sorted(dict.fromkeys(cautions), key=lambda caution: order[caution.code])
    return tuple(
        WarningGroup(code, tuple(f"{one.message}; {one.hint}" for one in same))
        for code, same in groupby(by_code, key=lambda caution: caution.code)
    )


def moving(fit: Fit, plan: Plan, names: Container[str]) -> list[dict[str, Any]]:
    """Return, for every budget, the data of those pictures that follow the slider, and what is said below them.

    Parameters
    ----------
    fit, plan : Fit, Plan
        What is shown.
    names : container of str
        The pictures that there are.
    """
    makers = {name: of for name, of in (("frontier", _of_frontier), ("valley", _of_valley)) if name in names}
    return [{name: of(fit, budget) for name, of in makers.items()} for budget in plan.budgets]


def _of_frontier(fit: Fit, budget: BudgetPlan) -> dict[str, Any]:
    sizes = {dim: budget.shape[dim] for dim in budget.shape if dim not in fit.dimensions.fixed}
    sizes |= {"params": float(budget.params)} if budget.params is not None else {}
    place = [{"dimension": dim, "flops": budget.flops, "value": _short(size)} for dim, size in sizes.items()]
    shape = ", ".join(f"{dim} {size}" for dim, size in budget.rounded.items())
    said = f"At {format_flops(budget.flops)} {budget.flops_convention} FLOPs, marked: {shape}."
    return {"data": {"place": place}, "said": said}


def _of_valley(fit: Fit, budget: BudgetPlan) -> dict[str, Any]:
    try:
        found = valley(fit, budget.flops, _CURVE)
    except PlanError as error:
        return {"data": {"excess": []}, "said": f"Not drawn: {error.details[0].message}."}
    rows = [
        {name: _short(value) if isinstance(value, float) else value for name, value in row.items()}
        for row in found.tables["excess"]
    ]
    return {"data": {"excess": rows}, "said": found.summary}


def _short(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _blocks(parts: Sequence[RenderableType]) -> tuple[Block, ...]:
    return tuple(blocks(parts))
