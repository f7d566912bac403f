"""The document of several metrics fitted to one log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from shapeplan.documents.base import Document, Part, header
from shapeplan.documents.records import EstimateRecord, estimate_records
from shapeplan.errors import Caution
from shapeplan.figures.exponents import Growth
from shapeplan.fitting.records import Agreement, Estimate, Quality

if TYPE_CHECKING:
    from shapeplan.fitting.metrics import MetricsFit

KIND = "shapeplan.metrics"


class MetricRecord(Part):
    """The fit of one metric; the whole of it is in the law document of a fit to that metric alone."""

    law: str
    fit: Quality | None
    warnings: tuple[Caution, ...]


class MetricsDocument(Document):
    """Exponents by name, then by metric, and where the metrics agree."""

    kind: Literal["shapeplan.metrics"]
    metrics: dict[str, MetricRecord]
    exponents: dict[str, dict[str, EstimateRecord]]
    agreement: dict[str, Agreement]
    level: float


def growths_of(document: MetricsDocument) -> dict[str, Growth]:
    """Return the exponents of a document by metric."""
    found: dict[str, dict[str, dict[str, Estimate]]] = {}
    for name, by_metric in document.exponents.items():
        prefix, _, dim = name.partition("_")
        for metric, record in by_metric.items():
            if record.value is not None:
                found.setdefault(metric, {}).setdefault(prefix, {})[dim] = Estimate(record.value, record.ci)
    return {metric: Growth(kinds.get("s", {}), kinds.get("growth", {})) for metric, kinds in found.items()}


def metrics_document(found: MetricsFit) -> MetricsDocument:
    """Return the document of the fits of several metrics."""
    fits = list(found.fits.values())
    sources = tuple(dict.fromkeys(source for fit in fits for source in fit.sources))
    return MetricsDocument(
        **header(KIND, sources, found.cautions),
        metrics={
            metric: MetricRecord(
                law=fit.law.form.name,
                fit=fit.quality,
                warnings=fit.cautions,
            )
            for metric, fit in found.fits.items()
        },
        exponents={name: estimate_records(by_metric) for name, by_metric in found.exponents.items()},
        agreement=found.agreement,
        level=fits[0].bootstrap.level,
    )
