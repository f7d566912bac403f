"""What every limit of a plan costs: in loss at the budget, and in compute to the same loss without it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from shapeplan.numerics.arrays import Floats
from shapeplan.planning.budget_for_loss import LEAST_FLOPS, least_flops
from shapeplan.planning.constraints import Constraints
from shapeplan.planning.optimum import KNOTS, Optimum
from shapeplan.planning.plan import LimitCost

ROUNDING = "rounding"
"""Name of what building whole shapes costs, beside the limits."""
_CLOSE = 1e-7
"""How closely compute is told, in logarithms: what rounding costs is printed to the ten-thousandth."""
_AROUND = (1.1, 30.0)
"""Factors around the budget within which that compute is looked for: rounding costs little, a limit may cost much."""
_ALMOST = 1e-9
"""Relative loss above that of a plan for which compute is asked: where examples run out, the loss no longer falls."""


def limit_costs(
    optimum: Optimum, shapes: Mapping[str, Floats], built: Mapping[str, Floats], flops: Floats, spent: Floats
) -> list[tuple[LimitCost, ...]]:
    """Return, for every budget, what each limit costs with the others kept, and what rounding does; none for many.

    Parameters
    ----------
    optimum : Optimum
        The law, with what the plan must keep.
    shapes, built : mapping of str to ndarray, shape (budgets,)
        The best shapes, and those to train.
    flops, spent : ndarray, shape (budgets,)
        Budgets, and what of them the best shapes take.
    """
    if len(flops) > KNOTS:
        return [()] * len(flops)
    best = optimum.losses(shapes, flops)
    columns = [
        _costs(name, value, replace(optimum, asked=_without(optimum.asked, name)), best, flops, spent)
        for name, value in optimum.asked.given.items()
        if name != "epochs"
    ]
    columns.append(_costs(ROUNDING, None, optimum, optimum.losses(built, flops), flops, spent, best, shapes))
    return [tuple(column[i] for column in columns) for i in range(len(flops))]


def _costs(
    name: str,
    value: float | None,
    without: Optimum,
    loss: Floats,
    flops: Floats,
    spent: Floats,
    least_loss: Floats | None = None,
    near: Mapping[str, Floats] | None = None,
) -> list[LimitCost]:
    """Return what a loss costs that is above the least, by default that of the best shapes without a limit."""
    if least_loss is None:
        least_loss = without.losses(without.shapes(flops), flops)
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = loss / least_loss - 1.0
    needed = least_flops(without, loss * (1 + _ALMOST), flops, close=_CLOSE, around=_AROUND, near=near)
    return [
        LimitCost(
            name,
            value,
            excess=float(more) if math.isfinite(more) else None,
            compute=min(float(least / used), 1.0) if LEAST_FLOPS < least < math.inf else None,
        )
        for more, least, used in zip(excess, needed, spent, strict=True)
    ]


def _without(asked: Constraints, name: str) -> Constraints:
    """Return the constraints without one of them."""
    if name.startswith("fix_"):
        held = {dim: size for dim, size in asked.held.items() if f"fix_{dim}" != name}
        return replace(asked, held=held)
    limits = {
        "max_params": {"params": math.inf},
        "max_flops_per_example": {"flops_per_example": math.inf},
        "max_examples": {"examples": math.inf, "epochs": 1.0},
        "inference_examples": {"served": 0.0},
    }
    return replace(asked, limits=replace(asked.limits, **limits[name]))
