"""Size terms and a data term that do not touch."""

from __future__ import annotations

from shapeplan.laws.base import JointForm, Power, Term


class Separable(JointForm, name="separable", source="McLeish et al. 2025 (Gemstones)"):
    """``sum_k alpha_k x_k^-a_k + beta n^-c + eps`` with n the examples seen (McLeish et al.: two dimensions)."""

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of the law."""
        return (*self.size_terms(), Term("beta", (Power("examples", "c", -1),)), Term("eps"))
