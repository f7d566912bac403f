"""The check document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from shapeplan.documents.base import Document, Part, Range, header
from shapeplan.fitting.selection.identifiability import Support
from shapeplan.fitting.sweep_kinds import SweepKind
from shapeplan.provenance import DroppedRow
from shapeplan.quantities import Convention
from shapeplan.sweeps.dimensions import Tie
from shapeplan.sweeps.grid import Start

if TYPE_CHECKING:
    # The document alone needs no special functions.
    from shapeplan.fitting.check import Check

KIND = "shapeplan.check"


class ArmSummary(Part):
    """An arm of the star: its values, and how many rows."""

    values: tuple[float, ...]
    rows: int


class StarSummary(Part):
    """The star in a log."""

    center: dict[str, float]
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
    dims: dict[str, tuple[float, ...]]
    free: tuple[str, ...]
    tied: dict[str, Tie]
    fixed: dict[str, float]
    flops_convention: Convention
    flops_range: Range
    examples_unit: str
    examples_range: Range | None
    star: StarSummary | None
    no_star: str | None
    grid_rows: int
    start: Start | None
    sweep: tuple[SweepKind, ...]
    laws: tuple[Support, ...]
    notes: tuple[str, ...]
    dropped: tuple[DroppedRow, ...] = ()


def check_document(found: Check) -> CheckDocument:
    """Return the document of a check."""
    runs, star = found.runs, found.star
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
        tied=dict(found.dimensions.tied),
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
        start=found.start,
        sweep=found.kinds,
        laws=found.laws,
        notes=runs.notes,
        dropped=runs.dropped,
    )
