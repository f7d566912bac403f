"""Plans for budgets, from a fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.arrays import Floats
from shapeplan.errors import ArgumentError, Caution, Complaint, PlanError
from shapeplan.fitting.result import Estimate, Fit, Interval
from shapeplan.planning.plan import BudgetPlan, Plan
from shapeplan.planning.recipe import recipe_weights, scale
from shapeplan.planning.rounding import check_multiples, round_shape
from shapeplan.quantities import LARGEST_FLOPS, Convention, convert_flops, format_flops
from shapeplan.sweeps.grid import Start

_BEYOND = 1.001
"""A budget counts as beyond the data if it is more than this factor outside."""


def recommend(
    fit: Fit,
    flops: Sequence[float] | float,
    *,
    flops_convention: Convention | None = None,
    weights: Mapping[str, float] | str = "equal",
    multiples: Mapping[str, int] | None = None,
    start: Start | None = None,
    force: bool = False,
) -> Plan:
    """Recommend a shape for every budget, by the paper's recipe ``x_k = x0_k tau^(w_k s_k)``.

    Parameters
    ----------
    fit : Fit
        A fit, or a published law.
    flops : float or sequence of float
        Budgets, positive.
    flops_convention : {"forward", "training"}, optional
        What the budgets count; by default what the law counts.
    weights : str or mapping of str to float
        ``equal`` (1/D, the paper's) or one weight a dimension, of sum one.
    multiples : mapping of str to int, optional
        Multiples that dimensions are rounded to, in place of 16 for width and mlp_dim.
    start : Start, optional
        Starting point in place of the fit's own.
    force : bool
        Whether to plan on a fit that is not to be trusted.

    Returns
    -------
    Plan
        One `BudgetPlan` a budget, in order.

    Raises
    ------
    PlanError
        If the fit is not to be trusted and not forced, has no starting point, an exponent is not defined, or a budget
        does not buy one example.
    ArgumentError
        If a budget, weight or multiple makes no sense.
    """
    _check_trust(fit, force)
    origin = _start_of(fit, start)
    shares = recipe_weights(weights, fit.dimensions.free)
    budgets = [flops] if isinstance(flops, int | float) else list(flops)
    for budget in budgets:
        if not 0 < budget <= LARGEST_FLOPS:
            hint = f"give more than 0 and at most {LARGEST_FLOPS:g} FLOPs"
            raise ArgumentError(Complaint("bad-flops", f"a budget of {budget:g} FLOPs cannot be", hint))
    own = [
        convert_flops(float(budget), flops_convention or fit.flops_convention, fit.flops_convention)
        for budget in budgets
    ]
    all_dims = (*fit.dimensions.free, *fit.dimensions.tied, *fit.dimensions.fixed)
    check_multiples(multiples or {}, all_dims)
    return Plan(fit, "scale", shares, origin, tuple(_plan_one(fit, origin, t, shares, multiples or {}) for t in own))


def _plan_one(
    fit: Fit, start: Start, flops: float, weights: Mapping[str, float], multiples: Mapping[str, int]
) -> BudgetPlan:
    tau = flops / start.flops
    values = {dim: estimate.value for dim, estimate in fit.scaling_exponents.items()}
    scaled = {dim: float(value) for dim, value in scale(start.shape, tau, values, weights).items()}
    shape = fit.dimensions.complete(scaled)
    rounded, heads = _round(fit, shape, multiples)
    each = None if fit.cost is None else float(fit.cost.flops_per_example(rounded))
    params = None if fit.cost is None else fit.cost.params(rounded)
    own_each = None if each is None else convert_flops(each, "forward", fit.flops_convention)
    examples = None if own_each is None else math.floor(flops / own_each * (1 + 1e-12))
    if examples == 0:
        message = f"{format_flops(flops)} FLOPs do not buy one of the {fit.examples_unit} for the shape they recommend"
        raise PlanError(Complaint("budget-too-small", message, "give a larger budget"))
    loss, regret = _loss(fit, scaled, rounded, flops)
    return BudgetPlan(
        flops=flops,
        flops_convention=fit.flops_convention,
        flops_forward=convert_flops(flops, fit.flops_convention, "forward"),
        flops_training=convert_flops(flops, fit.flops_convention, "training"),
        shape=shape,
        ci=_intervals(fit, start, tau, weights),
        rounded=rounded,
        heads=heads,
        params=None if params is None else round(float(params)),
        flops_per_example=own_each,
        flops_per_example_training=None if each is None else convert_flops(each, "forward", "training"),
        examples=examples,
        achieved_flops=None if examples is None or own_each is None else min(flops, examples * own_each),
        loss=loss,
        regret_of_rounding=regret,
        cautions=_extrapolation(fit, rounded, flops),
    )


def _round(fit: Fit, shape: Mapping[str, float], multiples: Mapping[str, int]) -> tuple[dict[str, int], int | None]:
    """Round the shape; dimensions that the sweep never varied stay what they were."""
    fixed = {dim: round(value) for dim, value in fit.dimensions.fixed.items() if dim not in multiples}
    moving = {dim: value for dim, value in shape.items() if dim not in fixed}
    wanted = {dim: multiple for dim, multiple in multiples.items() if dim in moving}
    rounded, heads = round_shape(moving, wanted, fit.heads)
    return {dim: fixed.get(dim, rounded.get(dim, 0)) for dim in shape}, heads


def _intervals(fit: Fit, start: Start, tau: float, weights: Mapping[str, float]) -> dict[str, Interval | None]:
    """Return the interval of every dimension from the draws of s_k; the start is held fixed."""
    dims = (*fit.dimensions.free, *fit.dimensions.tied, *fit.dimensions.fixed)
    draws = fit.exponent_draws()
    if not draws:
        return dict.fromkeys(dims)
    scaled = {dim: np.asarray(values) for dim, values in scale(start.shape, tau, draws, weights).items()}
    intervals = {dim: fit.bootstrap.interval(values) for dim, values in scaled.items()}
    for dim, tie in fit.dimensions.tied.items():
        carried = intervals[tie.to]
        intervals[dim] = None if carried is None else (tie.ratio * carried[0], tie.ratio * carried[1])
    for dim, value in fit.dimensions.fixed.items():
        intervals[dim] = (value, value)
    return {dim: intervals[dim] for dim in dims}


def _loss(
    fit: Fit, scaled: Mapping[str, float], rounded: Mapping[str, int], flops: float
) -> tuple[Estimate | None, float | None]:
    if not fit.law.has_loss:
        return None, None
    at: dict[str, float] = {dim: float(rounded[dim]) for dim in fit.law.form.dims}
    value = float(fit.law.loss(**at, flops=flops))
    interval = fit.loss_interval(**at, flops=flops)
    ci = None if interval is None else (_scalar(interval[0]), _scalar(interval[1]))
    return Estimate(value, ci), value / float(fit.law.loss(**scaled, flops=flops)) - 1.0


def _extrapolation(fit: Fit, rounded: Mapping[str, int], flops: float) -> tuple[Caution, ...]:
    """Say how far budget and shape are beyond the rows of the fit, in factors."""
    beyond = []
    low, high = fit.flops_range
    if flops > high * _BEYOND:
        beyond.append(f"the budget is {flops / high:.3g}x the largest compute fitted ({format_flops(high)})")
    elif flops < low / _BEYOND:
        beyond.append(f"the budget is {low / flops:.3g}x below the least compute fitted ({format_flops(low)})")
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
    reasons = "; ".join(caution.message for caution in fit.cautions[:2]) or "its search did not converge"
    raise PlanError(
        Complaint("untrusted-fit", f"the fit is not to be trusted: {reasons}", "plan all the same with --force")
    )


def _start_of(fit: Fit, start: Start | None) -> Start:
    origin = start or fit.start
    dims = fit.dimensions.free
    if origin is None:
        example = ",".join(f"{dim}={int(fit.shape_range[dim][0])}" for dim in dims)
        message = "the law has no starting point (x0, t0): its log had no grid"
        hint = f"give a good small shape and its compute, e.g. --start {example}@{format_flops(fit.flops_range[0])}"
        raise PlanError(Complaint("no-start", message, hint))
    if set(origin.shape) != set(dims):
        message = f"the start gives {', '.join(origin.shape)}, the law has {', '.join(dims)}"
        raise ArgumentError(Complaint("bad-start", message, f"give {', '.join(dims)}"))
    undefined = [dim for dim in dims if not math.isfinite(fit.scaling_exponents[dim].value)]
    if undefined:
        message = f"the growth of {', '.join(undefined)} is not defined, so nothing can be scaled by it"
        raise PlanError(Complaint("undefined-exponent", message, "extend that arm of the sweep"))
    return replace(origin, shape={dim: origin.shape[dim] for dim in dims})


def _scalar(values: Floats) -> float:
    return float(np.ravel(values)[0])
