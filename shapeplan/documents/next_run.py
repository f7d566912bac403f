"""The document of runs to add."""

from __future__ import annotations

from typing import Literal

from shapeplan.design.next_run import NextRuns
from shapeplan.documents.base import Document, Part, header
from shapeplan.quantities import Convention

KIND = "shapeplan.next"


class SuggestionRecord(Part):
    """A run to add, given those before it; `narrowing` is by which part uncertainty of the best size shrinks."""

    name: str
    shape: dict[str, int | float]
    examples: float
    flops: float
    regret_before: float
    regret_after: float
    gain_per_flop: float
    narrowing: dict[str, float]
    reason: str


class CompletingRecord(Part):
    """A run that lets the log tell what it does not; the law cannot say by how much."""

    name: str
    shape: dict[str, int | float]
    examples: float
    flops: float
    reason: str


class NextDocument(Document):
    """Runs that would tell most about the plan for a target, the best first."""

    kind: Literal["shapeplan.next"]
    law: str
    target: float
    budget: float
    flops_convention: Convention
    examples_unit: str
    noise: float
    considered: int
    completing: tuple[CompletingRecord, ...]
    suggestions: tuple[SuggestionRecord, ...]


def next_document(found: NextRuns) -> NextDocument:
    """Return the document of runs to add."""
    return NextDocument(
        **header(KIND, found.fit.sources, found.cautions),
        law=found.fit.law.form.name,
        target=found.target,
        budget=found.budget,
        flops_convention=found.fit.flops_convention,
        examples_unit=found.fit.examples_unit,
        noise=found.noise,
        considered=found.considered,
        completing=tuple(
            CompletingRecord(
                name=one.name, shape=dict(one.shape), examples=one.examples, flops=one.flops, reason=one.reason
            )
            for one in found.completing
        ),
        suggestions=tuple(
            SuggestionRecord(
                name=one.name,
                shape=dict(one.shape),
                examples=one.examples,
                flops=one.flops,
                regret_before=one.regret_before,
                regret_after=one.regret_after,
                gain_per_flop=one.gain_per_flop,
                narrowing=dict(one.narrowing),
                reason=one.reason,
            )
            for one in found.suggestions
        ),
    )
