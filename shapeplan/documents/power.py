"""The document of a rehearsal."""

from __future__ import annotations

from typing import Literal

from shapeplan.design.power_curve import Power, Stage
from shapeplan.documents.base import Document, header
from shapeplan.provenance import Source
from shapeplan.quantities import Convention

KIND = "shapeplan.power"


class PowerDocument(Document):
    """What a design would tell."""

    kind: Literal["shapeplan.power"]
    law: str
    target: float
    flops_convention: Convention
    noise: float
    run_noise: float
    tails: float | None
    sweeps: int
    seed: int
    stages: tuple[Stage, ...]


def power_document(found: Power, sources: tuple[Source, ...] = ()) -> PowerDocument:
    """Return the document of a rehearsal; `sources` are the design and the prior."""
    return PowerDocument(
        **header(KIND, sources, ()),
        law=found.prior.law.form.name,
        target=found.target,
        flops_convention=found.prior.flops_convention,
        noise=found.noise,
        run_noise=found.run_noise,
        tails=found.tails,
        sweeps=found.sweeps,
        seed=found.seed,
        stages=found.stages,
    )
