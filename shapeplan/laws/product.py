"""One data term for all dimensions: cost multiplies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shapeplan.laws.base import JointForm, Power, Term
from shapeplan.numerics.arrays import Bools, Floats


class Product(JointForm, name="product", source="shapeplan; agrees with arXiv:2305.13035, Eq. 2, in every dimension"):
    """``sum_k alpha_k x_k^-a_k + (beta prod_k x_k^b_k + xi) t^-c + eps``: Eq. 2 in every dimension."""

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of the law."""
        return (*self.size_terms(), *product_terms(self.dims, "flops"), Term("eps"))

    def scaling_exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return s_k = c / (a_k + b_k): how a dimension grows while the others stay."""
        trades = _trades(self.dims, constants)
        exponents = {dim: constants["c"] / (constants[f"a_{dim}"] + constants[f"b_{dim}"]) for dim in self.dims}
        return {dim: np.where(trades[dim], exponents[dim], np.nan) for dim in self.dims}

    def growth_exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return S_k = c / (a_k (1 + sum_j b_j / a_j)): how a dimension grows while all do."""
        everything = np.all(list(_trades(self.dims, constants).values()), axis=0)
        growth = joint_growth(self.dims, constants)
        return {dim: np.where(everything, growth[dim], np.nan) for dim in self.dims}

    def optimum(self, constants: Mapping[str, Floats], log_flops: Floats) -> dict[str, Floats]:
        """Return the shape of least loss.

        With ``Q = beta prod_j x_j^b_j t^-c`` the first-order condition is ``a_k alpha_k x_k^-a_k = b_k Q`` in every
        dimension; all of them together give Q.
        """
        ratios = {dim: constants[f"b_{dim}"] / constants[f"a_{dim}"] for dim in self.dims}
        with np.errstate(divide="ignore", invalid="ignore"):
            gains = {
                dim: np.log(constants[f"a_{dim}"] * constants[f"alpha_{dim}"] / constants[f"b_{dim}"])
                for dim in self.dims
            }
            joint = np.log(constants["beta"]) - constants["c"] * log_flops
            joint = joint + sum(ratios[dim] * gains[dim] for dim in self.dims)
            log_q = joint / (1 + sum(ratios.values()))
            return {dim: np.exp((gains[dim] - log_q) / constants[f"a_{dim}"]) for dim in self.dims}


def joint_growth(dims: tuple[str, ...], constants: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return ``c / (a_k (1 + sum_j b_j / a_j))`` for every dimension, of this law or of Eq. 2 on its slices."""
    stiffness = 1 + sum(constants[f"b_{dim}"] / constants[f"a_{dim}"] for dim in dims)
    return {dim: constants["c"] / (constants[f"a_{dim}"] * stiffness) for dim in dims}


def product_terms(dims: tuple[str, ...], training: str) -> tuple[Term, Term]:
    """Return ``beta prod_k x_k^b_k`` and ``xi``, both of which fade with `training`: compute, or examples."""
    fades = Power(training, "c", -1)
    grows = tuple(Power(dim, f"b_{dim}", +1) for dim in dims)
    return Term("beta", (*grows, fades)), Term("xi", (fades,))


def _trades(dims: tuple[str, ...], constants: Mapping[str, Floats]) -> dict[str, Bools]:
    """Return whether each dimension trades size against training."""
    return {dim: (constants[f"alpha_{dim}"] > 0) & (constants["beta"] > 0) for dim in dims}
