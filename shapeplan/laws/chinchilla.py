"""The baseline: a law of parameters and data, without shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from shapeplan.laws.base import JointForm, Power, Term
from shapeplan.numerics.arrays import Floats


class Chinchilla(JointForm, name="chinchilla", source="Hoffmann et al. 2022, Eq. 10"):
    """``alpha N^-a + beta n^-c + eps`` with N the parameters and n the examples seen."""

    knows_shape: ClassVar[bool] = False

    @classmethod
    def over(cls, dims: tuple[str, ...]) -> Self:
        """Return the law, which has no dimensions."""
        return cls(())

    def joint_terms(self) -> tuple[Term, ...]:
        """Return the terms of the law."""
        return Term("alpha", (Power("params", "a", -1),)), Term("beta", (Power("examples", "c", -1),)), Term("eps")

    def growth_exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return c / (a + c), the growth of N with compute where compute is proportional to N n (Hoffmann, Eq. 4)."""
        trades = (constants["alpha"] > 0) & (constants["beta"] > 0)
        return {"params": np.where(trades, constants["c"] / (constants["a"] + constants["c"]), np.nan)}
