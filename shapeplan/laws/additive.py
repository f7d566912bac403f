"""The paper's joint law."""

from __future__ import annotations

from collections.abc import Mapping

from shapeplan.laws.base import JointForm, Power, Term
from shapeplan.laws.trade import alone_exponents, alone_optimum
from shapeplan.numerics.arrays import Floats


class Additive(JointForm, name="additive", source="arXiv:2305.13035, Eq. 3"):
    """``sum_k alpha_k x_k^-a_k + (sum_k beta_k x_k^b_k + xi) t^-c + eps``."""

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of Eq. 3."""
        fades = Power("flops", "c", -1)
        return (
            *self.size_terms(),
            *(Term(f"beta_{dim}", (Power(dim, f"b_{dim}", +1), fades)) for dim in self.dims),
            Term("xi", (fades,)),
            Term("eps"),
        )

    def scaling_exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return s_k = c / (a_k + b_k) (Eq. 4)."""
        return alone_exponents(self.dims, constants)

    def growth_exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the same: dimensions do not know each other."""
        return alone_exponents(self.dims, constants)

    def optimum(self, constants: Mapping[str, Floats], log_flops: Floats) -> dict[str, Floats]:
        """Return Eq. 4 in every dimension."""
        return alone_optimum(self.dims, constants, log_flops)
