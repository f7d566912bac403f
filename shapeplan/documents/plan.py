"""The plan document."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, fields, is_dataclass
from typing import Any, Literal

from pydantic import Field

from shapeplan.documents.base import Document, Finite, Part, Range, WarningRecord, header, warnings_of
from shapeplan.documents.records import EstimateRecord, StartRecord, estimate_records
from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.quantities import Convention

KIND = "shapeplan.plan"


class SameLossRecord(Part):
    """What the loss of a shape costs with the best shape for it; `compute` and `inference` are ratios."""

    flops: Finite
    compute: Finite
    compute_ci: Range | None = None
    inference: Finite | None


class AlternativeRecord(Part):
    """Another shape at the same budget; null where the law or the log does not tell."""

    name: str
    shape: dict[str, int | Finite]
    params: int | None = None
    flops_per_example: Finite | None = None
    loss: Finite | None
    regret: Finite | None
    regret_ci: Range | None = None
    same_loss: SameLossRecord | None = None
    keeps_limits: bool = True


class LawPlanRecord(Part):
    """What another law, as good by the rollout, makes of the budget."""

    law: str
    shape: dict[str, Finite]
    ci: dict[str, Range | None]
    loss: EstimateRecord
    regret: Finite
    at_edge: tuple[str, ...] = ()


class DeviationRecord(Part):
    """One dimension off the best shape by a factor, the others and the budget the same."""

    dim: str
    factor: Finite
    excess: Finite
    ci: Range | None = None


class ServingRecord(Part):
    """What serving takes of the budget."""

    examples: Finite
    flops: Finite
    flops_forward: Finite


class BudgetRecord(Part):
    """The plan for one budget; null where the law or the log does not tell."""

    flops: Finite
    flops_convention: Convention
    flops_forward: Finite
    flops_training: Finite
    flops_ci: tuple[Finite, Finite | None] | None = None
    shape: dict[str, Finite]
    ci: dict[str, Range | None]
    rounded: dict[str, int | Finite | None]
    params: int | None
    flops_per_example: Finite | None
    flops_per_example_forward: Finite | None
    flops_per_example_training: Finite | None
    examples: int | None
    achieved_flops: Finite | None
    serving: ServingRecord | None = None
    days: Finite | None = None
    loss: EstimateRecord | None
    regret_of_rounding: Finite | None
    valley: dict[str, Range] = Field(default_factory=dict)
    deviations: tuple[DeviationRecord, ...] = ()
    recipe: AlternativeRecord | None = None
    optimum: AlternativeRecord | None = None
    versus: tuple[AlternativeRecord, ...] = ()
    laws: tuple[LawPlanRecord, ...] = ()
    extrapolation: dict[str, Finite] = Field(default_factory=dict)
    warnings: tuple[WarningRecord, ...]


class FleetRecord(Part):
    """The accelerators that days rest on."""

    accelerators: str
    count: int
    peak_flops_per_second: Finite
    mfu: Finite


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
    trust: Finite | None = None
    tolerance: Finite | None = None
    limits: dict[str, Finite] = Field(default_factory=dict)
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
        start=StartRecord(shape=dict(plan.start.shape), flops=plan.start.flops, source=plan.start.source)
        if plan.start
        else None,
        examples_unit=fit.examples_unit,
        level=fit.bootstrap.level,
        trust=plan.trust,
        tolerance=plan.tolerance,
        limits=dict(plan.limits),
        fleet=_fleet(plan),
        budgets=tuple(_budget(budget) for budget in plan.budgets),
    )


def _budget(budget: BudgetPlan) -> BudgetRecord:
    same = {field.name: getattr(budget, field.name) for field in fields(budget)}
    own = {"rounded", "heads", "cautions"}
    heads = {} if "heads" in budget.rounded else {"heads": budget.heads}
    return BudgetRecord(
        **{name: _plain(value) for name, value in same.items() if name not in own},
        rounded={**budget.rounded, **heads},
        warnings=warnings_of(budget.cautions),
    )


def _plain(value: Any) -> Any:
    """Return records as mappings, alone or in tuples."""
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _fleet(plan: Plan) -> FleetRecord | None:
    if plan.fleet is None or plan.mfu is None:
        return None
    chip = plan.fleet.accelerator
    return FleetRecord(accelerators=chip.name, count=plan.fleet.count, peak_flops_per_second=chip.peak, mfu=plan.mfu)


def plan_csv(plan: Plan) -> str:
    """Return a row a budget: what was asked, the shape to train, what it costs, the loss, others' regret, warnings."""
    buffer = io.StringIO()
    rows = [_row(plan, budget) for budget in plan.budgets]
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _row(plan: Plan, budget: BudgetPlan) -> dict[str, object]:
    row: dict[str, object] = {"flops": budget.flops, "flops_convention": budget.flops_convention}
    if budget.flops_ci is not None:
        row |= _ends("flops", budget.flops_ci)
    row |= {**budget.rounded, **({} if "heads" in budget.rounded else {"heads": budget.heads})}
    row |= {f"{dim}_unrounded": value for dim, value in budget.shape.items()}
    for dim, interval in budget.ci.items():
        row |= _ends(dim, interval)
    row |= {name: getattr(budget, name) for name in ("params", "flops_per_example", "examples")}
    row |= {"training_run_flops": budget.achieved_flops}
    row |= {"serving_flops": budget.serving.flops} if budget.serving else {}
    row |= {"days": budget.days} if plan.fleet else {}
    row |= {plan.fit.metric: budget.loss.value if budget.loss else None}
    row |= _ends(plan.fit.metric, budget.loss.ci if budget.loss else None)
    row |= {f"regret of {other.name}": other.regret for other in budget.versus}
    codes = dict.fromkeys(caution.code for caution in (*plan.cautions, *budget.cautions))
    return row | {"warnings": " ".join(codes)}


def _ends(name: str, interval: tuple[float, float | None] | None) -> dict[str, object]:
    return {f"{name}_lower": interval and interval[0], f"{name}_upper": interval and interval[1]}
