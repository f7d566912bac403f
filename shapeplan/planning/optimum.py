"""The method ``optimum``: the shape of least loss under the law, within the trust region around the trained shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shapeplan.arrays import Floats, central_interval
from shapeplan.fitting.optimum import best_shape, trust_region
from shapeplan.fitting.result import Fit

KNOTS = 25
"""Budgets for which intervals are computed; between more of them they are interpolated in the logarithms."""
_EDGE = 1e-6


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

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """Where the shape is looked for."""
        return trust_region({dim: self.fit.shape_range[dim] for dim in self.fit.dims})

    def shapes(self, flops: Floats) -> dict[str, Floats]:
        """Return the best value of every free dimension, shape (budgets,) each."""
        constants = {name: np.asarray([value]) for name, value in self.fit.law.constants.items()}
        return best_shape(self.fit.law.form, self.fit.law.units, constants, flops, self.fit.surroundings, self.bounds)

    def intervals(self, flops: Floats) -> dict[str, tuple[Floats, Floats]] | None:
        """Return the ends of the interval of every free dimension, shape (budgets,) each; None without draws."""
        draws = self.fit.bootstrap.draws
        if not draws:
            return None
        knots = flops if len(flops) <= KNOTS else np.geomspace(flops.min(), flops.max(), KNOTS)
        count = len(next(iter(draws.values())))
        tiled = {name: np.tile(values, len(knots)) for name, values in draws.items()}
        law, bounds = self.fit.law, self.bounds
        best = best_shape(law.form, law.units, tiled, np.repeat(knots, count), self.fit.surroundings, bounds)
        intervals = {}
        for dim, values in best.items():
            low, high = central_interval(np.log(values).reshape(len(knots), count).T, self.fit.bootstrap.level)
            if len(knots) < len(flops):
                low, high = (np.interp(np.log(flops), np.log(knots), end) for end in (low, high))
            intervals[dim] = (np.exp(low), np.exp(high))
        return intervals

    def at_edge(self, shape: dict[str, float]) -> list[str]:
        """Return the dimensions of a shape that are at the edge of the trust region."""
        return [
            dim for dim, (low, high) in self.bounds.items() if not low * (1 + _EDGE) < shape[dim] < high * (1 - _EDGE)
        ]
