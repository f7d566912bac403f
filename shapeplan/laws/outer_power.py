"""The interaction law with an outer power around everything that can be reduced."""

from __future__ import annotations

from typing import ClassVar

from shapeplan.laws.base import JointForm, Term
from shapeplan.laws.product import product_terms


class OuterPower(JointForm, name="outer-power", source="shapeplan; arXiv:2608.07222 over shapes"):
    """``(sum_k alpha_k x_k^-a_k + (beta prod_k x_k^b_k + xi) n^-c)^kappa + eps``: `interaction` at kappa = 1."""

    plain: ClassVar[str | None] = "interaction"

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of the law."""
        return (*self.size_terms(), *product_terms(self.dims, "examples"), Term("eps"))
