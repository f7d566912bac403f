"""Intervals of s_k on a star: how much worse Eq. 2 fits with s_k held, against how much worse chance makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.special import stdtrit

from shapeplan.fitting.problem import Problem
from shapeplan.fitting.records import Interval
from shapeplan.fitting.solver import Block, Found, Objective, Solution, descend, refit
from shapeplan.fitting.solver.levenberg_marquardt import MEDIUM_NEAR
from shapeplan.fitting.uncertainty.bootstrap import Refits
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.frozen import frozen
from shapeplan.laws.trade import held_alone
from shapeplan.numerics.arrays import Floats, Index
from shapeplan.numerics.roots import roots

_REPLICATES = 49
"""Replicates at levels up to 90%; beyond, as many as leave `_TAIL` outside the level."""
_TAIL = 5
_OPTIMA, _OPTIMA_AGAIN = 8, 3
"""Optima of the search from which a fit with s_k held descends, at first and where it has been done close by."""
_FIRST, _LEAST_FIRST, _MOST_FIRST = 0.3, 0.01, 1.0
"""Logarithmic distance from the estimate at which an end is looked for first where nothing is known, and its bounds."""
_FARTHEST, _NEAREST = 4.0, 0.25
"""The factor by which the next distance is farther at most, and the share by which it is at least."""
_CLOSE = 0.003
"""Relative distance by which an end may be off."""
_CHECKS, _LOWER = 2, 1e-8
"""How often ends are looked for anew, where fits there turn out to have an optimum that is lower by this share."""
_NO_DISTANCE = 1e-9
_WIDEST = 2.0
"""The most that `ExponentIntervals.wider` says."""
_EXACT = 1e-9
_TINY = 1e-300


@frozen
class ExponentIntervals:
    """Intervals of s_k, and what they tell of the replicates.

    Attributes
    ----------
    by_dim : mapping of str to (float, float)
        An end that the log does not give is where the search for exponents ends. Of a log without scatter there are
        none for dimensions that show no trade-off.
    converged : bool
        Whether the fits with s_k held at the ends are at their optimum.
    wider : float
        How much farther the ends lie than replicates alone would allow, in units of the standard error.
    """

    by_dim: Mapping[str, Interval]
    converged: bool = True
    wider: float = 1.0


def simulations(replicates: int, level: float) -> int:
    """Return how many replicates intervals of a level are made of, where so many are allowed."""
    return min(replicates, max(_REPLICATES, int(np.ceil(_TAIL / (1 - level))) - 1))


def exponent_intervals(
    problem: Problem,
    found: Found,
    residual_model: ResidualModel,
    refits: Refits,
    *,
    level: float,
    done: Callable[[int], None] = lambda more: None,
) -> ExponentIntervals:
    """Return intervals of s_k = c / (a_k + b_k) from the likelihood.

    s is in the interval if the fit with s_k held at s is worse than the best, by the ratio of the objectives, by no
    more than in `level` of the replicates of the log under the estimate, with one s_k after the other held at its value
    there. On many stars with 1% of noise some exponent or irreducible loss is at its bound; there quantiles of the
    bootstrap hold the truth too often, and so do the F test's tables, while replicates meet bounds as the log does.
    What chance allows is one number for all dimensions: their arms are alike, and three times the replicates tell it.
    But the truth need not be at the bounds where the estimate is: least squares allow the geometric mean of what chance
    and the F test do. They agree unless runs are few and their rows share noise (tests/studies/calibration.py).

    Parameters
    ----------
    problem, found : Problem, Found
        Eq. 2 posed on the arms, and its optimum.
    residual_model : ResidualModel
        How the rows scatter around it.
    refits : Refits
        Fits to replicates, of which as many are kept as `simulations` asks for; without any there are no intervals.
    level : float
        Coverage of the intervals.
    done : callable
        Told how many more replicates are done.
    """
    if not refits.kept:
        return ExponentIntervals({})
    profile = _Profile(problem, found)
    if residual_model.sigma < _EXACT:
        exact = problem.form.scaling_exponents(problem.constants(found.best))
        return ExponentIntervals({dim: (float(s[0]), float(s[0])) for dim, s in exact.items() if np.isfinite(s[0])})
    chance = profile.chance(refits, level, done)
    # The ratio accounts for the uncertainty of the variance of rows, not for that of the variance between few runs.
    allowed = chance * (1 + residual_model.common * (residual_model.widening(level) ** 2 - 1))
    if problem.objective.projects:
        allowed = float(np.sqrt(allowed * profile.f_test(residual_model, level)))
    low, high, converged = profile.ends(allowed, refits, level)
    by_dim = {dim: (float(low[k]), float(high[k])) for k, dim in enumerate(profile.dims)}
    wider = np.sqrt(allowed / max(chance, _TINY)) if np.isfinite(chance) else 1.0
    return ExponentIntervals(by_dim, converged, float(np.clip(wider, 1.0, _WIDEST)))


class _Profile:
    """The least objective of Eq. 2 as a function of one s_k."""

    def __init__(self, problem: Problem, found: Found) -> None:
        self.problem, self.found, self.dims = problem, found, problem.form.dims
        names = problem.form.exponents
        self.a, self.b = (np.array([names.index(f"{letter}_{dim}") for dim in self.dims]) for letter in "ab")
        self.c = names.index("c")
        self.estimate = self._scaling(found.best.exponents)[0]
        lower, upper = problem.bounds
        self.lowest = lower[self.c] / (upper[self.a] + upper[self.b])
        self.highest = upper[self.c] / (lower[self.a] + lower[self.b])

    def chance(self, refits: Refits, level: float, done: Callable[[int], None]) -> float:
        """Return how much worse fits with an s_k held at its estimate are in `level` of the replicates.

        Returns
        -------
        float
            The ratio of the objectives less one; infinite where c is at its bound, which nothing of s_k survives.
        """
        count, ratios = len(self.dims), []
        for blocks, free in refits.kept:
            size = len(free.objective)
            dims, owner = np.divmod(np.arange(count * size), size)
            every = [block.take(owner) for block in blocks]
            near, solve = free.exponents[owner][:, None], partial(refit, by_chance=True)
            held = self._hold(every, dims, self.estimate[dims], near, solve).objective
            # A fit that is better with an s_k held shows that the free one was not the best.
            least = np.minimum(free.objective, held.reshape(count, size).min(axis=0))
            ratios.append(held / np.maximum(least[owner], _TINY))
            done(size)
        worse = np.sort(np.concatenate(ratios)) - 1
        # The ratio falls with the degrees of freedom, of which fewer rows leave fewer.
        return refits.share * float(worse[min(int(np.ceil(level * (len(worse) + 1))), len(worse)) - 1])

    def f_test(self, residual_model: ResidualModel, level: float) -> float:
        """Return how much worse one constant held makes least squares in `level` of all logs, by the F test.

        Returns
        -------
        float
            The ratio of the objectives less one. Where rows of a run share noise, the numerator has the variance of
            their sum (design effect: Kish 1965).
        """
        sizes = np.bincount(residual_model.run)
        shared = float((sizes**2).sum() / sizes.sum())
        design_effect = 1 + residual_model.common * (shared - 1)
        quantile = float(stdtrit(max(residual_model.freedom, 1.0), (1 + level) / 2)) ** 2
        return quantile * design_effect * residual_model.sigma**2 / float(self.found.best.objective[0])

    def ends(self, allowed: float, refits: Refits, level: float) -> tuple[Floats, Floats, bool]:
        """Return where the profiles of all dimensions reach what is allowed, below and above, and if fits converged.

        Parameters
        ----------
        allowed : float
            The ratio of the objectives less one.
        refits : Refits
            Fits to replicates, of which those at the quantiles of `level` are where the ends are looked for first.
        """
        count, least = len(self.dims), float(self.found.best.objective[0])
        dims, signs = np.tile(np.arange(count), 2), np.repeat([-1.0, 1.0], count)
        estimate = self.estimate[dims]
        replicates, first = self._replicates_at(refits, level)
        near = np.tile(self.found.optima[:_OPTIMA], (2 * count, 1, 1))
        near[:, 0] = replicates

        def rise(distance: Floats, which: Index) -> Floats:
            nonlocal near
            s = estimate[which] * np.exp(signs[which] * distance)
            held = self._hold(self.problem.points, dims[which], s, near[which], _descend_all)
            near = near[:, : _OPTIMA_AGAIN + 1]
            near[which, -1] = held.exponents
            # The objective rises as the square of a small distance.
            return np.sqrt(np.maximum(held.objective / least - 1, 0.0))

        limit = np.abs(np.log(np.where(signs < 0, self.lowest[dims], self.highest[dims]) / estimate))
        for _ in range(_CHECKS):
            ends = estimate * np.exp(signs * crossings(rise, limit, float(np.sqrt(allowed)), first))
            reached = self._hold(self.problem.points, dims, ends, near, _descend_all)
            lowest = self._hold(self.problem.points, dims, ends, near)
            lower = lowest.objective < reached.objective * (1 - _LOWER)
            if not lower.any():
                break
            near[:, 0] = lowest.exponents
        # An end where the search for exponents ends is no fit's.
        converged = (
            lowest.converged
            | ~np.isfinite(lowest.objective)
            | (np.abs(np.log(ends / estimate)) >= limit - _NO_DISTANCE)
        )
        return ends[:count], ends[count:], bool((converged & ~lower).all())

    def _replicates_at(self, refits: Refits, level: float) -> tuple[Floats, Floats]:
        """Return the replicates whose s_k are at the ends of the central `level`: those below, then those above.

        Returns
        -------
        exponents : ndarray, shape (2 dimensions, exponents)
            Theirs.
        distance : ndarray, shape (2 dimensions,)
            How far their s_k is from the estimate, in logarithms and within bounds.
        """
        exponents = np.concatenate([free.exponents for _, free in refits.kept])
        s = self._scaling(exponents)
        order, most = np.argsort(s, axis=0, kind="stable"), len(s) - 1
        chosen = order[[int((1 - level) / 2 * most), int(np.ceil((1 + level) / 2 * most))]]
        distance = np.abs(np.log(np.take_along_axis(s, chosen, axis=0) / self.estimate))
        return exponents[chosen.ravel()], np.clip(distance.ravel(), _LEAST_FIRST, _MOST_FIRST)

    def _scaling(self, exponents: Floats) -> Floats:
        """Return s_k at exponents of shape (points, exponents), shape (points, dimensions)."""
        return np.asarray(exponents[:, [self.c]] / (exponents[:, self.a] + exponents[:, self.b]))

    def _hold(
        self,
        blocks: Sequence[Block],
        dims: Index,
        s: Floats,
        near: Floats,
        solve: Callable[[Sequence[Block], Floats, Floats, Floats, Objective], Solution] = refit,
    ) -> Solution:
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
        solve : callable
            What finds the optima from starts, within bounds, as `refit` does.

        Returns
        -------
        Solution
            The optima, with c among the exponents; the objective is infinite where c would be beyond its bounds.
        """
        names, (lower, upper) = self.problem.form.exponents, self.problem.bounds
        maps = np.array([held_alone(names, self.dims[k], value) for k, value in zip(dims, s, strict=True)])
        # a_k and b_k give way so that c starts where it was.
        moved = (maps[:, None, self.c] != 0) & (np.arange(len(names)) != self.c)
        factor = near[..., self.c] / np.einsum("pe,pse->ps", maps[:, self.c], near)
        starts = np.clip(np.where(moved, near * factor[..., None], near), lower, upper)
        held = [replace(block, maps=maps) for block in blocks]
        found = solve(held, starts, lower, upper, self.problem.objective)
        exponents = (maps @ found.exponents[..., None])[..., 0]
        c = exponents[:, self.c]
        objective = np.where((c >= lower[self.c]) & (c <= upper[self.c]), found.objective, np.inf)
        return replace(found, exponents=exponents, objective=objective)


def _descend_all(
    blocks: Sequence[Block], starts: Floats, lower: Floats, upper: Floats, objective: Objective
) -> Solution:
    """Return the lowest of the optima that descents from all starts, (problems, starts, exponents), reach."""
    problems, each, size = starts.shape
    owner = np.repeat(np.arange(problems), each)
    repeated = [block.take(owner) for block in blocks]
    found = descend(repeated, starts.reshape(-1, size), lower, upper, objective=objective, criteria=MEDIUM_NEAR)
    return found.take(np.arange(problems) * each + found.objective.reshape(problems, each).argmin(axis=1))


def crossings(
    rise: Callable[[Floats, Index], Floats], limit: Floats, goal: float, first: Floats | float = _FIRST
) -> Floats:
    """Return where functions of a distance that rise from 0 reach a goal, or their limits where they do not.

    Parameters
    ----------
    rise : callable
        From distances, and the indices of the functions that they are of, to values.
    limit : ndarray, shape (functions,)
        Where the search of each ends.
    goal : float
        What is to be reached.
    first : ndarray, shape (functions,), or float
        Where each is looked at first.
    """
    if not np.isfinite(goal):
        return limit
    inside, at_inside = np.zeros_like(limit), np.full_like(limit, -goal)
    outside, at_outside = np.minimum(first, limit), np.zeros_like(limit)
    open_ = np.arange(len(limit))
    while open_.size:
        value = rise(outside[open_], open_)
        at_outside[open_] = value - goal
        short, value = open_[value < goal], value[value < goal]
        inside[short], at_inside[short] = outside[short], at_outside[short]
        farther = outside[short] * np.clip(goal / np.maximum(value, _TINY), 1 + _NEAREST, _FARTHEST)
        outside[short] = np.minimum(farther, limit[short])
        open_ = short[inside[short] < limit[short]]
    found = roots(
        lambda distance, which: rise(distance, which) - goal,
        inside,
        outside,
        at_inside,
        at_outside,
        width=_CLOSE,
        residual=_CLOSE * goal,
    )
    return np.where(at_outside >= 0, found, limit)
