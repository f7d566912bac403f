"""Which dimensions of a log a law can have: those that vary, and vary apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from shapeplan import codes
from shapeplan.architectures.base import WHOLE_DIMS
from shapeplan.bounds import bound_of
from shapeplan.errors import Caution
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.provenance import DroppedRow

if TYPE_CHECKING:
    # Plans need no log.
    from shapeplan.runs import Runs

Size = TypeVar("Size", float, Floats)

TIED_CORRELATION = 0.99
"""Two dimensions whose logarithms correlate more than this over the shapes never move apart."""
_FEWEST_SHAPES = 3
_PROPORTIONAL = 0.05
"""Powers as near to 1 as this are 1: sizes are rounded."""


@frozen
class Tie:
    """A dimension that follows another: ``value = ratio * to ** power``."""

    to: str
    ratio: float
    power: float = 1.0

    def __str__(self) -> str:
        """Return ``4 width`` or ``0.3 width^0.5``."""
        return f"{self.ratio:.3g} {self.to}" + ("" if self.power == 1 else f"^{self.power:.2g}")

    def of(self, leader: Size) -> Size:
        """Return what follows from values of the other dimension."""
        follower: Size = self.ratio * leader**self.power
        return follower

    def leader(self, value: float) -> float:
        """Return the value of the other dimension that this one follows from."""
        return float((value / self.ratio) ** (1 / self.power))


@frozen
class Dimensions:
    """The dimensions of a log, sorted by what a law can say of them.

    Attributes
    ----------
    free : tuple of str
        Those the law is about.
    tied : mapping of str to Tie
        Those that follow one of the free.
    fixed : mapping of str to float
        Those that never vary.
    kept : mapping of str to Tie
        Those of the free whose best size the log does not tell: plans keep them in proportion to another.
    """

    free: tuple[str, ...]
    tied: Mapping[str, Tie]
    fixed: Mapping[str, float]
    kept: Mapping[str, Tie] = field(default_factory=dict)

    @property
    def every(self) -> tuple[str, ...]:
        """All dimensions: those that are free, those that follow, and those that never vary."""
        return (*self.free, *self.tied, *self.fixed)

    def complete(self, shape: Mapping[str, Size]) -> dict[str, Size | float]:
        """Return the whole shape that belongs to values, or arrays of them, of the free dimensions."""
        whole: dict[str, Size | float] = dict(shape)
        whole.update({dim: tie.of(shape[tie.to]) for dim, tie in self.tied.items()})
        whole.update(self.fixed)
        return whole


def wrong_size(dim: str, size: float) -> str | None:
    """Return how a dimension is to be given if it cannot have this size: those of a shape are whole numbers."""
    bound = bound_of(dim)
    if dim in WHOLE_DIMS and not (1 <= size <= bound.most and size == round(size)):
        return f"give a whole number from 1 to {bound.most:g}"
    return None if bound.holds(size) else f"give a number {bound}"


def hold_two_valued(runs: Runs) -> Runs:
    """Return the rows at one value of every dimension that has two, where another one has enough for a law.

    No law can tell how a loss depends on a dimension from two values. The value with the most rows is kept, of equals
    the larger one; the other rows are recorded as left out.
    """
    while held := _two_valued(runs):
        values = runs.values(held)
        sizes, counts = np.unique(values, return_counts=True)
        kept = float(sizes[counts == counts.max()][-1])
        other = float(sizes[sizes != kept][0])
        reason = f"{held} is {other:g}, one of two values"
        left = np.flatnonzero(values != kept).tolist()
        dropped = tuple(DroppedRow(int(runs.lines[i]), reason, runs.file_of(i)) for i in left)
        message = (
            f"{held} has two values, of which no law can be fitted: the {len(runs) - len(left)} rows at {kept:g} are"
        )
        hint = f"train a third {held}, or fit the {len(left)} others with `where='{held}={other:g}'`"
        cautions = (*runs.cautions, Caution(codes.TWO_VALUES, message, hint))
        runs = replace(runs.take(values == kept), dropped=(*runs.dropped, *dropped), cautions=cautions)
    return runs


def _two_valued(runs: Runs) -> str | None:
    """Return a dimension of two values beside one of more."""
    counts = {dim: len(runs.distinct_shapes([dim])) for dim in runs.dims}
    if max(counts.values(), default=0) < _FEWEST_SHAPES:
        return None
    return next((dim for dim, count in counts.items() if count == _FEWEST_SHAPES - 1), None)


def find_dimensions(runs: Runs) -> tuple[Dimensions, tuple[Caution, ...]]:
    """Sort the dimensions of a log into free, tied and fixed, with a caution for each that is not free.

    A tie is the line through the logarithms of the distinct shapes; nearly proportional dimensions are proportional.
    """
    if not runs.dims:
        return Dimensions((), {}, {}), ()
    shapes = runs.distinct_shapes(runs.dims)
    free: list[str] = []
    tied: dict[str, Tie] = {}
    fixed: dict[str, float] = {}
    cautions: list[Caution] = []
    for i, dim in enumerate(runs.dims):
        column = np.log(shapes[:, i])
        if np.ptp(column) == 0:
            fixed[dim] = float(shapes[0, i])
            hint = f"the law does not depend on {dim}; vary it in the sweep if it matters"
            cautions.append(Caution(codes.NOT_VARIED, f"{dim} is {fixed[dim]:g} in every row", hint))
            continue
        partner = next((other for other in free if _move_together(shapes, i, runs.dims.index(other))), None)
        if partner is None:
            free.append(dim)
            continue
        leader = shapes[:, runs.dims.index(partner)]
        tied[dim] = tie_between(partner, leader, shapes[:, i])
        ratios = shapes[:, i] / leader
        low, high = float(ratios.min()), float(ratios.max())
        spread = f"{low:.3g}" if high / low < 1.001 else f"{low:.3g} to {high:.3g}"
        message = f"{dim} moves with {partner} ({dim} / {partner} is {spread})"
        if tied[dim].power != 1:
            message += f" as {tied[dim]}"
        hint = f"{partner} carries the law for both; vary {dim} on its own to learn its law"
        cautions.append(Caution(codes.TIED, message, hint))
    return Dimensions(tuple(free), tied, fixed), tuple(cautions)


def tie_between(to: str, leader: Floats, follower: Floats) -> Tie:
    """Return how a dimension follows another over distinct shapes, whose leader varies."""
    x, y = np.log(leader), np.log(follower)
    slope = float(np.cov(x, y, bias=True)[0, 1] / np.var(x))
    power = 1.0 if abs(slope - 1) <= _PROPORTIONAL else slope
    return Tie(to, float(np.exp(np.mean(y - power * x))), power)


def _move_together(shapes: np.ndarray[tuple[int, int], np.dtype[np.float64]], i: int, j: int) -> bool:
    pairs = np.unique(shapes[:, [i, j]], axis=0)
    if len(pairs) < _FEWEST_SHAPES:
        return len(pairs) < len(np.unique(pairs[:, 0])) + len(np.unique(pairs[:, 1])) - 1
    one, other = np.log(shapes[:, i]), np.log(shapes[:, j])
    return bool(np.ptp(other) > 0 and np.corrcoef(one, other)[0, 1] > TIED_CORRELATION)
