"""The baseline that knows no shape."""

from __future__ import annotations

from shapeplan.laws.base import JointForm, Power, Term


class Chinchilla(JointForm):
    """``alpha N^-a + beta n^-c + eps`` with N the parameters and n the examples seen."""

    @property
    def name(self) -> str:
        """``chinchilla``."""
        return "chinchilla"

    @property
    def source(self) -> str:
        """The Chinchilla paper."""
        return "Hoffmann et al. 2022, Eq. 10"

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of the law."""
        return Term("alpha", (Power("params", "a", -1),)), Term("beta", (Power("examples", "c", -1),)), Term("eps")
