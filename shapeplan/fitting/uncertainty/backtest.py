"""The backtest: a law refitted below ever less compute, and how far it then is from the rows above, by distance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from shapeplan.fitting.evidence import RunError
from shapeplan.fitting.records import Horizon
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.solver import Solution
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.numerics.arrays import Bools, Floats
from shapeplan.runs import Runs

CUTS = (1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 13.0, 16.0, 20.0, 25.0, 32.0, 40.0, 50.0, 64.0, 80.0, 100.0)
"""Factors below the largest compute at which folds are cut; where the law is not identified, or rows are the same as
for the cut before, there is no fold."""
PRIOR = 0.015
"""Drift, relative and for a factor e of compute, that counts as one fold: that of public sweeps
(tests/studies/coverage.py)."""
_WIDER = 2.0
"""Factor of the squared drift: folds share most of their rows, so that they vary less than sweeps do."""
_EDGES = (1.0, 1.5, 2.5, 4.0, 7.0, 13.0, 25.0, 50.0, np.inf)
"""Distances between which errors are told together."""
_RANK = 1e-10
_ROUNDS = 30
_TINY = 1e-24


@dataclass(frozen=True)
class _Fold:
    """What a fit below a compute tells of the rows above it.

    Attributes
    ----------
    distance : ndarray, shape (rows,)
        Compute of a row over the largest of the fit.
    square : ndarray, shape (rows,)
        Squared logarithmic error.
    expected : ndarray, shape (rows,)
        What is expected of it if the law is true: the scatter of rows, and the variance of the fit (delta method).
    """

    distance: Floats
    square: Floats
    expected: Floats

    @property
    def drift(self) -> tuple[float, float]:
        """The squared drift that explains the excess of the errors, and about its standard error."""
        reach = np.log(self.distance) ** 2
        weights = reach / self.expected**2
        drift = float((weights * (self.square - self.expected)).sum() / (weights * reach).sum())
        return drift, float(1 / np.mean(reach / self.expected))


def backtest(candidate: Candidate, runs: Runs, residual_model: ResidualModel) -> RunError:
    """Measure the error of a run by how far it is extrapolated, from the rows of the log itself.

    The variance of a run around the law is that of its rows, plus a drift that grows with the logarithm of the
    distance: no law is exactly true. The drift is what errors of the folds have in excess of those that a true law,
    fitted to so few rows, would make. Folds are weighted as in a random-effects meta-analysis (DerSimonian and Laird
    1986), with what public sweeps show as one more.

    Parameters
    ----------
    candidate : Candidate
        The law, fitted to all rows.
    runs : Runs
        The log.
    residual_model : ResidualModel
        How its rows scatter around it.
    """
    folds = _folds(candidate, runs, max(residual_model.sigma**2, _TINY))
    found = np.array([*(fold.drift for fold in folds), (PRIOR**2, PRIOR**2)])
    drift, spread = found.T
    squared = PRIOR**2
    for _ in range(_ROUNDS):
        weights = 1 / (spread + squared) ** 2
        squared = max(float((weights * drift).sum() / weights.sum()), 0.0)
    return RunError(
        scatter=residual_model.sigma,
        drift=float(np.sqrt(_WIDER * squared)),
        source="backtest" if folds else "prior",
        errors=_by_distance(folds),
    )


def _folds(candidate: Candidate, runs: Runs, variance: float) -> list[_Fold]:
    rows, top = candidate.problem.all_rows, runs.flops.max()
    kept: dict[int, Bools] = {}
    for cut in CUTS:
        keep = runs.flops <= top / cut
        if keep[rows].any() and not keep[rows].all() and candidate.lacking(runs, keep) is None:
            kept.setdefault(int(keep.sum()), keep)
    if not kept:
        return []
    solution = candidate.without(np.array(list(kept.values())))
    folds = [_fold(candidate, runs, solution, i, keep, variance) for i, keep in enumerate(kept.values())]
    return [fold for fold in folds if fold is not None]


def _fold(candidate: Candidate, runs: Runs, solution: Solution, i: int, keep: Bools, variance: float) -> _Fold | None:
    """Return a fold; None where its fit did not converge, or gives rows no finite loss."""
    rows = candidate.problem.all_rows
    seen = keep[rows]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        square = np.log1p(candidate.errors(solution, i, runs, rows[~seen])) ** 2
        tangent = candidate.problem.tangent(solution.take(i))
    if not solution.converged[i] or not np.isfinite(square).all() or not np.isfinite(tangent).all():
        return None
    scale = np.maximum(np.sqrt((tangent[seen] ** 2).sum(axis=0)), _TINY)
    known, asked = tangent[seen] / scale, tangent[~seen] / scale
    leverage = np.einsum("ri,ij,rj->r", asked, np.linalg.pinv(known.T @ known, rcond=_RANK), asked)
    distance = runs.flops[rows[~seen]] / runs.flops[rows[seen]].max()
    return _Fold(distance, square, variance * (1 + np.maximum(leverage, 0.0)))


def _by_distance(folds: list[_Fold]) -> tuple[Horizon, ...]:
    """Return the errors by distance: the median over folds of their root mean squares, robust to a poor fold."""
    horizons = []
    for low, high in pairwise(_EDGES):
        inside = [(fold, (fold.distance > low) & (fold.distance <= high)) for fold in folds]
        parts = [(fold.distance[some], fold.square[some]) for fold, some in inside if some.any()]
        if parts:
            distance = float(np.exp(np.mean(np.log(np.concatenate([distance for distance, _ in parts])))))
            rmse = float(np.sqrt(np.median([square.mean() for _, square in parts])))
            horizons.append(Horizon(distance, rmse, sum(len(square) for _, square in parts)))
    return tuple(horizons)
