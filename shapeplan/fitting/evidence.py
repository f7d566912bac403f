"""The parts of a fit: what it keeps of the log, and the evidence for its law. None of them needs an optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.architectures import Architecture, Cost
from shapeplan.errors import Caution
from shapeplan.fitting.isoflop import IsoFlops
from shapeplan.fitting.records import (
    Arm,
    Bootstrap,
    CenterRow,
    Estimate,
    FrontRow,
    HeldOutError,
    Horizon,
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
from shapeplan.fitting.tuning.power_law import Tuning
from shapeplan.frozen import frozen
from shapeplan.laws import Law
from shapeplan.numerics.arrays import Floats, widened
from shapeplan.provenance import DroppedRow, ReadAs, Source
from shapeplan.quantities import Convention
from shapeplan.sweeps.dimensions import Dimensions

INTERVALS = ("run", "law")
"""Whose interval of a loss is told: that of a run that is to be trained, or that of the law."""

UNKNOWN = 100.0
"""Relative standard deviation of a run of which nothing is known: a law document may say more, which no float holds."""


@frozen
class RecipeFactor:
    """What the compute of one recipe is worth.

    Attributes
    ----------
    column, name : str
        The column that tells recipes, and its value.
    rows : int
        How many rows it has.
    compute : Estimate
        How much compute of the reference a unit of its own is worth; 1, without an interval, for the reference.
    form : str
        What its level is: a factor of ``compute``, a factor of the ``loss``, or a difference of ``eps``.
    level : Estimate or None
        That; None for the reference.
    """

    column: str
    name: str
    rows: int
    compute: Estimate
    form: str = "compute"
    level: Estimate | None = None


@frozen
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
    own_settings : tuple of str
        Settings of it that rows say themselves, and are counted by.
    cost : Cost or None
        F(x): the architecture, or power laws read off the log.
    heads : mapping of str to int
        ``heads`` or ``head_dim``, if the log has a rule for heads; else empty.
    front : tuple of FrontRow
        The Pareto front of all rows: what was reached at which compute.
    rows : Rows or None
        The rows of the log under the law; None for a published law, and in documents of older versions.
    read_as : ReadAs
        What was said of how the log is read.
    sources, origins : tuple of Source
        The inputs; and, of a fit that was read from a document, what that was fitted to.
    dropped : tuple of DroppedRow
        Rows that were left out, and why.
    notes : tuple of str
        What was understood on the way; not part of the evidence.
    isoflops : IsoFlops or None
        The budgets of an isoFLOP sweep; None for others.
    recipes : tuple of RecipeFactor
        What the compute of every recipe of the log is worth, that of the reference first; empty where they are one.
    tuning : Tuning or None
        What the log tells of learning rates, batches and warm-up; None where it has no such column.
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
    read_as: ReadAs = field(default_factory=ReadAs)
    own_settings: tuple[str, ...] = ()
    origins: tuple[Source, ...] = ()
    dropped: tuple[DroppedRow, ...] = ()
    notes: tuple[str, ...] = ()
    isoflops: IsoFlops | None = None
    recipes: tuple[RecipeFactor, ...] = ()
    tuning: Tuning | None = None

    def __repr__(self) -> str:
        """Return metric, dimensions and compute; the rows are in the fields."""
        low, high = self.flops_range
        dims, compute = ", ".join(self.dimensions.every), f"{low:.3g} to {high:.3g} {self.flops_convention} FLOPs"
        return f"<LogSummary of {self.metric!r}: {dims}, {compute}>"


@frozen
class RunError:
    """How far a run is from the law: relative standard deviation, by how far the run is extrapolated.

    Attributes
    ----------
    scatter : float
        Of rows within the compute of the log.
    drift : float
        What is added, as a variance, for every factor e of compute beyond it: no law is exactly true.
    source : {"backtest", "prior"}
        Whether the drift is that of the log, or of public sweeps, since the log allows no backtest.
    errors : tuple of Horizon
        Errors of the backtest by distance.
    """

    scatter: float
    drift: float
    source: Literal["backtest", "prior"]
    errors: tuple[Horizon, ...] = ()

    def sigma(self, distance: ArrayLike) -> Floats:
        """Return the standard deviation at factors beyond the rows of the log, 1 within it; at most `UNKNOWN`."""
        return np.minimum(np.hypot(self.scatter, self.drift * np.log(np.maximum(distance, 1.0))), UNKNOWN)

    def around(
        self, losses: Floats, distance: Floats, law: tuple[Floats, Floats], level: float
    ) -> tuple[Floats, Floats]:
        """Return the interval of runs, each of shape (points,), from the losses of the law and their interval.

        Where replicates are skewed, the interval of the law may not hold its own loss: that of a run does. A loss that
        is not positive has no such interval, and keeps that of the law.
        """
        own = NormalDist().inv_cdf((1 + level) / 2) * self.sigma(distance)
        with np.errstate(invalid="ignore", divide="ignore"):
            low, high = widened(losses, law, own)
        sound = (losses > 0) & (law[0] > 0)
        return np.where(sound, low, law[0]), np.where(sound, high, law[1])


@frozen
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
    run_error : RunError or None
        How far a run is from the law; None for a law without constants, and in documents of older versions.
    size_drift : mapping of str to float
        How far a dimension of the best shape moves in the backtest, as the standard deviation of its logarithm for a
        factor e of extrapolation; without dimensions that no fold tells.
    """

    parameters: Mapping[str, Parameter]
    scaling_exponents: Mapping[str, Estimate]
    growth_exponents: Mapping[str, Estimate]
    bootstrap: Bootstrap
    run_error: RunError | None = None
    size_drift: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return the constants; their intervals are in the fields."""
        constants = ", ".join(f"{name}={one.value:.4g}" for name, one in self.parameters.items())
        return f"<Uncertainty of {constants}; {self.bootstrap!r}>"


@frozen
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

    def __repr__(self) -> str:
        """Return quality and warnings; rows and runs are in the fields."""
        warned = [caution.code for caution in self.cautions]
        off = f", off by {self.quality.relative_rmse:.2%}" if self.quality else ""
        return f"<Diagnostics: {len(self.outliers)} outliers{off}, warnings={warned}>"


@frozen
class Rival:
    """A law that neither the fit to all rows nor the backtest tells from the one of choice.

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


@frozen
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


@frozen
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
