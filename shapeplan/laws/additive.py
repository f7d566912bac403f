"""The paper's joint law."""

from __future__ import annotations

from shapeplan.laws.base import JointForm, Power, Term


class Additive(JointForm):
    """Eq. 3 of arXiv:2305.13035: ``sum_k alpha_k x_k^-a_k + (sum_k beta_k x_k^b_k + xi) t^-c + eps``."""

    @property
    def name(self) -> str:
        """``additive``."""
        return "additive"

    @property
    def source(self) -> str:
        """Eq. 3 of the paper."""
        return "arXiv:2305.13035, Eq. 3"

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of Eq. 3."""
        fades = Power("flops", "c", -1)
        return (
            *self.size_terms(),
            *(Term(f"beta_{dim}", (Power(dim, f"b_{dim}", +1), fades)) for dim in self.dims),
            Term("xi", (fades,)),
            Term("eps"),
        )
