"""A plan as tables: warnings, then the shape, then what it costs and buys, and what else could be done."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from shapeplan.fitting.records import Interval
from shapeplan.fitting.result import Fit
from shapeplan.planning.answer import answer, limit_text, sized_as
from shapeplan.planning.plan import Alternative, BudgetPlan, Plan, SameLoss
from shapeplan.planning.presets import PRESETS
from shapeplan.quantities import format_count, format_days, format_flops
from shapeplan.render.parts import alarm, coverage, facts, shape_text, table, title
from shapeplan.render.text import printable
from shapeplan.wording import compact, percent, span

_NO_WIDTH = 1e-3
"""Relative width of an interval below which it is none."""
_WIDE = 122
"""Columns that the table of many budgets takes; narrower terminals get a block a budget."""


def render_plan(plan: Plan, width: int, following: str = "") -> list[RenderableType]:
    """Return a plan: sentences and tables for one budget or a row for each of many, then what it rests on.

    Parameters
    ----------
    plan : Plan
        The plan.
    width : int
        Columns of the terminal.
    following : str
        What to type next, for one budget.
    """
    parts: list[RenderableType] = []
    if plan.fit.status != "ok":
        parts += [alarm("FORCED: the fit behind this plan is not to be trusted"), ""]
    if len(plan.budgets) > 1 and width >= _WIDE:
        parts.append(title(f"Recommended shapes (law {plan.fit.law.form.name}, method {plan.method})"))
        if codes := _codes(plan, *plan.budgets):
            parts.append(alarm(f"warnings: {codes}"))
        parts.append(budget_rows(plan))
    else:
        for budget in plan.budgets:
            parts += _one(plan, budget, following)
    parts += [title("Rests on"), basis(plan)]
    return parts


def _one(plan: Plan, budget: BudgetPlan, following: str) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(printable(line)) for line in answer(plan, budget, following)]
    parts += ["", title(f"Recommended shape for {both(budget)}")]
    if codes := _codes(plan, budget):
        parts.append(alarm(f"warnings: {codes}"))
    return [*parts, *main_tables(plan, budget), *more_tables(plan, budget)]


def main_tables(plan: Plan, budget: BudgetPlan) -> list[RenderableType]:
    """Return the sizes of a budget, and what they cost and buy."""
    return [_shape(plan, budget), facts(_costs(plan, budget))]


def more_tables(plan: Plan, budget: BudgetPlan) -> list[RenderableType]:
    """Return what else could be done with a budget; of several budgets, only the other shapes."""
    parts: list[RenderableType] = []
    if plan.limits and budget.limit_costs:
        parts += [title("What each limit costs, the others kept"), _limits(budget, plan.fit.examples_unit)]
    candidates = (budget.in_range, budget.unlimited, budget.recipe, budget.optimum, *budget.versus)
    others = [other for other in candidates if other is not None]
    if others:
        parts += [title("Against other shapes at the same budget"), *_others(others, plan)]
    if len(plan.budgets) > 1:
        return parts
    if budget.laws:
        parts += [title("Under other laws that extrapolate about as well"), _laws(plan, budget)]
    if budget.deviations:
        parts += [title("Loss of a shape with one size changed, the others and the budget the same")]
        parts.append(_deviations(plan, budget))
    return parts


def _codes(plan: Plan, *budgets: BudgetPlan) -> str:
    cautions = [*plan.cautions, *(caution for budget in budgets for caution in budget.cautions)]
    return ", ".join(dict.fromkeys(caution.code for caution in cautions))


def _shape(plan: Plan, budget: BudgetPlan) -> RenderableType:
    headers = ["", "train", "unrounded", f"{coverage(plan.fit.bootstrap.level)} interval"]
    rows = [
        [dim, f"{budget.rounded[dim]}", compact(value, 4), _interval(plan, budget, dim)]
        for dim, value in budget.shape.items()
    ]
    if budget.valley:
        headers.append(f"within {100 * plan.tolerance:.3g}%")
        for row, dim in zip(rows, budget.shape, strict=True):
            row.append(span(budget.valley.get(dim), 3))
    if budget.heads is not None and "heads" not in budget.shape:
        rows.append(["heads", f"{budget.heads}", *[""] * (len(headers) - 2)])
    return table(headers, rows)


def _interval(plan: Plan, budget: BudgetPlan, dim: str) -> str:
    """Return the interval of a size, or what there is in its place where it has no width."""
    dimensions, ends = plan.fit.dimensions, budget.ci[dim]
    leader = dimensions.tied[dim].to if dim in dimensions.tied else dim
    if f"fix_{leader}" in plan.limits:
        return "fixed"
    if dim in dimensions.fixed:
        return "never varied"
    if ends is None or ends[1] / ends[0] - 1.0 > _NO_WIDTH:
        return span(ends, 4)
    if leader in budget.at_edge:
        return "at the search edge"
    return "in proportion" if dim in dimensions.kept else f"{compact(ends[0], 4)} (no width)"


def _costs(plan: Plan, budget: BudgetPlan) -> list[tuple[str, str]]:
    """Return what the shape costs and buys."""
    about = "" if plan.fit.architecture else "about "
    unit, own = plan.fit.examples_unit, budget.flops_convention
    pairs = []
    if budget.flops_ci is not None:
        low, high = budget.flops_ci
        end = "never" if high is None else format_flops(high)
        pairs.append(("compute it takes", f"{format_flops(budget.flops)} ({format_flops(low)} to {end}) {own} FLOPs"))
    size = "unknown" if budget.params is None else about + sized_as(budget).replace(" parameters", "")
    pairs.append(("parameters", size))
    if budget.flops_per_example_forward is not None and budget.flops_per_example_training is not None:
        forward, training = budget.flops_per_example_forward, budget.flops_per_example_training
        both = f"{about}{format_flops(forward)} forward, {format_flops(training)} training"
        pairs.append((f"FLOPs per {unit.removesuffix('s')}", both))
    if budget.examples is not None and budget.achieved_flops is not None:
        bought = f"{about}{format_count(budget.examples)} ({format_flops(budget.achieved_flops)} {own} FLOPs)"
        pairs.append((unit, bought))
    if budget.examples_per_param is not None:
        logged = plan.fit.examples_per_param
        seen = f" (the log: {span(logged)})" if logged else ""
        pairs.append((f"{unit} per parameter", f"{compact(budget.examples_per_param)}{seen}"))
    if budget.epochs is not None and budget.worth is not None:
        worth = f"worth {format_count(budget.worth)} fresh ones by arXiv:2305.16264"
        pairs.append(("epochs", f"{compact(budget.epochs)} of {format_count(plan.limits['max_examples'])}, {worth}"))
    if budget.serving is not None:
        served = budget.serving
        share = f"{100 * served.flops / budget.flops:.3g}% of the budget"
        taken = f"{format_flops(served.flops_forward)} FLOPs of forward passes"
        pairs.append(("serving", f"{format_count(served.examples)} {unit} ({taken}: {share})"))
    if budget.days is not None and plan.fleet is not None:
        alone = ", serving not counted" if budget.serving else ""
        measured = f" (from {plan.profile})" if plan.profile else ""
        pairs.append(
            ("training takes", f"{format_days(budget.days)} on {plan.fleet} at MFU {budget.mfu:.3g}{measured}{alone}")
        )
    if budget.price is not None and plan.price is not None:
        pairs.append(("price", f"{plan.price.money(budget.price)} at {plan.price}"))
    if budget.loss is None and plan.fit.law.has_loss:
        pairs.append((plan.fit.metric, "not predicted: the law misses the rows beside the star"))
    if budget.loss is not None:
        level = f", {coverage(plan.fit.bootstrap.level)}" if budget.loss.ci else ""
        pairs.append((plan.fit.metric, f"{compact(budget.loss.value, 4)} ({span(budget.loss.ci, 4)}{level})"))
        pairs.append(("loss change by rounding", _rounding(budget)))
    return pairs


def _rounding(budget: BudgetPlan) -> str:
    said = percent(budget.regret_of_rounding, signed=True)
    compute = budget.limit_costs[-1].compute if budget.limit_costs else None
    return said if compute is None else f"{said}, as with {_percent(compute)} of the compute"


def _limits(budget: BudgetPlan, unit: str) -> RenderableType:
    rows = []
    for one in budget.limit_costs:
        name = one.name if one.value is None else limit_text(one.name, one.value, unit)
        same = "-" if one.compute is None else f"{_percent(one.compute)} of the compute"
        rows.append([name, percent(one.excess, signed=True), same])
    return table(["limit", "loss", "the same loss without it"], rows)


def _others(others: Sequence[Alternative], plan: Plan) -> list[RenderableType]:
    """Return the table of other shapes, and what their losses cost otherwise."""
    unit = plan.fit.examples_unit.removesuffix("s")
    shapes = [
        [
            " x ".join(f"{size}" for size in other.shape.values()),
            "-" if other.params is None else format_count(other.params),
            "-" if other.flops_per_example is None else format_flops(other.flops_per_example),
        ]
        for other in others
    ]
    losses = [
        [
            "-" if other.loss is None else compact(other.loss, 4),
            percent(other.regret, signed=True),
            "-"
            if other.regret_ci is None
            else f"{percent(other.regret_ci[0], signed=True)} to {percent(other.regret_ci[1], signed=True)}",
        ]
        for other in others
    ]
    names = [other.name + ("" if other.keeps_limits else " (over the limits)") for other in others]
    of_shape = [" x ".join(others[0].shape), "params", f"FLOPs/{unit}"]
    of_loss = [plan.fit.metric, "regret", "interval"]
    rows = ([name, *one, *two] for name, one, two in zip(names, shapes, losses, strict=True))
    made = table(["", *of_shape, *of_loss], rows)
    same = [(f"as good as {other.name}", _same(other.same_loss)) for other in others if other.same_loss is not None]
    return [made, facts(same)] if same else [made]


def _same(same: SameLoss) -> str:
    compute = f"the best shape takes {_percent(same.compute)}{_between(same.compute_ci)} of the compute"
    return compute + (
        "" if same.inference is None else f", and {_percent(same.inference)} of the FLOPs of an inference"
    )


def _between(ci: Interval | None) -> str:
    return "" if ci is None else f" ({_percent(ci[0])} to {_percent(ci[1])})"


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.3g}%" if ratio < 10 else f"{ratio:.3g} times"


def _laws(plan: Plan, budget: BudgetPlan) -> RenderableType:
    own = " x ".join(compact(budget.shape[dim], 4) for dim in plan.fit.dims)
    lost = ["-", "-"] if budget.loss is None else [compact(budget.loss.value, 4), span(budget.law_ci, 4)]
    rows = [[f"{plan.fit.law.form.name} (of the plan)", own, *lost, percent(budget.regret_of_rounding, signed=True)]]
    for law in budget.laws:
        shape = " x ".join(compact(value, 4) for value in law.shape.values())
        loss = compact(law.loss.value, 4)
        name = law.law + (f" (at the edge in {', '.join(law.at_edge)})" if law.at_edge else "")
        rows.append([name, shape, loss, span(law.loss.ci, 4), percent(law.regret, signed=True)])
    return table(["law", "its best shape", "its loss", "interval", "this plan loses"], rows)


def _deviations(plan: Plan, budget: BudgetPlan) -> RenderableType:
    factors = list(dict.fromkeys(one.factor for one in budget.deviations))
    excess = {(one.dim, one.factor): one.excess for one in budget.deviations}
    dims = list(dict.fromkeys(one.dim for one in budget.deviations))
    tied = plan.fit.dimensions.tied
    followers = {dim: ", ".join(other for other, tie in tied.items() if tie.to == dim) for dim in dims}
    names = {dim: f"{dim} ({others} with it)" if others else dim for dim, others in followers.items()}
    rows = [[names[dim], *(percent(excess.get((dim, factor)), signed=True) for factor in factors)] for dim in dims]
    return table(["", *(f"x {compact(factor, 3)}" for factor in factors)], rows)


def budget_rows(plan: Plan) -> RenderableType:
    """Return a row a budget."""
    rows = [_row(plan, budget) for budget in plan.budgets]
    return table(list(rows[0]), [list(row.values()) for row in rows], left=0)


def _row(plan: Plan, budget: BudgetPlan) -> dict[str, str]:
    """Return the cells of a budget by their headers; all budgets of a plan have the same."""
    unit, about = plan.fit.examples_unit, "" if plan.fit.architecture else "about "
    row = {"forward": format_flops(budget.flops_forward), "= training FLOPs": format_flops(budget.flops_training)}
    if budget.flops_ci is not None:
        low, high = budget.flops_ci
        end = "never" if high is None else format_flops(high)
        row[f"interval ({budget.flops_convention})"] = f"{format_flops(low)} to {end}"
    row |= {dim: f"{size}" for dim, size in budget.rounded.items()}
    row["heads"] = "-" if budget.heads is None else f"{budget.heads}"
    row["params"] = "-" if budget.params is None else about + format_count(budget.params)
    each = budget.flops_per_example
    row[f"FLOPs/{unit.removesuffix('s')}"] = "-" if each is None else about + format_flops(each)
    row[unit] = "-" if budget.examples is None else about + format_count(budget.examples)
    row["per param"] = "-" if budget.examples_per_param is None else compact(budget.examples_per_param)
    if budget.serving is not None:
        row["serving"] = f"{100 * budget.serving.flops / budget.flops:.3g}%"
    if plan.fleet is not None:
        row[f"on {plan.fleet}"] = "-" if budget.days is None else format_days(budget.days)
    if plan.price is not None:
        row["price"] = "-" if budget.price is None else plan.price.money(budget.price)
    if budget.loss is not None:
        row |= {plan.fit.metric: compact(budget.loss.value, 4), "interval": span(budget.loss.ci, 4)}
        row |= {f"{one.name} regret": percent(one.regret, signed=True) for one in budget.versus}
    return row


def basis(plan: Plan) -> RenderableType:
    """Return what a plan rests on."""
    fit = plan.fit
    exponents = ", ".join(
        f"{dim} {compact(e.value)}" + (f" ({span(e.ci)})" if e.ci else "") for dim, e in fit.scaling_exponents.items()
    )
    pairs = [("law", f"{fit.law.form.name} for {fit.metric}")]
    if plan.method == "optimum":
        beyond = (
            f"at most {plan.trust:g} times beyond the trained shapes" if plan.trust > 1 else "as far as was trained"
        )
        pairs.append(("method", f"optimum: least loss under the law, {beyond}"))
        if plan.limits:
            words = (limit_text(name, value, fit.examples_unit) for name, value in plan.limits.items())
            pairs.append(("limits", ", ".join(words)))
        pairs.append(("preset", f"{plan.preset}: {PRESETS[plan.preset].said}"))
        return facts(
            [
                *pairs,
                (
                    "intervals",
                    _held(
                        fit,
                        f"{coverage(fit.bootstrap.level)}, from bootstrap replicates of the law{_beyond_the_law(plan)}",
                    ),
                ),
            ]
        )
    pairs.append(("exponents s", exponents))
    if plan.start is not None:
        weights = ", ".join(f"{dim} {compact(weight)}" for dim, weight in plan.weights.items())
        pairs += [
            ("recipe", f"x = x0 (t / t0)^(w s), w: {weights}"),
            ("x0", shape_text(plan.start.shape)),
            ("t0", f"{format_flops(plan.start.flops)} {fit.flops_convention} FLOPs ({plan.start.source})"),
        ]
    pairs.append(("preset", f"{plan.preset}: {PRESETS[plan.preset].said}"))
    return facts(
        [*pairs, ("intervals", _held(fit, f"those of the growth w s; x0 and t0 are held fixed{_beyond_the_law(plan)}"))]
    )


def _beyond_the_law(plan: Plan) -> str:
    """Return what the intervals hold beside, if they are not those of the law."""
    if all(one.loss is None or one.loss.ci == one.law_ci for one in plan.budgets):
        return ""
    sizes = "" if plan.method == "scale" or plan.limits else ", and those of sizes what other laws say"
    return f"; that of the loss adds the scatter of runs and the error of the backtest{sizes}"


def _held(fit: Fit, source: str) -> str:
    return source if fit.bootstrap.draws else "none: the law has no draws"


def both(budget: BudgetPlan) -> str:
    """Return a budget in both conventions, that of the law first."""
    counts = {"forward": budget.flops_forward, "training": budget.flops_training}
    own = budget.flops_convention
    told = [f"{format_flops(counts[name])} {name} FLOPs" for name in sorted(counts, key=lambda name: name != own)]
    return " = ".join(told)
