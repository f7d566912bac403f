"""The plan document."""

from __future__ import annotations

import csv
import io
from dataclasses import fields
from typing import Literal

from pydantic import Field

from shapeplan.documents.base import Document, Part, Range, header
from shapeplan.documents.records import EstimateRecord, estimate_records
from shapeplan.errors import Caution
from shapeplan.fitting.records import Horizon
from shapeplan.planning.answer import answer
from shapeplan.planning.pin import PinnedBudget, PinnedPlan
from shapeplan.planning.plan import Alternative, BudgetPlan, Deviation, LawPlan, LimitCost, Plan, Serving
from shapeplan.quantities import Convention
from shapeplan.sweeps.grid import Start

KIND = "shapeplan.plan"


class BudgetRecord(Part):
    """The plan for one budget; null where the law or the log does not tell."""

    answer: tuple[str, ...] = ()
    flops: float
    flops_convention: Convention
    flops_forward: float
    flops_training: float
    flops_ci: tuple[float, float | None] | None = None
    shape: dict[str, float]
    ci: dict[str, Range | None]
    rounded: dict[str, int | float | None]
    head_dim: float | None = None
    params: int | None
    active_params: int | None = None
    flops_per_example: float | None
    flops_per_example_forward: float | None
    flops_per_example_training: float | None
    examples: int | None
    examples_per_param: float | None = None
    epochs: float | None = None
    worth: float | None = None
    achieved_flops: float | None
    trained_flops: float | None = None
    serving: Serving | None = None
    days: float | None = None
    mfu: float | None = None
    price: float | None = None
    loss: EstimateRecord | None
    law_ci: Range | None = None
    regret_of_rounding: float | None
    valley: dict[str, Range] = Field(default_factory=dict)
    deviations: tuple[Deviation, ...] = ()
    recipe: Alternative | None = None
    optimum: Alternative | None = None
    in_range: Alternative | None = None
    unlimited: Alternative | None = None
    limit_costs: tuple[LimitCost, ...] = ()
    versus: tuple[Alternative, ...] = ()
    laws: tuple[LawPlan, ...] = ()
    extrapolation: dict[str, float] = Field(default_factory=dict)
    at_edge: tuple[str, ...] = ()
    tested: Horizon | None = None
    warnings: tuple[Caution, ...]


class FleetRecord(Part):
    """The accelerators that days rest on."""

    accelerators: str
    count: int
    peak_flops_per_second: float
    mfu: float | None
    profile: str | None = None
    price_per_hour: float | None = None
    currency: str | None = None


class PlanDocument(Document):
    """Recommended shapes for budgets."""

    kind: Literal["shapeplan.plan"]
    law: str
    method: str
    metric: str
    weights: dict[str, float]
    scaling_exponents: dict[str, EstimateRecord]
    growth_exponents: dict[str, EstimateRecord] = Field(default_factory=dict)
    start: Start | None
    examples_unit: str
    examples_per_param_range: Range | None = None
    flops_range: Range | None = None
    level: float
    trust: float | None = None
    tolerance: float | None = None
    limits: dict[str, float] = Field(default_factory=dict)
    preset: str | None = None
    fleet: FleetRecord | None = None
    budgets: tuple[BudgetRecord, ...]


def plan_document(plan: Plan) -> PlanDocument:
    """Return the document of a plan."""
    fit = plan.fit
    return PlanDocument(
        **header(KIND, fit.sources, plan.cautions),
        law=fit.law.form.name,
        method=plan.method,
        metric=fit.metric,
        weights=dict(plan.weights),
        scaling_exponents=estimate_records(fit.scaling_exponents),
        growth_exponents=estimate_records(fit.growth_exponents),
        start=plan.start,
        examples_unit=fit.examples_unit,
        examples_per_param_range=fit.examples_per_param,
        flops_range=fit.flops_range,
        level=fit.bootstrap.level,
        trust=plan.trust,
        tolerance=plan.tolerance,
        limits=dict(plan.limits),
        preset=plan.preset,
        fleet=_fleet(plan),
        budgets=tuple(_budget(plan, budget) for budget in plan.budgets),
    )


def _budget(plan: Plan, budget: BudgetPlan) -> BudgetRecord:
    own = {"rounded", "heads", "loss", "cautions"}
    same = {field.name: getattr(budget, field.name) for field in fields(budget) if field.name not in own}
    heads = {} if "heads" in budget.rounded else {"heads": budget.heads}
    return BudgetRecord(
        answer=tuple(answer(plan, budget)),
        **same,
        rounded={**budget.rounded, **heads},
        loss=EstimateRecord.of(budget.loss) if budget.loss else None,
        warnings=budget.cautions,
    )


def _fleet(plan: Plan) -> FleetRecord | None:
    if plan.fleet is None:
        return None
    chip, price = plan.fleet.accelerator, plan.price
    return FleetRecord(
        accelerators=chip.name,
        count=plan.fleet.count,
        peak_flops_per_second=chip.peak,
        mfu=plan.mfu,
        profile=plan.profile or None,
        price_per_hour=price.per_hour if price else None,
        currency=(price.currency or None) if price else None,
    )


def pinned_plan(document: PlanDocument, name: str) -> PinnedPlan:
    """Return what is compared of a plan document with another; `name` is the file, for messages."""
    fleet = document.fleet
    settings: dict[str, object] = {
        "metric": document.metric,
        "flops_convention": document.budgets[0].flops_convention if document.budgets else None,
        "preset": document.preset,
        **dict(document.limits),
        "accelerators": f"{fleet.count}x{fleet.accelerators}" if fleet else None,
    }
    budgets = tuple(
        PinnedBudget(one.flops, one.flops_ci, one.shape, one.ci, one.loss.value if one.loss else None, one.rounded)
        for one in document.budgets
    )
    return PinnedPlan(name, settings, document.metric, budgets)


def plan_csv(plan: Plan) -> str:
    """Return a row a budget: what was asked, the shape to train, what it costs, the loss, others' regret, warnings.

    Columns are named so that the file is read as a log: compute for what it counts, examples for what they are.
    """
    buffer = io.StringIO()
    rows = [_row(plan, budget) for budget in plan.budgets]
    columns = dict.fromkeys(name for row in rows for name in row)  # A size that no budget knows has no column.
    writer = csv.DictWriter(buffer, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _row(plan: Plan, budget: BudgetPlan) -> dict[str, object]:
    flops, unit = f"{budget.flops_convention}_flops", plan.fit.examples_unit
    row: dict[str, object] = {flops: budget.flops}
    if budget.flops_ci is not None:
        row |= _ends(flops, budget.flops_ci)
    row |= {**budget.rounded, **({} if "heads" in budget.rounded else {"heads": budget.heads})}
    row |= {f"{dim}_unrounded": value for dim, value in budget.shape.items()}
    for dim, interval in budget.ci.items():
        row |= _ends(dim, interval)
    counted = {"params": budget.params, "flops_per_example": budget.flops_per_example}
    counted |= {unit: budget.examples, f"{unit}_per_param": budget.examples_per_param}
    row |= {name: value for name, value in counted.items() if value is not None}
    row |= {"training_run_flops": budget.achieved_flops}
    row |= {"serving_flops": budget.serving.flops} if budget.serving else {}
    row |= {"days": budget.days} if plan.fleet else {}
    row |= {"price": budget.price} if plan.price else {}
    row |= {plan.fit.metric: budget.loss.value if budget.loss else None}
    row |= _ends(plan.fit.metric, budget.loss.ci if budget.loss else None)
    row |= {f"regret of {other.name}": other.regret for other in budget.versus}
    codes = dict.fromkeys(caution.code for caution in (*plan.cautions, *budget.cautions))
    return row | {"warnings": " ".join(codes)}


def _ends(name: str, interval: tuple[float, float | None] | None) -> dict[str, object]:
    return {f"{name}_lower": interval and interval[0], f"{name}_upper": interval and interval[1]}
