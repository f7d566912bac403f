"""Plans for budgets, from a fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.arrays import Floats
from shapeplan.errors import Complaint, PlanError
from shapeplan.fitting.evidence import Estimate, Interval
from shapeplan.fitting.result import Fit
from shapeplan.fitting.surroundings import TRUST
from shapeplan.planning.budgets import Amounts, Budgets, read_budgets
from shapeplan.planning.constraints import constraints
from shapeplan.planning.doubts import (
    beaten_cautions,
    blind_cautions,
    edge_cautions,
    extrapolation,
    extrapolation_cautions,
    left_over_cautions,
)
from shapeplan.planning.ledger import Ledger
from shapeplan.planning.method import check_trust, choose_method, method_beside
from shapeplan.planning.optimum import Optimum
from shapeplan.planning.plan import Alternative, BudgetPlan, Plan, Serving
from shapeplan.planning.recipe import Recipe
from shapeplan.planning.rivals import disagreement, under_rivals
from shapeplan.planning.rounding import Grain, grain
from shapeplan.planning.shapes import check_shapes, round_to_least_loss
from shapeplan.planning.valley import TOLERANCE, check_tolerance, deviations, valley
from shapeplan.planning.versus import Rated, alternatives, compare_with, read_versus
from shapeplan.quantities import Convention, convert_flops, format_flops
from shapeplan.sweeps.grid import Start


def recommend(
    fit: Fit,
    flops: Amounts | None = None,
    *,
    flops_convention: Convention | None = None,
    loss: Sequence[float] | float | None = None,
    gpus: str | None = None,
    days: float | None = None,
    mfu: float | None = None,
    method: str | None = None,
    weights: Mapping[str, float] | str | None = None,
    start: Start | None = None,
    multiples: Mapping[str, int] | None = None,
    heads: int | None = None,
    head_dim: int | None = None,
    tensor_parallel: int = 1,
    pipeline_parallel: int = 1,
    max_params: float | None = None,
    max_flops_per_example: float | None = None,
    max_examples: float | None = None,
    inference_examples: float | None = None,
    fix: Mapping[str, float] | None = None,
    trust: float = TRUST,
    tolerance: float = TOLERANCE,
    versus: Sequence[str] = (),
    force: bool = False,
) -> Plan:
    """Recommend a shape for every budget.

    Parameters
    ----------
    fit : Fit
        A fit, or a published law.
    flops : float, str or sequence of them, optional
        Budgets, positive; text as on the command line, e.g. ``500 EFLOP``.
    flops_convention : {"forward", "training"}, optional
        What the budgets count; by default what the law counts.
    loss : float or sequence of float, optional
        Losses to reach with the least compute, in place of budgets.
    gpus, days, mfu : str, float, float, optional
        ``64xH100`` for so many days at that share of their peak (0.4 by default), in place of budgets; without `days`,
        the plan says how many its training takes.
    method : {"optimum", "scale"}, optional
        The shape of least loss under the law, or the paper's recipe ``x_k = x0_k tau^(w_k s_k)``. By default the
        recipe for the law ``star``, for a law without constants, and where a start or weights are given.
    weights : str or mapping of str to float, optional
        Of the recipe: ``implied`` (S_k / s_k; the default where the law implies them), ``equal`` (1/D, the paper's) or
        one weight a dimension.
    start : Start, optional
        Starting point of the recipe in place of the fit's own.
    multiples, heads, head_dim, tensor_parallel, pipeline_parallel
        What shapes are rounded to; see `shapeplan.planning.rounding.grain`.
    max_params, max_flops_per_example : float, optional
        Most parameters; most forward FLOPs of one example.
    max_examples : float, optional
        Most examples to train on.
    inference_examples : float, optional
        Examples that are served afterwards; the budget pays for them too, one forward pass each.
    fix : mapping of str to float, optional
        Dimensions that are given.
    trust : float
        How far beyond the trained shapes the optimum may lie, as a factor.
    tolerance : float
        Relative excess loss up to which a shape counts as good as the best, for the valley.
    versus : sequence of str
        Shapes to compare with: ``ViT-g/14``, ``24x1024x4096``.
    force : bool
        Whether to plan on a fit that is not to be trusted.

    Returns
    -------
    Plan
        One `BudgetPlan` a budget, in order.

    Raises
    ------
    PlanError
        If the fit is not to be trusted and not forced, the method needs what the fit has not, no shape keeps the
        limits, or a budget does not buy one example.
    ArgumentError
        If a number makes no sense, or options exclude each other.
    """
    check_trust(fit, force=force)
    asked = constraints(
        fit,
        max_params=max_params,
        max_flops_per_example=max_flops_per_example,
        max_examples=max_examples,
        inference_examples=inference_examples,
        fix=fix,
        trust=trust,
    )
    built = grain(
        fit.dimensions,
        fit.heads,
        multiples=multiples,
        heads=heads,
        head_dim=head_dim,
        tensor_parallel=tensor_parallel,
        pipeline_parallel=pipeline_parallel,
        held=asked.held,
    )
    check_tolerance(tolerance)
    rated = [read_versus(text, fit) for text in versus]
    law = Optimum(fit, asked)
    needs_optimum = "loss" if loss is not None else asked.option
    chosen = choose_method(law, method, start, weights, needs_optimum=needs_optimum)
    budgets = read_budgets(law, built, flops, flops_convention, loss, gpus, days, mfu)
    beside = method_beside(law, chosen)
    recipe = next((one for one in (chosen, beside) if isinstance(one, Recipe)), None)
    return Plan(
        fit=fit,
        method=chosen.name,
        weights=recipe.weights if recipe else {},
        start=recipe.start if recipe else None,
        budgets=_plans(law, chosen, beside, built, budgets, rated, tolerance),
        trust=trust,
        tolerance=tolerance,
        fleet=budgets.fleet,
        mfu=budgets.mfu,
        notes=tuple(note for one in rated for note in one.notes),
    )


def _plans(
    law: Optimum,
    chosen: Recipe | Optimum,
    beside: Recipe | Optimum | None,
    built: Grain,
    budgets: Budgets,
    rated: Sequence[Rated],
    tolerance: float,
) -> tuple[BudgetPlan, ...]:
    """Return a plan a budget: everything is computed for all budgets at once, then told budget by budget."""
    fit, flops, tell = law.fit, budgets.flops, law.fit.predicts_loss
    shapes = chosen.shapes(flops)
    rounded = _build(chosen, law, built, shapes, flops)
    plan = Ledger.of(law, rounded, flops, tell_loss=fit.knows_loss)
    _check_bought(fit, plan)
    told = plan if tell else replace(plan, loss=None)
    unrounded = law.losses(shapes, flops) if tell else None
    loss_ci = fit.loss_interval(**law.variables(rounded, flops)) if tell else None
    intervals = chosen.intervals(flops)
    of_law = isinstance(chosen, Optimum)
    flat = valley(law, shapes, flops, tolerance) if of_law else {}
    off = deviations(law, shapes, flops) if of_law else [()] * len(flops)
    laws = under_rivals(law, plan) if fit.rivals else [()] * len(flops)
    others = compare_with(rated, law, told, tell_loss=tell)
    besides = _besides(beside, law, built, told)
    plans = []
    for i, budget in enumerate(flops.tolist()):
        shape = {dim: float(values[i]) for dim, values in shapes.items()}
        whole = {dim: round(float(values[i])) for dim, values in rounded.items()}
        estimate = None
        if told.loss is not None:
            estimate = Estimate(float(told.loss[i]), None if loss_ci is None else _pair(loss_ci, i))
        ci = _complete(fit, {dim: _pair(ends, i) for dim, ends in intervals.items()} if intervals else {})
        far = extrapolation(fit, whole, budget)
        each, forward, spent = _at(plan.each, i), _at(plan.forward, i), _at(plan.achieved, i)
        examples, serving = _at(plan.examples, i), _at(plan.serving, i)
        training = None if spent is None else convert_flops(spent, fit.flops_convention, "training")
        limits = law.asked.limits
        cautions = (
            *edge_cautions(law.at_edge(shape) if of_law else [], law.asked.trust),
            *(blind_cautions(fit) if of_law else ()),
            *(disagreement(laws[i], ci, estimate) if of_law else ()),
            *beaten_cautions(fit, _at(plan.loss, i), budget),
            *left_over_cautions(budget, spent if limits.examples < math.inf else None, fit.examples_unit, examples),
            *extrapolation_cautions(fit, far),
        )
        plans.append(
            BudgetPlan(
                flops=budget,
                flops_convention=fit.flops_convention,
                flops_forward=convert_flops(budget, fit.flops_convention, "forward"),
                flops_training=convert_flops(budget, fit.flops_convention, "training"),
                flops_ci=budgets.ci[i] if budgets.ci else None,
                shape=fit.dimensions.complete(shape),
                ci=ci,
                rounded=whole,
                heads=built.heads_of(whole.get("width")),
                params=None if plan.params is None else round(float(plan.params[i])),
                flops_per_example=each,
                flops_per_example_forward=forward,
                flops_per_example_training=None if forward is None else convert_flops(forward, "forward", "training"),
                examples=None if examples is None else int(examples),
                achieved_flops=spent,
                serving=None if serving is None else Serving(limits.served, serving),
                days=budgets.fleet.days(training, budgets.mfu or 1.0) if budgets.fleet and training else None,
                loss=estimate,
                regret_of_rounding=None
                if told.loss is None or unrounded is None
                else float(told.loss[i] / unrounded[i] - 1.0),
                valley=_with_tied(fit, {dim: _pair(ends, i) for dim, ends in flat.items()}),
                deviations=off[i],
                recipe=besides[i] if isinstance(beside, Recipe) else None,
                optimum=besides[i] if isinstance(beside, Optimum) else None,
                versus=others[i],
                laws=laws[i],
                extrapolation=far,
                cautions=cautions,
            )
        )
    return tuple(plans)


def _build(
    method: Recipe | Optimum, law: Optimum, built: Grain, shapes: Mapping[str, Floats], flops: Floats
) -> dict[str, Floats]:
    """Return shapes that can be built: of least loss around an optimum, the nearest to a recipe's."""
    if isinstance(method, Optimum):
        return round_to_least_loss(law, built, shapes, flops)
    check_shapes(law, shapes, flops)
    return built.round(shapes)


def _besides(beside: Recipe | Optimum | None, law: Optimum, built: Grain, plan: Ledger) -> list[Alternative | None]:
    """Return what the other method gives for every budget; None where it gives nothing sensible."""
    nothing: list[Alternative | None] = [None] * len(plan.flops)
    if beside is None:
        return nothing
    try:
        shape = _build(beside, law, built, beside.shapes(plan.flops), plan.flops)
    except PlanError:
        return nothing
    name = "optimum of the law" if isinstance(beside, Optimum) else "the recipe"
    return [*alternatives(name, shape, law, plan, tell_loss=True)]


def _check_bought(fit: Fit, plan: Ledger) -> None:
    """Raise `PlanError` if a budget does not buy one example."""
    if plan.examples is None or (plan.examples >= 1).all():
        return
    short = float(plan.flops[np.argmin(plan.examples >= 1)])
    message = f"{format_flops(short)} FLOPs do not buy one of the {fit.examples_unit} for the shape they recommend"
    raise PlanError(Complaint("budget-too-small", message, "give a larger budget"))


def _complete(fit: Fit, ci: Mapping[str, Interval]) -> dict[str, Interval | None]:
    """Return the intervals of all dimensions from those of the free ones."""
    dims = (*fit.dims, *fit.dimensions.tied, *fit.dimensions.fixed)
    if not ci:
        return dict.fromkeys(dims)
    intervals: dict[str, Interval | None] = dict(_with_tied(fit, ci))
    for dim, value in fit.dimensions.fixed.items():
        intervals[dim] = (value, value)
    return {dim: intervals[dim] for dim in dims}


def _with_tied(fit: Fit, ends: Mapping[str, Interval]) -> dict[str, Interval]:
    """Return intervals of free dimensions with those of the dimensions tied to them."""
    tied = {dim: tie for dim, tie in fit.dimensions.tied.items() if tie.to in ends}
    return {**ends, **{dim: (tie.ratio * ends[tie.to][0], tie.ratio * ends[tie.to][1]) for dim, tie in tied.items()}}


def _at(values: Floats | None, i: int) -> float | None:
    return None if values is None else float(values[i])


def _pair(ends: tuple[Floats, Floats], i: int) -> Interval:
    return float(ends[0][i]), float(ends[1][i])
