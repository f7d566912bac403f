"""The document of runs to do next, of a pool."""

from __future__ import annotations

from typing import Literal

from shapeplan.design.pool import PoolChoice, PoolRun
from shapeplan.documents.base import Document, Part, header, or_null
from shapeplan.quantities import Convention

KIND = "shapeplan.pool"


class PoolRecord(Part):
    """A run to do next, given those before it; regret and error of the loss are null where there is no law."""

    name: str
    shape: dict[str, int | float]
    examples: float | None
    flops: float
    regret_before: float | None
    regret_after: float | None
    error_before: float | None
    error_after: float | None

    @classmethod
    def of(cls, run: PoolRun) -> PoolRecord:
        """Return the record of a run."""
        fields = {name: getattr(run, name) for name in cls.model_fields}
        return cls(**{**fields, "shape": dict(run.shape)})


class PoolDocument(Document):
    """Runs of a pool that would tell most about the plan for a target, the best first; `budget` is null without one."""

    kind: Literal["shapeplan.pool"]
    law: str | None
    why_first: str | None
    target: float
    budget: float | None
    flops_convention: Convention
    examples_unit: str
    noise: float | None
    left: int
    left_flops: float
    regret_of_all: float | None
    chosen: tuple[PoolRecord, ...]


def pool_document(found: PoolChoice) -> PoolDocument:
    """Return the document of runs to do next."""
    sources = (*found.pool.sources, *(found.fit.sources if found.fit else ()))
    return PoolDocument(
        **header(KIND, sources, found.cautions),
        law=found.fit.law.form.name if found.fit and found.why_first is None else None,
        why_first=found.why_first,
        target=found.target,
        budget=or_null(found.budget),
        flops_convention=found.flops_convention,
        examples_unit=found.pool.examples_unit,
        noise=found.noise,
        left=len(found.left),
        left_flops=found.left_flops,
        regret_of_all=found.regret_of_all,
        chosen=tuple(map(PoolRecord.of, found.chosen)),
    )
