"""What is doubtful about the plan for one budget, in coded warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shapeplan import codes
from shapeplan.errors import Caution, ErrorDetail, PlanError
from shapeplan.fitting.records import Estimate
from shapeplan.fitting.result import Fit
from shapeplan.optimum.cost_model import BEYOND
from shapeplan.planning.plan import LimitCost
from shapeplan.planning.size import SIZE
from shapeplan.quantities import format_factor, format_flops, format_size

_OF_SIZE = ("max_params", "max_flops_per_example")
"""Limits that keep a model from growing, beside dimensions that are fixed."""
_COSTS_NOTHING = 5e-4
"""Excess loss of a limit up to which it does not bind."""
_FAR_RATIO = 1000.0
"""Factor beyond the examples a parameter of every row above which no plan is made."""
_SPENT = 0.99
"""Share of a budget that a plan must spend, where examples may run out."""


def edge_cautions(dims: Sequence[str], trust: float) -> tuple[Caution, ...]:
    """Return a caution for dimensions whose optimum is at a bound of the trust region."""
    if not dims:
        return ()
    bound = f"{trust:g}x the trained range" if trust > 1 else "the trained range"
    message = f"the optimal {', '.join(dims)} is at the search bound ({bound})"
    hint = "the plan stops there: look further with `trust`, or train shapes that differ in each alone"
    return (Caution(codes.NO_INTERIOR_OPTIMUM, message, hint),)


def blind_cautions(fit: Fit) -> tuple[Caution, ...]:
    """Warn that a law has no shape."""
    if fit.law.form.dims or fit.dims == (SIZE,):
        return ()
    message = (
        f"the law {fit.law.form.name!r} depends on parameters, not on shape: all dimensions grow as their "
        "trained ranges do"
    )
    return (Caution(codes.NO_SHAPE_LAW, message, "any shape of as many parameters is as good under it"),)


def beaten_cautions(fit: Fit, loss: Estimate | None, flops: float) -> tuple[Caution, ...]:
    """Say if a run of the log, with no more compute, is better than what the law expects of the plan at best."""
    reached = [row for row in fit.front if row.flops <= flops * BEYOND]
    if loss is None or not reached or reached[-1].loss >= (loss.ci[0] if loss.ci else loss.value):
        return ()
    row = reached[-1]
    message = (
        f"run {row.run} ({row.place}) reached {row.loss:.4g} at {format_flops(row.flops)} FLOPs, "
        f"better than the {loss.value:.4g} predicted for this shape" + (" and its interval" if loss.ci else "")
    )
    return (Caution(codes.BEATEN_BY_LOG, message, "start from that shape instead; the law is wrong there"),)


def rounding_cautions(loss: Estimate | None, best: Estimate | None, tolerance: float) -> tuple[Caution, ...]:
    """Say if the shape to train loses more than a tolerance to the best one before rounding."""
    if loss is None or best is None or loss.value / best.value - 1.0 <= tolerance:
        return ()
    message = f"rounding costs {loss.value / best.value - 1.0:.2%} of loss"
    return (Caution(codes.COARSE_ROUNDING, message, "ask for smaller multiples or fewer devices, if you can"),)


def left_over_cautions(
    flops: float, spent: float, at_edge: Sequence[str], costs: Sequence[LimitCost]
) -> tuple[Caution, ...]:
    """Say if a budget is not spent, because examples run out, and what keeps the model from growing.

    Parameters
    ----------
    flops, spent : float
        The budget, and what of it training and serving take.
    at_edge : sequence of str
        Dimensions at the edge of the search.
    costs : sequence of LimitCost
        What every limit costs.
    """
    if spent >= _SPENT * flops:
        return ()
    message = f"training and serving take {format_flops(spent)} of the {format_flops(flops)} FLOPs: examples run out"
    if at_edge:
        hint = "the search ends there: look further with `trust`, or find more data"
    elif option := _binding(costs):
        hint = f"`{option}` keeps the model from growing; raise it, or find more data"
    else:
        hint = "a larger model on as few would be no better under the law; find more data"
    return (Caution(codes.BUDGET_LEFT_OVER, message, hint),)


def _binding(costs: Sequence[LimitCost]) -> str | None:
    """Return the option that keeps the model from growing: of those that do, the one that costs most."""
    options = {name: name for name in _OF_SIZE} | {one.name: "fix" for one in costs if one.name.startswith("fix_")}
    binding = {one.name: one.excess for one in costs if one.name in options and (one.excess or 0.0) > _COSTS_NOTHING}
    return options[max(binding, key=lambda name: binding[name] or 0.0)] if binding else None


def extrapolation(fit: Fit, shape: Mapping[str, float], flops: float) -> dict[str, float]:
    """Return how far budget and shape are beyond the rows of the fit, as factors; what lies within is left out."""
    ranges = {"flops": (flops, fit.flops_range)}
    ranges |= {dim: (float(value), fit.shape_range[dim]) for dim, value in shape.items() if dim in fit.shape_range}
    factors = {}
    for name, (value, (least, most)) in ranges.items():
        if value > most * BEYOND:
            factors[name] = value / most
        elif value < least / BEYOND:
            factors[name] = value / least
    return factors


def extrapolation_cautions(
    fit: Fit, factors: Mapping[str, float], where: str = "", budget: str = "the budget"
) -> tuple[Caution, ...]:
    """Say how far budget and shape are beyond the rows of the fit; `where` names the budget among several."""
    beyond = []
    for name, factor in factors.items():
        least, most = fit.flops_range if name == "flops" else fit.shape_range[name]
        if name == "flops":
            end = (
                f"{format_factor(factor)} the largest" if factor > 1 else f"{format_factor(1 / factor)} below the least"
            )
            beyond.append(f"{budget} is {end} compute behind the law ({format_flops(most if factor > 1 else least)})")
        elif factor > 1:
            beyond.append(f"{name} is {format_factor(factor)} the largest trained ({most:g})")
        else:
            beyond.append(f"{name} is {format_factor(1 / factor)} below the least trained ({least:g})")
    if not beyond:
        return ()
    hint = f"an error in the exponents grows with the distance; a run nearer to {budget} would check it"
    return (Caution(codes.EXTRAPOLATION, where + "; ".join(beyond), hint),)


def refuse_ratio(fit: Fit, ratio: float | None, flops: float) -> None:
    """Raise `PlanError` if a plan has a thousand times fewer or more examples a parameter than any row of the log.

    Beyond the compute of the rows it may have more by the distance: examples may grow with all of the compute.
    """
    logged = fit.examples_per_param
    if ratio is None or logged is None:
        return
    least, most = fit.flops_range
    beyond = max(ratio / logged[1], logged[0] / ratio)
    if beyond <= _FAR_RATIO * max(flops / most, least / flops, 1.0):
        return
    message = (
        f"the best shape has {format_size(ratio, 3)} {fit.examples_unit} per parameter, {format_factor(beyond)} beyond "
        f"any row of the log ({format_size(logged[0], 3)} to {format_size(logged[1], 3)}): the law does not tell which "
        "size is best, or some rows are not what they say"
    )
    hint = "see what the fit warns of, add larger and smaller sizes at one compute, or plan all the same with `force`"
    raise PlanError(ErrorDetail(codes.RATIO_EXTRAPOLATION, message, hint))


def ratio_cautions(fit: Fit, ratio: float | None) -> tuple[Caution, ...]:
    """Say if a plan has fewer or more examples a parameter than any row of the log."""
    logged = fit.examples_per_param
    if ratio is None or logged is None or logged[0] / BEYOND <= ratio <= logged[1] * BEYOND:
        return ()
    side = "fewer" if ratio < logged[0] else "more"
    message = (
        f"{format_size(ratio, 3)} {fit.examples_unit} per parameter are {side} than in any row of the log "
        f"({format_size(logged[0], 3)} to {format_size(logged[1], 3)})"
    )
    return (
        Caution(codes.RATIO_EXTRAPOLATION, message, "train a run at about that ratio to see if the law holds there"),
    )
