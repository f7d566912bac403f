"""The paper's one-dimensional laws, fitted together on the arms of a star sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import ClassVar, Self

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.laws.base import Form, Power, Term
from shapeplan.laws.trade import alone_exponents, alone_optimum
from shapeplan.numerics.arrays import Floats


@frozen
class Star(Form, name="star", source="arXiv:2305.13035, Eq. 2"):
    """Eq. 2 of arXiv:2305.13035 in every dimension, with one c.

    On arm k, where only x_k moves and the other dimensions stay at the centre,

        f_k(x_k, t) = alpha_k x_k^-a_k + (beta_k x_k^b_k + xi_k) t^-c + eps_k.

    Away from the arms the loss is Eq. 3 anchored at the centre C: ``mean_j f_j(C_j, t) + sum_k (f_k(x_k, t) -
    f_k(C_k, t))``, the one decomposable loss that agrees with every arm.

    Attributes
    ----------
    center : mapping of str to float
        The large shape that the arms leave, in units of the law.
    """

    center: Mapping[str, float] = field(default_factory=dict)
    joint: ClassVar[bool] = False

    def around(self, center: Mapping[str, float]) -> Self:
        """Return the form around another centre."""
        return replace(self, center=dict(center))

    @property
    def branches(self) -> Mapping[str, tuple[Term, ...]]:
        """One branch an arm, named for its dimension."""
        return {dim: arm_terms(dim) for dim in self.dims}

    def loss(self, constants: Mapping[str, Floats], logs: Mapping[str, Floats]) -> Floats:
        """Return f_k on arm k, the mean of all f_k at the centre, and Eq. 3 anchored there for every other shape."""
        log_center = {dim: np.log(np.asarray(self.center[dim], dtype=float)) for dim in self.dims}
        here = [_sum(terms, constants, logs) for terms in self.branches.values()]
        at_center = [_sum(terms, constants, {**logs, **log_center}) for terms in self.branches.values()]
        # Logarithms of the same integer differ by rounding alone, hence no exact comparison.
        moved = [np.abs(logs[dim] - log_center[dim]) > 1e-9 for dim in self.dims]
        anchored = sum(at_center) / len(at_center) + sum(
            np.where(off, arm - center, 0.0) for off, arm, center in zip(moved, here, at_center, strict=True)
        )
        own_arm = sum(np.where(off, arm, 0.0) for off, arm in zip(moved, here, strict=True))
        return np.where(sum(off.astype(int) for off in moved) == 1, own_arm, anchored)

    def scaling_exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return s_k = c / (a_k + b_k) (Eq. 4); NaN where an arm shows no trade-off."""
        return alone_exponents(self.dims, constants)

    def growth_exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the same: arms do not know each other."""
        return alone_exponents(self.dims, constants)

    def optimum(self, constants: Mapping[str, Floats], log_flops: Floats) -> dict[str, Floats]:
        """Return Eq. 4 on every arm."""
        return alone_optimum(self.dims, constants, log_flops)


def arm_terms(dim: str) -> tuple[Term, ...]:
    """Return the four terms of Eq. 2 in the dimension `dim`."""
    fades = Power("flops", "c", -1)
    return (
        Term(f"alpha_{dim}", (Power(dim, f"a_{dim}", -1),)),
        Term(f"beta_{dim}", (Power(dim, f"b_{dim}", +1), fades)),
        Term(f"xi_{dim}", (fades,)),
        Term(f"eps_{dim}"),
    )


def _sum(terms: tuple[Term, ...], constants: Mapping[str, Floats], logs: Mapping[str, Floats]) -> Floats:
    return np.asarray(sum(term.value(constants, logs) for term in terms))
