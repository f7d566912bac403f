"""The product law in examples instead of compute."""

from __future__ import annotations

from shapeplan.laws.base import JointForm, Power, Term


class Interaction(JointForm):
    """``sum_k alpha_k x_k^-a_k + (beta prod_k x_k^b_k + xi) n^-c + eps`` with n = t / F(x) the examples seen."""

    @property
    def name(self) -> str:
        """``interaction``."""
        return "interaction"

    @property
    def source(self) -> str:
        """Ours."""
        return "shapeplan"

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of the law."""
        fades = Power("examples", "c", -1)
        grows = tuple(Power(dim, f"b_{dim}", +1) for dim in self.dims)
        return (*self.size_terms(), Term("beta", (*grows, fades)), Term("xi", (fades,)), Term("eps"))
