"""The loss along a ladder: a law of compute alone."""

from __future__ import annotations

from typing import ClassVar, Self

from shapeplan.laws.base import JointForm, Power, Term


class Compute(JointForm, name="compute", source="Kaplan et al. 2020, Eq. 1.3, with a floor"):
    """``beta C^-c + eps`` with C the compute: along one line of sizes and durations, and of no other."""

    knows_shape: ClassVar[bool] = False
    along_ladder: ClassVar[bool] = True

    @classmethod
    def over(cls, dims: tuple[str, ...]) -> Self:
        """Return the law, which has no dimensions."""
        return cls(())

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of the law."""
        return Term("beta", (Power("flops", "c", -1),)), Term("eps")
