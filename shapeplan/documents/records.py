"""The parts of a law document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal

from pydantic import Field

from shapeplan.architectures import FittedCost, PowerSum, PowerTerm
from shapeplan.documents.base import Finite, Part, Range, or_null
from shapeplan.documents.rivals import LARGEST_UNIT
from shapeplan.fitting.records import Estimate, HeldOutError, Horizon, Quality, Score, Status
from shapeplan.fitting.selection.identifiability import Support


class TieRecord(Part):
    """A dimension that follows another: ``ratio * to ** power``."""

    to: str
    ratio: Finite
    power: Finite = 1.0


class ParameterRecord(Part):
    """A constant, in the units of the document."""

    value: Finite
    ci: Range | None
    at_bound: bool


class EstimateRecord(Part):
    """A number with its interval; null where it is not defined."""

    value: Finite | None
    ci: Range | None


class StartRecord(Part):
    """x0 and t0 of the recipe."""

    shape: dict[str, Finite]
    flops: Finite = Field(gt=0)
    source: str


class StarRecord(Part):
    """The star that the law was fitted on."""

    center: dict[str, Finite]


class ArmRecord(Part):
    """How Eq. 2 does on one arm."""

    values: tuple[Finite, ...] = Field(min_length=1)
    rows: int
    runs: int
    relative_rmse: Finite
    c_alone: Finite


class FitRecord(Part):
    """How well the law fits its rows."""

    objective: str
    objective_value: Finite
    relative_rmse: Finite = Field(ge=0)
    rows: int
    runs: int
    status: Status

    @classmethod
    def of(cls, quality: Quality | None) -> FitRecord | None:
        """Return the record, or None of a published law."""
        return cls(**asdict(quality)) if quality else None


class CenterRecord(Part):
    """A row of the held-out centre."""

    shape: dict[str, Finite]
    flops: Finite
    observed: Finite
    predicted: Finite
    relative_error: Finite
    by_arm: dict[str, Finite]


class HeldOutRecord(Part):
    """How far the law is from rows it never saw, relative."""

    rows: int
    bias: Finite
    rmse: Finite
    worst: Finite


class HorizonRecord(Part):
    """Errors on rows so far above those that a fit saw."""

    distance: Finite
    rmse: Finite
    rows: int


class SelectionRecord(Part):
    """A candidate law."""

    law: str
    rollout_rmse: Finite | None
    rollout_se: Finite | None
    relative_rmse: Finite
    parameters: int = 0
    bic_excess: Finite | None = None
    top_decade: HeldOutRecord | None = None
    unseen_shapes: HeldOutRecord | None = None
    rollout: tuple[HorizonRecord, ...] = ()
    reasons: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of(cls, score: Score) -> SelectionRecord:
        """Return the record of a score."""
        return cls(**asdict(score))

    def score(self) -> Score:
        """Return the score that the record describes."""
        held_out = {"top_decade": self.top_decade, "unseen_shapes": self.unseen_shapes}
        errors = {name: HeldOutError(**record.model_dump()) if record else None for name, record in held_out.items()}
        rollout = tuple(Horizon(**record.model_dump()) for record in self.rollout)
        return Score(**{**self.model_dump(), **errors, "rollout": rollout})


class NoiseRecord(Part):
    """Scatter that no law could explain."""

    source: Literal["replicates", "checkpoints"]
    sigma: Finite
    rows: int


class TrendRecord(Part):
    """Mean residual in the low, middle and high third of a variable, and how often a clean log shows as much."""

    low: Finite
    middle: Finite
    high: Finite
    chance: Finite


class InfluenceRecord(Part):
    """The fit without some runs; null where a number is not defined."""

    runs: tuple[str, ...] = Field(min_length=1)
    lines: tuple[int, ...] = Field(min_length=1)
    strength: Finite
    surprise: Finite
    exponents: dict[str, Finite | None]
    optimum: dict[str, Finite]


class InfluencesRecord(Part):
    """The runs that move the fit most, each left out alone, and all of them together."""

    alone: tuple[InfluenceRecord, ...] = ()
    together: InfluenceRecord | None = None
    reasons: dict[str, str] = Field(default_factory=dict)


class OptimumRecord(Part):
    """The shape of least loss at a compute."""

    flops: Finite = Field(gt=0)
    shape: dict[str, EstimateRecord]


class SupportRecord(Part):
    """Whether the log can identify a law, and why not."""

    law: str
    supported: bool
    reason: str | None

    @classmethod
    def of(cls, law: Support) -> SupportRecord:
        """Return the record of a law."""
        return cls(**asdict(law))


class DroppedRecord(Part):
    """A row that was left out."""

    line: int
    reason: str
    file: str = ""


class OutlierRecord(Part):
    """A row that lies far from the law."""

    run: str
    line: int
    residual: Finite


class FrontRecord(Part):
    """A row of the log that no row with as little compute beats."""

    run: str
    line: int
    flops: Finite
    loss: Finite


class BootstrapRecord(Part):
    """Replicates of every parameter."""

    replicates: int
    seed: int
    level: Finite = Field(ge=0.01, le=0.999)
    draws: dict[str, tuple[Finite, ...]]
    exponents: dict[str, tuple[Finite | None, ...]] = Field(default_factory=dict)
    unconverged: int = Field(default=0, ge=0)


class PowerTermRecord(Part):
    """A power of the dimensions."""

    coefficient: Finite = Field(gt=0, le=LARGEST_UNIT)
    exponents: dict[str, Finite]


class PowerSumRecord(PowerTermRecord):
    """A power of the dimensions, and more that are added to it, read off the log."""

    max_relative_error: Finite
    more: tuple[PowerTermRecord, ...] = ()

    @classmethod
    def of(cls, powers: PowerSum) -> PowerSumRecord:
        """Return the record of a sum of powers."""
        first, *more = (
            PowerTermRecord(coefficient=one.coefficient, exponents=dict(one.exponents)) for one in powers.terms
        )
        return cls(**first.model_dump(), max_relative_error=powers.max_relative_error, more=tuple(more))

    def powers(self) -> PowerSum:
        """Return the sum that the record describes."""
        terms = tuple(PowerTerm(one.coefficient, one.exponents) for one in (self, *self.more))
        return PowerSum(terms, self.max_relative_error)

    @property
    def dims(self) -> set[str]:
        """The dimensions it speaks of."""
        return {dim for one in (self, *self.more) for dim in one.exponents}


class CostRecord(Part):
    """F(x) and parameters where no architecture is given."""

    forward_flops: PowerSumRecord
    params: PowerSumRecord | None

    @property
    def dims(self) -> set[str]:
        """The dimensions they speak of."""
        return self.forward_flops.dims | (self.params.dims if self.params else set())

    @classmethod
    def of(cls, cost: FittedCost) -> CostRecord:
        """Return the record of a cost."""
        params = PowerSumRecord.of(cost.parameters) if cost.parameters else None
        return cls(forward_flops=PowerSumRecord.of(cost.forward_flops), params=params)

    def cost(self) -> FittedCost:
        """Return the cost that the record describes."""
        return FittedCost(self.forward_flops.powers(), self.params.powers() if self.params else None)


class RangeRecord(Part):
    """What the rows cover."""

    flops: Range
    shape: dict[str, Range]


def estimate_records(estimates: Mapping[str, Estimate]) -> dict[str, EstimateRecord]:
    """Return the records of estimates by name."""
    return {name: EstimateRecord(value=or_null(e.value), ci=e.ci) for name, e in estimates.items()}
