"""A star that a budget pays for: its centre and durations follow the paper's proportions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.architectures import Architecture
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.errors import ArgumentError, Caution, Complaint, ShapeplanError
from shapeplan.quantities import LARGEST_FLOPS, Convention, format_flops
from shapeplan.sweeps.design import Design, step_of
from shapeplan.sweeps.design_star import PAPER_POINTS, PAPER_RATIO, design_star
from shapeplan.sweeps.star import FEWEST_VALUES

PAPER_CENTER = {"width": 1968.0, "depth": 40.0, "mlp_dim": 6144.0}
TOKENS_PER_PARAMETER = 40.0
"""Of the centre at the longest duration: the paper's 256M images of 256 patches on 1.6B parameters."""
SHARES = (0.25, 0.5, 1.0)
"""Durations over the longest."""
_SMALLEST, _LARGEST = 0.02, 50.0
"""Sizes of the centre over the paper's between which one is looked for."""
_HALVINGS = 40
_SPENT = 2.0
"""Budget over cost from which a star leaves too much of it."""


def star_for_budget(
    budget: float,
    architecture: Architecture,
    *,
    center: Mapping[str, float] | None = None,
    durations: Sequence[float] | None = None,
    dims: Sequence[str] = SHAPE_DIMS,
    arms: Mapping[str, Sequence[float]] | None = None,
    points: int = PAPER_POINTS,
    ratio: float = PAPER_RATIO,
    flops_convention: Convention = "forward",
) -> Design:
    """Lay out the largest star whose runs together cost no more than a budget.

    What is not given follows: the centre has the paper's proportions, the longest duration shows it 40 tokens a
    parameter, the others a half and a quarter of that. Where the centre is given, durations alone are fitted. If six
    values do not fit on an arm below a small centre, there are fewer.

    Parameters
    ----------
    budget : float
        Compute of all runs, in `flops_convention`.
    architecture : Architecture
        Everything that is not shape.
    center, durations, arms, points, ratio, flops_convention
        As in `design_star`.
    dims : sequence of str
        Dimensions of the star, where no centre is given.

    Raises
    ------
    ArgumentError
        If the budget makes no sense, or does not buy the smallest star.
    """
    if not 0 < budget <= LARGEST_FLOPS:
        hint = f"give more than 0 and at most {LARGEST_FLOPS:g} FLOPs"
        raise ArgumentError(Complaint("bad-flops", f"a budget of {budget:g} FLOPs cannot be", hint))

    def star(size: float) -> Design | None:
        shape = dict(center) if center else _scaled(size, dims, architecture)
        lengths = list(durations) if durations else _lengths(shape, size if center else 1.0, architecture)
        for count in range(points, min(points, FEWEST_VALUES) - 1, -1):
            try:
                return design_star(
                    shape,
                    architecture,
                    lengths,
                    arms=arms,
                    points=count,
                    ratio=ratio,
                    flops_convention=flops_convention,
                )
            except ShapeplanError as error:
                # Only a centre too small for its arms, or durations too short to differ, are mended by another size.
                if points < 1 or error.complaints[0].code not in ("bad-points", "bad-durations"):
                    raise
        return None

    best: Design | None = None
    low, high = np.log(_SMALLEST), np.log(_LARGEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = star(float(np.exp(middle)))
        if found is None or found.flops(flops_convention) <= budget:
            best = found or best
            low = middle
        else:
            high = middle
    if best is not None:
        left = budget / best.flops(flops_convention)
        if left < _SPENT:
            return best
        message = f"the star costs {1 / left:.2g} of the budget: none is laid out that is larger"
        hint = "train more durations or points, or give a larger --center"
        return replace(best, cautions=(*best.cautions, Caution("budget-left-over", message, hint)))
    least = next((found for size in np.geomspace(_SMALLEST, _LARGEST, 60) if (found := star(float(size)))), None)
    said = f"; the smallest costs {format_flops(least.flops(flops_convention))}" if least else ""
    message = f"{format_flops(budget)} FLOPs do not buy a star{said}"
    raise ArgumentError(Complaint("budget-too-small", message, "give a larger budget, or a smaller centre"))


def _scaled(size: float, dims: Sequence[str], cost: Architecture) -> dict[str, float]:
    """Return the paper's centre at another size, in multiples that can be built."""
    if unknown := [dim for dim in dims if dim not in PAPER_CENTER]:
        message = f"there is no usual size of {', '.join(unknown)}"
        raise ArgumentError(Complaint("bad-center", message, "give --center"))
    steps = {dim: step_of(dim, cost) for dim in dims}
    return {dim: max(1.0, round(PAPER_CENTER[dim] * size / steps[dim])) * steps[dim] for dim in dims}


def _lengths(center: Mapping[str, float], share: float, cost: Architecture) -> list[float]:
    """Return durations, a share of the usual ones, in whole examples."""
    model = cost.model({dim: int(value) for dim, value in center.items()})
    tokens = model.tokens / model.examples_per_input
    longest = share * TOKENS_PER_PARAMETER * float(model.params) / tokens
    digits = 10 ** max(0, int(np.log10(max(longest, 1.0))) - 1)
    return [max(1.0, round(part * longest / digits) * digits) for part in SHARES]
