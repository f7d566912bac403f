"""The law document: all that a plan needs of a fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from shapeplan.architectures import Cost, FittedCost, architecture
from shapeplan.documents.base import Document, Finite, header, or_null
from shapeplan.documents.consistency import center_in, inconsistencies
from shapeplan.documents.records import (
    ArmRecord,
    BootstrapRecord,
    CenterRecord,
    CostRecord,
    DroppedRecord,
    EstimateRecord,
    FitRecord,
    FrontRecord,
    HeldOutRecord,
    InfluenceRecord,
    InfluencesRecord,
    NoiseRecord,
    OptimumRecord,
    OutlierRecord,
    ParameterRecord,
    RangeRecord,
    SelectionRecord,
    StarRecord,
    StartRecord,
    TieRecord,
    TrendRecord,
    estimate_records,
)
from shapeplan.documents.rivals import RivalRecord
from shapeplan.documents.rows import RowsRecord
from shapeplan.errors import Caution
from shapeplan.fitting.records import (
    Arm,
    Bootstrap,
    CenterRow,
    Estimate,
    FrontRow,
    HeldOutError,
    Influence,
    Influences,
    Noise,
    Outlier,
    Parameter,
    Quality,
    Trend,
)
from shapeplan.fitting.result import OPTIMUM_AT, Fit
from shapeplan.laws import FORMS, Form, Law
from shapeplan.optimum.cost_model import CostModel
from shapeplan.quantities import Convention
from shapeplan.runs import DroppedRow, Source
from shapeplan.sweeps.dimensions import Dimensions, Tie
from shapeplan.sweeps.grid import Start

KIND = "shapeplan.law"


class LawDocument(Document):
    """A law with its evidence; what `recommend` reads needs nothing else."""

    kind: Literal["shapeplan.law"]
    law: str
    reference: str | None = None
    dims: tuple[str, ...]
    tied: dict[str, TieRecord]
    fixed: dict[str, Finite] = Field(default_factory=dict)
    metric: str
    flops_convention: Convention
    examples_unit: str = Field(default="examples", pattern="^(examples|tokens)$")
    architecture: dict[str, Any] | None
    cost: CostRecord | None = None
    heads: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    units: dict[str, Finite]
    parameters: dict[str, ParameterRecord]
    scaling_exponents: dict[str, EstimateRecord]
    growth_exponents: dict[str, EstimateRecord] = Field(default_factory=dict)
    optimum: OptimumRecord | None = None
    start: StartRecord | None
    star: StarRecord | None = None
    arms: dict[str, ArmRecord] = Field(default_factory=dict)
    fit: FitRecord | None
    center: tuple[CenterRecord, ...]
    center_error: HeldOutRecord | None = None
    grid_error: HeldOutRecord | None = None
    range: RangeRecord
    rows: RowsRecord | None = None
    selection: tuple[SelectionRecord, ...]
    rivals: tuple[RivalRecord, ...] = ()
    dropped: tuple[DroppedRecord, ...]
    outliers: tuple[OutlierRecord, ...]
    trends: dict[str, TrendRecord] = Field(default_factory=dict)
    noise: NoiseRecord | None = None
    influences: InfluencesRecord = InfluencesRecord()
    front: tuple[FrontRecord, ...] = ()
    bootstrap: BootstrapRecord
    command: str | None = None

    @model_validator(mode="after")
    def _belong_together(self) -> LawDocument:
        """Refuse a document whose parts do not make one law."""
        for wrong in inconsistencies(self):
            raise ValueError(wrong)
        return self


def law_document(fit: Fit) -> LawDocument:
    """Return the document of a fit."""
    form = fit.law.form
    return LawDocument(
        **header(KIND, fit.sources, fit.cautions),
        law=form.name,
        reference=form.source,
        dims=fit.dims,
        tied={dim: TieRecord(**asdict(tie)) for dim, tie in fit.dimensions.tied.items()},
        fixed=dict(fit.dimensions.fixed),
        metric=fit.metric,
        flops_convention=fit.flops_convention,
        examples_unit=fit.examples_unit,
        architecture=fit.architecture.describe() if fit.architecture else None,
        cost=CostRecord.of(fit.cost) if isinstance(fit.cost, FittedCost) else None,
        heads=dict(fit.heads),
        units=dict(fit.law.units),
        parameters={name: ParameterRecord(**asdict(parameter)) for name, parameter in fit.parameters.items()},
        scaling_exponents=estimate_records(fit.scaling_exponents),
        growth_exponents=estimate_records(fit.growth_exponents),
        optimum=_optimum_record(fit),
        start=StartRecord(shape=dict(fit.start.shape), flops=fit.start.flops, source=fit.start.source)
        if fit.start
        else None,
        star=StarRecord(center=dict(fit.star_center)) if fit.star_center else None,
        arms={dim: ArmRecord(**asdict(arm)) for dim, arm in fit.arms.items()},
        fit=FitRecord.of(fit.quality),
        center=tuple(CenterRecord(shape=dict(fit.star_center), **asdict(row)) for row in fit.center),
        center_error=_held_out_record(fit.center_error),
        grid_error=_held_out_record(fit.grid_error),
        range=RangeRecord(flops=fit.flops_range, shape=dict(fit.shape_range)),
        rows=RowsRecord.of(fit.rows) if fit.rows else None,
        selection=tuple(SelectionRecord.of(score) for score in fit.selection),
        rivals=tuple(RivalRecord.of(rival) for rival in fit.rivals),
        dropped=tuple(DroppedRecord(**asdict(row)) for row in fit.dropped),
        command=fit.command,
        outliers=tuple(OutlierRecord(**asdict(outlier)) for outlier in fit.outliers),
        trends={name: TrendRecord(**asdict(trend)) for name, trend in fit.trends.items()},
        noise=NoiseRecord(**asdict(fit.noise)) if fit.noise else None,
        influences=InfluencesRecord(
            alone=tuple(_influence_record(influence) for influence in fit.influences.alone),
            together=_influence_record(fit.influences.together) if fit.influences.together else None,
            reasons=dict(fit.influences.reasons),
        ),
        front=tuple(FrontRecord(**asdict(row)) for row in fit.front),
        bootstrap=BootstrapRecord(
            replicates=fit.bootstrap.replicates,
            seed=fit.bootstrap.seed,
            level=fit.bootstrap.level,
            draws={name: tuple(draw.tolist()) for name, draw in fit.bootstrap.draws.items()},
            exponents={name: tuple(map(or_null, draw.tolist())) for name, draw in fit.bootstrap.exponents.items()},
            unconverged=fit.bootstrap.unconverged,
        ),
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
    units = dict(document.units)
    dimensions = Dimensions(
        document.dims,
        {dim: Tie(record.to, record.ratio, record.power) for dim, record in document.tied.items()},
        dict(document.fixed),
    )
    cost = _cost_of(document)
    derive = CostModel(dimensions, cost, document.flops_convention).variables
    constants = {name: record.value for name, record in document.parameters.items()}
    quality = document.fit
    return Fit(
        law=Law(_form_of(document), constants, units, derive),
        metric=document.metric,
        flops_convention=document.flops_convention,
        dimensions=dimensions,
        scaling_exponents=_estimates(document.scaling_exponents),
        growth_exponents=_estimates(document.growth_exponents),
        parameters={
            name: Parameter(record.value, record.ci, record.at_bound) for name, record in document.parameters.items()
        },
        quality=Quality(**quality.model_dump()) if quality else None,
        bootstrap=Bootstrap(
            document.bootstrap.replicates,
            document.bootstrap.seed,
            document.bootstrap.level,
            {name: np.array(draw) for name, draw in document.bootstrap.draws.items()},
            {name: np.array(draw, dtype=float) for name, draw in document.bootstrap.exponents.items()},
            document.bootstrap.unconverged,
        ),
        arms={dim: Arm(**record.model_dump()) for dim, record in document.arms.items()},
        star_center=center_in(document),
        center=tuple(CenterRow(**record.model_dump(exclude={"shape"})) for record in document.center),
        center_error=_held_out(document.center_error),
        grid_error=_held_out(document.grid_error),
        selection=tuple(record.score() for record in document.selection),
        outliers=tuple(Outlier(**record.model_dump()) for record in document.outliers),
        trends={name: Trend(**record.model_dump()) for name, record in document.trends.items()},
        noise=Noise(**document.noise.model_dump()) if document.noise else None,
        influences=Influences(
            tuple(_influence(record) for record in document.influences.alone),
            _influence(document.influences.together) if document.influences.together else None,
            document.influences.reasons,
        ),
        front=tuple(FrontRow(**record.model_dump()) for record in document.front),
        start=Start(dict(document.start.shape), document.start.flops, document.start.source)
        if document.start
        else None,
        flops_range=document.range.flops,
        shape_range=dict(document.range.shape),
        architecture=architecture(document.architecture) if document.architecture else None,
        cost=cost,
        heads=dict(document.heads),
        examples_unit=document.examples_unit,
        dropped=tuple(DroppedRow(row.file, row.line, row.reason) for row in document.dropped),
        cautions=tuple(Caution(w.code, w.message, w.hint) for w in document.warnings),
        sources=sources or tuple(Source(i.name, i.sha256) for i in document.inputs),
        command=document.command,
        origins=tuple(Source(i.name, i.sha256) for i in document.inputs) if sources else (),
        rivals=tuple(record.rival(derive) for record in document.rivals),
        rows=document.rows.rows() if document.rows else None,
    )


def _form_of(document: LawDocument) -> Form:
    form = FORMS[document.law].over(document.dims)
    center = center_in(document) if document.parameters else {}
    return form.around({dim: center[dim] / document.units[dim] for dim in form.dims if dim in center})


def _estimates(records: Mapping[str, EstimateRecord]) -> dict[str, Estimate]:
    return {dim: Estimate(_or_nan(record.value), record.ci) for dim, record in records.items()}


def _optimum_record(fit: Fit) -> OptimumRecord | None:
    shape = estimate_records(fit.beyond)
    return OptimumRecord(flops=OPTIMUM_AT * fit.flops_range[1], shape=shape) if shape else None


def _influence_record(influence: Influence) -> InfluenceRecord:
    exponents = {name: or_null(value) for name, value in influence.exponents.items()}
    return InfluenceRecord(**{**asdict(influence), "exponents": exponents})


def _influence(record: InfluenceRecord) -> Influence:
    exponents = {name: _or_nan(value) for name, value in record.exponents.items()}
    return Influence(**{**record.model_dump(), "exponents": exponents})


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _held_out_record(error: HeldOutError | None) -> HeldOutRecord | None:
    return HeldOutRecord(**asdict(error)) if error else None


def _held_out(record: HeldOutRecord | None) -> HeldOutError | None:
    return HeldOutError(**record.model_dump()) if record else None


def _cost_of(document: LawDocument) -> Cost | None:
    if document.architecture:
        return architecture(document.architecture)
    return document.cost.cost() if document.cost else None
