"""The comparison document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from shapeplan.documents.base import Document, header
from shapeplan.fitting.records import Score
from shapeplan.fitting.selection.identifiability import Support

if TYPE_CHECKING:
    from shapeplan.fitting.compare import Comparison

KIND = "shapeplan.comparison"


class ComparisonDocument(Document):
    """The laws that a log can identify, scored, and those it cannot."""

    kind: Literal["shapeplan.comparison"]
    metric: str
    objective: str
    rows: int
    runs: int
    chosen: str
    selection: tuple[Score, ...]
    refused: tuple[Support, ...]


def comparison_document(found: Comparison) -> ComparisonDocument:
    """Return the document of a comparison."""
    return ComparisonDocument(
        **header(KIND, found.sources, found.cautions),
        metric=found.metric,
        objective=found.objective,
        rows=found.rows,
        runs=found.runs,
        chosen=found.chosen,
        selection=found.scores,
        refused=found.refused,
    )
