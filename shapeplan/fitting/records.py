"""The evidence for a fit: intervals, scores, and what is doubtful, in frozen records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from itertools import groupby
from typing import Literal

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, central_interval
from shapeplan.wording import place

Interval = tuple[float, float]
Status = Literal["ok", "untrusted"]


def interval_at(ends: tuple[Floats, Floats], i: int) -> Interval:
    """Return the interval at one index of the arrays of lower and upper ends."""
    return float(ends[0][i]), float(ends[1][i])


@frozen
class Estimate:
    """A number with its interval; None where there is no evidence for one, NaN where it is not defined."""

    value: float
    ci: Interval | None = None


@frozen
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


@frozen
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


@frozen
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


def by_compute(rows: Sequence[CenterRow]) -> list[tuple[CenterRow, int]]:
    """Return the centre by compute: the mean of the rows of one compute (seeds), and how many they are."""
    together = []
    for _, group in groupby(rows, key=lambda row: row.flops):
        seeds = list(group)
        observed = float(np.mean([row.observed for row in seeds]))
        mean = replace(seeds[0], observed=observed, relative_error=seeds[0].predicted / observed - 1)
        together.append((mean, len(seeds)))
    return together


HELD_OUT_TOLERANCE = 0.02
"""Relative error on rows it never saw above which a law is doubted, if it is three times its own scatter too."""


@frozen
class HeldOutError:
    """How far the law is from rows it never saw: mean, root mean square and largest of predicted/observed - 1."""

    rows: int
    bias: float
    rmse: float
    worst: float

    def refutes(self, relative_rmse: float) -> bool:
        """Return whether it is more than a law with this relative RMSE on its own rows may have."""
        return self.rmse > max(HELD_OUT_TOLERANCE, 3 * relative_rmse)

    @classmethod
    def of(cls, predicted: Floats, observed: Floats) -> HeldOutError | None:
        """Sum up the errors of rows; None where there are none."""
        if not observed.size:
            return None
        return cls.of_errors(predicted / observed - 1.0)

    @classmethod
    def of_errors(cls, errors: Floats) -> HeldOutError:
        """Sum up relative errors of rows, at least one."""
        worst = errors[np.argmax(np.abs(errors))]
        return cls(len(errors), float(errors.mean()), float(np.sqrt(np.mean(errors**2))), float(worst))


@frozen
class FrontRow:
    """A row of the log that no row with as little compute beats; `file` where the log has several."""

    run: str
    line: int
    flops: float
    loss: float
    file: str = ""

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        return place(self.line, self.file)


@frozen
class Outlier:
    """A row that lies far from the law; `file` where the log has several."""

    run: str
    line: int
    residual: float
    file: str = ""

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        return place(self.line, self.file)


@frozen
class Horizon:
    """How a law does so far above the rows it was fitted to.

    Attributes
    ----------
    distance : float
        Compute of the rows over the largest that the fit saw; the geometric mean over folds.
    rmse : float
        Root mean square of pred/y - 1.
    rows : int
        How many predictions there are, over all folds.
    """

    distance: float
    rmse: float
    rows: int


@frozen
class Score:
    """A candidate law in the table of choice; None where it was not scored.

    Attributes
    ----------
    law : str
        Its name.
    rollout_rmse : float or None
        Error of the backtest: the geometric mean over folds of the root mean square of pred/y - 1 on the rows above.
    relative_rmse : float
        The same over its own rows, in sample.
    parameters : int
        Exponents and coefficients.
    bic_excess : float or None
        Bayesian information criterion over all rows, above the least of the laws; None where nothing was chosen.
    top_decade : HeldOutError or None
        The top decade of compute, fitted below it; `bias` is signed.
    unseen_shapes : HeldOutError or None
        Every shape, fitted to the others; only `compare` looks.
    rollout : tuple of Horizon
        The same by how far rows are above those that a fit saw, the nearest first.
    reasons : mapping of str to str
        Why a figure that was asked for is None: by ``rollout_rmse``, ``top_decade`` or ``unseen_shapes``.
    """

    law: str
    rollout_rmse: float | None
    relative_rmse: float
    parameters: int = 0
    bic_excess: float | None = None
    top_decade: HeldOutError | None = None
    unseen_shapes: HeldOutError | None = None
    rollout: tuple[Horizon, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)


@frozen
class Noise:
    """The scatter of rows that no law could explain.

    Attributes
    ----------
    source : {"replicates", "checkpoints"}
        From rows of one shape and compute, or from neighbouring points of one run.
    sigma : float
        Relative standard deviation.
    rows : int
        Rows behind it.
    """

    source: Literal["replicates", "checkpoints"]
    sigma: float
    rows: int


@frozen
class Explained:
    """What a column without a role explains of the residuals.

    Attributes
    ----------
    share : float
        Of their variance, beyond what the parameters of the law can follow.
    chance : float
        Of so much or more, if the column did not matter (partial F test).
    goes_with_shape : bool
        Whether all rows of a shape have one value of it.
    """

    share: float
    chance: float
    goes_with_shape: bool = False


@frozen
class Trend:
    """How residuals go with a variable.

    Attributes
    ----------
    low, middle, high : float
        Mean of pred/y - 1 over the rows with the lowest, middle and highest third of values.
    chance : float
        How often a clean log would show as much of a polynomial of degree 4 (F test).
    """

    low: float
    middle: float
    high: float
    chance: float


@frozen
class Influence:
    """What happens without a run, or without several.

    Attributes
    ----------
    runs : tuple of str
        The runs that are left out.
    lines : tuple of int
        Their first lines.
    strength : float
        The largest change of s_k or of the best shape (where the law has neither, of an exponent), in standard
        deviations of it.
    surprise : float
        How far its rows are from a fit without it, in units of the scatter of all rows and free of leverage; of
        several runs, the least.
    exponents : mapping of str to float
        Exponents of the fit without them: those of the law, and ``s_...``.
    optimum : mapping of str to float
        Best shape without them, at ten times the largest compute; empty where the law has none.
    files : tuple of str
        The inputs of these lines; empty where the log has one.
    """

    runs: tuple[str, ...]
    lines: tuple[int, ...]
    strength: float
    surprise: float
    exponents: Mapping[str, float]
    optimum: Mapping[str, float]
    files: tuple[str, ...] = ()

    @property
    def places(self) -> list[str]:
        """Where the runs begin, in words and in order."""
        files = self.files or [""] * len(self.lines)
        return [place(line, file) for file, line in sorted(zip(files, self.lines, strict=True))]


@frozen
class Influences:
    """The runs that move a fit most.

    Attributes
    ----------
    alone : tuple of Influence
        Each left out alone, the strongest first: the strongest, and those of `together`.
    together : Influence or None
        The runs that pull the same way as the strongest, left out together.
    reasons : mapping of str to str
        By run, why the fit without it is not known: the other rows do not identify the law.
    """

    alone: tuple[Influence, ...] = ()
    together: Influence | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


@frozen
class Agreement:
    """Whether metrics agree about one exponent.

    Attributes
    ----------
    common : (float, float) or None
        The values inside the interval of every metric; None where there are none, or no intervals.
    apart : tuple of (str, str)
        The pairs of metrics whose intervals do not meet.
    unknown : tuple of str
        The metrics without an interval for it.
    """

    common: Interval | None
    apart: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]


@frozen
class Quality:
    """How well the law fits its rows."""

    objective: str
    objective_value: float
    relative_rmse: float
    rows: int
    runs: int
    status: Status


@frozen
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
    exponents : mapping of str to ndarray, shape (replicates,)
        s_k of every dimension under every replicate, NaN where it is not defined: of Eq. 2 where the log has a star,
        else of the law. The intervals of s_k on a star are those of the likelihood, not quantiles of these.
    unconverged : int
        Replicates whose refit did not end at an optimum; they are among the draws.
    """

    replicates: int = 0
    seed: int = 0
    level: float = 0.9
    draws: Mapping[str, Floats] = field(default_factory=dict)
    exponents: Mapping[str, Floats] = field(default_factory=dict)
    unconverged: int = 0

    def __repr__(self) -> str:
        """Return how many there are; the draws are in the fields."""
        return f"<Bootstrap of {self.replicates} replicates, seed {self.seed}, level {self.level:g}>"

    def interval(self, values: Floats, estimate: float) -> Interval | None:
        """Return the central interval of draws, NaN left out; None where no draw is defined.

        It is extended to the estimate, which the draws of skewed residuals may all lie beside.
        """
        defined = values[~np.isnan(values)]
        if not defined.size:
            return None
        low, high = central_interval(defined, self.level)
        return float(np.fmin(low, estimate)), float(np.fmax(high, estimate))

    def columns(self) -> dict[str, Floats]:
        """Return the draws with shape (replicates, 1), to broadcast against rows."""
        return {name: draw[:, None] for name, draw in self.draws.items()}
