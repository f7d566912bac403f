"""The backtest of a law: refitted below ever less compute, and how far it then is from the rows above."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from shapeplan.fitting.checkpoints import whole_stretches
from shapeplan.fitting.records import Horizon
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.solver import Solution
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.runs import Runs

CUTS = (1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0, 10.0, 16.0, 25.0, 40.0, 63.0, 100.0)
"""Factors below the largest compute at which folds are cut; where the law is not identified, or rows are the same as
for the cut before, there is no fold."""
_EDGES = (1.0, 1.5, 2.5, 4.0, 7.0, 13.0, 25.0, 50.0, np.inf)
"""Distances between which errors are told together."""
EXACT = 1e-9
"""Errors that only rounding tells apart are equal."""


@frozen
class Fold:
    """A fit below a compute, and the rows above it; checkpoints that are merged across it are in neither.

    Attributes
    ----------
    train : ndarray of bool, shape (rows of the log,)
        The rows that were fitted.
    test : ndarray of int, shape (tests,)
        The rows above.
    distance : ndarray, shape (tests,)
        Their compute over the largest of the fit.
    errors : ndarray, shape (tests,)
        pred/y - 1; infinite where the fit did not converge, or gives no loss.
    solution : Solution
        The fit, a batch of one.
    """

    train: Bools
    test: Index
    distance: Floats
    errors: Floats
    solution: Solution

    @cached_property
    def rmse(self) -> float:
        """Root mean square of the errors; infinite where the fit is none."""
        return float(np.sqrt(np.mean(self.errors**2)))

    @property
    def sound(self) -> bool:
        """Whether the fit converged, and gives every row above a loss."""
        return bool(np.isfinite(self.errors).all())


@frozen
class Backtest:
    """The folds of a law, the nearest cut first; `reason` says why there is none at some cut."""

    candidate: Candidate
    folds: tuple[Fold, ...]
    reason: str | None = None

    @cached_property
    def by_cut(self) -> dict[int, Fold]:
        """The folds by the number of rows below, which tells folds of one log apart."""
        return {int(fold.train.sum()): fold for fold in self.folds}

    def error(self, cuts: Sequence[int], scatter: float = 0.0) -> float:
        """Return the geometric mean over folds of the root mean square error: no single fold decides it.

        Parameters
        ----------
        cuts : sequence of int
            The folds, by their number of rows.
        scatter : float
            Of rows about a law: errors that are smaller hardly count.
        """
        folds = self.by_cut
        return float(np.exp(np.mean(np.log([max(np.hypot(folds[cut].rmse, scatter), EXACT) for cut in cuts]))))

    def errors_by_top(self, runs: Runs, some: Bools | None = None) -> dict[float, float]:
        """Return the root mean square error of sound folds on some of the rows above, by where these begin.

        That tells folds of two fits apart whose logs differ in a few rows.

        Parameters
        ----------
        runs : Runs
            The log.
        some : ndarray of bool, shape (rows,), optional
            The rows that are asked for; all by default.
        """
        found = {}
        for fold in self.folds:
            asked = np.full(len(fold.test), True) if some is None else some[fold.test]
            if fold.sound and asked.any():
                rmse = float(np.sqrt(np.mean(fold.errors[asked] ** 2)))
                found[float(runs.flops[fold.test[asked]].min())] = max(rmse, EXACT)
        return found

    def horizons(self) -> tuple[Horizon, ...]:
        """Return the errors by distance: the median over folds of their root mean squares, robust to a poor fold."""
        horizons = []
        sound = [fold for fold in self.folds if fold.sound]
        for low, high in pairwise(_EDGES):
            inside = [(fold, (fold.distance > low) & (fold.distance <= high)) for fold in sound]
            parts = [(fold.distance[some], fold.errors[some] ** 2) for fold, some in inside if some.any()]
            if parts:
                distance = float(np.exp(np.mean(np.log(np.concatenate([distance for distance, _ in parts])))))
                rmse = float(np.sqrt(np.median([square.mean() for _, square in parts])))
                horizons.append(Horizon(distance, rmse, sum(len(square) for _, square in parts)))
        return tuple(horizons)


def backtest(candidate: Candidate, runs: Runs) -> Backtest:
    """Refit a law below every cut that leaves rows which identify it, and predict all rows above.

    Folds reach from the next rows up to a factor of a hundred, or as far as the log goes (rolling origin).

    Parameters
    ----------
    candidate : Candidate
        The law, fitted to all rows.
    runs : Runs
        The log.
    """
    rows, top = candidate.problem.all_rows, runs.flops.max()
    kept: dict[int, tuple[Bools, Bools]] = {}
    reason = None
    for cut in CUTS:
        below = runs.flops <= top / cut
        keep = whole_stretches(runs, below)
        if not keep[rows].any() or keep[rows].all() or int(keep.sum()) in kept:
            continue
        lacks = candidate.lacking(runs, keep)
        if lacks is None:
            kept[int(keep.sum())] = keep, below
        reason = reason or (f"below 1/{cut:g} of the largest compute: {lacks}" if lacks else None)
    if not kept:
        return Backtest(candidate, (), reason or "all rows have the same compute")
    solution = candidate.without(np.array([keep for keep, _ in kept.values()]))
    folds = tuple(_fold(candidate, runs, solution.take(i), *rows) for i, rows in enumerate(kept.values()))
    return Backtest(candidate, folds, reason)


def _fold(candidate: Candidate, runs: Runs, solution: Solution, keep: Bools, below: Bools) -> Fold:
    test = np.flatnonzero(~below)
    distance = runs.flops[test] / runs.flops[keep].max()
    return Fold(keep, test, distance, candidate.unseen(solution, 0, runs, test), solution)
