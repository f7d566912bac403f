"""The compute that is planned for: given, what accelerators deliver in some days, or what a loss takes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from shapeplan.arguments import number, several
from shapeplan.errors import ArgumentError, ErrorDetail, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.planning.budget_for_loss import LEAST_FLOPS, flops_interval, flops_of_shape, least_flops
from shapeplan.planning.building import Builder
from shapeplan.planning.hardware import Hardware
from shapeplan.planning.optimum import Optimum
from shapeplan.quantities import LARGEST_FLOPS, Convention, convert_flops, format_flops, parse_flops

MOST_DAYS = 36525.0
_NEXT_TO_NOTHING = 1.001
_COARSE_STEP = 1.3
_HALVINGS = 20

Amounts = Sequence[float | str] | float | str


@frozen
class Budgets:
    """Budgets, in the convention of the law.

    Attributes
    ----------
    flops : ndarray, shape (budgets,)
        Compute.
    ci : tuple of (float, float or None), or None
        If losses were asked for, the interval of the compute that each takes; None without draws.
    hardware : Hardware
        What it is spent on.
    """

    flops: Floats
    ci: tuple[tuple[float, float | None] | None, ...] | None
    hardware: Hardware


def read_budgets(
    optimum: Optimum,
    builder: Builder,
    flops: Amounts | None,
    flops_convention: Convention | None,
    loss: Sequence[float] | float | None,
    days: float | None,
    hardware: Hardware,
) -> Budgets:
    """Return the budgets that exactly one of `flops`, `loss`, and `days` on the hardware says.

    Raises
    ------
    ArgumentError
        If it is none of these or several, or a number makes no sense.
    PlanError
        If no compute reaches a loss.
    """
    if days is not None and hardware.fleet is None:
        raise ArgumentError(ErrorDetail("no-gpus", "`days` requires `gpus`", "add e.g. `gpus=64xH100`"))
    asked = [name for name, value in (("flops", flops), ("loss", loss), ("days", days)) if value is not None]
    if len(asked) != 1:
        what = " and ".join(f"`{name}`" for name in asked)
        message = f"{what} both say what is to be spent" if asked else "nothing says what is to be spent"
        hint = "give one of `flops=1e21`, `loss=0.15`, or `gpus=64xH100` `days=14`"
        raise ArgumentError(ErrorDetail("bad-budget", message, hint))
    if loss is not None:
        return _for_losses(optimum, builder, [number("loss", one) for one in several("loss", loss)], hardware)
    if days is not None:
        if not 0 < days <= MOST_DAYS:
            hint = f"give more than 0 and at most {MOST_DAYS:g}"
            raise ArgumentError(ErrorDetail("bad-days", f"{days:g} days is out of range", hint, value=f"{days:g}"))
        given: list[float] = [hardware.delivered(optimum, builder, days)]
        flops_convention = "training"
    else:
        assert flops is not None
        listed = several("flops", flops)
        given = [parse_flops(budget) if isinstance(budget, str) else number("flops", budget) for budget in listed]
    for budget in given:
        if not 0 < budget <= LARGEST_FLOPS:
            hint = f"give more than 0 and at most {LARGEST_FLOPS:g} FLOPs"
            raise ArgumentError(ErrorDetail("bad-flops", f"a budget of {budget:g} FLOPs is out of range", hint))
    own = optimum.fit.flops_convention
    return Budgets(np.array([convert_flops(t, flops_convention or own, own) for t in given]), None, hardware)


def _for_losses(optimum: Optimum, builder: Builder, losses: list[float], hardware: Hardware) -> Budgets:
    """Return the least compute with which shapes that can be built reach the losses."""
    fit = optimum.fit
    for target in losses:
        if not (target > 0 and math.isfinite(target)):
            raise ArgumentError(
                ErrorDetail("bad-loss", f"`loss` must be positive (got {target:g})", "give a positive number")
            )
    if not fit.predicts_loss:
        message = f"the law {fit.law.form.name!r} predicts no loss that could be reached"
        raise PlanError(
            ErrorDetail("no-loss", message, "fit a joint law, as `shapeplan fit` does by default, or give `flops`")
        )
    targets = np.array(losses, dtype=float)
    needed = least_flops(optimum, targets)
    if not np.isfinite(needed).all():
        raise _unreachable(fit, optimum, losses[int(np.argmin(np.isfinite(needed)))])
    if (needed <= LEAST_FLOPS).any():
        high = losses[int(np.argmax(needed <= LEAST_FLOPS))]
        message = f"a {fit.metric} of {high:g} is reached with no training at all, under the law"
        raise PlanError(ErrorDetail("loss-too-high", message, "ask for a loss like those of the log"))
    flops = np.array(
        [_buildable(optimum, builder, target, least) for target, least in zip(losses, needed.tolist(), strict=True)]
    )
    intervals = (flops_interval(optimum, target, least) for target, least in zip(losses, needed.tolist(), strict=True))
    # What rounding costs is paid under every draw.
    paid = (flops / needed).tolist()
    return Budgets(flops, tuple(_scaled(ci, more) for ci, more in zip(intervals, paid, strict=True)), hardware)


def _buildable(optimum: Optimum, builder: Builder, target: float, least: float) -> float:
    """Return the least compute with which a shape that can be built reaches a loss; `least` is that of any shape.

    Fine steps lose next to nothing, and the shape built at `least` needs a little more. Where steps are coarse, budgets
    above are bisected, each with its own best shape that can be built.
    """

    def built(flops: float) -> tuple[float, float]:
        budget = np.array([flops])
        shape = builder.build(optimum, optimum, optimum.shapes(budget), budget)
        own = float(flops_of_shape(optimum, shape, np.array([target]), np.array([flops]))[0])
        return own, float(optimum.losses(shape, budget)[0])

    low, high = least, min(built(least)[0], LARGEST_FLOPS)
    if high <= least * _NEXT_TO_NOTHING:
        return high
    step, stride = least, _COARSE_STEP
    while step < high and built(step)[1] > target:
        low, step, stride = step, step * stride, stride * _COARSE_STEP
        if step > LARGEST_FLOPS:
            message = f"no shape that can be built reaches a loss of {target:g}"
            hint = "ask for more, raise the limits, or round to smaller multiples"
            raise PlanError(ErrorDetail("unreachable-loss", message, hint))
    high = min(high, step)
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        own, here = built(middle)
        low, high = (low, min(own, middle)) if here <= target else (middle, high)
        if high <= low * _NEXT_TO_NOTHING:
            break
    return high


def _scaled(ci: tuple[float, float | None] | None, more: float) -> tuple[float, float | None] | None:
    return None if ci is None else (ci[0] * more, None if ci[1] is None else ci[1] * more)


def _unreachable(fit: Fit, optimum: Optimum, target: float) -> PlanError:
    most = np.array([LARGEST_FLOPS])
    with np.errstate(invalid="ignore", divide="ignore"):
        shapes = optimum.shapes(most)
        least = float(optimum.losses(shapes, most)[0])
    if not math.isfinite(least):
        message = f"no compute reaches a {fit.metric} of {target:g}: no shape keeps the limits"
        return PlanError(ErrorDetail("impossible-limits", message, "raise the limits, or look further with `trust`"))
    within = "within the limits" if optimum.asked.given else "under the law"
    hint = "ask for more than that" + (", or raise the limits" if optimum.asked.given else "")
    if optimum.at_edge({dim: float(sizes[0]) for dim, sizes in shapes.items()}):
        within += f" at {optimum.asked.trust:g}x the trained sizes at most"
        hint += ", or look further with `trust`"
    message = (
        f"no compute reaches a {fit.metric} of {target:g} {within}: "
        f"it levels off at {least:.6g} (at {format_flops(LARGEST_FLOPS)} FLOPs)"
    )
    return PlanError(ErrorDetail("unreachable-loss", message, hint))
