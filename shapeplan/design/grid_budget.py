"""A grid that a budget pays for: its middle and durations follow the paper's proportions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shapeplan.architectures import Architecture
from shapeplan.design.budget import LARGEST, check_budget, largest_within, lengths, scaled
from shapeplan.design.grid import PAPER_POINTS, PAPER_RATIO, design_grid
from shapeplan.design.layout import Design, check_architecture
from shapeplan.errors import ShapeplanError
from shapeplan.quantities import Convention

TOKENS_PER_PARAMETER = {"examples": 5200.0, "tokens": 40.0}
"""Of the shape in the middle at the longest duration, by what examples are.

Images: the paper's 600M of 256 patches on 29M parameters. Language: twice the 20 of Hoffmann et al.
"""
PAPER_SHAPE = {"width": 608.0, "depth": 10.0, "mlp_dim": 928.0}


def grid_for_budget(
    budget: float,
    architecture: Architecture,
    *,
    around: Mapping[str, float] | None = None,
    durations: Sequence[float] | None = None,
    values: Mapping[str, Sequence[float]] | None = None,
    points: int = PAPER_POINTS,
    ratio: float = PAPER_RATIO,
    flops_convention: Convention = "forward",
) -> Design:
    """Lay out the largest grid whose runs together cost no more than a budget.

    What is not given follows: the shape in the middle has the paper's proportions, the longest duration shows it 40
    tokens a parameter (5200 patches of images, as the paper's), the others a half and a quarter of that. Where the
    shape is given, durations alone are fitted.

    Parameters
    ----------
    budget : float
        Compute of all runs, in `flops_convention`.
    architecture : Architecture
        Everything that is not shape.
    around, durations, values, points, ratio, flops_convention
        As in `design_grid`.

    Raises
    ------
    ArgumentError
        If the budget makes no sense, or does not buy the smallest grid.
    """
    budget = check_budget(budget)
    check_architecture(architecture)

    def lay_out(size: float) -> Design:
        shape = dict(around) if around else scaled(PAPER_SHAPE, size, architecture)
        shown = TOKENS_PER_PARAMETER[architecture.examples_unit] * (size if around else 1.0)
        return design_grid(
            shape,
            architecture,
            list(durations) if durations else lengths(shape, shown, architecture),
            values=values,
            points=points,
            ratio=ratio,
            flops_convention=flops_convention,
        )

    def grid(size: float) -> Design | None:
        try:
            return lay_out(size)
        except ShapeplanError as error:
            # A shape too small for steps of the ratio, or durations too short to differ, are mended by a larger size.
            if error.details[0].code not in ("bad-values", "bad-durations"):
                raise
        return None

    # What is wrong at the largest size is wrong at every size.
    lay_out(LARGEST)
    return largest_within(budget, grid, "grid", "`around`", flops_convention)
