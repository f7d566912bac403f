"""What is computed for all budgets of a plan at once, and how it is told budget by budget."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.errors import Caution, ErrorDetail, PlanError
from shapeplan.fitting.records import Estimate, Horizon, Interval, interval_at
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, plain
from shapeplan.optimum.cost_model import BEYOND
from shapeplan.planning.budgets import Budgets
from shapeplan.planning.building import Builder
from shapeplan.planning.comparison import ReferenceShape, alternatives, compare_with
from shapeplan.planning.constraints import Constraints
from shapeplan.planning.hardware_warnings import hardware_cautions
from shapeplan.planning.limit_costs import limit_costs
from shapeplan.planning.model_uncertainty import disagreement, under_rivals
from shapeplan.planning.optimum import KNOTS, Optimum
from shapeplan.planning.plan import Alternative, BudgetPlan, Deviation, LawPlan, LimitCost, Serving
from shapeplan.planning.planner import Planner
from shapeplan.planning.recipe import Recipe
from shapeplan.planning.sensitivity import deviations, valley
from shapeplan.planning.shape_cost import ShapeCost
from shapeplan.planning.size_interval import Ends, size_intervals
from shapeplan.planning.warnings import (
    beaten_cautions,
    blind_cautions,
    edge_cautions,
    extrapolation,
    extrapolation_cautions,
    left_over_cautions,
    ratio_cautions,
    rounding_cautions,
)
from shapeplan.quantities import convert_flops, format_flops

_ENOUGH = 5
"""Predictions of the backtest that tell an error; those of fewer are quoted only where there is nothing else."""


@frozen
class Evaluation:
    """Everything about the budgets of a plan, in arrays of shape (budgets,) and lists of one entry a budget.

    Attributes
    ----------
    law_optimum : Optimum
        The optimum of the law, with what the plan must keep.
    of_law : bool
        Whether shapes are its optimum, not the recipe's.
    builder : Builder
        What can be built.
    budgets : Budgets
        What is to be spent.
    shapes, intervals : mappings
        Free dimensions before rounding, and the ends of their intervals under the law; None without draws.
    sizes : mapping of str to ends, or None
        The ends that are told: with the error of the choice of the law and of the distance, if runs are told.
    cost : ShapeCost
        The shapes to train.
    loss, best : (ndarray, ends or None), or None
        Loss of the shapes to train, and of those before rounding, with intervals; None where no loss is told.
    valley : mapping of str to ends
        Values within the tolerance.
    deviations, laws, versus, recipe, optimum, in_range, unlimited, limit_costs : lists
        As in `BudgetPlan`.
    spent : ndarray
        What training and serving take of the budgets at the shapes before rounding.
    tolerance : float
        Relative excess loss that is as good as none.
    of_run : bool
        Whether the interval of the loss is that of a run, not of the law.
    """

    law_optimum: Optimum
    of_law: bool
    builder: Builder
    budgets: Budgets
    shapes: Mapping[str, Floats]
    intervals: Mapping[str, Ends] | None
    sizes: Mapping[str, Ends] | None
    cost: ShapeCost
    loss: tuple[Floats, Ends | None] | None
    best: tuple[Floats, Ends | None] | None
    valley: Mapping[str, Ends]
    deviations: Sequence[tuple[Deviation, ...]]
    laws: Sequence[tuple[LawPlan, ...]]
    versus: Sequence[tuple[Alternative, ...]]
    recipe: Sequence[Alternative | None]
    optimum: Sequence[Alternative | None]
    in_range: Sequence[Alternative | None]
    unlimited: Sequence[Alternative | None]
    limit_costs: Sequence[tuple[LimitCost, ...]]
    spent: Floats
    tolerance: float
    of_run: bool

    def plans(self) -> tuple[BudgetPlan, ...]:
        """Return the plan for every budget."""
        return tuple(self._plan(i) for i in range(len(self.budgets.flops)))

    def _plan(self, i: int) -> BudgetPlan:
        fit, cost, own = self.law_optimum.fit, self.cost, self.law_optimum.fit.flops_convention
        budget = float(self.budgets.flops[i])
        shape = {dim: float(values[i]) for dim, values in self.shapes.items()}
        rounded = {dim: plain(values[i]) for dim, values in cost.shape.items() if dim in fit.dimensions.every}
        heads = cost.shape.get("heads")
        ci, of_law = (_complete(fit, _at_budget(ends, i)) for ends in (self.sizes, self.intervals))
        forward, spent = _at(cost.forward, i), _at(cost.achieved, i)
        examples = _at(cost.examples, i)
        params, active = _at(cost.params, i), _at(cost.active_params, i)
        ratio = None if examples is None or not params else examples / params
        loss, best = _estimate(self.loss, i), _estimate(self.best, i)
        trained, at_edge = float(cost.trained[i]), self.law_optimum.at_edge(shape) if self.of_law else []
        distance = self._distance(i)
        limits = self.law_optimum.asked.limits
        different = limits.examples if math.isfinite(limits.examples) else None
        repeated = different is not None and examples is not None and examples > different
        mfu = self.budgets.hardware.share(rounded)
        days = None if spent is None else self.budgets.hardware.days(convert_flops(spent, own, "training"), mfu)
        return BudgetPlan(
            flops=budget,
            flops_convention=own,
            flops_forward=convert_flops(budget, own, "forward"),
            flops_training=convert_flops(budget, own, "training"),
            flops_ci=self.budgets.ci[i] if self.budgets.ci else None,
            shape=fit.dimensions.complete(shape),
            ci=ci,
            rounded=rounded,
            heads=None if heads is None else int(heads[i]),
            head_dim=None if heads is None else self.builder.heads.head_dim(rounded.get("width"), int(heads[i])),
            params=None if params is None else round(params),
            active_params=None if active is None else round(active),
            flops_per_example=_at(cost.each, i),
            flops_per_example_forward=forward,
            flops_per_example_training=None if forward is None else convert_flops(forward, "forward", "training"),
            examples=None if examples is None else int(examples),
            examples_per_param=ratio,
            epochs=None if different is None or examples is None else examples / different,
            worth=float(limits.worth(np.asarray(examples))) if repeated else None,
            achieved_flops=spent,
            trained_flops=trained,
            serving=self._serving(i),
            days=days,
            mfu=mfu,
            price=self.budgets.hardware.cost(days),
            loss=self._told(loss, distance),
            law_ci=loss.ci if loss else None,
            regret_of_rounding=loss.value / best.value - 1.0 if loss and best else None,
            valley=_with_tied(fit, {dim: interval_at(ends, i) for dim, ends in self.valley.items()}),
            deviations=self.deviations[i],
            recipe=self.recipe[i],
            optimum=self.optimum[i],
            in_range=self.in_range[i],
            unlimited=self.unlimited[i],
            limit_costs=self.limit_costs[i],
            versus=self.versus[i],
            laws=self.laws[i],
            extrapolation=extrapolation(fit, rounded, trained),
            at_edge=tuple(at_edge),
            tested=_tested(fit, distance),
            cautions=(
                *self._cautions(i, at_edge, rounded, of_law, loss, best),
                *ratio_cautions(fit, ratio),
                *hardware_cautions(self.law_optimum, self.budgets.hardware, rounded, days, loss),
            ),
        )

    def _distance(self, i: int) -> float:
        """Return how far the shape to train is beyond the rows behind the law."""
        examples = _at(self.cost.examples, i)
        seen = None if examples is None else np.array([examples])
        return float(self.law_optimum.fit.distance(np.array([float(self.cost.trained[i])]), seen)[0])

    def _told(self, loss: Estimate | None, distance: float) -> Estimate | None:
        """Return a loss with the interval of a run, if that is asked for."""
        if loss is None or loss.ci is None or not self.of_run:
            return loss
        low, high = (np.array([end]) for end in loss.ci)
        ends = self.law_optimum.fit.run_interval(np.array([loss.value]), np.array([distance]), (low, high))
        return loss if ends is None else replace(loss, ci=interval_at(ends, 0))

    def _serving(self, i: int) -> Serving | None:
        taken, forward, served = (
            _at(self.cost.serving, i),
            _at(self.cost.forward, i),
            self.law_optimum.asked.limits.served,
        )
        return None if taken is None or forward is None else Serving(served, taken, served * forward)

    def _cautions(
        self,
        i: int,
        at_edge: Sequence[str],
        rounded: Mapping[str, int | float],
        ci: Mapping[str, Interval | None],
        loss: Estimate | None,
        best: Estimate | None,
    ) -> tuple[Caution, ...]:
        fit, asked, budget = self.law_optimum.fit, self.law_optimum.asked, float(self.budgets.flops[i])
        trained = float(self.cost.trained[i])
        alone = _at(self.cost.loss, i)
        expected = self._told(loss, self._distance(i)) or (None if alone is None else Estimate(alone))
        own = (
            *edge_cautions(at_edge, asked.trust),
            *blind_cautions(fit),
            *disagreement(self.laws[i], ci, loss, best),
        )
        return (
            *(own if self.of_law else ()),
            # With limits, a better run of the log may have kept none.
            *(() if asked.options else beaten_cautions(fit, expected, budget)),
            *rounding_cautions(loss, best, self.tolerance),
            *left_over_cautions(budget, float(self.spent[i]), at_edge, self.limit_costs[i]),
            *extrapolation_cautions(
                fit,
                extrapolation(fit, rounded, trained),
                f"at {format_flops(budget)}: " if len(self.budgets.flops) > 1 else "",
            ),
        )


def evaluate(
    optimum: Optimum,
    chosen: Planner,
    beside: Planner | None,
    builder: Builder,
    budgets: Budgets,
    rated: Sequence[ReferenceShape],
    tolerance: float,
    *,
    of_run: bool,
) -> Evaluation:
    """Compute everything about the budgets.

    Parameters
    ----------
    optimum : Optimum
        The law, with what the plan must keep.
    chosen, beside : Planner
        What answers, and what is shown beside it.
    builder : Builder
        What can be built.
    budgets : Budgets
        What is to be spent.
    rated : sequence of ReferenceShape
        Shapes to compare with.
    tolerance : float
        Relative excess loss of the valley.
    of_run : bool
        Whether the interval of the loss is that of a run, not of the law.

    Raises
    ------
    PlanError
        If no shape keeps the limits, or a budget does not buy one example.
    """
    fit, flops, tell = optimum.fit, budgets.flops, optimum.fit.predicts_loss
    of_law = isinstance(chosen, Optimum)
    shapes = chosen.shapes(flops)
    rounded = builder.build(chosen, optimum, shapes, flops)
    cost = ShapeCost.of(optimum, rounded, flops, tell_loss=fit.knows_loss)
    _check_bought(fit, cost)
    told = cost if tell else replace(cost, loss=None)
    besides = _besides(beside, optimum, builder, told)
    nothing: list[Alternative | None] = [None] * len(flops)
    intervals = chosen.intervals(flops, shapes)
    laws = under_rivals(optimum, cost) if fit.rivals else [()] * len(flops)
    spent = optimum.spent(shapes, flops)
    widened = of_law and of_run and not optimum.asked.options
    return Evaluation(
        law_optimum=optimum,
        of_law=of_law,
        builder=builder,
        budgets=budgets,
        shapes=shapes,
        intervals=intervals,
        sizes=size_intervals(fit, flops, shapes, intervals, laws) if widened and intervals else intervals,
        cost=cost,
        loss=_losses(optimum, rounded, flops) if tell else None,
        best=_losses(optimum, shapes, flops) if tell else None,
        valley=valley(optimum, shapes, flops, tolerance) if of_law and tell else {},
        deviations=deviations(optimum, shapes, flops) if of_law and tell else [()] * len(flops),
        laws=laws,
        versus=compare_with(rated, optimum, told, tell_loss=tell),
        recipe=besides if isinstance(beside, Recipe) else nothing,
        optimum=besides if isinstance(beside, Optimum) else nothing,
        in_range=_in_range(optimum, builder, told) if of_law and tell else nothing,
        unlimited=_unlimited(optimum, builder, told) if of_law and tell and optimum.asked.options else nothing,
        limit_costs=limit_costs(optimum, shapes, rounded, flops, spent) if of_law and tell else [()] * len(flops),
        spent=spent,
        tolerance=tolerance,
        of_run=of_run,
    )


def _losses(optimum: Optimum, shape: Mapping[str, Floats], flops: Floats) -> tuple[Floats, Ends | None]:
    """Return the loss of shapes with its interval."""
    return optimum.losses(shape, flops), optimum.fit.loss_interval(**optimum.variables(shape, flops))


def _besides(beside: Planner | None, optimum: Optimum, builder: Builder, plan: ShapeCost) -> list[Alternative | None]:
    """Return what the other method gives for every budget; None where it gives nothing sensible."""
    nothing: list[Alternative | None] = [None] * len(plan.flops)
    if beside is None:
        return nothing
    try:
        shape = builder.build(beside, optimum, beside.shapes(plan.flops), plan.flops)
    except PlanError:
        return nothing
    name = "optimum of the law" if isinstance(beside, Optimum) else "the paper's recipe"
    return [*alternatives(name, shape, optimum, plan, tell_loss=True)]


def _in_range(optimum: Optimum, builder: Builder, plan: ShapeCost) -> list[Alternative | None]:
    """Return the best shape within the trained sizes, where that of the plan is beyond them; None for many budgets."""
    nothing: list[Alternative | None] = [None] * len(plan.flops)
    beyond = np.any([_is_beyond(optimum.fit, dim, plan.shape[dim]) for dim in optimum.fit.dims], axis=0)
    if len(plan.flops) > KNOTS or not beyond.any():
        return nothing
    held = optimum.asked.held
    if any(_is_beyond(optimum.fit, dim, np.asarray(size)) for dim, size in held.items()):
        return nothing
    inside = replace(optimum, asked=replace(optimum.asked, trust=1.0))
    try:
        shape = builder.build(inside, inside, inside.shapes(plan.flops), plan.flops)
    except PlanError:
        return nothing
    found = alternatives("within the trained sizes", shape, optimum, plan, tell_loss=True)
    # A coarse multiple may round it out of them.
    built = np.any([_is_beyond(optimum.fit, dim, shape[dim]) for dim in optimum.fit.dims], axis=0)
    return [one if away else None for one, away in zip(found, (beyond & ~built).tolist(), strict=True)]


def _unlimited(optimum: Optimum, builder: Builder, plan: ShapeCost) -> list[Alternative | None]:
    """Return the best shape without the limits, as it compares with that of the plan under the same law."""
    without = replace(optimum, asked=Constraints(trust=optimum.asked.trust))
    shape = replace(builder, held={}).build(without, without, without.shapes(plan.flops), plan.flops)
    return [*alternatives("without the limits", shape, without, plan, tell_loss=True, limited=optimum)]


def _is_beyond(fit: Fit, dim: str, sizes: Floats) -> Bools:
    least, most = fit.shape_range[dim]
    return np.asarray((sizes > most * BEYOND) | (sizes < least / BEYOND))


def _tested(fit: Fit, beyond: float) -> Horizon | None:
    """Return the error of the backtest at the distance nearest to that of a run beyond the log."""
    errors = fit.uncertainty.run_error.errors if fit.uncertainty.run_error else ()
    if beyond <= BEYOND or not errors:
        return None
    told = [one for one in errors if one.rows >= _ENOUGH] or errors
    return min(told, key=lambda one: abs(math.log(one.distance / beyond)))


def _check_bought(fit: Fit, plan: ShapeCost) -> None:
    """Raise `PlanError` if a budget does not buy one example."""
    if plan.examples is None or (plan.examples >= 1).all():
        return
    short = float(plan.flops[np.argmin(plan.examples >= 1)])
    message = f"{format_flops(short)} FLOPs do not buy one of the {fit.examples_unit} of the best shape for them"
    raise PlanError(ErrorDetail("budget-too-small", message, "give a larger budget"))


def _at_budget(ends: Mapping[str, Ends] | None, i: int) -> dict[str, Interval]:
    return {dim: interval_at(pair, i) for dim, pair in ends.items()} if ends else {}


def _complete(fit: Fit, ci: Mapping[str, Interval]) -> dict[str, Interval | None]:
    """Return the intervals of all dimensions from those of the free ones."""
    dims = fit.dimensions.every
    if not ci:
        return dict.fromkeys(dims)
    intervals: dict[str, Interval | None] = dict(_with_tied(fit, ci))
    for dim, value in fit.dimensions.fixed.items():
        intervals[dim] = (value, value)
    return {dim: intervals[dim] for dim in dims}


def _with_tied(fit: Fit, ends: Mapping[str, Interval]) -> dict[str, Interval]:
    """Return intervals of free dimensions with those of the dimensions tied to them."""
    tied = {dim: tie for dim, tie in fit.dimensions.tied.items() if tie.to in ends}
    return {**ends, **{dim: (tie.of(ends[tie.to][0]), tie.of(ends[tie.to][1])) for dim, tie in tied.items()}}


def _estimate(told: tuple[Floats, Ends | None] | None, i: int) -> Estimate | None:
    if told is None:
        return None
    values, ends = told
    return Estimate(float(values[i]), None if ends is None else interval_at(ends, i))


def _at(values: Floats | None, i: int) -> float | None:
    return None if values is None else float(values[i])
