"""A plan as tables."""

from __future__ import annotations

from rich.console import RenderableType

from shapeplan.fitting.optimum import TRUST
from shapeplan.fitting.result import Fit
from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.quantities import format_count, format_flops
from shapeplan.render.parts import alarm, compact, facts, percent, shape_text, span, table, title

_WIDE = 110
"""Columns that the table of many budgets takes; narrower terminals get a block a budget."""


def render_plan(plan: Plan, width: int) -> list[RenderableType]:
    """Return the tables of a plan: what it rests on, then a block for one budget or a row for each of many."""
    parts: list[RenderableType] = []
    if plan.fit.status != "ok":
        parts += [alarm("FORCED: the fit behind this plan is not to be trusted"), ""]
    if len(plan.budgets) > 1 and width >= _WIDE:
        parts += [title(f"Recommended shapes (law {plan.fit.law.form.name}, method {plan.method})"), _many(plan)]
    else:
        for budget in plan.budgets:
            parts += _one(plan, budget)
    parts += [title("Rests on"), _basis(plan)]
    return parts


def _one(plan: Plan, budget: BudgetPlan) -> list[RenderableType]:
    interval = f"{plan.fit.bootstrap.level:.0%} interval"
    rows = [
        [dim, f"{budget.rounded[dim]}", compact(value, 4), span(budget.ci[dim], 4)]
        for dim, value in budget.shape.items()
    ]
    if budget.heads is not None:
        rows.append(["heads", f"{budget.heads}", "", ""])
    about = "" if plan.fit.architecture else "about "
    unit, own = plan.fit.examples_unit, budget.flops_convention
    pairs = [("parameters", "unknown" if budget.params is None else about + format_count(budget.params))]
    if budget.flops_per_example_forward is not None and budget.flops_per_example_training is not None:
        forward, training = budget.flops_per_example_forward, budget.flops_per_example_training
        both = f"{about}{format_flops(forward)} forward, {format_flops(training)} training"
        pairs.append((f"FLOPs per {unit.removesuffix('s')}", both))
    if budget.examples is not None and budget.achieved_flops is not None:
        bought = f"{about}{format_count(budget.examples)} ({format_flops(budget.achieved_flops)} {own} FLOPs)"
        pairs.append((unit, bought))
    if budget.loss is None and plan.fit.law.has_loss:
        pairs.append((plan.fit.metric, "not predicted: the law misses the rows beside the star"))
    if budget.loss is not None:
        pairs.append((plan.fit.metric, f"{compact(budget.loss.value, 4)} ({span(budget.loss.ci, 4)})"))
        pairs.append(("loss change by rounding", percent(budget.regret_of_rounding, signed=True)))
    if budget.recipe is not None:
        other = budget.recipe
        shape = " x ".join(f"{size}" for size in other.shape.values())
        said = f"{shape}: {plan.fit.metric} {compact(other.loss, 4)}, {percent(other.regret, signed=True)}"
        pairs.append((other.name, said))
    return [
        title(f"Recommended shape for {_both(budget)}"),
        table(["", "train", "unrounded", interval], rows),
        facts(pairs),
    ]


def _many(plan: Plan) -> RenderableType:
    dims = list(plan.budgets[0].shape)
    unit = plan.fit.examples_unit
    first = plan.budgets[0]
    headers = ["forward", "training FLOPs", *dims, "heads", "params", f"FLOPs/{unit.removesuffix('s')}", unit]
    with_loss = first.loss is not None
    headers += [plan.fit.metric, "interval"] if with_loss else []
    rows = []
    for budget in plan.budgets:
        row = [format_flops(budget.flops_forward), format_flops(budget.flops_training)]
        row += [f"{budget.rounded[dim]}" for dim in dims]
        row += ["-" if budget.heads is None else f"{budget.heads}"]
        row += ["-" if budget.params is None else format_count(budget.params)]
        row += ["-" if budget.flops_per_example is None else format_flops(budget.flops_per_example)]
        row += ["-" if budget.examples is None else format_count(budget.examples)]
        if budget.loss is not None:
            row += [compact(budget.loss.value, 4), span(budget.loss.ci, 4)]
        rows.append(row)
    return table(headers, rows, left=0)


def _basis(plan: Plan) -> RenderableType:
    fit = plan.fit
    exponents = ", ".join(
        f"{dim} {compact(e.value)}" + (f" ({span(e.ci)})" if e.ci else "") for dim, e in fit.scaling_exponents.items()
    )
    pairs = [("law", f"{fit.law.form.name} for {fit.metric}")]
    if plan.method == "optimum":
        within = f"least loss under the law, at most {TRUST:g} times beyond the trained shapes"
        return facts([*pairs, ("method", f"optimum: {within}"), ("intervals", _held(fit, "of the law"))])
    pairs.append(("exponents s", exponents))
    if plan.start is not None:
        weights = ", ".join(f"{dim} {compact(weight)}" for dim, weight in plan.weights.items())
        pairs += [
            ("recipe", f"x = x0 (t / t0)^(w s), w: {weights}"),
            ("x0", shape_text(plan.start.shape)),
            ("t0", f"{format_flops(plan.start.flops)} {fit.flops_convention} FLOPs ({plan.start.source})"),
        ]
    return facts([*pairs, ("intervals", _held(fit, "of s; x0 and t0 are held fixed"))])


def _held(fit: Fit, of: str) -> str:
    return f"from the replicates {of}" if fit.bootstrap.draws else "none: the law has no draws"


def _both(budget: BudgetPlan) -> str:
    return f"{format_flops(budget.flops_forward)} forward FLOPs = {format_flops(budget.flops_training)} training FLOPs"
