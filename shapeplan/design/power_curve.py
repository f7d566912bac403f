"""The result of a rehearsal. These records need no optimizer, so documents can be made without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen


@frozen
class Outcome:
    """What one simulated sweep told.

    Attributes
    ----------
    exponents, sizes : mapping of str to float
        Width of the intervals of s_k and of the best sizes at the target, upper end over lower.
    regret : float or None
        Relative excess loss of its plan over the best shape, under the prior law; None where no plan came out.
    law : str or None
        The law that was chosen; None where none was fitted.
    codes : frozenset of str
        Its warnings, and the refusal if there was one.
    """

    exponents: Mapping[str, float]
    sizes: Mapping[str, float]
    regret: float | None
    law: str | None
    codes: frozenset[str]


@frozen
class Spread:
    """Numbers over simulated sweeps: median and 90th percentile."""

    median: float
    p90: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """Return the spread of values, None where there are none."""
        if not len(values):
            return None
        return cls(float(np.median(values)), float(np.quantile(values, 0.9)))


@frozen
class Stage:
    """What the cheapest runs of a design, up to some number, would tell.

    Attributes
    ----------
    runs : int
        How many.
    flops : float
        What they cost together, in the convention of the law.
    exponents : mapping of str to Spread
        Width of the interval of s_k, upper end over lower, where the log has a star.
    sizes : mapping of str to Spread
        The same of the best value of every dimension at the target.
    regret : Spread or None
        Relative excess loss, under the prior law, of the plan for the target over the best shape.
    laws : mapping of str to float
        How often each law was chosen.
    warnings : mapping of str to float
        How often each warning came, of fit or plan.
    refused : float
        How often no plan came out.
    """

    runs: int
    flops: float
    exponents: Mapping[str, Spread]
    sizes: Mapping[str, Spread]
    regret: Spread | None
    laws: Mapping[str, float]
    warnings: Mapping[str, float]
    refused: float


@frozen
class Power:
    """The rehearsal of a design.

    Attributes
    ----------
    prior : Fit
        The law that was taken for the truth.
    target : float
        The budget that is planned for, in the convention of the law.
    noise, run_noise, tails : float, float, float or None
        Of the simulated rows.
    sweeps, seed : int
        How many sweeps were simulated, from which seed on.
    stages : tuple of Stage
        The curve over the number of runs; the whole design last.
    """

    prior: Fit
    target: float
    noise: float
    run_noise: float
    tails: float | None
    sweeps: int
    seed: int
    stages: tuple[Stage, ...]

    def __repr__(self) -> str:
        """Return what was rehearsed; what it told is in the fields."""
        return f"<Power of {self.sweeps} sweeps for {self.target:.3g} FLOPs, {len(self.stages)} stages>"
