"""The laws that might as well have been chosen, in a law document."""

from __future__ import annotations

import numpy as np
from pydantic import model_validator

from shapeplan.documents.base import Part
from shapeplan.documents.bounds import SIZE, bounds_of
from shapeplan.fitting.evidence import Rival
from shapeplan.laws import FORMS, Derive, Law


class RivalRecord(Part):
    """Another law with its constants and their draws."""

    law: str
    dims: tuple[str, ...]
    units: dict[str, float]
    parameters: dict[str, float]
    draws: dict[str, tuple[float, ...]]

    @model_validator(mode="after")
    def _belong_together(self) -> RivalRecord:
        """Refuse a rival whose parts do not make one law."""
        if self.law not in FORMS or not self.dims:
            raise ValueError(f"there is no law {self.law!r} of shape; the laws are {', '.join(FORMS)}")
        form = FORMS[self.law].over(self.dims)
        constants = {*form.coefficients, *form.exponents}
        for where, wanted, given in (
            ("parameters", constants, self.parameters),
            ("units", set(form.variables), self.units),
            ("draws", constants if self.draws else set(), self.draws),
        ):
            if lacking := sorted(wanted - given.keys()):
                raise ValueError(f"{where} lacks {', '.join(lacking)}")
        if not all(SIZE[0] <= unit <= SIZE[1] for unit in self.units.values()):
            raise ValueError(f"units are not in {SIZE[0]:g} ... {SIZE[1]:g}")
        if len({len(draw) for draw in self.draws.values()}) > 1 or () in self.draws.values():
            raise ValueError("draws are empty, or of different lengths")
        for name in constants:
            least, most = bounds_of(form, name)
            if not all(least <= value <= most for value in (self.parameters[name], *self.draws.get(name, ()))):
                raise ValueError(f"values of {name} are not in {least:g} ... {most:g}")
        return self

    @classmethod
    def of(cls, rival: Rival) -> RivalRecord:
        """Return the record of a rival."""
        law = rival.law
        return cls(
            law=law.form.name,
            dims=law.form.dims,
            units=dict(law.units),
            parameters=dict(law.constants),
            draws={name: tuple(draw.tolist()) for name, draw in rival.draws.items()},
        )

    def rival(self, derive: Derive) -> Rival:
        """Return the rival that the record describes; `derive` says what shapes cost."""
        law = Law(FORMS[self.law].over(self.dims), dict(self.parameters), dict(self.units), derive)
        return Rival(law, {name: np.array(draw) for name, draw in self.draws.items()})
