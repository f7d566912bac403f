"""The grid to train: small shapes around one, so that the best of them lies inside."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from shapeplan import codes
from shapeplan.architectures import Architecture
from shapeplan.design.layout import (
    MOST_POINTS,
    MOST_RUNS,
    Design,
    Entry,
    check_dims,
    check_durations,
    check_ratio,
    planned,
    run_name,
    spaced,
    spacing_cautions,
    step_of,
)
from shapeplan.errors import ArgumentError, Caution, ErrorDetail
from shapeplan.quantities import Convention

PAPER_POINTS, PAPER_RATIO = 4, 1.2
FEWEST_POINTS = 3
"""Values of a dimension below which nothing is inside."""
_SHOWN = 6


def design_grid(
    around: Mapping[str, float],
    architecture: Architecture,
    durations: Sequence[float],
    *,
    values: Mapping[str, Sequence[float]] | None = None,
    points: int = PAPER_POINTS,
    ratio: float = PAPER_RATIO,
    flops_convention: Convention = "forward",
) -> Design:
    """Lay out a grid sweep (arXiv:2305.13035, section 3.3).

    Parameters
    ----------
    around : mapping of str to float
        The small shape that is expected to be best; it lies inside in every dimension.
    architecture : Architecture
        Everything that is not shape.
    durations : sequence of float
        Examples to train every shape on; with two or more it is seen from which compute on a shape is best.
    values : mapping of str to sequence of float, optional
        Values of a dimension, in place of those spaced by `ratio`.
    points : int
        Values a dimension.
    ratio : float
        Of neighbouring values.
    flops_convention : {"forward", "training"}
        What the compute column counts.

    Returns
    -------
    Design
        All combinations; its `boundary` names the shapes that only keep the others inside.

    Raises
    ------
    ArgumentError
        If a dimension has fewer than three values, or a number makes no sense.
    InputError
        If the architecture does not give one of the shapes.
    """
    ratio = check_ratio(ratio)
    check_dims("the shape", around, architecture)
    lengths = check_durations(durations, 1)
    if unknown := sorted(set(values or {}) - set(around)):
        message = f"there are values of {', '.join(unknown)}, which the shape has not"
        raise ArgumentError(ErrorDetail("bad-values", message, f"it has {', '.join(around)}"))
    axes = {}
    for dim, size in around.items():
        given = (values or {}).get(dim)
        axis = sorted(map(int, given)) if given else _axis(dim, size, points, ratio, architecture)
        if len(set(axis)) < len(axis) or len(axis) < FEWEST_POINTS or axis[0] < 1:
            said = ", ".join(map(str, axis[:_SHOWN])) + (" ..." if len(axis) > _SHOWN else "")
            why = (
                "some are the same" if len(set(axis)) < len(axis) else f"{FEWEST_POINTS} or more are needed, from 1 on"
            )
            hint = "use a larger shape, another ratio, or another number of points"
            raise ArgumentError(ErrorDetail("bad-values", f"{dim} would have the values {said}: {why}", hint))
        axes[dim] = axis
    count = len(lengths)
    for axis in axes.values():
        count *= len(axis)
    if count > MOST_RUNS:
        message = f"the grid has {count} runs, more than {MOST_RUNS}"
        raise ArgumentError(ErrorDetail("bad-points", message, "ask for fewer points or durations"))
    entries, boundary = [], []
    for sizes in itertools.product(*axes.values()):
        shape = dict(zip(axes, sizes, strict=True))
        name = "grid-" + "-".join(map(str, sizes))
        if any(size in (axes[dim][0], axes[dim][-1]) for dim, size in shape.items()):
            boundary.append(name)
        entries += [Entry(run_name(name, n), shape, n) for n in lengths]
    cautions = tuple(caution for dim, axis in axes.items() for caution in spacing_cautions(f"the {dim} axis", axis))
    if len(lengths) == 1:
        message = "the grid is trained for one duration, so it will not show from which compute on a shape is best"
        hint = "give two durations or more, e.g. 150M,300M,600M"
        cautions = (*cautions, Caution(codes.GRID_ONE_DURATION, message, hint))
    return Design(planned(entries, architecture, flops_convention), "grid", tuple(boundary), cautions)


def _axis(dim: str, size: float, points: int, ratio: float, cost: Architecture) -> list[int]:
    """Return values around a size, as many below as above, so that it is inside."""
    if not FEWEST_POINTS <= points <= MOST_POINTS:
        hint = f"give {FEWEST_POINTS} to {MOST_POINTS}: the best of fewer is on the edge"
        raise ArgumentError(ErrorDetail("bad-points", f"{points} points is out of range", hint))
    return spaced(size * ratio ** -((points - 1) / 2), ratio, points, step_of(dim, cost))
