"""Two fits side by side: what they are, and what they plan for the same budgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shapeplan.errors import ShapeplanError
from shapeplan.fitting.result import Fit
from shapeplan.planning.answer import by_name
from shapeplan.planning.plan import BudgetPlan
from shapeplan.planning.recommend import recommend
from shapeplan.quantities import convert_flops, format_count, format_flops
from shapeplan.render.parts import table, title
from shapeplan.render.report.blocks import Block, blocks
from shapeplan.wording import compact, percent, span

_NONE = "-"


def side_by_side(one: Fit, other: Fit, flops: Sequence[float]) -> list[Block]:
    """Return the tables of two fits, at budgets in the convention of the first."""
    headers = ["", *_names(one, other)]
    facts = [[name, *(tell(fit) for fit in (one, other))] for name, tell in _FACTS.items()]
    dims = dict.fromkeys((*one.scaling_exponents, *other.scaling_exponents))
    facts += [[f"s_{dim}", *(_exponent(fit, dim) for fit in (one, other))] for dim in dims]
    training = [convert_flops(budget, one.flops_convention, "training") for budget in sorted(set(flops))]
    plans = [_plans(fit, training) for fit in (one, other)]
    rows = [
        [f"{format_flops(budget)} training FLOPs: {what}", *(tell(found[i]) for found in plans)]
        for i, budget in enumerate(training)
        for what, tell in _OF_BUDGET.items()
    ]
    return blocks([title("Two fits side by side"), table(headers, facts), title("Their plans"), table(headers, rows)])


def _names(one: Fit, other: Fit) -> tuple[str, str]:
    """Return what tells the fits apart: their logs, or where these are one, their laws."""
    logs = [", ".join(source.name for source in (fit.origins or fit.sources)) for fit in (one, other)]
    laws = [fit.law.form.name for fit in (one, other)]
    if logs[0] == logs[1]:
        return (laws[0], laws[1]) if laws[0] != laws[1] else ("this fit", "the other")
    return logs[0], logs[1]


def _plans(fit: Fit, training: Sequence[float]) -> list[BudgetPlan | None]:
    """Return a plan a budget; None where a fit has none."""
    found: list[BudgetPlan | None] = []
    for budget in training:
        try:
            found.append(recommend(fit, budget, flops_convention="training", force=True).budgets[0])
        except ShapeplanError:
            found.append(None)
    return found


def _exponent(fit: Fit, dim: str) -> str:
    found = fit.scaling_exponents.get(dim)
    return _NONE if found is None else f"{compact(found.value)} ({span(found.ci)})"


def _compute(fit: Fit) -> str:
    low, high = (convert_flops(end, fit.flops_convention, "training") for end in fit.flops_range)
    return f"{format_flops(low)} to {format_flops(high)} training FLOPs"


def _tested(fit: Fit) -> str:
    errors = fit.uncertainty.run_error.errors if fit.uncertainty.run_error else ()
    return f"{percent(errors[-1].rmse)} at {errors[-1].distance:.3g}x" if errors else _NONE


_FACTS: dict[str, Callable[[Fit], str]] = {
    "law": lambda fit: fit.law.form.name,
    "metric": lambda fit: fit.metric,
    "rows": lambda fit: f"{fit.quality.rows} of {fit.quality.runs} runs" if fit.quality else _NONE,
    "compute": _compute,
    "misfit": lambda fit: percent(fit.quality.relative_rmse) if fit.quality else _NONE,
    "error of the backtest": _tested,
    "warnings": lambda fit: ", ".join(dict.fromkeys(caution.code for caution in fit.cautions)) or "none",
}
_OF_BUDGET: dict[str, Callable[[BudgetPlan | None], str]] = {
    "shape": lambda plan: _NONE if plan is None else by_name(plan.rounded),
    "parameters": lambda plan: _NONE if plan is None or plan.params is None else format_count(plan.params),
    "examples": lambda plan: _NONE if plan is None or plan.examples is None else format_count(plan.examples),
    "expected": lambda plan: (
        _NONE if plan is None or plan.loss is None else f"{compact(plan.loss.value, 4)} ({span(plan.loss.ci, 4)})"
    ),
}
