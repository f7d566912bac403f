"""The plan document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from pydantic import Field

from shapeplan.documents.base import Document, Finite, Part, Range, WarningRecord, header, warnings_of
from shapeplan.documents.records import EstimateRecord, StartRecord, estimate_records
from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.quantities import Convention

KIND = "shapeplan.plan"


class AlternativeRecord(Part):
    """Another shape at the same budget."""

    name: str
    shape: dict[str, int]
    loss: Finite
    regret: Finite


class BudgetRecord(Part):
    """The plan for one budget; null where the law or the log does not tell."""

    flops: Finite
    flops_convention: Convention
    flops_forward: Finite
    flops_training: Finite
    shape: dict[str, Finite]
    ci: dict[str, Range | None]
    rounded: dict[str, int | None]
    params: int | None
    flops_per_example: Finite | None
    flops_per_example_forward: Finite | None
    flops_per_example_training: Finite | None
    examples: int | None
    achieved_flops: Finite | None
    loss: EstimateRecord | None
    regret_of_rounding: Finite | None
    recipe: AlternativeRecord | None = None
    warnings: tuple[WarningRecord, ...]


class PlanDocument(Document):
    """Recommended shapes for budgets."""

    kind: Literal["shapeplan.plan"]
    law: str
    method: str
    metric: str
    weights: dict[str, Finite]
    scaling_exponents: dict[str, EstimateRecord]
    growth_exponents: dict[str, EstimateRecord] = Field(default_factory=dict)
    start: StartRecord | None
    examples_unit: str
    level: Finite
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
        start=StartRecord(shape=dict(plan.start.shape), flops=plan.start.flops, source=plan.start.source)
        if plan.start
        else None,
        examples_unit=fit.examples_unit,
        level=fit.bootstrap.level,
        budgets=tuple(_budget(budget) for budget in plan.budgets),
    )


def _budget(budget: BudgetPlan) -> BudgetRecord:
    loss = budget.loss
    return BudgetRecord(
        flops=budget.flops,
        flops_convention=budget.flops_convention,
        flops_forward=budget.flops_forward,
        flops_training=budget.flops_training,
        shape=dict(budget.shape),
        ci=dict(budget.ci),
        rounded={**budget.rounded, **({} if "heads" in budget.rounded else {"heads": budget.heads})},
        params=budget.params,
        flops_per_example=budget.flops_per_example,
        flops_per_example_forward=budget.flops_per_example_forward,
        flops_per_example_training=budget.flops_per_example_training,
        examples=budget.examples,
        achieved_flops=budget.achieved_flops,
        loss=EstimateRecord(value=loss.value, ci=loss.ci) if loss else None,
        regret_of_rounding=budget.regret_of_rounding,
        recipe=AlternativeRecord(**asdict(budget.recipe)) if budget.recipe else None,
        warnings=warnings_of(budget.cautions),
    )
