"""The method ``optimum``: the shape of least loss under the law, within the trust region around the trained shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shapeplan.arrays import Floats, central_interval
from shapeplan.fitting.optimum import at_edge
from shapeplan.fitting.result import Fit

KNOTS = 25
"""Budgets for which intervals are computed; between more of them they are interpolated in the logarithms."""


@dataclass(frozen=True)
class Optimum:
    """Least loss under a law.

    Attributes
    ----------
    fit : Fit
        With a law that predicts loss.
    """

    fit: Fit

    name = "optimum"

    def shapes(self, flops: Floats) -> dict[str, Floats]:
        """Return the best value of every free dimension, shape (budgets,) each."""
        return self.fit.best_shapes(self.fit.law.arrays(), flops)

    def intervals(self, flops: Floats) -> dict[str, tuple[Floats, Floats]] | None:
        """Return the ends of the interval of every free dimension, shape (budgets,) each; None without draws."""
        draws = self.fit.bootstrap.draws
        if not draws:
            return None
        knots = flops if len(flops) <= KNOTS else np.geomspace(flops.min(), flops.max(), KNOTS)
        count = len(next(iter(draws.values())))
        tiled = {name: np.tile(values, len(knots)) for name, values in draws.items()}
        best = self.fit.best_shapes(tiled, np.repeat(knots, count))
        intervals = {}
        for dim, values in best.items():
            low, high = central_interval(np.log(values).reshape(len(knots), count).T, self.fit.bootstrap.level)
            if len(knots) < len(flops):
                low, high = (np.interp(np.log(flops), np.log(knots), end) for end in (low, high))
            intervals[dim] = (np.exp(low), np.exp(high))
        return intervals

    def at_edge(self, shape: dict[str, float]) -> list[str]:
        """Return the dimensions of a shape that are at the edge of the trust region."""
        return [dim for dim, bounds in self.fit.bounds.items() if at_edge(np.asarray(shape[dim]), bounds)]
