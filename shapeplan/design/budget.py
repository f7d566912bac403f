"""The largest design that a budget pays for, and what both stars and grids for budgets rest on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan import codes
from shapeplan.architectures import Architecture
from shapeplan.arguments import number
from shapeplan.design.layout import Design, step_of
from shapeplan.errors import ArgumentError, Caution, ErrorDetail
from shapeplan.quantities import LARGEST_FLOPS, Convention, format_flops

SHARES = (0.25, 0.5, 1.0)
"""Durations over the longest."""
SMALLEST, LARGEST = 0.02, 50.0
"""Sizes over the paper's between which one is looked for."""
_HALVINGS = 40
_SPENT = 2.0
"""Budget over cost from which a design leaves too much of it."""


def check_budget(budget: float) -> float:
    """Return a budget; raise `ArgumentError` on one that makes no sense."""
    budget = number("budget", budget)
    if not 0 < budget <= LARGEST_FLOPS:
        hint = f"give more than 0 and at most {LARGEST_FLOPS:g} FLOPs"
        raise ArgumentError(ErrorDetail("bad-flops", f"a budget of {budget:g} FLOPs is out of range", hint))
    return budget


def largest_within(
    budget: float, design: Callable[[float], Design | None], kind: str, middle: str, convention: Convention
) -> Design:
    """Return the largest design that costs no more than a budget.

    Parameters
    ----------
    budget : float
        Compute of all runs, in the convention.
    design : callable
        Gives the design at a size, a factor of the paper's; None where the size is too small for one.
    kind, middle : str
        What it is called, and the option for the shape in its middle, in complaints.
    convention : {"forward", "training"}
        What the budget counts.

    Raises
    ------
    ArgumentError
        If the budget does not buy the smallest.
    """
    best: Design | None = None
    low, high = np.log(SMALLEST), np.log(LARGEST)
    for _ in range(_HALVINGS):
        size = (low + high) / 2
        found = design(float(np.exp(size)))
        if found is None or found.flops(convention) <= budget:
            best = found or best
            low = size
        else:
            high = size
    if best is not None:
        left = budget / best.flops(convention)
        if left < _SPENT:
            return best
        message = f"the {kind} costs {1 / left:.2g} of the budget: none is laid out that is larger"
        hint = f"train more durations or points, or give a larger {middle}"
        return replace(best, cautions=(*best.cautions, Caution(codes.BUDGET_LEFT_OVER, message, hint)))
    sizes = np.geomspace(SMALLEST, LARGEST, 60)
    least = next((found for size in sizes if (found := design(float(size)))), None)
    said = f"; the smallest costs {format_flops(least.flops(convention))}" if least else ""
    message = f"{format_flops(budget)} FLOPs do not buy a {kind}{said}"
    raise ArgumentError(ErrorDetail("budget-too-small", message, f"give a larger budget, or a smaller {middle}"))


def scaled(shape: Mapping[str, float], size: float, cost: Architecture) -> dict[str, float]:
    """Return a shape at another size, in multiples that can be built."""
    steps = {dim: step_of(dim, cost) for dim in shape}
    return {dim: max(1.0, round(value * size / steps[dim])) * steps[dim] for dim, value in shape.items()}


def lengths(shape: Mapping[str, float], tokens_per_parameter: float, cost: Architecture) -> Sequence[float]:
    """Return three durations in whole examples, of which the longest shows a shape so many tokens a parameter."""
    model = cost.model({dim: int(value) for dim, value in shape.items()})
    tokens = model.tokens / model.examples_per_input
    longest = tokens_per_parameter * float(model.params) / tokens
    digits = 10 ** max(0, int(np.log10(max(longest, 1.0))) - 1)
    return [max(1.0, round(part * longest / digits) * digits) for part in SHARES]
