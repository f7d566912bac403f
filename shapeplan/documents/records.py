"""The parts of a law document."""

from __future__ import annotations

from pydantic import Field

from shapeplan.documents.base import Finite, Part, Range
from shapeplan.fitting.result import Status


class TieRecord(Part):
    """A dimension that follows another by a ratio."""

    to: str
    ratio: Finite


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

    values: tuple[Finite, ...]
    rows: int
    runs: int
    relative_rmse: Finite
    c_alone: Finite


class FitRecord(Part):
    """How well the law fits its rows."""

    objective: str
    objective_value: Finite
    relative_rmse: Finite
    rows: int
    runs: int
    status: Status


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


class SelectionRecord(Part):
    """A candidate law."""

    law: str
    rollout_rmse: Finite | None
    rollout_se: Finite | None
    relative_rmse: Finite


class DroppedRecord(Part):
    """A row that was left out."""

    line: int
    reason: str


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


class PowerLawRecord(Part):
    """A power law read off the log."""

    coefficient: Finite = Field(gt=0)
    exponents: dict[str, Finite]
    max_relative_error: Finite


class CostRecord(Part):
    """F(x) and parameters where no architecture is given."""

    forward_flops: PowerLawRecord
    params: PowerLawRecord | None

    @property
    def laws(self) -> tuple[PowerLawRecord, ...]:
        """The power laws that are there."""
        return (self.forward_flops,) if self.params is None else (self.forward_flops, self.params)


class RangeRecord(Part):
    """What the rows cover."""

    flops: Range
    shape: dict[str, Range]
