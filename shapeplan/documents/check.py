"""The check document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from shapeplan.documents.base import Document, Finite, Part, Range, header
from shapeplan.documents.records import DroppedRecord, StartRecord, SupportRecord, TieRecord
from shapeplan.fitting.check import Check
from shapeplan.quantities import Convention

KIND = "shapeplan.check"


class ArmSummary(Part):
    """An arm of the star: its values, and how many rows."""

    values: tuple[Finite, ...]
    rows: int


class StarSummary(Part):
    """The star in a log."""

    center: dict[str, Finite]
    center_rows: int
    arms: dict[str, ArmSummary]


class CheckDocument(Document):
    """The contents of a log."""

    kind: Literal["shapeplan.check"]
    rows: int
    runs: int
    shapes: int
    metric: str
    metric_range: Range
    dims: dict[str, tuple[Finite, ...]]
    free: tuple[str, ...]
    tied: dict[str, TieRecord]
    fixed: dict[str, Finite]
    flops_convention: Convention
    flops_range: Range
    examples_unit: str
    examples_range: Range | None
    star: StarSummary | None
    no_star: str | None
    grid_rows: int
    start: StartRecord | None
    laws: tuple[SupportRecord, ...]
    notes: tuple[str, ...]
    dropped: tuple[DroppedRecord, ...] = ()


def check_document(found: Check) -> CheckDocument:
    """Return the document of a check."""
    runs, star, start = found.runs, found.star, found.start
    loss = runs.observed()
    return CheckDocument(
        **header(KIND, runs.sources, found.cautions),
        rows=len(runs),
        runs=len(runs.run_names),
        shapes=found.shapes,
        metric=runs.metric,
        metric_range=(float(loss.min()), float(loss.max())),
        dims=dict(found.values),
        free=found.dimensions.free,
        tied={dim: TieRecord(**asdict(tie)) for dim, tie in found.dimensions.tied.items()},
        fixed=dict(found.dimensions.fixed),
        flops_convention=runs.flops_convention,
        flops_range=(float(runs.flops.min()), float(runs.flops.max())),
        examples_unit=runs.examples_unit,
        examples_range=None if runs.examples is None else (float(runs.examples.min()), float(runs.examples.max())),
        star=StarSummary(
            center=dict(star.center),
            center_rows=len(star.center_rows),
            arms={
                dim: ArmSummary(values=tuple(map(float, star.values(runs, dim))), rows=len(rows))
                for dim, rows in star.arms.items()
            },
        )
        if star
        else None,
        no_star=found.no_star,
        grid_rows=found.grid_rows,
        start=StartRecord(shape=dict(start.shape), flops=start.flops, source=start.source) if start else None,
        laws=tuple(SupportRecord.of(law) for law in found.laws),
        notes=runs.notes,
        dropped=tuple(DroppedRecord(**asdict(row)) for row in runs.dropped),
    )
