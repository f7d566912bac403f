"""Inverse questions: the least compute that reaches a loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from shapeplan.numerics.arrays import Floats, Index, central_interval
from shapeplan.numerics.roots import roots
from shapeplan.planning.optimum import Optimum
from shapeplan.quantities import LARGEST_FLOPS

LEAST_FLOPS = 1.0
_DRAWS = 200
"""Draws behind the interval of a compute: each takes a search of its own."""
_EXACT, _CLOSE = 1e-11, 1e-13
"""How far above a loss an answer may be, in logarithms, and how narrow a bracket of compute."""
_AROUND = (30.0,)
"""Factors around a guess within which the answer is looked for, one after the other."""
_NOWHERE = 1e3
"""Logarithm of the loss that stands for no shape at all."""

LogLoss = Callable[[Floats, Index], Floats]
"""From logarithms of compute, and which problems they are of, to logarithms of the loss."""


def least_flops(
    optimum: Optimum,
    target: Floats,
    guess: Floats | None = None,
    constants: Mapping[str, Floats] | None = None,
    *,
    near: Mapping[str, Floats] | None = None,
    close: float = _CLOSE,
    around: tuple[float, ...] = _AROUND,
) -> Floats:
    """Return the least compute with which the best shape reaches a loss.

    Parameters
    ----------
    optimum : Optimum
        The law, with what the shape must keep.
    target : ndarray, shape (problems,)
        Losses.
    guess : ndarray, shape (problems,), optional
        About what it takes.
    constants : mapping of str to ndarray, shape (problems,), optional
        Constants of every problem, such as draws; by default those of the law.
    near : mapping of str to ndarray, shape (problems,), optional
        Shapes from which the first search starts.
    close : float
        How narrow a bracket of compute ends the search, in logarithms.
    around : tuple of float
        Factors around the guess within which the answer is looked for, one after the other.

    Returns
    -------
    ndarray, shape (problems,)
        Compute, in the convention of the law; infinite where no compute up to 1e40 FLOPs reaches the loss, and
        `LEAST_FLOPS` where any does.
    """
    own = optimum.fit.law.arrays() if constants is None else constants
    # Shapes change little from step to step: each search starts where the last one ended.
    nowhere = np.full(len(target), np.nan)
    last = {dim: np.array(near[dim] if near else nowhere, dtype=float) for dim in optimum.fit.dims}

    def log_loss(log_flops: Floats, problems: Index) -> Floats:
        mine = {name: value[problems] if np.ndim(value) else value for name, value in own.items()}
        flops = np.exp(log_flops)
        shape = optimum.under(mine, flops, {dim: values[problems] for dim, values in last.items()})
        for dim, values in shape.items():
            last[dim][problems] = values
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.log(optimum.losses(shape, flops, mine)))

    return _solve(log_loss, np.log(target), guess, close, around)


def flops_of_shape(
    optimum: Optimum, shape: Mapping[str, Floats], target: Floats, guess: Floats | None = None
) -> Floats:
    """Return the compute with which given shapes, one a loss, reach the loss; infinite where none does."""

    def log_loss(log_flops: Floats, problems: Index) -> Floats:
        mine = {dim: values[problems] for dim, values in shape.items()}
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.log(optimum.losses(mine, np.exp(log_flops))))

    return _solve(log_loss, np.log(target), guess)


def flops_interval(optimum: Optimum, target: float, guess: float) -> tuple[float, float | None] | None:
    """Return the interval of the least compute under the draws; None at an end that some draws never reach."""
    draws = _draws(optimum)
    if not draws:
        return None
    count = len(next(iter(draws.values())))
    needed = np.log(least_flops(optimum, np.full(count, target), np.full(count, guess), draws))
    # Quantiles must not mix finite and infinite draws.
    low, high = central_interval(np.where(np.isfinite(needed), needed, _NOWHERE), optimum.fit.bootstrap.level)
    reached = high <= np.log(LARGEST_FLOPS)
    return (float(np.exp(low)), float(np.exp(high)) if reached else None) if low <= np.log(LARGEST_FLOPS) else None


def share_interval(
    optimum: Optimum, shape: Mapping[str, Floats], budget: float, guess: float
) -> tuple[float, float] | None:
    """Return the interval, under the draws, of the share of a budget at which the best shape is as good as another.

    Parameters
    ----------
    optimum : Optimum
        The law, with what the shape must keep.
    shape : mapping of str to ndarray, shape (1,)
        The other shape.
    budget, guess : float
        What the other shape is trained with, and about what the best one takes.
    """
    draws = _draws(optimum)
    if not draws:
        return None
    count = len(next(iter(draws.values())))
    columns = {name: values[:, None] for name, values in draws.items()}
    target = optimum.losses(shape, np.array([budget]), columns)[:, 0]
    shares = least_flops(optimum, target, np.full(count, guess), draws) / budget
    if not np.isfinite(shares).all():
        return None
    low, high = central_interval(shares, optimum.fit.bootstrap.level)
    return float(low), float(high)


def _draws(optimum: Optimum) -> dict[str, Floats]:
    return {name: values[:_DRAWS] for name, values in optimum.draws().items()}


def _solve(
    log_loss: LogLoss,
    target: Floats,
    guess: Floats | None = None,
    close: float = _CLOSE,
    around: tuple[float, ...] = _AROUND,
) -> Floats:
    """Return the least compute at which losses that fall reach their targets."""

    def under(place: Floats, problems: Index) -> Floats:
        value = target[problems] - log_loss(place, problems)
        # At budgets that buy nothing a loss is not defined: it counts as far above its target.
        return np.where(np.isnan(value), -np.inf, value)

    middle = None if guess is None else np.log(guess)
    every = np.arange(len(target))
    low, at_low = _end(under, every, middle, -1.0, around)
    high, at_high = _end(under, every, middle, 1.0, around)
    reached = roots(under, low, high, at_low, at_high, width=close, residual=max(_EXACT, close))
    # Where even the least compute is enough, nothing is bracketed.
    return np.where(at_low >= 0, np.exp(low), np.where(at_high >= 0, np.exp(reached), np.inf))


def _end(
    under: LogLoss, every: Index, middle: Floats | None, sign: float, around: tuple[float, ...]
) -> tuple[Floats, Floats]:
    """Return budgets below (-1) or above (+1) what is looked for, with the function there: the nearest that are so."""
    limit = np.log(LEAST_FLOPS if sign < 0 else LARGEST_FLOPS)
    place, value = np.full(len(every), limit), np.empty(len(every))
    wrong = every
    for factor in (math.inf,) if middle is None else (*around, math.inf):
        if middle is not None:
            place[wrong] = np.clip(middle[wrong] + sign * np.log(factor), np.log(LEAST_FLOPS), np.log(LARGEST_FLOPS))
        value[wrong] = under(place[wrong], wrong)
        wrong = wrong[sign * value[wrong] <= 0]
        if not wrong.size:
            break
    return place, value
