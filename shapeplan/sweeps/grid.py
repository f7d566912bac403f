"""The grid stage: a small shape on the Pareto front, inside the grid, and the least compute it is best at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from shapeplan import codes
from shapeplan.bounds import bound_of
from shapeplan.errors import ArgumentError, Caution, ErrorDetail
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, Index
from shapeplan.numerics.grouping import group_alike, is_function
from shapeplan.numerics.pareto import front_rows
from shapeplan.quantities import LARGEST_FLOPS, format_flops

if TYPE_CHECKING:
    # Plans need no log.
    from shapeplan.runs import Runs

FEWEST_VALUES = 3
"""Values of a dimension below which a grid has no inside."""
START_CODES = frozenset({"no-start", "grid-boundary", "grid-one-duration"})
"""Warnings about a starting point that was looked for in a grid."""


@frozen
class Start:
    """The starting point of the recipe: x0 and t0.

    Attributes
    ----------
    shape : mapping of str to float
        x0.
    flops : float
        t0, in the convention of the law.
    source : str
        Where it comes from.
    """

    shape: Mapping[str, float]
    flops: float
    source: str


def check_start(start: Start) -> None:
    """Raise `ArgumentError` on a starting point that cannot be."""
    wrong = [dim for dim, size in start.shape.items() if not bound_of(dim).holds(size)]
    if wrong or not 1 <= start.flops <= LARGEST_FLOPS:
        what = ", ".join(f"{dim} {start.shape[dim]:g}" for dim in wrong) or f"{start.flops:g} FLOPs"
        hint = f"give {wrong[0]} {bound_of(wrong[0])}" if wrong else f"give 1 to {LARGEST_FLOPS:g} FLOPs"
        raise ArgumentError(ErrorDetail("bad-start", f"a start with {what} is invalid", hint))


@frozen
class FrontSegment:
    """A shape with the range of compute over which no row with as little compute is better.

    Attributes
    ----------
    shape : ndarray, shape (dims,)
        The shape.
    first, last : float
        Least compute of the range, and its end: where the next shape takes over, or the most compute of the grid.
    loss : float
        Its loss at `first`.
    """

    shape: Floats
    first: float
    last: float
    loss: float

    @property
    def decades(self) -> float:
        """Length of the range in powers of ten."""
        return float(np.log10(self.last / self.first))


def pareto_front(shapes: Floats, flops: Floats, loss: Floats) -> list[FrontSegment]:
    """Return the Pareto front of loss against compute, rows of one shape in a row merged, in order of compute.

    Parameters
    ----------
    shapes : ndarray, shape (rows, dims)
        Shapes.
    flops, loss : ndarray, shape (rows,)
        Compute and loss.
    """
    steps = front_rows(flops, loss).tolist()
    segments: list[FrontSegment] = []
    for at, i in enumerate(steps):
        end = float(flops[steps[at + 1]]) if at + 1 < len(steps) else float(flops.max())
        if segments and np.array_equal(segments[-1].shape, shapes[i]):
            previous = segments[-1]
            segments[-1] = FrontSegment(previous.shape, previous.first, end, previous.loss)
        else:
            segments.append(FrontSegment(shapes[i], float(flops[i]), end, float(loss[i])))
    return segments


def find_start(runs: Runs, dims: Sequence[str], rows: Index) -> tuple[Start | None, tuple[Caution, ...]]:
    """Choose x0 and t0 from the rows of a grid, as the paper does.

    Of the shapes on the Pareto front that lie strictly inside the grid in every dimension, the one that is best over
    the longest range of compute; t0 is the least compute of that range (PAPER, procedure step 2).

    Parameters
    ----------
    runs : Runs
        The log.
    dims : sequence of str
        The dimensions of the law.
    rows : ndarray of int
        The rows of the grid.

    Returns
    -------
    start : Start or None
        None where the rows form no grid.
    cautions : tuple of Caution
        ``no-start`` without a grid, ``grid-boundary`` where no shape of the front is inside, and ``grid-one-duration``
        where no shape is logged at two points of training, so that its range of compute is not seen.
    """
    # Of a log that is a grid alone nothing is copied.
    alone = len(rows) == len(runs) and tuple(dims) == runs.dims
    taken: Index | slice = slice(None) if alone else rows
    flops = runs.flops[taken]
    shapes = runs.shape if alone else np.column_stack([runs.values(dim)[taken] for dim in dims])
    distinct = runs.distinct_shapes(dims) if alone else np.unique(shapes, axis=0)
    columns = dict(zip(dims, map(np.unique, distinct.T), strict=True))
    thin = [dim for dim in dims if len(columns[dim]) < FEWEST_VALUES]
    if not len(rows) or thin:
        why = f"no grid varies {', '.join(thin)}" if len(rows) else "the log has no grid besides the star"
        example = f"`start={','.join(f'{dim}=...' for dim in dims)}@FLOPS`"
        hint = (
            "train a small grid (three values or more a dimension), or give the best shape at a small compute, where "
            f"you know one, as {example}"
        )
        return None, (Caution(codes.NO_START, f"no starting point: {why}", hint),)
    front = pareto_front(shapes, flops, runs.observed()[taken])
    inside = [segment for segment in front if not _on_boundary(segment.shape, columns)]
    chosen = max(inside or front, key=lambda segment: segment.decades)
    span = f"{format_flops(chosen.first)} to {format_flops(chosen.last)}"
    start = Start(dict(zip(dims, map(float, chosen.shape), strict=True)), chosen.first, f"grid, best over {span} FLOPs")
    cautions: tuple[Caution, ...] = ()
    if is_function(flops, runs.shape_groups if alone else group_alike(*shapes.T)):
        message = "every shape of the grid is logged at one duration, so t0 is what x0 cost there, not where it is best"
        hint = "log points of training along the grid runs; if x0 is best at less compute, plans come out too small"
        cautions = (Caution(codes.GRID_ONE_DURATION, message, hint),)
    if inside:
        return start, cautions
    additions = _on_boundary(chosen.shape, columns)
    where = ", ".join(f"{dim} {chosen.shape[list(dims).index(dim)]:g}" for dim in additions)
    add = "; ".join(f"{dim} {', '.join(f'{value:g}' for value in values)}" for dim, values in additions.items())
    message = f"no shape of the Pareto front is inside the grid; the start is on its edge ({where})"
    return start, (Caution(codes.GRID_BOUNDARY, message, f"extend the grid by {add}"), *cautions)


def _on_boundary(shape: Floats, columns: Mapping[str, Floats]) -> dict[str, list[float]]:
    """Return, for every dimension in which the shape is at the edge, the two values that would extend the grid."""
    additions = {}
    for value, (dim, values) in zip(shape, columns.items(), strict=True):
        if values[0] < value < values[-1]:
            continue
        ratio = float(np.exp(np.mean(np.diff(np.log(values)))))
        factor = ratio if value == values[-1] else 1 / ratio
        step = 16 if (values % 16 == 0).all() else 1
        proposed = [max(step, step * round(min(value * factor**i, bound_of(dim).most) / step)) for i in (1, 2)]
        additions[dim] = sorted({float(new) for new in proposed if new != value} or {float(value + step)})
    return additions
