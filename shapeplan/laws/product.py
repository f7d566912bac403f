"""One data term for all dimensions: cost multiplies."""

from __future__ import annotations

from typing import ClassVar

from shapeplan.laws.base import JointForm, Power, Term


class Product(JointForm):
    """``sum_k alpha_k x_k^-a_k + (beta prod_k x_k^b_k + xi) t^-c + eps``: Eq. 2 in every dimension."""

    training: ClassVar[str] = "flops"
    """The variable that training is measured in."""

    @property
    def name(self) -> str:
        """``product``."""
        return "product"

    @property
    def source(self) -> str:
        """Ours, consistent with Eq. 2."""
        return "shapeplan; agrees with arXiv:2305.13035, Eq. 2, in every dimension"

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of the law."""
        fades = Power(self.training, "c", -1)
        grows = tuple(Power(dim, f"b_{dim}", +1) for dim in self.dims)
        return (*self.size_terms(), Term("beta", (*grows, fades)), Term("xi", (fades,)), Term("eps"))
