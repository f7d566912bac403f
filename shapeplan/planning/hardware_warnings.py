"""What is doubtful about the days of a plan, in coded warnings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.fitting.records import Estimate
from shapeplan.planning.hardware import Hardware
from shapeplan.planning.optimum import Optimum
from shapeplan.quantities import convert_flops, format_size

_WORTH_TELLING = 1e-3
"""Share of the loss by which a shape that trains faster must be better."""


def hardware_cautions(
    optimum: Optimum, hardware: Hardware, shape: Mapping[str, float], days: float | None, loss: Estimate | None
) -> tuple[Caution, ...]:
    """Return cautions of the days that a shape is trained for, where utilization depends on the shape.

    Parameters
    ----------
    optimum : Optimum
        The law, and what shapes must keep.
    hardware : Hardware
        What trains the plan.
    shape : mapping of str to float
        The shape to train.
    days, loss : float and Estimate, or None
        How long that takes, and the loss it reaches, as far as they are told.
    """
    if beyond := hardware.beyond(shape):
        message = f"the days of this shape are not told: {beyond}"
        return (Caution(codes.MFU_NOT_MEASURED, message, "measure a shape of that size, or give one share as `mfu`"),)
    return _faster(optimum, hardware, shape, days, loss)


def _faster(
    optimum: Optimum, hardware: Hardware, shape: Mapping[str, float], days: float | None, loss: Estimate | None
) -> tuple[Caution, ...]:
    """Return a caution where a measured shape reaches a lower loss in the same days, since it is trained faster.

    The plan is the best shape of the compute that the days deliver to it; others are delivered more. Only shapes that
    were measured are compared, within the trust region, and none where limits are given.
    """
    fit, fleet, utilization = optimum.fit, hardware.fleet, hardware.utilization
    if fleet is None or utilization is None or days is None or loss is None or optimum.asked.given:
        return ()
    if not set(fit.dims) <= utilization.shapes.keys():
        return ()
    bounds = optimum.asked.bounds(fit)
    free = {dim: utilization.shapes[dim] for dim in fit.dims}
    inside = np.all([(low <= free[dim]) & (free[dim] <= high) for dim, (low, high) in bounds.items()], axis=0)
    if not inside.any():
        return ()
    shares = utilization.shares[inside]
    delivered = np.array([fleet.flops(days, share) for share in shares.tolist()])
    flops = convert_flops(delivered, "training", fit.flops_convention)
    losses = optimum.losses({dim: sizes[inside] for dim, sizes in free.items()}, flops)
    best = int(np.nanargmin(losses)) if np.isfinite(losses).any() else 0
    gain = 1 - float(losses[best]) / loss.value
    if not gain >= _WORTH_TELLING:
        return ()
    said = ", ".join(f"{dim} {format_size(float(sizes[inside][best]))}" for dim, sizes in free.items())
    own = hardware.share(shape)
    message = (
        f"{said} was measured at {shares[best]:.0%} of the peak, and this shape is at {own:.0%}: "
        f"in the same days it reaches a loss {gain:.1%} lower"
    )
    hint = "fix its sizes (`fix`), and measure shapes around it"
    return (Caution(codes.FASTER_SHAPE, message, hint),)
