"""The flops document: counts of models side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from shapeplan.architectures import CONVENTIONS
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.counting.compare import Costs, ModelCost, Training
from shapeplan.documents.base import Document, header
from shapeplan.documents.base import Part as Piece
from shapeplan.quantities import Convention

KIND = "shapeplan.flops"


class ConventionRecord(Piece):
    """What a number of FLOPs counts."""

    counts: Convention
    formula: str
    source: str
    use: str


class PartRecord(Piece):
    """What a part adds; MACs are those of one input."""

    params: int
    macs: int


class MemoryRecord(Piece):
    """Bytes of the state."""

    weights: int
    gradients: int
    optimizer: int
    total: int


class RatioRecord(Piece):
    """Ratios to the first model; FLOPs are forward, of one example, and null between images and tokens."""

    params: float
    flops_per_example: float | None


class ModelRecord(Piece):
    """The counts of one model; null where a convention is not defined for it."""

    name: str
    catalogue_name: str | None
    family: str
    source: str
    note: str
    shape: dict[str, int]
    settings: dict[str, Any]
    examples_unit: str
    examples_per_input: int
    tokens_per_input: int
    params: int
    active_params: int
    params_without_embeddings: int
    macs: int
    flops: dict[str, int | None]
    flops_per_example: dict[str, float | None]
    parts: dict[str, PartRecord]
    ratio_to_first: RatioRecord
    training: Training | None
    memory: MemoryRecord | None


class HardwareRecord(Piece):
    """What days rest on."""

    count: int
    accelerator: str
    peak_flops_per_second: float
    memory_bytes: float
    source: str
    mfu: float


class FlopsDocument(Document):
    """Models side by side."""

    kind: Literal["shapeplan.flops"]
    conventions: dict[str, ConventionRecord]
    assumptions: tuple[str, ...]
    budget: float | None
    budget_convention: str | None
    hardware: HardwareRecord | None
    memory_recipe: str | None
    models: tuple[ModelRecord, ...]


def flops_document(costs: Costs) -> FlopsDocument:
    """Return the document of counts."""
    fleet, mfu = costs.fleet, costs.mfu
    hardware = None
    if fleet and mfu:
        chip = fleet.accelerator
        hardware = HardwareRecord(
            count=fleet.count,
            accelerator=chip.name,
            peak_flops_per_second=chip.peak,
            memory_bytes=chip.memory,
            source=chip.source,
            mfu=mfu,
        )
    return FlopsDocument(
        **header(KIND, costs.sources, costs.cautions),
        conventions={
            name: ConventionRecord(counts=c.counts, formula=c.formula, source=c.source, use=c.use)
            for name, c in CONVENTIONS.items()
        },
        assumptions=costs.assumptions,
        budget=costs.budget,
        budget_convention=costs.flops_convention if costs.budget is not None else None,
        hardware=hardware,
        memory_recipe=costs.recipe.name if costs.recipe else None,
        models=tuple(_model(row, costs.models[0]) for row in costs.models),
    )


def _model(row: ModelCost, first: ModelCost) -> ModelRecord:
    model, memory = row.counted.model, row.memory
    return ModelRecord(
        name=row.name,
        catalogue_name=row.counted.record or None,
        family=row.counted.family,
        source=row.counted.source,
        note=row.counted.note,
        shape={**{dim: getattr(model, dim) for dim in SHAPE_DIMS}, "heads": model.head_count},
        settings=model.settings(),
        examples_unit=model.examples_unit,
        examples_per_input=model.examples_per_input,
        tokens_per_input=model.tokens,
        params=row.params,
        active_params=row.active_params,
        params_without_embeddings=row.non_embedding_params,
        macs=row.macs,
        flops=dict(row.flops),
        flops_per_example={name: row.flops_per_example(name) for name in row.flops},
        parts={name: PartRecord(params=part.params, macs=part.macs) for name, part in row.parts.items()},
        ratio_to_first=RatioRecord(
            params=row.params / first.params,
            flops_per_example=row.flops_ratio(first),
        ),
        training=row.training,
        memory=MemoryRecord(**asdict(memory), total=memory.total) if memory else None,
    )
