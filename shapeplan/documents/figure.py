"""The document of a figure: the numbers that its picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from shapeplan.documents.base import Document, header
from shapeplan.documents.metrics import MetricsDocument
from shapeplan.figures.figure import Figure
from shapeplan.fitting.result import Fit
from shapeplan.provenance import Source

KIND = "shapeplan.figure"
Cell = float | int | bool | str | None


class FigureDocument(Document):
    """A figure's tables, a list of rows each, and what it says in words."""

    kind: Literal["shapeplan.figure"]
    figure: str
    law: tuple[str, ...]
    metric: tuple[str, ...]
    title: str
    summary: str
    reading: str
    labels: dict[str, str]
    tables: dict[str, tuple[dict[str, Cell], ...]]


def figure_document(figure: Figure, fits: Sequence[Fit]) -> FigureDocument:
    """Return the document of a figure of some fits."""
    sources = tuple(dict.fromkeys(source for fit in fits for source in fit.sources))
    cautions = dict.fromkeys((*(caution for fit in fits for caution in fit.cautions), *figure.cautions))
    laws, metrics = (tuple(fit.law.form.name for fit in fits), tuple(fit.metric for fit in fits))
    return _document(figure, header(KIND, sources, cautions), laws, metrics)


def figure_document_of_metrics(figure: Figure, document: MetricsDocument, source: Source) -> FigureDocument:
    """Return the document of a figure of a document of several metrics."""
    laws = tuple(record.law for record in document.metrics.values())
    return _document(figure, header(KIND, (source,), document.warnings), laws, tuple(document.metrics))


def _document(
    figure: Figure, header_: dict[str, Any], laws: tuple[str, ...], metrics: tuple[str, ...]
) -> FigureDocument:
    return FigureDocument(
        **header_,
        figure=figure.name,
        law=laws,
        metric=metrics,
        title=figure.title,
        summary=figure.summary,
        reading=figure.reading,
        labels=dict(figure.labels),
        tables={name: tuple(dict(row) for row in table) for name, table in figure.tables.items()},
    )
