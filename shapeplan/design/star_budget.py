"""A star that a budget pays for: its centre and durations follow the paper's proportions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shapeplan.architectures import Architecture
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.design.budget import check_budget, largest_within, lengths, scaled
from shapeplan.design.layout import Design, check_architecture
from shapeplan.design.star import PAPER_POINTS, PAPER_RATIO, design_star
from shapeplan.errors import ArgumentError, ErrorDetail, ShapeplanError
from shapeplan.quantities import Convention
from shapeplan.sweeps.star import FEWEST_VALUES

TOKENS_PER_PARAMETER = 40.0
"""Of the centre at the longest duration: the paper's 256M images of 256 patches on 1.6B parameters."""
PAPER_CENTER = {"width": 1968.0, "depth": 40.0, "mlp_dim": 6144.0}


def star_for_budget(  # noqa: PLR0913 - public: an argument a question
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
    budget = check_budget(budget)
    check_architecture(architecture)
    if unknown := [dim for dim in dims if dim not in PAPER_CENTER]:
        message = f"there is no usual size of {', '.join(unknown)}"
        raise ArgumentError(ErrorDetail("bad-center", message, "give `center`"))

    def star(size: float) -> Design | None:
        shape = dict(center) if center else scaled({dim: PAPER_CENTER[dim] for dim in dims}, size, architecture)
        shown = TOKENS_PER_PARAMETER * (size if center else 1.0)
        trained = list(durations) if durations else lengths(shape, shown, architecture)
        for count in range(points, min(points, FEWEST_VALUES) - 1, -1):
            try:
                return design_star(
                    shape,
                    architecture,
                    trained,
                    arms=arms,
                    points=count,
                    ratio=ratio,
                    flops_convention=flops_convention,
                )
            except ShapeplanError as error:
                # Only a centre too small for its arms, or durations too short to differ, are mended by another size.
                if points < 1 or error.details[0].code not in ("bad-points", "bad-durations"):
                    raise
        return None

    return largest_within(budget, star, "star", "`center`", flops_convention)
