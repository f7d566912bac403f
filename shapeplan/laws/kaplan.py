"""Parameters and data inside an outer power."""

from __future__ import annotations

from typing import ClassVar

from shapeplan.laws.chinchilla import Chinchilla


class Kaplan(Chinchilla, name="kaplan", source="Kaplan et al. 2020, Eq. 1.5, with a floor; arXiv:2608.07222"):
    """``(alpha N^-a + beta n^-c)^kappa + eps``: `chinchilla` at kappa = 1, Kaplan's at eps = 0 and c = 1."""

    plain: ClassVar[str | None] = "chinchilla"
