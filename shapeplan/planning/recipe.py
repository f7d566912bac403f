"""The method ``scale``, the paper's recipe: a good small shape, every dimension scaled by its own exponent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import numpy as np

from shapeplan.errors import ArgumentError, ErrorDetail, PlanError
from shapeplan.fitting.records import Estimate
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.laws.product import joint_growth
from shapeplan.numerics.arrays import Floats
from shapeplan.sweeps.grid import Start

_SUM_TOLERANCE = 1e-3
WEIGHTS = ("equal", "implied")


@frozen
class Recipe:
    """``x_k = x0_k tau^(w_k s_k)`` with tau = t / t0 (arXiv:2305.13035, section 3.3).

    Attributes
    ----------
    start : Start
        x0 and t0.
    weights : mapping of str to float
        w_k.
    growth : mapping of str to Estimate
        w_k s_k; of a dimension that is kept in proportion to another, that of the other times the power between them.
    """

    start: Start
    weights: Mapping[str, float]
    growth: Mapping[str, Estimate]

    name = "scale"

    @classmethod
    def of(cls, fit: Fit, start: Start, weights: Mapping[str, float] | str | None = None) -> Self:
        """Return the recipe of a fit.

        Parameters
        ----------
        fit : Fit
            Where s_k come from.
        start : Start
            x0 and t0.
        weights : str or mapping of str to float, optional
            ``equal`` for 1/D each (the paper's); ``implied`` for S_k / s_k, with which every dimension grows as that of
            the best shape does (they need not sum to one); or one weight a dimension, of sum one. By default implied,
            which loses less (tests/studies/regret.py), and equal where the law implies none.

        Raises
        ------
        ArgumentError
            If the weights are of other dimensions, negative, or their sum is not one.
        PlanError
            If the law implies no weights.
        """
        if isinstance(weights, str) and weights not in WEIGHTS:
            hint = "write equal, implied, or e.g. " + ",".join(f"{dim}={1 / len(fit.dims):.2g}" for dim in fit.dims)
            raise ArgumentError(ErrorDetail("bad-weights", f"{weights!r} are no weights", hint, value=weights))
        recipe = cls._scaling(fit, start, weights)
        growth = {dim: _times(recipe.growth[tie.to], tie.power) for dim, tie in fit.dimensions.kept.items()}
        return replace(recipe, growth={**recipe.growth, **growth})

    @classmethod
    def _scaling(cls, fit: Fit, start: Start, weights: Mapping[str, float] | str | None) -> Self:
        """Return the recipe whose dimensions all grow by exponents of their own."""
        alone = {dim: fit.scaling_exponents[dim] for dim in fit.dims}
        if weights is None or weights == "implied":
            growth = _best_growth(fit)
            implied = {
                dim: growth[dim].value / (s.value or math.nan) if dim in growth else math.nan
                for dim, s in alone.items()
            }
            if all(map(math.isfinite, implied.values())):
                return cls(start, implied, growth)
            if weights is not None:
                message = f"the law {fit.law.form.name!r} implies no weights: it does not say how the best shape grows"
                raise PlanError(ErrorDetail("no-weights", message, "write `weights=equal`"))
        if isinstance(weights, Mapping):
            given = _checked(weights, fit.dims)
        else:
            given = {dim: 1 / len(fit.dims) for dim in fit.dims}
        return cls(start, given, {dim: _times(s, given[dim]) for dim, s in alone.items()})

    def shapes(self, flops: Floats) -> dict[str, Floats]:
        """Return the value of every free dimension, shape (budgets,) each."""
        return {dim: self._scaled(dim, flops, growth.value) for dim, growth in self.growth.items()}

    def intervals(self, flops: Floats, shapes: Mapping[str, Floats]) -> dict[str, tuple[Floats, Floats]] | None:
        """Return the interval of every free dimension that follows from that of its growth; the start is held fixed."""
        ends = {}
        for dim, growth in self.growth.items():
            if growth.ci is None:
                return None
            one, other = (self._scaled(dim, flops, end) for end in growth.ci)
            ends[dim] = np.minimum(one, other), np.maximum(one, other)
        return ends

    def _scaled(self, dim: str, flops: Floats, growth: float) -> Floats:
        with np.errstate(over="ignore"):
            return np.asarray(self.start.shape[dim] * np.power(flops / self.start.flops, growth))


def _checked(weights: Mapping[str, float], dims: tuple[str, ...]) -> dict[str, float]:
    """Return weights of these dimensions that sum to one."""
    if set(weights) != set(dims):
        wrong = sorted(set(weights) ^ set(dims))
        message = f"the weights and the law differ in {', '.join(wrong)}"
        raise ArgumentError(ErrorDetail("bad-weights", message, f"weigh {', '.join(dims)}"))
    total = sum(weights.values())
    if min(weights.values()) < 0 or abs(total - 1) > _SUM_TOLERANCE:
        said = ", ".join(f"{dim}={weight:g}" for dim, weight in weights.items())
        message = f"the weights {said} sum to {total:g}"
        raise ArgumentError(ErrorDetail("bad-weights", message, "weights are not negative and sum to 1"))
    return {dim: weights[dim] / total for dim in dims}


def _best_growth(fit: Fit) -> Mapping[str, Estimate]:
    """Return S_k of the law, or on a star that of the law `product` with the same a_k, b_k and c."""
    if fit.law.form.joint or not fit.law.has_loss:
        return {dim: growth for dim, growth in fit.growth_exponents.items() if dim in fit.dims}

    draws = joint_growth(fit.dims, fit.bootstrap.draws) if fit.bootstrap.draws else {}
    defined = np.all([np.isfinite(s) for s in fit.bootstrap.exponents.values()], axis=0)
    return {
        dim: Estimate(float(value), fit.bootstrap.interval(draws[dim][defined], float(value)) if draws else None)
        for dim, value in joint_growth(fit.dims, fit.law.arrays()).items()
    }


def _times(estimate: Estimate, factor: float) -> Estimate:
    ci = None if estimate.ci is None else (factor * estimate.ci[0], factor * estimate.ci[1])
    return Estimate(factor * estimate.value, ci)
