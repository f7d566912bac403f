"""The document of a rehearsal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from shapeplan.design.power_curve import Power
from shapeplan.documents.base import Document, Finite, Part, header
from shapeplan.quantities import Convention
from shapeplan.runs import Source

KIND = "shapeplan.power"


class SpreadRecord(Part):
    """Median and 90th percentile over simulated sweeps."""

    median: Finite
    p90: Finite


class StageRecord(Part):
    """What the cheapest runs, up to some number, would tell; widths are upper end over lower."""

    runs: int
    flops: Finite
    exponents: dict[str, SpreadRecord]
    sizes: dict[str, SpreadRecord]
    regret: SpreadRecord | None
    laws: dict[str, Finite]
    warnings: dict[str, Finite]
    refused: Finite


class PowerDocument(Document):
    """What a design would tell."""

    kind: Literal["shapeplan.power"]
    law: str
    target: Finite
    flops_convention: Convention
    noise: Finite
    run_noise: Finite
    tails: Finite | None
    sweeps: int
    seed: int
    stages: tuple[StageRecord, ...]


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
        stages=tuple(StageRecord(**asdict(stage)) for stage in found.stages),
    )
