"""The product law in examples instead of compute."""

from __future__ import annotations

from shapeplan.laws.base import JointForm, Term
from shapeplan.laws.product import product_terms


class Interaction(JointForm, name="interaction", source="shapeplan"):
    """``sum_k alpha_k x_k^-a_k + (beta prod_k x_k^b_k + xi) n^-c + eps`` with n = t / F(x) the examples seen."""

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of the law."""
        return (*self.size_terms(), *product_terms(self.dims, "examples"), Term("eps"))
