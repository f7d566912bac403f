"""The star to train: a large centre, and arms that vary one dimension each, well below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

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
from shapeplan.sweeps.star import FEW_VALUES, FEWEST_VALUES

PAPER_POINTS, PAPER_RATIO = 6, 1.25
FEWEST_DURATIONS = 2
_NEAR = 0.9
"""Share of the centre above which a value of an arm is no longer well below it; the paper's reach 0.5 to 0.84."""


def design_star(
    center: Mapping[str, float],
    architecture: Architecture,
    durations: Sequence[float],
    *,
    arms: Mapping[str, Sequence[float]] | None = None,
    points: int = PAPER_POINTS,
    ratio: float = PAPER_RATIO,
    flops_convention: Convention = "forward",
) -> Design:
    """Lay out a star sweep (arXiv:2305.13035, section 3.1).

    Parameters
    ----------
    center : mapping of str to float
        The large shape that the arms leave.
    architecture : Architecture
        Everything that is not shape.
    durations : sequence of float
        Examples to train every shape on, at least two.
    arms : mapping of str to sequence of float, optional
        Values of a dimension, in place of those spaced by `ratio`.
    points : int
        Values on an arm.
    ratio : float
        Of neighbouring values; the largest is the centre over it.
    flops_convention : {"forward", "training"}
        What the compute column counts.

    Returns
    -------
    Design
        The centre first, then the arms; every row is a run of its own, trained to its end.

    Raises
    ------
    ArgumentError
        If an arm has fewer than three values, or a number makes no sense.
    InputError
        If the architecture does not give one of the shapes, as where heads do not divide its width.
    """
    ratio = check_ratio(ratio)
    check_dims("the centre", center, architecture)
    given = dict(arms or {})
    if unknown := sorted(set(given) - set(center)):
        message = f"there is an arm of {', '.join(unknown)}, which the centre has not"
        raise ArgumentError(ErrorDetail("bad-arm", message, f"the centre has {', '.join(center)}"))
    lengths = check_durations(durations, FEWEST_DURATIONS)
    values = {
        dim: _given(dim, given[dim]) if dim in given else _spaced(dim, size, points, ratio, architecture)
        for dim, size in center.items()
    }
    whole = {dim: int(size) for dim, size in center.items()}
    shapes = [("center", whole)] + [
        (f"{dim}-{value}", {**whole, dim: value}) for dim, arm in values.items() for value in arm
    ]
    if len(shapes) * len(lengths) > MOST_RUNS:
        message = f"the star has {len(shapes) * len(lengths)} runs, more than {MOST_RUNS}"
        raise ArgumentError(ErrorDetail("bad-points", message, "ask for fewer points or durations"))
    entries = [Entry(run_name(name, n), shape, n) for name, shape in shapes for n in lengths]
    runs = planned(entries, architecture, flops_convention)
    runs = replace(runs, center={dim: float(size) for dim, size in whole.items()})
    return Design(runs, "star", cautions=tuple(_doubts(whole, values)))


def _given(dim: str, values: Sequence[float]) -> list[int]:
    wrong = [value for value in values if value < 1 or value != round(value)]
    if wrong or len(set(values)) < len(values):
        why = f"has the value {wrong[0]:g}" if wrong else "has a value twice"
        raise ArgumentError(ErrorDetail("bad-arm", f"the {dim} arm {why}", "give whole numbers, each once"))
    return _enough(dim, sorted(int(value) for value in values))


def _spaced(dim: str, center: float, points: int, ratio: float, cost: Architecture) -> list[int]:
    """Return the values of an arm below the centre, ever a ratio apart."""
    if not 1 <= points <= MOST_POINTS:
        raise ArgumentError(
            ErrorDetail("bad-points", f"{points} points is out of range", f"give up to {MOST_POINTS}; the paper has 6")
        )
    values = spaced(center * ratio**-points, ratio, points, step_of(dim, cost))
    distinct = sorted(value for value in set(values) if value < center)
    if len(distinct) < min(points, len(values)):
        message = f"below {center:g} there is room for {len(distinct)} values of {dim} with a ratio of {ratio:g}"
        raise ArgumentError(ErrorDetail("bad-points", message, "use a larger centre, a larger ratio, or fewer points"))
    return _enough(dim, distinct)


def _enough(dim: str, values: list[int]) -> list[int]:
    if len(values) < FEWEST_VALUES:
        message = f"an arm of {len(values)} {dim} value{'s' if len(values) != 1 else ''} shows no law"
        raise ArgumentError(ErrorDetail("bad-arm", message, f"give {FEWEST_VALUES} values or more; the paper has six"))
    return values


def _doubts(center: Mapping[str, int], arms: Mapping[str, Sequence[int]]) -> list[Caution]:
    """Return cautions where the star breaks the paper's rules."""
    cautions = []
    for dim, values in arms.items():
        top = max(values) / center[dim]
        if top >= 1:
            message = f"the {dim} arm reaches {max(values)}, not below the centre's {center[dim]}"
            hint = "use a larger centre: the other arms may be held back by a dimension that is too small"
            cautions.append(Caution(codes.CENTER_BOTTLENECK, message, hint))
        elif top > _NEAR:
            message = f"the {dim} arm reaches {top:.0%} of the centre"
            cautions.append(
                Caution(
                    codes.CLOSE_TO_CENTER,
                    message,
                    "keep values well below it: the largest of the paper's arms are at 50% to 84%",
                )
            )
        cautions += spacing_cautions(f"the {dim} arm", values)
        if len(values) < FEW_VALUES:
            message = f"the {dim} arm has {len(values)} values besides the centre"
            hint = f"the paper uses six; add values of {dim} for narrower intervals"
            cautions.append(Caution(codes.TOO_FEW_RUNS, message, hint))
    return cautions
