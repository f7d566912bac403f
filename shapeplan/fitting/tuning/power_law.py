"""A hyperparameter as a power of compute, or of parameters and data, with the interval of a new point.

DeepSeek LLM (arXiv:2401.02954, section 3.1) has the best learning rate and batch as powers of compute, Step Law
(arXiv:2503.04715) as powers of parameters and tokens, Power Lines (arXiv:2505.13738) the batch as a power of tokens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from shapeplan.fitting.records import Estimate, Interval
from shapeplan.frozen import frozen


@frozen
class PowerLaw:
    """``value * prod_k (x_k / center_k)^exponents_k``, fitted by least squares in logarithms.

    Attributes
    ----------
    value : float
        At the centre.
    center, exponents : mapping of str to float
        By variable (``flops``, ``params``, ``examples``): the geometric mean of the groups, and the power.
    covered : mapping of str to interval
        What the groups cover.
    scatter : float
        Residual standard deviation of the logarithm.
    spread : tuple of tuple of float, shape (variables, variables)
        Inverse of the matrix of squares and products of the centred logarithms, in the order of `exponents`.
    groups : int
        How many there are.
    quantile : float
        Student's t of the level, with ``groups - variables - 1`` degrees of freedom.
    level : float
        Coverage of intervals.
    backtest : float
        The largest groups, predicted by the law of the others: off by this factor, at least 1.
    """

    value: float
    center: Mapping[str, float]
    exponents: Mapping[str, float]
    covered: Mapping[str, Interval]
    scatter: float
    spread: tuple[tuple[float, ...], ...]
    groups: int
    quantile: float
    level: float
    backtest: float

    @property
    def variables(self) -> tuple[str, ...]:
        """What it is a power of."""
        return tuple(self.exponents)

    @property
    def said(self) -> str:
        """What it is and what it rests on, in brackets or after a colon."""
        powers = " ".join(f"{name}^{power:.3g}" for name, power in self.exponents.items())
        return f"as {powers}, {self.groups} groups of the log, backtest off by {self.backtest:.3g}x"

    def at(self, where: Mapping[str, float]) -> Estimate:
        """Return the value at a point, with the interval of a new group there.

        Parameters
        ----------
        where : mapping of str to float
            Every variable of the law.
        """
        beyond = [math.log(where[name] / self.center[name]) for name in self.exponents]
        place = math.log(self.value) + sum(
            power * step for power, step in zip(self.exponents.values(), beyond, strict=True)
        )
        leverage = sum(
            one * weight * other
            for one, row in zip(beyond, self.spread, strict=True)
            for weight, other in zip(row, beyond, strict=True)
        )
        half = self.quantile * self.scatter * math.sqrt(1.0 + 1.0 / self.groups + leverage)
        return Estimate(math.exp(place), (math.exp(place - half), math.exp(place + half)))


@frozen
class Tuned:
    """What a log tells of one hyperparameter.

    Attributes
    ----------
    law : PowerLaw or None
        Of its best values, where the log identifies it and a backtest bears it out.
    constant : float or None
        The value of every run, where they have one.
    reason : str
        Why there is no law; empty where there is one.
    """

    law: PowerLaw | None = None
    constant: float | None = None
    reason: str = ""


@frozen
class Tuning:
    """What a log tells of how its runs were trained.

    Attributes
    ----------
    lr, batch : Tuned
        The peak learning rate; and the batch, in the log's unit of examples (tokens for language models).
    batches : interval or None
        The batches at which learning rates were best; None where the log does not tell them.
    warmup_steps, warmup_share : float or None
        The warm-up, if it is the same in every run: in steps, or as a share of them.
    """

    lr: Tuned
    batch: Tuned
    batches: Interval | None = None
    warmup_steps: float | None = None
    warmup_share: float | None = None
