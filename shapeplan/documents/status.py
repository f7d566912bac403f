"""The document of a campaign: what has become of a design, and whether that suffices."""

from __future__ import annotations

from typing import Literal

from shapeplan.design.campaign import Campaign, Outlook, Progress, State
from shapeplan.documents.base import Document, Part, header
from shapeplan.documents.pool import PoolRecord
from shapeplan.quantities import Convention

KIND = "shapeplan.status"


class ProgressRecord(Part):
    """A row of the design; `loss` is null where there is no finite one, `run` where there is no run."""

    name: str
    state: State
    planned: float
    spent: float
    loss: float | None
    run: str | None
    early: bool
    longer: bool = False

    @classmethod
    def of(cls, row: Progress) -> ProgressRecord:
        """Return the record of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class OutlookRecord(Part):
    """Whether the runs that are done suffice for a plan; regrets are null where no law judges."""

    target: float
    stop_early: bool
    why: str
    regret_now: float | None
    regret_after: float | None
    next: tuple[PoolRecord, ...]


class StatusDocument(Document):
    """What has become of every row of a design, in its convention; `outlook` is null where no target was given."""

    kind: Literal["shapeplan.status"]
    flops_convention: Convention
    counts: dict[str, int]
    planned: float
    spent: float
    rows: tuple[ProgressRecord, ...]
    unmatched: tuple[str, ...]
    outlook: OutlookRecord | None


def status_document(found: Campaign, outlook: Outlook | None) -> StatusDocument:
    """Return the document of a campaign."""
    sources = (*found.design.sources, *(found.log.sources if found.log else ()))
    return StatusDocument(
        **header(KIND, sources, outlook.cautions if outlook else ()),
        flops_convention=found.design.flops_convention,
        counts={str(state): count for state, count in found.counts.items()},
        planned=found.planned,
        spent=found.spent,
        rows=tuple(map(ProgressRecord.of, found.rows)),
        unmatched=found.unmatched,
        outlook=None if outlook is None else _outlook(outlook),
    )


def _outlook(found: Outlook) -> OutlookRecord:
    return OutlookRecord(
        target=found.target,
        stop_early=found.stop,
        why=found.why,
        regret_now=found.regret_now,
        regret_after=found.regret_after,
        next=tuple(map(PoolRecord.of, found.choice.chosen)) if found.choice else (),
    )
