"""A plan: for every budget a shape, what it costs, and what it buys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shapeplan.errors import Caution
from shapeplan.fitting.evidence import Estimate, Interval
from shapeplan.fitting.result import Fit
from shapeplan.quantities import Convention
from shapeplan.sweeps.grid import START_CODES, Start


@dataclass(frozen=True)
class Alternative:
    """Another shape at the same budget.

    Attributes
    ----------
    name : str
        What it is.
    shape : mapping of str to int
        The shape, rounded.
    loss : float
        Its loss under the law.
    regret : float
        Relative excess loss over the recommended shape.
    """

    name: str
    shape: Mapping[str, int]
    loss: float
    regret: float


@dataclass(frozen=True)
class BudgetPlan:
    """The shape for one budget.

    Attributes
    ----------
    flops : float
        The budget, in `flops_convention`.
    flops_convention : {"forward", "training"}
        The law's own.
    flops_forward, flops_training : float
        The budget in both conventions.
    shape : mapping of str to float
        The shape the method gives, before rounding.
    ci : mapping of str to interval or None
        Its interval under the bootstrap; None where the law has no draws.
    rounded : mapping of str to int
        The shape to train.
    heads : int or None
        Attention heads of it, where the log or the architecture has a rule.
    params : int or None
        Parameters of the rounded shape.
    flops_per_example, flops_per_example_forward, flops_per_example_training : float or None
        Cost of one example at the rounded shape: in the convention of the plan, and in both.
    examples : int or None
        Whole examples that the budget buys at the rounded shape.
    achieved_flops : float or None
        What those cost, never above the budget.
    loss : Estimate or None
        Loss of the rounded shape under the law; None if the law has no constants, or the log refutes its loss.
    regret_of_rounding : float or None
        Relative excess loss of the rounded shape over the unrounded; negative where rounding helped.
    recipe : Alternative or None
        Beside an optimum, what the paper's recipe would give.
    cautions : tuple of Caution
        What is doubtful about this budget.
    """

    flops: float
    flops_convention: Convention
    flops_forward: float
    flops_training: float
    shape: Mapping[str, float]
    ci: Mapping[str, Interval | None]
    rounded: Mapping[str, int]
    heads: int | None
    params: int | None
    flops_per_example: float | None
    flops_per_example_forward: float | None
    flops_per_example_training: float | None
    examples: int | None
    achieved_flops: float | None
    loss: Estimate | None
    regret_of_rounding: float | None
    recipe: Alternative | None
    cautions: tuple[Caution, ...]


@dataclass(frozen=True)
class Plan:
    """Plans for one or many budgets under one fit.

    Attributes
    ----------
    fit : Fit
        What the plan rests on.
    method : str
        ``optimum``, or ``scale``, the paper's recipe.
    weights : mapping of str to float
        w_k of the recipe, the plan's or the one beside it; empty without.
    start : Start or None
        Its x0 and t0.
    budgets : tuple of BudgetPlan
        In the order they were asked for.
    """

    fit: Fit
    method: str
    weights: Mapping[str, float]
    start: Start | None
    budgets: tuple[BudgetPlan, ...]

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """The fit's warnings, without those about a starting point that is not used."""
        if self.method == "scale" and self.start == self.fit.start:
            return self.fit.cautions
        return tuple(caution for caution in self.fit.cautions if caution.code not in START_CODES)

    def __repr__(self) -> str:
        """Return the budgets with their rounded shapes; the whole is in the document."""
        shapes = ", ".join(f"{budget.flops:.3g}: {dict(budget.rounded)}" for budget in self.budgets)
        return f"<Plan {self.method} under {self.fit.law.form.name}: {shapes}>"
