"""The parts of a law document that are not records of the fit as they are: null in place of NaN, lists of arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Literal, cast

import numpy as np
from pydantic import Field

from shapeplan.architectures import FittedCost, PowerSum, PowerTerm
from shapeplan.documents.base import Part, Range, or_null
from shapeplan.fitting.evidence import RecipeFactor
from shapeplan.fitting.records import Bootstrap, CenterRow, Estimate, Influence, Influences


class EstimateRecord(Part):
    """A number with its interval; null where it is not defined."""

    value: float | None
    ci: Range | None

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateRecord:
        """Return the record of an estimate."""
        return cls(value=or_null(estimate.value), ci=estimate.ci)

    def estimate(self) -> Estimate:
        """Return the estimate that the record describes."""
        return Estimate(_or_nan(self.value), self.ci)


class StarRecord(Part):
    """The star that the law was fitted on."""

    center: dict[str, float]


class CenterRecord(Part):
    """A row of the held-out centre."""

    shape: dict[str, float]
    flops: float
    observed: float
    predicted: float
    relative_error: float
    by_arm: dict[str, float]

    def row(self) -> CenterRow:
        """Return the row that the record describes."""
        return CenterRow(self.flops, self.observed, self.predicted, self.relative_error, self.by_arm)


class InfluenceRecord(Part):
    """The fit without some runs; null where a number is not defined."""

    runs: tuple[str, ...] = Field(min_length=1)
    lines: tuple[int, ...] = Field(min_length=1)
    strength: float
    surprise: float
    exponents: dict[str, float | None]
    optimum: dict[str, float]
    files: tuple[str, ...] = ()

    @classmethod
    def of(cls, influence: Influence) -> InfluenceRecord:
        """Return the record of an influence."""
        exponents = {name: or_null(value) for name, value in influence.exponents.items()}
        return cls(**{**asdict(influence), "exponents": exponents})

    def influence(self) -> Influence:
        """Return the influence that the record describes."""
        exponents = {name: _or_nan(value) for name, value in self.exponents.items()}
        return Influence(self.runs, self.lines, self.strength, self.surprise, exponents, self.optimum, self.files)


class InfluencesRecord(Part):
    """The runs that move the fit most, each left out alone, and all of them together."""

    alone: tuple[InfluenceRecord, ...] = ()
    together: InfluenceRecord | None = None
    reasons: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of(cls, found: Influences) -> InfluencesRecord:
        """Return the record of the runs that move a fit most."""
        together = InfluenceRecord.of(found.together) if found.together else None
        return cls(alone=tuple(map(InfluenceRecord.of, found.alone)), together=together, reasons=dict(found.reasons))

    def records(self) -> Iterator[tuple[tuple[str | int, ...], InfluenceRecord]]:
        """Yield every record, with its place in here."""
        yield from ((("alone", index), record) for index, record in enumerate(self.alone))
        if self.together:
            yield ("together",), self.together

    def influences(self) -> Influences:
        """Return what the record describes."""
        together = self.together.influence() if self.together else None
        return Influences(tuple(record.influence() for record in self.alone), together, self.reasons)


class OptimumRecord(Part):
    """The shape of least loss at a compute."""

    flops: float = Field(gt=0)
    shape: dict[str, EstimateRecord]


class BootstrapRecord(Part):
    """Replicates of every parameter."""

    replicates: int
    seed: int
    level: float = Field(ge=0.01, le=0.999)
    draws: dict[str, tuple[float, ...]]
    exponents: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)
    unconverged: int = Field(default=0, ge=0)

    @classmethod
    def of(cls, bootstrap: Bootstrap) -> BootstrapRecord:
        """Return the record of replicates."""
        return cls(
            replicates=bootstrap.replicates,
            seed=bootstrap.seed,
            level=bootstrap.level,
            draws={name: tuple(draw.tolist()) for name, draw in bootstrap.draws.items()},
            exponents={name: tuple(map(or_null, draw.tolist())) for name, draw in bootstrap.exponents.items()},
            unconverged=bootstrap.unconverged,
        )

    def bootstrap(self) -> Bootstrap:
        """Return the replicates that the record describes."""
        draws = {name: np.array(draw) for name, draw in self.draws.items()}
        exponents = {name: np.array(draw, dtype=float) for name, draw in self.exponents.items()}
        return Bootstrap(self.replicates, self.seed, self.level, draws, exponents, self.unconverged)


class PowerSumRecord(Part):
    """A power of the dimensions, and more that are added to it, read off the log."""

    coefficient: float
    exponents: dict[str, float]
    max_relative_error: float
    more: tuple[PowerTerm, ...] = ()

    @classmethod
    def of(cls, powers: PowerSum) -> PowerSumRecord:
        """Return the record of a sum of powers."""
        first, *more = powers.terms
        return cls(**asdict(first), max_relative_error=powers.max_relative_error, more=tuple(more))

    def powers(self) -> PowerSum:
        """Return the sum that the record describes."""
        return PowerSum((PowerTerm(self.coefficient, self.exponents), *self.more), self.max_relative_error)


class CostRecord(Part):
    """F(x) and parameters where no architecture is given."""

    forward_flops: PowerSumRecord
    params: PowerSumRecord | None

    @property
    def terms(self) -> tuple[PowerTerm, ...]:
        """All powers."""
        cost = self.cost()
        return (*cost.forward_flops.terms, *(cost.parameters.terms if cost.parameters else ()))

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


class RecipeRecord(Part):
    """What the compute of one recipe is worth."""

    column: str
    name: str
    rows: int
    compute: EstimateRecord
    form: Literal["compute", "loss", "eps"] = "compute"
    level: EstimateRecord | None = None

    @classmethod
    def of(cls, factor: RecipeFactor) -> RecipeRecord:
        """Return the record of a factor."""
        return cls(
            column=factor.column,
            name=factor.name,
            rows=factor.rows,
            compute=EstimateRecord.of(factor.compute),
            form=cast("Literal['compute', 'loss', 'eps']", factor.form),
            level=None if factor.level is None else EstimateRecord.of(factor.level),
        )

    def factor(self) -> RecipeFactor:
        """Return what the record describes."""
        level = None if self.level is None else self.level.estimate()
        return RecipeFactor(self.column, self.name, self.rows, self.compute.estimate(), self.form, level)


def estimate_records(estimates: Mapping[str, Estimate]) -> dict[str, EstimateRecord]:
    """Return the records of estimates by name."""
    return {name: EstimateRecord.of(estimate) for name, estimate in estimates.items()}


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
