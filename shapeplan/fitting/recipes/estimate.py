"""The levels of recipes under a law: least squares, with intervals from its tangent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import stdtrit

from shapeplan.fitting.problem import Problem, pose
from shapeplan.fitting.recipes.groups import Groups
from shapeplan.fitting.recipes.level import Level
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.solver import Block, Solution, refit
from shapeplan.fitting.uncertainty.residual_model import orthonormal
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.runs import Runs

_STEPS, _SHARES = 20, (1.0, 0.3, 0.1)
"""How many steps are taken at most, and the parts of one that are tried until it goes down."""
_CLOSE = 1e-4
"""Change of a level, as a share of the largest, below which it is settled."""
_STEP = 1e-4
"""The same of a step over which derivatives are taken."""
_TRIED = 13
_OPTIMA = 4


@frozen
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


@frozen
class Minimum:
    """The misfit at some levels.

    Attributes
    ----------
    levels : ndarray, shape (groups,)
        The levels.
    objective : float
        The sum of squares.
    gradient : ndarray, shape (groups - 1,)
        Of half the sum, by every level but that of the reference.
    curvature : ndarray, shape (groups - 1, groups - 1)
        The inverse of its Hessian, where the law follows.
    """

    levels: Floats
    objective: float
    gradient: Floats
    curvature: Floats


@frozen
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
        return self._solved(self.posed(levels), levels)

    def _solved(self, problem: Problem, levels: Floats) -> Solution:
        blocks = [
            self._weighted(problem, block, rows[some], levels)
            for block, rows, some in zip(
                problem.keeping(self.keep[None]), problem.rows.values(), problem.point_rows, strict=True
            )
        ]
        return refit(blocks, self.candidate.found.optima[:_OPTIMA], *problem.bounds, problem.objective)

    def minimum(self, start: Floats | None = None) -> Minimum:
        """Return the levels of least misfit, by Gauss and Newton's steps in all levels together.

        The law follows every step to first order (variable projection: Golub and Pereyra 1973, with Kaufman's
        approximation): what its constants can take up of a change of levels counts for nothing.

        Parameters
        ----------
        start : ndarray, shape (groups,), optional
            Where to start; by default the best of a few levels of each recipe, one after the other.
        """
        here = self._at(self._first() if start is None else start)
        for _ in range(_STEPS):
            step = np.zeros(len(self.groups))
            step[1:] = here.curvature @ here.gradient
            for share in _SHARES:
                tried = self._at(np.clip(here.levels - share * step, -self.level.most, self.level.most))
                if tried.objective < here.objective:
                    break
            else:
                return here
            moved, here = float(np.abs(tried.levels - here.levels).max()), tried
            if moved < _CLOSE * self.level.most:
                break
        return here

    def _first(self) -> Floats:
        """Return the best of a few levels of each recipe: a valley may be narrow."""
        most, levels = self.level.most, np.zeros(len(self.groups))
        for index in range(1, len(levels)):
            tried = [levels.copy() for _ in range(_TRIED)]
            for one, value in zip(tried, np.linspace(-most, most, _TRIED), strict=True):
                one[index] = value
            levels = min(tried, key=lambda one: float(self.fit(one).objective[0]))
        return levels

    def _at(self, levels: Floats) -> Minimum:
        """Return the misfit at levels, and the parabola around them."""
        problem = self.posed(levels)
        solution = self._solved(problem, levels)
        rows = problem.all_rows
        kept, group = self.keep[rows], self.groups.group[rows]
        shared = self.shared(levels)
        share = self.level.share(shared.observed(), self.groups.spread(levels))[rows]
        residuals = problem.residuals(solution)
        # A row has one level: a step of all levels at once tells the derivative by each.
        step = _STEP * self.level.most
        ahead, behind = (self._residuals(solution, levels + moved, problem.metric_unit) for moved in (step, -step))
        slope = (ahead - behind) / (2 * step) * share
        by_level = slope[:, None] * (group[:, None] == np.arange(1, len(levels)))
        basis = orthonormal((problem.tangent(solution) * ((1 + residuals) * share)[:, None])[kept])
        by_level = by_level[kept] - basis @ (basis.T @ by_level[kept])
        curvature = np.linalg.pinv(by_level.T @ by_level)
        return Minimum(levels, float(solution.objective[0]), by_level.T @ (residuals * share)[kept], curvature)

    def _residuals(self, solution: Solution, levels: Floats, unit: float) -> Floats:
        """Return pred/y - 1 at levels, under constants that predict in some unit of the metric."""
        problem = self.posed(levels)
        return problem.predicted(solution) * unit / self.shared(levels).observed()[problem.all_rows] - 1.0

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
    found = misfit.minimum()
    residuals = candidate.residual_model(misfit.shared(found.levels))
    # The rows of a run share a part of their scatter: they count as fewer.
    sizes = np.bincount(residuals.run)
    effect = 1 + residuals.common * (float((sizes**2).sum() / sizes.sum()) - 1)
    freedom = max(len(runs) / effect - candidate.problem.parameters - len(groups) + 1, 1.0)
    errors = np.zeros(len(groups))
    errors[1:] = np.sqrt(found.objective / freedom * np.diag(found.curvature))
    width = float(stdtrit(freedom, (1 + coverage) / 2)) * errors
    low, high = (np.clip(found.levels + sign * width, -level.most, level.most) for sign in (-1.0, 1.0))
    return Levels(level, found.levels, low, high, errors, found.objective)
