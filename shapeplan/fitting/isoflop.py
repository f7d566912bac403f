"""IsoFLOP sweeps: budgets of compute, each with models of several sizes, and what their valleys tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from shapeplan.fitting.records import Estimate
from shapeplan.frozen import frozen
from shapeplan.quantities import format_flops

_SHOWN = 3
State = Literal["inside", "edge", "upside-down", "few"]


@frozen
class Valley:
    """A budget: models of several sizes, trained for the same compute.

    Attributes
    ----------
    flops : float
        Its compute: the geometric mean of its rows.
    sizes : int
        How many sizes it has.
    depth : float
        Largest loss over the least, less 1.
    state : {"inside", "edge", "upside-down", "few"}
        Whether the parabola has its minimum among the sizes, at their edge or beyond, none, or too few sizes near it.
    best : float or None
        Parameters at the minimum, where it is inside.
    error : float or None
        Standard error of the logarithm of `best`.
    """

    flops: float
    sizes: int
    depth: float
    state: State
    best: float | None = None
    error: float | None = None


def told(valleys: Sequence[Valley]) -> str:
    """Return some budgets with their states, for a message: the first few, and how many more."""
    named = ", ".join(f"{format_flops(valley.flops)} ({valley.state})" for valley in valleys[:_SHOWN])
    return f"{named} and {len(valleys) - _SHOWN} more" if len(valleys) > _SHOWN else named


@frozen
class IsoFlops:
    """An isoFLOP sweep.

    Attributes
    ----------
    valleys : tuple of Valley
        The budgets, in order of compute.
    growth : Estimate or None
        The exponent with which the best parameters grow with compute, by parabolas; None where fewer than three
        budgets have their minimum inside.
    """

    valleys: tuple[Valley, ...]
    growth: Estimate | None

    @property
    def inside(self) -> tuple[Valley, ...]:
        """The budgets whose minimum is among their sizes."""
        return tuple(valley for valley in self.valleys if valley.state == "inside")

    @property
    def flops_range(self) -> tuple[float, float]:
        """Compute of the first and the last of them; of all budgets where there are not two."""
        some = self.inside if len(self.inside) > 1 else self.valleys
        return some[0].flops, some[-1].flops
