"""Plans for budgets, from a fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.arrays import Floats
from shapeplan.errors import ArgumentError, Caution, Complaint, PlanError, check_choice
from shapeplan.fitting.evidence import Estimate, Interval
from shapeplan.fitting.optimum import TRUST
from shapeplan.fitting.result import GRAVE, Fit
from shapeplan.planning.optimum import Optimum
from shapeplan.planning.plan import Alternative, BudgetPlan, Plan
from shapeplan.planning.recipe import Recipe, recipe_weights
from shapeplan.planning.rounding import check_multiples, lattice, round_shape
from shapeplan.quantities import LARGEST_FLOPS, Convention, convert_flops, format_flops, parse_flops
from shapeplan.sweeps.grid import LARGEST_SIZE, Start, check_start

_SAME_SHAPE = 0.02
SMALLEST_SIZE = 1e-3
_BEYOND = 1.001
"""A budget counts as beyond the data if it is more than this factor outside."""


def recommend(
    fit: Fit,
    flops: Sequence[float | str] | float | str,
    *,
    flops_convention: Convention | None = None,
    method: str | None = None,
    weights: Mapping[str, float] | str | None = None,
    multiples: Mapping[str, int] | None = None,
    start: Start | None = None,
    force: bool = False,
) -> Plan:
    """Recommend a shape for every budget.

    Parameters
    ----------
    fit : Fit
        A fit, or a published law.
    flops : float, str or sequence of them
        Budgets, positive; text as on the command line, e.g. ``500 EFLOP``.
    flops_convention : {"forward", "training"}, optional
        What the budgets count; by default what the law counts.
    method : {"optimum", "scale"}, optional
        The shape of least loss under the law, or the paper's recipe ``x_k = x0_k tau^(w_k s_k)``. By default the
        recipe for the law ``star``, for a law without constants, and where a start or weights are given.
    weights : str or mapping of str to float, optional
        Of the recipe: ``equal`` (1/D, the paper's; the default), ``implied`` (S_k / s_k) or one weight a dimension.
    multiples : mapping of str to int, optional
        Multiples that dimensions are rounded to, in place of 16 for width and mlp_dim.
    start : Start, optional
        Starting point of the recipe in place of the fit's own.
    force : bool
        Whether to plan on a fit that is not to be trusted.

    Returns
    -------
    Plan
        One `BudgetPlan` a budget, in order.

    Raises
    ------
    PlanError
        If the fit is not to be trusted and not forced, the method needs what the fit has not, or a budget does not buy
        one example.
    ArgumentError
        If a budget, weight or multiple makes no sense.
    """
    _check_shape(fit)
    chosen = _method(fit, method, start, weights)
    _check_trust(fit, force)
    given = [flops] if isinstance(flops, int | float | str) else list(flops)
    budgets = [parse_flops(budget) if isinstance(budget, str) else float(budget) for budget in given]
    for budget in budgets:
        if not 0 < budget <= LARGEST_FLOPS:
            hint = f"give more than 0 and at most {LARGEST_FLOPS:g} FLOPs"
            raise ArgumentError(Complaint("bad-flops", f"a budget of {budget:g} FLOPs cannot be", hint))
    own = np.array([convert_flops(t, flops_convention or fit.flops_convention, fit.flops_convention) for t in budgets])
    all_dims = (*fit.dims, *fit.dimensions.tied, *fit.dimensions.fixed)
    check_multiples(multiples or {}, all_dims)
    shapes, intervals = chosen.shapes(own), chosen.intervals(own)
    losses = fit.law.loss(**fit.variables(shapes, own)) if fit.predicts_loss else None
    beside = _recipe_beside(fit, chosen)
    others = beside.shapes(own) if beside else {}
    plans = []
    for i, t in enumerate(own.tolist()):
        shape = {dim: float(values[i]) for dim, values in shapes.items()}
        ci = {dim: (float(low[i]), float(high[i])) for dim, (low, high) in intervals.items()} if intervals else {}
        recipe = {dim: float(values[i]) for dim, values in others.items()}
        unrounded = None if losses is None else float(losses[i])
        plans.append(_plan_one(fit, chosen, t, shape, unrounded, ci, recipe, multiples or {}))
    recipe_used = chosen if isinstance(chosen, Recipe) else beside
    return Plan(
        fit=fit,
        method=chosen.name,
        weights=recipe_used.weights if recipe_used else {},
        start=recipe_used.start if recipe_used else None,
        budgets=tuple(plans),
    )


def _method(
    fit: Fit, method: str | None, start: Start | None, weights: Mapping[str, float] | str | None
) -> Recipe | Optimum:
    if method is not None:
        check_choice("method", method, (Recipe.name, Optimum.name))
    able = fit.knows_loss and bool(fit.law.form.dims)
    if method is None:
        recipe = fit.law.form.name == "star" or start is not None or weights is not None or not able
        method = Recipe.name if recipe else Optimum.name
    if method == Recipe.name:
        origin = _start_of(fit, start)
        return Recipe(fit, origin, recipe_weights("equal" if weights is None else weights, fit))
    if start is not None or weights is not None:
        message = "a start and weights are of the recipe, not of the optimum"
        raise ArgumentError(Complaint("bad-method", message, "leave them out, or write --method scale"))
    if not able:
        why = "gives no constants" if not fit.law.has_loss else "needs what a shape costs, which is not known"
        message = f"the law {fit.law.form.name!r} {why}, so it has no best shape"
        raise PlanError(Complaint("no-optimum", message, "write --method scale, or fit a log with an architecture"))
    return Optimum(fit)


def _recipe_beside(fit: Fit, chosen: Recipe | Optimum) -> Recipe | None:
    """Return the paper's recipe to show beside the optimum, where the fit has what it needs."""
    if isinstance(chosen, Recipe) or fit.start is None:
        return None
    if any(not math.isfinite(s.value) for s in fit.scaling_exponents.values()) or not fit.scaling_exponents:
        return None
    return Recipe(fit, fit.start, recipe_weights("equal", fit))


def _plan_one(
    fit: Fit,
    method: Recipe | Optimum,
    flops: float,
    scaled: dict[str, float],
    unrounded: float | None,
    ci: Mapping[str, Interval],
    recipe: Mapping[str, float],
    multiples: Mapping[str, int],
) -> BudgetPlan:
    if absurd := [dim for dim, value in scaled.items() if not SMALLEST_SIZE <= value <= LARGEST_SIZE]:
        message = (
            f"the recipe gives {', '.join(f'{dim} {scaled[dim]:.3g}' for dim in absurd)} at {format_flops(flops)} FLOPs"
        )
        raise PlanError(Complaint("absurd-shape", message, "the exponents are not determined: extend those arms"))
    shape = fit.dimensions.complete(scaled)
    built = _least_loss(fit, scaled, flops, multiples) if isinstance(method, Optimum) else scaled
    rounded, heads = _round(fit, built, multiples)
    each = None if fit.cost is None else float(fit.cost.flops_per_example(rounded))
    params = None if fit.cost is None else fit.cost.params(rounded)
    own_each = None if each is None else convert_flops(each, "forward", fit.flops_convention)
    examples = None if own_each is None else math.floor(flops / own_each * (1 + 1e-12))
    if examples == 0:
        message = f"{format_flops(flops)} FLOPs do not buy one of the {fit.examples_unit} for the shape they recommend"
        raise PlanError(Complaint("budget-too-small", message, "give a larger budget"))
    loss, regret = _loss(fit, unrounded, rounded, flops)
    edge = method.at_edge(scaled) if isinstance(method, Optimum) else []
    cautions = (*_edge(edge), *_beaten_by_log(fit, rounded, loss, flops), *_extrapolation(fit, rounded, flops))
    return BudgetPlan(
        flops=flops,
        flops_convention=fit.flops_convention,
        flops_forward=convert_flops(flops, fit.flops_convention, "forward"),
        flops_training=convert_flops(flops, fit.flops_convention, "training"),
        shape=shape,
        ci=_complete(fit, ci),
        rounded=rounded,
        heads=heads,
        params=None if params is None else round(float(params)),
        flops_per_example=own_each,
        flops_per_example_forward=each,
        flops_per_example_training=None if each is None else convert_flops(each, "forward", "training"),
        examples=examples,
        achieved_flops=None if examples is None or own_each is None else min(flops, examples * own_each),
        loss=loss,
        regret_of_rounding=regret,
        recipe=_alternative(fit, recipe, loss, flops, multiples),
        cautions=cautions,
    )


def _least_loss(fit: Fit, shape: Mapping[str, float], flops: float, multiples: Mapping[str, int]) -> dict[str, float]:
    """Return the shape of least loss at the budget among those that can be built around a shape."""
    own = {dim: multiple for dim, multiple in multiples.items() if dim in shape}
    places = lattice(shape, own, fit.heads)
    best = int(np.argmin(fit.law.loss(**fit.variables(places, flops))))
    return {dim: float(values[best]) for dim, values in places.items()}


def _round(fit: Fit, scaled: Mapping[str, float], multiples: Mapping[str, int]) -> tuple[dict[str, int], int | None]:
    """Round the free dimensions, then those tied to them; what the sweep never varied stays what it was."""
    dims = fit.dimensions
    rounded, heads = round_shape(scaled, {dim: m for dim, m in multiples.items() if dim in scaled}, fit.heads)
    followers = {dim: tie.ratio * rounded[tie.to] for dim, tie in dims.tied.items()}
    followers |= {dim: value for dim, value in dims.fixed.items() if dim in multiples}
    more, other_heads = round_shape(followers, {dim: m for dim, m in multiples.items() if dim in followers}, fit.heads)
    kept = {dim: round(value) for dim, value in dims.fixed.items()}
    return {**rounded, **kept, **more}, heads or other_heads or _heads_of_fixed(fit)


def _heads_of_fixed(fit: Fit) -> int | None:
    """Return the heads of a width that never varied."""
    width, head_dim = fit.dimensions.fixed.get("width"), fit.heads.get("head_dim")
    return round(width / head_dim) if width and head_dim else None


def _complete(fit: Fit, ci: Mapping[str, Interval]) -> dict[str, Interval | None]:
    """Return the intervals of all dimensions from those of the free ones."""
    dims = (*fit.dims, *fit.dimensions.tied, *fit.dimensions.fixed)
    if not ci:
        return dict.fromkeys(dims)
    intervals: dict[str, Interval | None] = dict(ci)
    for dim, tie in fit.dimensions.tied.items():
        intervals[dim] = (tie.ratio * ci[tie.to][0], tie.ratio * ci[tie.to][1])
    for dim, value in fit.dimensions.fixed.items():
        intervals[dim] = (value, value)
    return {dim: intervals[dim] for dim in dims}


def _alternative(
    fit: Fit, shape: Mapping[str, float], loss: Estimate | None, flops: float, multiples: Mapping[str, int]
) -> Alternative | None:
    """Return another shape with what it loses against the plan's."""
    if not shape or loss is None or not all(SMALLEST_SIZE <= value <= LARGEST_SIZE for value in shape.values()):
        return None
    rounded, _ = _round(fit, shape, multiples)
    its = float(fit.law.loss(**fit.variables(rounded, flops)))
    return Alternative("the paper's recipe", rounded, its, its / loss.value - 1.0)


def _edge(dims: Sequence[str]) -> tuple[Caution, ...]:
    if not dims:
        return ()
    message = f"the law wants {', '.join(dims)} {TRUST:g} times beyond the trained shapes, or further"
    hint = "the plan stops there: train shapes that differ in it alone, smaller and larger"
    return (Caution("no-interior-optimum", message, hint),)


def _loss(
    fit: Fit, unrounded: float | None, rounded: Mapping[str, int], flops: float
) -> tuple[Estimate | None, float | None]:
    """Return the loss of the rounded shape, and its relative excess over the unrounded; None where none is told."""
    if unrounded is None:
        return None, None
    at = fit.variables(rounded, flops)
    value = float(fit.law.loss(**at))
    interval = fit.loss_interval(**at)
    ci = None if interval is None else (_scalar(interval[0]), _scalar(interval[1]))
    return Estimate(value, ci), value / unrounded - 1.0


def _beaten_by_log(fit: Fit, rounded: Mapping[str, int], loss: Estimate | None, flops: float) -> tuple[Caution, ...]:
    """Say if a run of the log, with no more compute, is better than what the law expects of the plan."""
    reached = [row for row in fit.front if row.flops <= flops * _BEYOND]
    if not fit.knows_loss or not reached:
        return ()
    row = reached[-1]
    expected = loss.value if loss else float(fit.law.loss(**fit.variables(rounded, flops)))
    if row.loss >= expected:
        return ()
    message = (
        f"run {row.run} (line {row.line}) reached {row.loss:.4g} at {format_flops(row.flops)} FLOPs, "
        f"better than the {expected:.4g} that the law gives this shape"
    )
    return (Caution("beaten-by-log", message, "start from that shape instead, or doubt the law there"),)


def _extrapolation(fit: Fit, rounded: Mapping[str, int], flops: float) -> tuple[Caution, ...]:
    """Say how far budget and shape are beyond the rows of the fit, in factors."""
    beyond = []
    low, high = fit.flops_range
    if flops > high * _BEYOND:
        beyond.append(f"the budget is {flops / high:.3g}x the largest compute behind the law ({format_flops(high)})")
    elif flops < low / _BEYOND:
        beyond.append(f"the budget is {low / flops:.3g}x below the least compute behind the law ({format_flops(low)})")
    for dim, value in rounded.items():
        least, most = fit.shape_range.get(dim, (value, value))
        if value > most * _BEYOND:
            beyond.append(f"{dim} is {value / most:.3g}x the largest trained ({most:g})")
        elif value < least / _BEYOND:
            beyond.append(f"{dim} is {least / value:.3g}x below the least trained ({least:g})")
    if not beyond:
        return ()
    hint = "an error in the exponents grows with the distance; a run nearer to the budget would check it"
    return (Caution("extrapolation", "; ".join(beyond), hint),)


def _check_trust(fit: Fit, force: bool) -> None:
    if fit.status == "ok" or force:
        return
    grave = [caution.message for caution in fit.cautions if caution.code in GRAVE]
    reasons = "; ".join(grave) or "its search did not converge"
    raise PlanError(
        Complaint("untrusted-fit", f"the fit is not to be trusted: {reasons}", "plan all the same with --force")
    )


def _check_shape(fit: Fit) -> None:
    if not fit.dims:
        message = f"the law {fit.law.form.name!r} was fitted to a log without shapes, so it knows none"
        raise PlanError(Complaint("no-shape", message, "log width, depth and mlp_dim of the runs"))


def _start_of(fit: Fit, start: Start | None) -> Start:
    origin = start or fit.start
    dims = fit.dimensions.free
    if not set(dims) <= fit.scaling_exponents.keys():
        message = f"the law {fit.law.form.name!r} gives no scaling exponents, which the recipe needs"
        hint = "write --method optimum, or fit a star"
        raise PlanError(Complaint("no-exponents", message, hint))
    if origin is None:
        example = ",".join(f"{dim}={int(fit.shape_range[dim][0])}" for dim in dims)
        message = "the law has no starting point (x0, t0): its log had no grid"
        hint = f"give a good small shape and its compute, e.g. --start {example}@{format_flops(fit.flops_range[0])}"
        raise PlanError(Complaint("no-start", message, hint))
    check_start(origin)
    missing = [dim for dim in dims if dim not in origin.shape]
    implied = fit.dimensions.complete({dim: origin.shape[dim] for dim in dims}) if not missing else {}
    wrong = [dim for dim, size in origin.shape.items() if abs(size / implied.get(dim, np.inf) - 1) > _SAME_SHAPE]
    if missing or wrong:
        why = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(wrong)} unlike the log's"
        raise ArgumentError(Complaint("bad-start", f"the start {why}", f"give {', '.join(dims)}"))
    undefined = [dim for dim in dims if not math.isfinite(fit.scaling_exponents[dim].value)]
    if undefined:
        message = f"the growth of {', '.join(undefined)} is not defined, so nothing can be scaled by it"
        raise PlanError(Complaint("undefined-exponent", message, "extend that arm of the sweep"))
    return replace(origin, shape={dim: origin.shape[dim] for dim in dims})


def _scalar(values: Floats) -> float:
    return float(np.ravel(values)[0])
