"""Intervals of s_k on a star: how much worse Eq. 2 fits with s_k held, against how much worse chance makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from shapeplan.arrays import Floats, Index
from shapeplan.fitting.engine import Block, Found, polish, search_again
from shapeplan.fitting.engine.polish import ROUGH, STEADY, Patience
from shapeplan.fitting.evidence import Interval
from shapeplan.fitting.problem import Problem
from shapeplan.fitting.scatter import Scatter
from shapeplan.laws.trade import held_alone

_REPLICATES, _TAIL = 99, 5
"""Replicates that tell how much worse a fit may be, and how many of them (and one) must be worse than that."""
_OPTIMA = 8
"""Optima of the estimate's search from which a fit with s_k held descends."""
_FIRST_STEP, _LONGEST_STEP = 0.3, 4.0
"""Logarithmic distance from the estimate at which an end is looked for first; factor by which it moves at most."""
_MIDDLE = 0.25
"""Share by which an end moves outwards at least, and by which every later move narrows its bracket at least."""
_ROUNDS, _CLOSE = 16, 0.03
"""How often an end is moved at most, and the relative distance by which it may be off."""
_EXACT = 1e-9
_TINY = 1e-300


def exponent_intervals(
    problem: Problem, found: Found, scatter: Scatter, *, replicates: int, seed: int, level: float
) -> dict[str, Interval]:
    """Return intervals of s_k = c / (a_k + b_k) from the likelihood.

    s is in the interval if the fit with s_k held at s is worse than the best, by the ratio of the objectives, by no
    more than in `level` of the replicates of the log under the estimate, with one s_k after the other held at its value
    there. On many stars with 1% of noise some exponent or irreducible loss is at its bound; there quantiles of the
    bootstrap hold the truth too often, and so do the F test's tables, while replicates meet bounds as the log does.

    Parameters
    ----------
    problem, found : Problem, Found
        Eq. 2 posed on the arms, and its optimum.
    scatter : Scatter
        How the rows scatter around it.
    replicates : int
        How many at most; 0 for no intervals.
    seed : int
        Seed of NumPy's PCG64.
    level : float
        Coverage of the intervals.

    Returns
    -------
    dict of str to (float, float)
        By dimension. An end that the log does not give is where the search for exponents ends.
    """
    if not replicates:
        return {}
    profile = _Profile(problem, found)
    if scatter.sigma < _EXACT:
        return {dim: (float(s), float(s)) for dim, s in zip(profile.dims, profile.estimate, strict=True)}
    enough = max(_REPLICATES, int(np.ceil(_TAIL / (1 - level))) - 1)
    draws = scatter.draw(np.random.default_rng((seed, 1)), min(replicates, enough))
    observed = np.concatenate(problem.predicted(found.best)) * np.exp(draws)
    low, high = profile.ends(profile.chance(observed, level))
    return {dim: (float(low[k]), float(high[k])) for k, dim in enumerate(profile.dims)}


class _Profile:
    """The least objective of Eq. 2 as a function of one s_k."""

    def __init__(self, problem: Problem, found: Found) -> None:
        self.problem, self.dims = problem, problem.form.dims
        self.optima = found.optima[:_OPTIMA]
        self.least = float(found.best.objective[0])
        names = problem.form.exponents
        self.a, self.b = (np.array([names.index(f"{letter}_{dim}") for dim in self.dims]) for letter in "ab")
        self.c = names.index("c")
        theta, (lower, upper) = found.best.exponents[0], problem.bounds
        self.estimate = theta[self.c] / (theta[self.a] + theta[self.b])
        self.lowest = lower[self.c] / (upper[self.a] + upper[self.b])
        self.highest = upper[self.c] / (lower[self.a] + lower[self.b])

    def chance(self, observed: Floats, level: float) -> float:
        """Return how much worse fits with an s_k held at its estimate are in `level` of the replicates.

        Parameters
        ----------
        observed : ndarray, shape (replicates, rows)
            Rows of all arms under every replicate.
        level : float
            Share of the replicates that are not worse.

        Returns
        -------
        float
            The ratio of the objectives less one.
        """
        replicates, count = len(observed), len(self.dims)
        blocks = self.problem.observing(observed)
        free = search_again(blocks, self.optima, *self.problem.bounds, self.problem.objective, patience=STEADY)
        dims, owner = np.divmod(np.arange(count * replicates), replicates)
        every = [block.take(owner) for block in blocks]
        held, _ = self._hold(every, dims, self.estimate[dims], free.exponents[owner][:, None], ROUGH)
        # A fit that is better with s_k held shows that the free one was not the best.
        worse = np.sort(np.maximum(held / np.maximum(free.objective[owner], _TINY) - 1, 0.0))
        rank = min(int(np.ceil(level * (len(worse) + 1))), len(worse))
        return float(worse[rank - 1])

    def ends(self, allowed: float) -> tuple[Floats, Floats]:
        """Return where the profiles of all dimensions reach what is allowed, below and above the estimates.

        Parameters
        ----------
        allowed : float
            The ratio of the objectives less one.
        """
        count = len(self.dims)
        dims, signs = np.tile(np.arange(count), 2), np.repeat([-1.0, 1.0], count)
        estimate, optima = self.estimate[dims], np.tile(self.optima, (2 * count, 1, 1))
        limit = np.abs(np.log(np.where(signs < 0, self.lowest[dims], self.highest[dims]) / estimate))
        # Roots, because the objective rises as the square of a small distance.
        goal = np.sqrt(allowed)
        inside, at_inside = np.zeros(2 * count), np.zeros(2 * count)
        outside, at_outside = np.full(2 * count, np.inf), np.full(2 * count, np.inf)
        place, near = np.minimum(_FIRST_STEP, limit), optima
        for _ in range(_ROUNDS):
            objective, theta = self._hold(self.problem.blocks, dims, estimate * np.exp(signs * place), near, STEADY)
            near = np.concatenate([optima, theta[:, None]], axis=1)
            value = np.sqrt(np.maximum(objective / self.least - 1, 0.0))
            over = value > goal
            outside, at_outside = np.where(over, place, outside), np.where(over, value, at_outside)
            inside, at_inside = np.where(over, inside, place), np.where(over, at_inside, value)
            beyond = place * np.clip(goal / np.maximum(value, _TINY), 1 + _MIDDLE, _LONGEST_STEP)
            with np.errstate(invalid="ignore"):
                share = np.clip((goal - at_inside) / (at_outside - at_inside), _MIDDLE, 1 - _MIDDLE)
                between = inside + share * (outside - inside)
            bracketed = np.isfinite(outside)
            moved = np.where(bracketed, between, np.minimum(beyond, limit))
            near_enough = (np.abs(moved - place) <= _CLOSE * place) | (outside - inside <= _CLOSE * outside)
            place = moved
            if ((bracketed & near_enough) | (inside >= limit)).all():
                break
        ends = estimate * np.exp(signs * place)
        return ends[:count], ends[count:]

    def _hold(
        self, blocks: Sequence[Block], dims: Index, s: Floats, near: Floats, patience: Patience
    ) -> tuple[Floats, Floats]:
        """Fit with one s_k held in each of many problems.

        Parameters
        ----------
        blocks : sequence of Block
            The rows, of one set of observations or of one a problem.
        dims : ndarray of int, shape (problems,)
            The dimension k of every problem.
        s : ndarray, shape (problems,)
            What its s_k is held at.
        near : ndarray, shape (problems, starts, exponents)
            Exponents near which to start.
        patience : Patience
            When a descent stops.

        Returns
        -------
        objective : ndarray, shape (problems,)
            The least.
        exponents : ndarray, shape (problems, exponents)
            Where it is.
        """
        problems, each = near.shape[:2]
        one, start = np.arange(problems)[:, None], np.arange(each)
        a, b, starts = self.a[dims, None], self.b[dims, None], near.copy()
        factor = near[..., self.c] / (s[:, None] * (near[one, start, a] + near[one, start, b]))
        starts[one, start, a] *= factor
        starts[one, start, b] *= factor
        names, bounds = self.problem.form.exponents, self.problem.bounds
        maps = np.array([held_alone(names, self.dims[k], value) for k, value in zip(dims, s, strict=True)])
        owner = np.repeat(np.arange(problems), each)
        found = polish(
            [replace(block.take(owner), maps=maps[owner]) for block in blocks],
            np.clip(starts.reshape(problems * each, -1), *bounds),
            *bounds,
            objective=self.problem.objective,
            patience=patience,
        )
        objective = found.objective.reshape(problems, each)
        best = objective.argmin(axis=1)
        theta = found.exponents[np.arange(problems) * each + best]
        return objective.min(axis=1), (maps @ theta[..., None])[..., 0]
