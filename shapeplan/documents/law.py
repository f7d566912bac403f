"""The law document: all that a plan needs of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field

from shapeplan.architectures import Cost, FittedCost, architecture
from shapeplan.documents.base import Document, header
from shapeplan.documents.consistency import center_in
from shapeplan.documents.isoflop import IsoFlopRecord
from shapeplan.documents.records import (
    BootstrapRecord,
    CenterRecord,
    CostRecord,
    EstimateRecord,
    InfluencesRecord,
    OptimumRecord,
    RangeRecord,
    RecipeRecord,
    StarRecord,
    estimate_records,
)
from shapeplan.documents.rivals import RivalRecord
from shapeplan.documents.rows import RowsRecord
from shapeplan.fitting.evidence import Diagnostics, LogSummary, ModelSelection, RunError, StarEvidence, Uncertainty
from shapeplan.fitting.records import (
    Arm,
    Estimate,
    FrontRow,
    HeldOutError,
    Noise,
    Outlier,
    Parameter,
    Quality,
    Score,
    Trend,
)
from shapeplan.fitting.result import OPTIMUM_AT, Fit
from shapeplan.fitting.tuning.power_law import Tuning
from shapeplan.laws import FORMS, Form, Law
from shapeplan.optimum.cost_model import CostModel
from shapeplan.provenance import DroppedRow, ReadAs, Source
from shapeplan.quantities import Convention
from shapeplan.sweeps.dimensions import Dimensions, Tie
from shapeplan.sweeps.grid import Start

KIND = "shapeplan.law"


class LawDocument(Document):
    """A law with its evidence; what `recommend` reads needs nothing else."""

    kind: Literal["shapeplan.law"]
    law: str
    reference: str | None = None
    dims: tuple[str, ...]
    tied: dict[str, Tie]
    fixed: dict[str, float] = Field(default_factory=dict)
    kept: dict[str, Tie] = Field(default_factory=dict)
    metric: str
    read_as: ReadAs | None = None
    flops_convention: Convention
    examples_unit: str = Field(default="examples", pattern="^(examples|tokens)$")
    architecture: dict[str, Any] | None
    own_settings: tuple[str, ...] = ()
    cost: CostRecord | None = None
    heads: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    units: dict[str, float]
    parameters: dict[str, Parameter]
    scaling_exponents: dict[str, EstimateRecord]
    growth_exponents: dict[str, EstimateRecord] = Field(default_factory=dict)
    isoflop: IsoFlopRecord | None = None
    recipes: tuple[RecipeRecord, ...] = ()
    tuning: Tuning | None = None
    optimum: OptimumRecord | None = None
    start: Start | None
    star: StarRecord | None = None
    arms: dict[str, Arm] = Field(default_factory=dict)
    fit: Quality | None
    center: tuple[CenterRecord, ...]
    center_error: HeldOutError | None = None
    grid_error: HeldOutError | None = None
    range: RangeRecord
    rows: RowsRecord | None = None
    selection: tuple[Score, ...]
    rivals: tuple[RivalRecord, ...] = ()
    dropped: tuple[DroppedRow, ...]
    outliers: tuple[Outlier, ...]
    trends: dict[str, Trend] = Field(default_factory=dict)
    noise: Noise | None = None
    influences: InfluencesRecord = Field(default_factory=InfluencesRecord)
    front: tuple[FrontRow, ...] = ()
    bootstrap: BootstrapRecord
    run_error: RunError | None = None
    size_drift: dict[str, float] = Field(default_factory=dict)
    command: str | None = None


def law_document(fit: Fit) -> LawDocument:
    """Return the document of a fit."""
    form, log, star, diagnostics = fit.law.form, fit.log, fit.star, fit.diagnostics
    center = dict(star.shape)
    optimum = estimate_records(fit.beyond)
    return LawDocument(
        **header(KIND, log.sources, diagnostics.cautions),
        law=form.name,
        reference=form.source,
        dims=fit.dims,
        tied=dict(log.dimensions.tied),
        kept=dict(log.dimensions.kept),
        fixed=dict(log.dimensions.fixed),
        metric=log.metric,
        read_as=log.read_as,
        flops_convention=log.flops_convention,
        examples_unit=log.examples_unit,
        architecture=log.architecture.describe() if log.architecture else None,
        own_settings=log.own_settings,
        cost=CostRecord.of(log.cost) if isinstance(log.cost, FittedCost) else None,
        heads=dict(log.heads),
        units=dict(fit.law.units),
        parameters=dict(fit.parameters),
        scaling_exponents=estimate_records(fit.scaling_exponents),
        growth_exponents=estimate_records(fit.growth_exponents),
        isoflop=IsoFlopRecord.of(log.isoflops),
        recipes=tuple(map(RecipeRecord.of, log.recipes)),
        tuning=log.tuning,
        optimum=OptimumRecord(flops=OPTIMUM_AT * log.flops_range[1], shape=optimum) if optimum else None,
        start=fit.start,
        star=StarRecord(center=center) if center else None,
        arms=dict(star.arms),
        fit=diagnostics.quality,
        center=tuple(CenterRecord(shape=center, **asdict(row)) for row in star.center),
        center_error=star.center_error,
        grid_error=star.grid_error,
        range=RangeRecord(flops=log.flops_range, shape=dict(log.shape_range)),
        rows=RowsRecord.of(log.rows) if log.rows else None,
        selection=fit.model_selection.scores,
        rivals=tuple(map(RivalRecord.of, fit.model_selection.rivals)),
        dropped=log.dropped,
        command=fit.command,
        outliers=diagnostics.outliers,
        trends=dict(diagnostics.trends),
        noise=diagnostics.noise,
        influences=InfluencesRecord.of(diagnostics.influences),
        front=log.front,
        bootstrap=BootstrapRecord.of(fit.bootstrap),
        run_error=fit.uncertainty.run_error,
        size_drift=dict(fit.uncertainty.size_drift),
    )


def fit_of(document: LawDocument, sources: tuple[Source, ...] = ()) -> Fit:
    """Return the fit that a document describes.

    Parameters
    ----------
    document : LawDocument
        The document.
    sources : tuple of Source
        What the fit is now read from; by default the inputs the document names.
    """
    dimensions = Dimensions(document.dims, dict(document.tied), dict(document.fixed), dict(document.kept))
    cost = _cost_of(document)
    derive = CostModel(dimensions, cost, document.flops_convention).variables
    constants = {name: parameter.value for name, parameter in document.parameters.items()}
    return Fit(
        law=Law(_form_of(document), constants, dict(document.units), derive),
        log=LogSummary(
            metric=document.metric,
            flops_convention=document.flops_convention,
            examples_unit=document.examples_unit,
            dimensions=dimensions,
            flops_range=document.range.flops,
            shape_range=document.range.shape,
            architecture=architecture(document.architecture) if document.architecture else None,
            cost=cost,
            heads=document.heads,
            front=document.front,
            rows=document.rows.rows() if document.rows else None,
            sources=sources or document.inputs,
            read_as=document.read_as or ReadAs(document.metric),
            own_settings=document.own_settings,
            origins=document.inputs if sources else (),
            dropped=document.dropped,
            isoflops=document.isoflop.isoflops() if document.isoflop else None,
            recipes=tuple(record.factor() for record in document.recipes),
            tuning=document.tuning,
        ),
        uncertainty=Uncertainty(
            parameters=document.parameters,
            scaling_exponents=_estimates(document.scaling_exponents),
            growth_exponents=_estimates(document.growth_exponents),
            bootstrap=document.bootstrap.bootstrap(),
            run_error=document.run_error,
            size_drift=document.size_drift,
        ),
        diagnostics=Diagnostics(
            quality=document.fit,
            outliers=document.outliers,
            trends=document.trends,
            noise=document.noise,
            influences=document.influences.influences(),
            cautions=document.warnings,
        ),
        model_selection=ModelSelection(document.selection, tuple(rival.rival(derive) for rival in document.rivals)),
        star=StarEvidence(
            shape=center_in(document),
            arms=document.arms,
            center=tuple(record.row() for record in document.center),
            center_error=document.center_error,
            grid_error=document.grid_error,
        ),
        start=document.start,
        command=document.command,
    )


def _form_of(document: LawDocument) -> Form:
    form = FORMS[document.law].over(document.dims)
    center = center_in(document) if document.parameters else {}
    return form.around({dim: center[dim] / document.units[dim] for dim in form.dims if dim in center})


def _estimates(records: Mapping[str, EstimateRecord]) -> dict[str, Estimate]:
    return {dim: record.estimate() for dim, record in records.items()}


def _cost_of(document: LawDocument) -> Cost | None:
    if document.architecture:
        return architecture(document.architecture)
    return document.cost.cost() if document.cost else None
