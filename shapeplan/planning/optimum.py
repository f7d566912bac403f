"""The method ``optimum``: the shape of least loss under the law, within the trust region around the trained shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, central_interval
from shapeplan.planning.constraints import Constraints

KNOTS = 25
"""Budgets at which what takes long is computed; between more of them it is interpolated in the logarithms."""
LIMITED_DRAWS = 200
"""Draws behind intervals of a shape with limits, which take ten times as long."""


@frozen
class Optimum:
    """Least loss under a law.

    Attributes
    ----------
    fit : Fit
        With a law that predicts loss.
    asked : Constraints
        What the shape must keep.
    """

    fit: Fit
    asked: Constraints

    name = "optimum"

    @cached_property
    def rivals(self) -> tuple[Optimum, ...]:
        """The same under every rival law that tells a loss."""
        others = (self.fit.under(rival) for rival in self.fit.rivals)
        return tuple(replace(self, fit=other) for other in others if other.knows_loss)

    def shapes(self, flops: Floats) -> dict[str, Floats]:
        """Return the best value of every free dimension, shape (budgets,) each; NaN where no shape keeps the limits."""
        return self.under(self.fit.law.arrays(), flops)

    def under(
        self, constants: Mapping[str, Floats], flops: Floats, near: Mapping[str, Floats] | None = None
    ) -> dict[str, Floats]:
        """Return the best shapes under other constants, such as draws; `near` shapes that are best under like ones."""
        return self.fit.best_shapes(constants, flops, self.asked.bounds(self.fit), self.asked.limits, near)

    def losses(
        self, shape: Mapping[str, Floats], flops: Floats, constants: Mapping[str, Floats] | None = None
    ) -> Floats:
        """Return the loss of shapes at budgets, NaN where a shape is undefined or leaves nothing for training."""
        defined = np.isfinite(np.sum([shape[dim] for dim in self.fit.dims], axis=0))
        known = {dim: np.where(defined, values, 1.0) for dim, values in shape.items()}
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            variables = self.variables(known, flops)
            law = self.fit.law
            loss = law.loss(**variables) if constants is None else law.loss_under(constants, **variables)
        return np.where(defined, loss, np.nan)

    def variables(self, shape: Mapping[str, Floats], flops: Floats) -> dict[str, Floats]:
        """Return the variables of the law at shapes and budgets, of which serving takes its part and repeats theirs."""
        return self.fit.variables(shape, self.fresh_flops(shape, flops))

    def spent(self, shape: Mapping[str, Floats], flops: Floats) -> Floats:
        """Return the compute of budgets that training and serving take."""
        limits = self.asked.limits
        if not limits.bind_cost:
            return np.asarray(flops, dtype=float)
        each = self.fit.cost_model.flops_per_example(shape)
        return np.minimum(flops, limits.training_flops(flops, each) + limits.serving_flops(each))

    def fresh_flops(self, shape: Mapping[str, Floats], flops: Floats) -> Floats:
        """Return the compute, on examples that are not repeated, that is worth what is left for training."""
        if not self.asked.limits.bind_cost:
            return np.asarray(flops, dtype=float)
        return self.asked.limits.fresh_flops(np.asarray(flops), self.fit.cost_model.flops_per_example(shape))

    def intervals(self, flops: Floats, shapes: Mapping[str, Floats]) -> dict[str, tuple[Floats, Floats]] | None:
        """Return the ends of the interval of every free dimension, shape (budgets,) each; None without draws.

        `shapes` are the best at the budgets: draws are searched from there.
        """
        draws = self.draws()
        if not draws:
            return None
        knots = knots_of(flops)
        count = len(next(iter(draws.values())))
        tiled = {name: np.tile(values, len(knots)) for name, values in draws.items()}
        best_at_knots = shapes if len(knots) == len(flops) else self.shapes(knots)
        near = {dim: np.repeat(values, count) for dim, values in best_at_knots.items()}
        best = self.under(tiled, np.repeat(knots, count), near)
        intervals = {}
        for dim, values in best.items():
            logs = np.log(values).reshape(len(knots), count).T
            # A draw under which no shape keeps the limits gives no shape.
            ends = central_interval(logs[np.isfinite(logs).all(axis=1)], self.fit.bootstrap.level)
            low, high = (np.exp(between_knots(end, knots, flops)) for end in ends)
            intervals[dim] = (np.fmin(low, shapes[dim]), np.fmax(high, shapes[dim]))
        return intervals

    def draws(self) -> dict[str, Floats]:
        """Return the draws that intervals rest on."""
        draws = dict(self.fit.bootstrap.draws)
        return {name: values[:LIMITED_DRAWS] for name, values in draws.items()} if self.asked.limits.any else draws

    def at_edge(self, shape: Mapping[str, float]) -> list[str]:
        """Return the dimensions of a shape that are at the edge of the trust region."""
        return [dim for dim in self.fit.at_edge(shape, self.asked.trust) if dim not in self.asked.held]


def knots_of(flops: Floats) -> Floats:
    """Return the budgets at which what takes long is computed: all of few, or an even scatter over many."""
    return flops if len(flops) <= KNOTS else np.geomspace(flops.min(), flops.max(), KNOTS)


def between_knots(values: Floats, knots: Floats, flops: Floats) -> Floats:
    """Return values at budgets from those at the knots, by lines in the logarithm of compute."""
    return values if len(knots) == len(flops) else np.interp(np.log(flops), np.log(knots), values)
