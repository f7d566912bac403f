"""The parts of a fit: what it keeps of the log, and the evidence for its law. None of them needs an optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shapeplan.architectures import Architecture, Cost
from shapeplan.errors import Caution
from shapeplan.fitting.records import (
    Arm,
    Bootstrap,
    CenterRow,
    Estimate,
    FrontRow,
    HeldOutError,
    Influences,
    Interval,
    Noise,
    Outlier,
    Parameter,
    Quality,
    Score,
    Trend,
)
from shapeplan.fitting.rows import Rows
from shapeplan.laws import Law
from shapeplan.numerics.arrays import Floats
from shapeplan.provenance import DroppedRow, Source
from shapeplan.quantities import Convention
from shapeplan.sweeps.dimensions import Dimensions


@dataclass(frozen=True)
class LogSummary:
    """What a fit keeps of its log, since plans and pictures need it.

    Attributes
    ----------
    metric : str
        What is minimized.
    flops_convention : {"forward", "training"}
        What the law's compute counts.
    examples_unit : str
        ``examples`` or ``tokens``.
    dimensions : Dimensions
        Free, tied and fixed dimensions.
    flops_range, shape_range : interval, mapping of str to interval
        What the rows cover; beyond it the law extrapolates.
    architecture : Architecture or None
        As the log gives it.
    cost : Cost or None
        F(x): the architecture, or power laws read off the log.
    heads : mapping of str to int
        ``heads`` or ``head_dim``, if the log has a rule for heads; else empty.
    front : tuple of FrontRow
        The Pareto front of all rows: what was reached at which compute.
    rows : Rows or None
        The rows of the log under the law; None for a published law, and in documents of older versions.
    sources, origins : tuple of Source
        The inputs; and, of a fit that was read from a document, what that was fitted to.
    dropped : tuple of DroppedRow
        Rows that were left out, and why.
    notes : tuple of str
        What was understood on the way; not part of the evidence.
    """

    metric: str
    flops_convention: Convention
    examples_unit: str
    dimensions: Dimensions
    flops_range: Interval
    shape_range: Mapping[str, Interval]
    architecture: Architecture | None
    cost: Cost | None
    heads: Mapping[str, int]
    front: tuple[FrontRow, ...]
    rows: Rows | None
    sources: tuple[Source, ...]
    origins: tuple[Source, ...] = ()
    dropped: tuple[DroppedRow, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Uncertainty:
    """The estimates with their intervals, and the replicates behind these.

    Attributes
    ----------
    parameters : mapping of str to Parameter
        Every constant.
    scaling_exponents : mapping of str to Estimate
        s_k, the growth of the optimum of dimension k with compute while the others stay: those of Eq. 2 where the log
        has a star, else the law's own where it has them in closed form.
    growth_exponents : mapping of str to Estimate
        Growth of a dimension while all follow the optimum, at ten times the largest compute where it varies.
    bootstrap : Bootstrap
        The replicates behind the intervals.
    """

    parameters: Mapping[str, Parameter]
    scaling_exponents: Mapping[str, Estimate]
    growth_exponents: Mapping[str, Estimate]
    bootstrap: Bootstrap


@dataclass(frozen=True)
class Diagnostics:
    """How well the law fits, and what is doubtful about it.

    Attributes
    ----------
    quality : Quality or None
        None for a published law.
    outliers : tuple of Outlier
        The rows far from the law.
    trends : mapping of str to Trend
        Residuals against compute and every dimension that varies.
    noise : Noise or None
        Scatter of replicates or checkpoints, where the log has them.
    influences : Influences
        The runs that move the fit most.
    cautions : tuple of Caution
        Coded warnings.
    """

    quality: Quality | None
    outliers: tuple[Outlier, ...]
    trends: Mapping[str, Trend]
    noise: Noise | None
    influences: Influences
    cautions: tuple[Caution, ...]


@dataclass(frozen=True)
class Rival:
    """A law that the rollout hardly tells from the one of choice: within two standard errors of the best.

    Attributes
    ----------
    law : Law
        The law.
    draws : mapping of str to ndarray, shape (replicates,)
        Its constants under bootstrap replicates; empty without.
    """

    law: Law
    draws: Mapping[str, Floats]

    @property
    def replicates(self) -> int:
        """How many replicates there are."""
        return len(next(iter(self.draws.values()), ()))


@dataclass(frozen=True)
class ModelSelection:
    """How the law was chosen.

    Attributes
    ----------
    scores : tuple of Score
        The table of choice.
    rivals : tuple of Rival
        Laws of shape that might as well have been chosen.
    """

    scores: tuple[Score, ...]
    rivals: tuple[Rival, ...] = ()


@dataclass(frozen=True)
class StarEvidence:
    """The star of a log under Eq. 2; empty without one.

    Attributes
    ----------
    shape : mapping of str to float
        The centre.
    arms : mapping of str to Arm
        How Eq. 2 does on every arm.
    center, center_error : tuple of CenterRow, HeldOutError or None
        The held-out centre, row by row and summed up.
    grid_error : HeldOutError or None
        The rows beside the star, which the star never saw: a test of Eq. 3 away from its arms.
    """

    shape: Mapping[str, float] = field(default_factory=dict)
    arms: Mapping[str, Arm] = field(default_factory=dict)
    center: tuple[CenterRow, ...] = ()
    center_error: HeldOutError | None = None
    grid_error: HeldOutError | None = None
