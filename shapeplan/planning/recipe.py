"""The method ``scale``, the paper's recipe: a good small shape, every dimension scaled by its own exponent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shapeplan.arrays import Floats, Number, central_interval
from shapeplan.errors import ArgumentError, Complaint, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.sweeps.grid import Start

_SUM_TOLERANCE = 1e-3
WEIGHTS = ("equal", "implied")


@dataclass(frozen=True)
class Recipe:
    """``x_k = x0_k tau^(w_k s_k)`` with tau = t / t0 (arXiv:2305.13035, section 3.3).

    Attributes
    ----------
    fit : Fit
        Where s_k come from.
    start : Start
        x0 and t0.
    weights : mapping of str to float
        w_k.
    """

    fit: Fit
    start: Start
    weights: Mapping[str, float]

    name = "scale"

    def shapes(self, flops: Floats) -> dict[str, Floats]:
        """Return the value of every free dimension, shape (budgets,) each."""
        exponents = {dim: s.value for dim, s in self.fit.scaling_exponents.items()}
        return {dim: np.asarray(x) for dim, x in self._scale(flops, exponents).items()}

    def intervals(self, flops: Floats) -> dict[str, tuple[Floats, Floats]] | None:
        """Return the interval of every free dimension under the draws of s_k; the start is held fixed."""
        draws = self.fit.exponent_draws()
        if not draws:
            return None
        defined = {dim: values[~np.isnan(values)][:, None] for dim, values in draws.items()}
        scaled = self._scale(flops, defined)
        return {dim: central_interval(np.asarray(x), self.fit.bootstrap.level) for dim, x in scaled.items()}

    def _scale(self, flops: Floats, exponents: Mapping[str, Number]) -> dict[str, Number]:
        tau = flops / self.start.flops
        with np.errstate(over="ignore"):
            return {
                dim: x0 * np.power(tau, self.weights[dim] * np.asarray(exponents[dim]))
                for dim, x0 in self.start.shape.items()
            }


def default_weights(fit: Fit) -> dict[str, float]:
    """Return the weights that the law implies, which lose less (tests/studies/regret.py); else 1/D each."""
    try:
        return _implied(fit)
    except PlanError:
        return recipe_weights("equal", fit)


def recipe_weights(given: Mapping[str, float] | str, fit: Fit) -> dict[str, float]:
    """Return the weights of the recipe.

    Parameters
    ----------
    given : str or mapping of str to float
        ``equal`` for 1/D each (the paper's); ``implied`` for S_k / s_k, with which the recipe grows every dimension as
        the best shape does (they need not sum to one); or one weight a dimension, of sum one.
    fit : Fit
        The fit that is scaled by.

    Raises
    ------
    ArgumentError
        If the weights are of other dimensions, negative, or their sum is not one.
    PlanError
        If the law implies no weights.
    """
    dims = fit.dims
    if isinstance(given, str):
        if given not in WEIGHTS:
            hint = "write equal, implied, or e.g. " + ",".join(f"{dim}={1 / len(dims):.2g}" for dim in dims)
            raise ArgumentError(Complaint("bad-weights", f"{given!r} are no weights", hint, value=given))
        return {dim: 1 / len(dims) for dim in dims} if given == "equal" else _implied(fit)
    if set(given) != set(dims):
        wrong = sorted(set(given) ^ set(dims))
        message = f"the weights and the law differ in {', '.join(wrong)}"
        raise ArgumentError(Complaint("bad-weights", message, f"weigh {', '.join(dims)}"))
    total = sum(given.values())
    if min(given.values()) < 0 or abs(total - 1) > _SUM_TOLERANCE:
        said = ", ".join(f"{dim}={weight:g}" for dim, weight in given.items())
        message = f"the weights {said} sum to {total:g}"
        raise ArgumentError(Complaint("bad-weights", message, "weights are not negative and sum to 1"))
    return {dim: given[dim] / total for dim in dims}


def _implied(fit: Fit) -> dict[str, float]:
    """Return S_k / s_k, with S_k of the law, or on a star of the law `product` with the same a_k, b_k and c."""
    growth = {dim: s.value for dim, s in fit.growth_exponents.items()}
    if fit.law.form.name == "star" and fit.law.has_loss:
        constants = fit.law.constants
        stiffness = 1 + sum(constants[f"b_{dim}"] / constants[f"a_{dim}"] for dim in fit.dims)
        growth = {dim: constants["c"] / (constants[f"a_{dim}"] * stiffness) for dim in fit.dims}
    alone = {dim: fit.scaling_exponents[dim].value or math.nan for dim in fit.dims}
    weights = {dim: growth.get(dim, math.nan) / alone[dim] for dim in fit.dims}
    if not all(math.isfinite(weight) for weight in weights.values()):
        message = f"the law {fit.law.form.name!r} implies no weights: it does not say how the best shape grows"
        raise PlanError(Complaint("no-weights", message, "write --weights equal"))
    return weights
