"""The result of a fit: a law with its evidence. These records need no optimizer, so plans can be made without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.architectures import Architecture, Cost
from shapeplan.arrays import Floats, central_interval
from shapeplan.errors import Caution
from shapeplan.laws import Law
from shapeplan.quantities import Convention
from shapeplan.runs import Source
from shapeplan.sweeps.dimensions import Dimensions
from shapeplan.sweeps.grid import Start

Interval = tuple[float, float]
Status = Literal["ok", "untrusted"]
GRAVE = ("lack-of-fit", "unidentified")
"""The warnings that may make a fit untrusted."""
_CELLS = 2_000_000
"""Points times draws that are evaluated at once, which bounds memory."""
HELD_OUT_TOLERANCE = 0.02
"""Relative error on rows it never saw above which a law is doubted, if it is three times its own scatter too."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; None where there is no evidence for one, NaN where it is not defined."""

    value: float
    ci: Interval | None = None


@dataclass(frozen=True)
class Parameter:
    """A coefficient or an exponent.

    Attributes
    ----------
    value : float
        In the units of the law.
    ci : (float, float) or None
        Bootstrap interval.
    at_bound : bool
        Whether an exponent is at the edge of its search range or a coefficient is zero.
    """

    value: float
    ci: Interval | None = None
    at_bound: bool = False


@dataclass(frozen=True)
class Arm:
    """How Eq. 2 does on one arm of the star.

    Attributes
    ----------
    values : tuple of float
        Values of the dimension.
    rows, runs : int
        How many there are.
    relative_rmse : float
        Root mean square of pred/y - 1.
    c_alone : float
        The exponent of compute if the arm were fitted by itself; a check, since the paper finds c independent of the
        dimension.
    """

    values: tuple[float, ...]
    rows: int
    runs: int
    relative_rmse: float
    c_alone: float


@dataclass(frozen=True)
class CenterRow:
    """A row of the held-out centre: what the law predicts there, never having seen it.

    Attributes
    ----------
    flops, observed, predicted, relative_error : float
        `relative_error` is predicted/observed - 1; `predicted` is the mean over the arms.
    by_arm : mapping of str to float
        What each arm alone predicts (the paper's Figure 4).
    """

    flops: float
    observed: float
    predicted: float
    relative_error: float
    by_arm: Mapping[str, float]


@dataclass(frozen=True)
class HeldOutError:
    """How far the law is from rows it never saw: mean, root mean square and largest of predicted/observed - 1."""

    rows: int
    bias: float
    rmse: float
    worst: float

    @classmethod
    def of(cls, predicted: Floats, observed: Floats) -> HeldOutError | None:
        """Sum up the errors of rows; None where there are none."""
        if not observed.size:
            return None
        errors = predicted / observed - 1.0
        worst = errors[np.argmax(np.abs(errors))]
        return cls(len(errors), float(errors.mean()), float(np.sqrt(np.mean(errors**2))), float(worst))


@dataclass(frozen=True)
class FrontRow:
    """A row of the log that no row with as little compute beats."""

    run: str
    line: int
    flops: float
    loss: float


@dataclass(frozen=True)
class Outlier:
    """A row that lies far from the law."""

    run: str
    line: int
    residual: float


@dataclass(frozen=True)
class Score:
    """A candidate law in the table of choice; None where it was not scored."""

    law: str
    rollout_rmse: float | None
    rollout_se: float | None
    relative_rmse: float


@dataclass(frozen=True)
class Quality:
    """How well the law fits its rows."""

    objective: str
    objective_value: float
    relative_rmse: float
    rows: int
    runs: int
    status: Status


@dataclass(frozen=True)
class Bootstrap:
    """Replicates of the constants.

    Attributes
    ----------
    replicates, seed : int
        How many, and the seed they follow from.
    level : float
        Coverage of the intervals.
    draws : mapping of str to ndarray, shape (replicates,)
        Every parameter under every replicate.
    """

    replicates: int = 0
    seed: int = 0
    level: float = 0.9
    draws: Mapping[str, Floats] = field(default_factory=dict)

    def interval(self, values: Floats) -> Interval | None:
        """Return the central interval of draws, NaN left out; None where no draw is defined."""
        defined = values[np.isfinite(values)]
        if not defined.size:
            return None
        low, high = central_interval(defined, self.level)
        return float(low), float(high)

    def columns(self) -> dict[str, Floats]:
        """Return the draws with shape (replicates, 1), to broadcast against rows."""
        return {name: draw[:, None] for name, draw in self.draws.items()}


@dataclass(frozen=True)
class Fit:
    """A law and the evidence for it.

    Attributes
    ----------
    law : Law
        The function from shape and compute to loss; without constants for a published law that gives none.
    metric : str
        What is minimized.
    flops_convention : {"forward", "training"}
        What the law's compute counts.
    dimensions : Dimensions
        Free, tied and fixed dimensions.
    scaling_exponents : mapping of str to Estimate
        s_k, the growth of the optimum of dimension k with compute.
    parameters : mapping of str to Parameter
        Every constant.
    quality : Quality or None
        None for a published law.
    bootstrap : Bootstrap
        The replicates behind the intervals.
    arms : mapping of str to Arm
        How Eq. 2 does on every arm.
    center, center_error : tuple of CenterRow, HeldOutError or None
        The held-out centre, row by row and summed up.
    grid_error : HeldOutError or None
        The rows beside the star, which the star never saw: a test of the law away from its arms.
    selection, outliers : tuples
        The table of choice, and the rows far from the law.
    front : tuple of FrontRow
        The Pareto front of all rows: what was reached at which compute.
    start : Start or None
        x0 and t0 of the recipe.
    flops_range, shape_range : interval, mapping of str to interval
        What the rows cover; beyond it the law extrapolates.
    architecture : Architecture or None
        As the log gives it.
    cost : Cost or None
        F(x): the architecture, or power laws read off the log.
    heads : mapping of str to int
        ``heads`` or ``head_dim``, if the log has a rule for heads; else empty.
    examples_unit : str
        ``examples`` or ``tokens``.
    cautions : tuple of Caution
        Coded warnings.
    sources : tuple of Source
        The inputs.
    notes : tuple of str
        What was understood on the way; not part of the evidence.
    """

    law: Law
    metric: str
    flops_convention: Convention
    dimensions: Dimensions
    scaling_exponents: Mapping[str, Estimate]
    parameters: Mapping[str, Parameter]
    quality: Quality | None
    bootstrap: Bootstrap
    arms: Mapping[str, Arm]
    center: tuple[CenterRow, ...]
    center_error: HeldOutError | None
    grid_error: HeldOutError | None
    selection: tuple[Score, ...]
    outliers: tuple[Outlier, ...]
    front: tuple[FrontRow, ...]
    start: Start | None
    flops_range: Interval
    shape_range: Mapping[str, Interval]
    architecture: Architecture | None
    cost: Cost | None
    heads: Mapping[str, int]
    examples_unit: str
    cautions: tuple[Caution, ...]
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return law, status, exponents and warnings; the whole is in the document."""
        exponents = ", ".join(f"s_{dim}={s.value:.3g}" for dim, s in self.scaling_exponents.items())
        codes = [caution.code for caution in self.cautions]
        return f"<Fit {self.law.form.name} of {self.metric!r}: {self.status}, {exponents}, warnings={codes}>"

    @property
    def predicts_loss(self) -> bool:
        """Whether the law's loss can be believed away from the star.

        It has constants, and the rows beside the star, if there are any, do not refute it: they are missed by no more
        than 2% or three times the law's own scatter.
        """
        if not self.law.has_loss:
            return False
        if self.grid_error is None or self.quality is None:
            return True
        return self.grid_error.rmse <= max(HELD_OUT_TOLERANCE, 3 * self.quality.relative_rmse)

    @property
    def status(self) -> Status:
        """``ok``, or ``untrusted`` for a fit that no plan should rest on."""
        return self.quality.status if self.quality else "ok"

    def loss_interval(self, /, **variables: ArrayLike) -> tuple[Floats, Floats] | None:
        """Return the interval of the predicted loss, each of shape (points,), or None without draws."""
        if not self.bootstrap.draws:
            return None
        flat = {name: np.atleast_1d(np.asarray(value, dtype=float))[None, :] for name, value in variables.items()}
        size = max(1, _CELLS // max(1, self.bootstrap.replicates))
        points = max(value.shape[1] for value in flat.values())
        ends = []
        for first in range(0, points, size):
            piece = {
                name: value[:, first : first + size] if value.shape[1] > 1 else value for name, value in flat.items()
            }
            losses = self.law.loss_under(self.bootstrap.columns(), **piece)
            ends.append(central_interval(losses, self.bootstrap.level))
        return np.concatenate([low for low, _ in ends]), np.concatenate([high for _, high in ends])

    def exponent_draws(self) -> dict[str, Floats]:
        """Return s_k under every replicate (NaN where a replicate shows no trade-off); empty without draws."""
        if not self.bootstrap.draws:
            return {}
        return self.law.form.scaling_exponents(self.bootstrap.draws)
