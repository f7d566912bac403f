"""What turns budgets into shapes: the optimum of the law, or the paper's recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from shapeplan.numerics.arrays import Floats


class Planner(Protocol):
    """A method of planning; `Optimum` and `Recipe` are the two."""

    @property
    def name(self) -> str:
        """The name that users write after ``method``."""

    def shapes(self, flops: Floats) -> dict[str, Floats]:
        """Return the value of every free dimension, shape (budgets,) each; NaN where there is no shape."""

    def intervals(self, flops: Floats, shapes: Mapping[str, Floats]) -> dict[str, tuple[Floats, Floats]] | None:
        """Return the ends of the interval of every free dimension, shape (budgets,) each; None without draws.

        `shapes` are those that it gives for the budgets.
        """
