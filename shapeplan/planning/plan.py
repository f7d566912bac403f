"""A plan: for every budget a shape, what it costs, and what it buys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from shapeplan.counting.accelerators import Fleet
from shapeplan.counting.price import Price
from shapeplan.errors import Caution
from shapeplan.fitting.records import Estimate, Horizon, Interval
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.quantities import Convention
from shapeplan.shown import Shown
from shapeplan.sweeps.grid import START_CODES, Start


@frozen
class SameLoss:
    """What the loss of another shape costs with the best shape for it.

    Attributes
    ----------
    flops : float
        The compute that the best shape takes to that loss, in the convention of the plan.
    compute : float
        The same over the budget.
    compute_ci : interval or None
        Its interval under the draws of the law; None without, and for many budgets.
    inference : float
        Forward FLOPs of an example of that best shape, over those of the other shape.
    """

    flops: float
    compute: float
    compute_ci: Interval | None
    inference: float | None


@frozen
class Alternative:
    """Another shape at the same budget; None where the law or the log does not tell.

    Attributes
    ----------
    name : str
        What it is.
    shape : mapping of str to int
        The shape.
    params : int or None
        Its parameters.
    flops_per_example : float or None
        What an example costs, in the convention of the plan.
    loss : float or None
        Its loss under the law.
    regret : float or None
        Relative excess loss over the recommended shape.
    regret_ci : interval or None
        Its interval under the draws of the law.
    same_loss : SameLoss or None
        What its loss costs with the best shape; only for shapes the user named.
    keeps_limits : bool
        Whether it keeps the limits of the plan.
    heads : int or None
        Its attention heads, where they were chosen with it.
    examples : int or None
        Whole examples that the budget buys for it.
    """

    name: str
    shape: Mapping[str, int | float]
    params: int | None
    flops_per_example: float | None
    loss: float | None
    regret: float | None
    regret_ci: Interval | None = None
    same_loss: SameLoss | None = None
    keeps_limits: bool = True
    heads: int | None = None
    examples: int | None = None


@frozen
class LawPlan:
    """What another law, as good by the backtest, makes of the budget.

    Attributes
    ----------
    law : str
        Its name.
    shape : mapping of str to float
        Its best shape.
    ci : mapping of str to interval or None
        Interval of that under its draws.
    loss : Estimate
        Its loss there.
    regret : float
        Relative excess loss, under that law, of the recommended shape.
    at_edge : tuple of str
        Dimensions of its best shape at the edge of where it is looked for: there the law has no best shape.
    """

    law: str
    shape: Mapping[str, float]
    ci: Mapping[str, Interval | None]
    loss: Estimate
    regret: float
    at_edge: tuple[str, ...] = ()


@frozen
class Deviation:
    """One dimension off the best shape by a factor, the others and the budget the same (the paper's Figure 6).

    Attributes
    ----------
    dim, factor : str, float
        Which, and by how much.
    excess : float
        Relative excess loss over the best shape.
    ci : interval or None
        Its interval under the draws of the law; None without, and for many budgets.
    """

    dim: str
    factor: float
    excess: float
    ci: Interval | None


@frozen
class LimitCost:
    """What a limit costs, the others kept.

    Attributes
    ----------
    name : str
        As in the limits of the plan; ``rounding`` for what building whole shapes costs.
    value : float or None
        The limit.
    excess : float or None
        Relative excess loss over the best shape without it.
    compute : float or None
        Share of the compute with which the best shape without it reaches the same loss; None where none does.
    """

    name: str
    value: float | None
    excess: float | None
    compute: float | None


@frozen
class Serving:
    """Examples served after the training, out of the same budget.

    Attributes
    ----------
    examples : float
        How many.
    flops : float
        What they take of the budget, in the convention of the plan (a forward pass is a third of a training step).
    flops_forward : float
        The FLOPs of their forward passes themselves.
    """

    examples: float
    flops: float
    flops_forward: float


@frozen
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
    flops_ci : (float, float or None) or None
        If a loss was asked for, the interval of the compute it takes; None at the end where some draws never reach it.
    shape : mapping of str to float
        The shape the method gives, before rounding.
    ci : mapping of str to interval or None
        Its interval under the bootstrap; None where the law has no draws.
    rounded : mapping of str to int or float
        The shape to train.
    heads : int or None
        Attention heads of it; None where it has no width, or no rule and none may be chosen.
    head_dim : float or None
        Width of a head.
    params, active_params : int or None
        Parameters of the rounded shape, and those that a token meets: fewer in a mixture of experts.
    flops_per_example, flops_per_example_forward, flops_per_example_training : float or None
        Cost of one example at the rounded shape: in the convention of the plan, and in both.
    examples : int or None
        Whole examples that the budget buys at the rounded shape.
    examples_per_param : float or None
        Those examples over the parameters.
    epochs : float or None
        How often each of the examples there are is seen, if the user said how many there are.
    worth : float or None
        How many fresh examples are worth as much, where some are seen repeatedly.
    achieved_flops : float or None
        What the examples cost, never above the budget.
    trained_flops : float
        Compute for training: the budget, but for what serving takes and what data leave over.
    serving : Serving or None
        What serving takes of the budget, if it is paid too.
    days : float or None
        Days of training on the fleet, if there is one; None where its utilization was not measured at such a shape.
    mfu : float or None
        Share of the peak of the fleet that the days rest on.
    price : float or None
        What those days cost, if the user gave a price.
    loss : Estimate or None
        Loss of the rounded shape under the law, with the interval of a run (of the law, if that was asked for); None
        if the law has no constants, or the log refutes its loss.
    law_ci : interval or None
        Interval of that loss under the bootstrap.
    regret_of_rounding : float or None
        Relative excess loss of the rounded shape over the unrounded; negative where rounding helped.
    valley : mapping of str to interval
        Values with which, the rest re-optimized, the loss is within the tolerance of the best; not of fixed dimensions.
    deviations : tuple of Deviation
        What a single dimension off the best costs.
    recipe, optimum : Alternative or None
        Beside an optimum what the paper's recipe would give, and beside the recipe the optimum of the law.
    in_range : Alternative or None
        The best shape within the trained sizes, where the one to train is beyond them; not for many budgets.
    unlimited : Alternative or None
        The best shape without the limits, if there are any.
    limit_costs : tuple of LimitCost
        What every limit costs, and last what rounding does; empty for many budgets, and where no loss is told.
    versus : tuple of Alternative
        The shapes that the user asked to compare with.
    laws : tuple of LawPlan
        What other laws that the backtest does not tell from the one of choice make of the budget.
    extrapolation : mapping of str to float
        How far budget (``flops``) and rounded shape are beyond the rows of the fit, as factors: above 1 beyond the
        largest, below 1 under the smallest; what lies within is left out.
    at_edge : tuple of str
        Dimensions of the unrounded shape at the edge of where it is looked for: the law does not tell their best size.
    tested : Horizon or None
        The backtest of the law at the distance nearest to that of the plan, in compute or in examples if that is
        farther; None within the log, and where it has no backtest.
    cautions : tuple of Caution
        What is doubtful about this budget.
    """

    flops: float
    flops_convention: Convention
    flops_forward: float
    flops_training: float
    flops_ci: tuple[float, float | None] | None
    shape: Mapping[str, float]
    ci: Mapping[str, Interval | None]
    rounded: Mapping[str, int | float]
    heads: int | None
    head_dim: float | None
    params: int | None
    active_params: int | None
    flops_per_example: float | None
    flops_per_example_forward: float | None
    flops_per_example_training: float | None
    examples: int | None
    examples_per_param: float | None
    epochs: float | None
    worth: float | None
    achieved_flops: float | None
    trained_flops: float
    serving: Serving | None
    days: float | None
    mfu: float | None
    price: float | None
    loss: Estimate | None
    law_ci: Interval | None
    regret_of_rounding: float | None
    valley: Mapping[str, Interval]
    deviations: tuple[Deviation, ...]
    recipe: Alternative | None
    optimum: Alternative | None
    in_range: Alternative | None
    unlimited: Alternative | None
    limit_costs: tuple[LimitCost, ...]
    versus: tuple[Alternative, ...]
    laws: tuple[LawPlan, ...]
    extrapolation: Mapping[str, float]
    at_edge: tuple[str, ...]
    tested: Horizon | None
    cautions: tuple[Caution, ...]

    def __repr__(self) -> str:
        """Return shape, loss and warnings; the rest is in the fields."""
        loss = "" if self.loss is None else f", loss {self.loss.value:.4g}"
        compute, codes = f"{self.flops:.3g} {self.flops_convention} FLOPs", [one.code for one in self.cautions]
        return f"<BudgetPlan {compute}: {dict(self.rounded)}{loss}, warnings={codes}>"


@frozen
class Plan(Shown):
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
    trust : float
        How far beyond the trained shapes an optimum was looked for, as a factor.
    tolerance : float
        Relative excess loss up to which a shape is in the valley.
    limits : mapping of str to float
        Limits that were asked for, by name: ``max_params``, ``fix_depth`` ...
    preset : str
        What shapes were rounded to by default: a name of `PRESETS`.
    fleet, mfu, price : Fleet or None, float or None, Price or None
        What days and their price rest on; no one utilization where it was measured shape by shape.
    profile : str
        The file of those measurements.
    notes : tuple of str
        How words of the user were understood.
    """

    fit: Fit
    method: str
    weights: Mapping[str, float]
    start: Start | None
    budgets: tuple[BudgetPlan, ...]
    trust: float
    tolerance: float
    limits: Mapping[str, float] = field(default_factory=dict)
    preset: str = "gpu"
    fleet: Fleet | None = None
    mfu: float | None = None
    price: Price | None = None
    profile: str = ""
    notes: tuple[str, ...] = ()

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
