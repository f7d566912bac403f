"""The levels of recipes under a law: least squares, with intervals from the profile likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import ndtri, stdtrit

from shapeplan.fitting.problem import Problem, pose
from shapeplan.fitting.recipes.groups import Groups
from shapeplan.fitting.recipes.level import Level
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.solver import Block, Solution, refit
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.runs import Runs

_ROUNDS = 4
_CLOSE = 1e-4
"""Change of a level, as a share of the largest, below which it is settled."""
_TRIED = 13
_OPTIMA = 4
_FIRST = 0.003
"""Distance, as a share of the largest level, at which the end of an interval is looked for first."""


@dataclass(frozen=True)
class Levels:
    """Levels of recipes.

    Attributes
    ----------
    level : Level
        Their kind.
    values, low, high : ndarray, shape (groups,)
        The levels with the ends of their intervals; 0 for the reference.
    deviations : ndarray, shape (groups,)
        Their standard errors.
    misfit : float
        The objective there, of errors relative to the losses that were logged.
    """

    level: Level
    values: Floats
    low: Floats
    high: Floats
    deviations: Floats
    misfit: float


@dataclass(frozen=True)
class Misfit:
    """How well a law fits rows at given levels of their recipes, its constants refitted.

    Attributes
    ----------
    candidate : Candidate
        The law, fitted to all rows as they were logged, or nearly so.
    runs : Runs
        The log.
    groups : Groups
        Its recipes.
    level : Level
        What a level is.
    keep : ndarray of bool, shape (rows,)
        The rows that are fitted.
    """

    candidate: Candidate
    runs: Runs
    groups: Groups
    level: Level
    keep: Bools

    def shared(self, levels: Floats) -> Runs:
        """Return the rows as those of the reference."""
        return self.level.as_reference(self.runs, self.groups.spread(levels))

    def posed(self, levels: Floats) -> Problem:
        """Return the law posed on these."""
        problem = self.candidate.problem
        return pose(problem.form, self.shared(levels), problem.rows, problem.units, problem.objective)

    def fit(self, levels: Floats) -> Solution:
        """Return the optimum at levels of the groups."""
        problem = self.posed(levels)
        blocks = [
            self._weighted(problem, block, rows[some], levels)
            for block, rows, some in zip(
                problem.keeping(self.keep[None]), problem.rows.values(), problem.point_rows, strict=True
            )
        ]
        return refit(blocks, self.candidate.found.optima[:_OPTIMA], *problem.bounds, problem.objective)

    def minimum(self, start: Floats, width: float) -> tuple[Floats, float]:
        """Return the levels of least misfit within a width of a start, and that: one by one until they stay."""
        levels, least = start.copy(), np.inf
        for _ in range(_ROUNDS):
            before = levels.copy()
            for index in range(1, len(levels)):
                levels[index], least = self._along(levels, index, levels[index], width)
            moved = float(np.abs(levels - before).max())
            if len(levels) == 2 or moved < _CLOSE * self.level.most:
                break
            # The others have moved since, by no more than that.
            width = min(width, max(2 * moved, _CLOSE * self.level.most))
        return levels, least

    def end(self, levels: Floats, index: int, sign: float, allowed: float) -> float:
        """Return where the profile of one level reaches what is allowed, or the largest level."""

        def excess(distance: float) -> float:
            return self._at(levels, index, levels[index] + sign * distance) - allowed

        largest = self.level.most
        step, inside, most = _FIRST * largest, 0.0, largest - sign * levels[index]
        while step < most and excess(step) < 0:
            inside, step = step, 2 * step
        if step >= most:
            return sign * largest
        return float(levels[index] + sign * brentq(excess, inside, step, xtol=_CLOSE * largest / 3))

    def _along(self, levels: Floats, index: int, middle: float, width: float) -> tuple[float, float]:
        most = self.level.most
        low, high = max(middle - width, -most), min(middle + width, most)
        if width >= most:
            # A valley may be narrow: the search begins around the best of a few levels.
            tried = np.linspace(-most, most, _TRIED)
            best = int(np.argmin([self._at(levels, index, value) for value in tried]))
            low, high = tried[max(best - 1, 0)], tried[min(best + 1, _TRIED - 1)]
        found = minimize_scalar(
            lambda value: self._at(levels, index, value),
            bounds=(low, high),
            method="bounded",
            options={"xatol": _CLOSE / 3 * most},
        )
        return float(found.x), float(found.fun)

    def _at(self, levels: Floats, index: int, value: float) -> float:
        moved = levels.copy()
        moved[index] = value
        return float(self.fit(moved).objective[0])

    def _weighted(self, problem: Problem, block: Block, rows: Index, levels: Floats) -> Block:
        """Return a block whose residuals are relative to the losses that were logged."""
        share = self.level.share(block.observed * problem.metric_unit, levels[self.groups.group[rows]])
        return replace(block, weights=block.weights * share**2)


def estimate_levels(candidate: Candidate, runs: Runs, groups: Groups, level: Level, coverage: float) -> Levels:
    """Estimate the levels of all recipes under a law.

    Parameters
    ----------
    candidate : Candidate
        The law, fitted to all rows.
    runs : Runs
        The rows, as they were logged.
    groups : Groups
        Their recipes.
    level : Level
        What a level is.
    coverage : float
        Of the intervals.
    """
    misfit = Misfit(candidate, runs, groups, level, np.ones(len(runs), dtype=bool))
    values, least = misfit.minimum(np.zeros(len(groups)), level.most)
    residuals = candidate.residual_model(misfit.shared(values))
    # The rows of a run share a part of their scatter: they count as fewer.
    sizes = np.bincount(residuals.run)
    effect = 1 + residuals.common * (float((sizes**2).sum() / sizes.sum()) - 1)
    freedom = max(len(runs) / effect - candidate.problem.parameters - len(groups) + 1, 1.0)
    tail = (1 + coverage) / 2
    allowed = least * (1 + float(stdtrit(freedom, tail)) ** 2 / freedom)
    low, high = np.zeros(len(groups)), np.zeros(len(groups))
    for index in range(1, len(groups)):
        low[index], high[index] = (misfit.end(values, index, sign, allowed) for sign in (-1.0, 1.0))
    return Levels(level, values, low, high, (high - low) / (2 * float(ndtri(tail))), least)
