"""The product law in examples instead of compute."""

from __future__ import annotations

from typing import ClassVar

from shapeplan.laws.product import Product


class Interaction(Product):
    """``sum_k alpha_k x_k^-a_k + (beta prod_k x_k^b_k + xi) n^-c + eps`` with n = t / F(x) the examples seen."""

    training: ClassVar[str] = "examples"

    @property
    def name(self) -> str:
        """``interaction``."""
        return "interaction"

    @property
    def source(self) -> str:
        """Ours."""
        return "shapeplan"
