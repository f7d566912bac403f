"""How far a run is from the law, by how far it is extrapolated: scatter of rows, and a drift read off the backtest."""

from __future__ import annotations

import numpy as np

from shapeplan.fitting.evidence import RunError
from shapeplan.fitting.selection.backtest import Backtest, Fold
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.runs import Runs

PRIOR = 0.0125
"""Drift, relative and for a factor e of compute, that counts as one fold: that of public sweeps
(tests/studies/coverage.py)."""
_WIDER = 1.4
"""Factor of the squared drift: folds share most of their rows, so that they vary less than sweeps do."""
_RANK = 1e-10
_ROUNDS = 30
_TINY = 1e-24


@frozen
class _Excess:
    """What a fold tells of the drift.

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


def run_error(backtest: Backtest, runs: Runs, residual_model: ResidualModel) -> RunError:
    """Measure the error of a run by how far it is extrapolated, from the rows of the log itself.

    The variance of a run around the law is that of its rows, plus a drift that grows with the logarithm of the
    distance: no law is exactly true. The drift is what errors of the folds have in excess of those that a true law,
    fitted to so few rows, would make. Folds are weighted as in a random-effects meta-analysis (DerSimonian and Laird
    1986), with what public sweeps show as one more.

    Parameters
    ----------
    backtest : Backtest
        Of the law, fitted to all rows.
    runs : Runs
        The log.
    residual_model : ResidualModel
        How its rows scatter around it.
    """
    variance = max(residual_model.sigma**2, _TINY)
    measured = [_excess(backtest, runs, fold, variance) for fold in backtest.folds if fold.sound]
    folds = [excess.drift for excess in measured if excess is not None]
    drift, spread = np.array([*folds, (PRIOR**2, PRIOR**2)]).T
    squared = PRIOR**2
    for _ in range(_ROUNDS):
        weights = 1 / (spread + squared) ** 2
        squared = max(float((weights * drift).sum() / weights.sum()), 0.0)
    return RunError(
        scatter=residual_model.sigma,
        drift=float(np.sqrt(_WIDER * squared)),
        source="backtest" if folds else "prior",
        errors=backtest.horizons(),
    )


def _excess(backtest: Backtest, runs: Runs, fold: Fold, variance: float) -> _Excess | None:
    """Return what a fold tells; None where it has no row of the law, or its fit no derivatives."""
    problem = backtest.candidate.problem
    rows = problem.all_rows
    seen, above = fold.train[rows], np.isin(rows, fold.test)
    if not above.any():
        return None
    place = np.searchsorted(fold.test, rows[above])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        square = np.log1p(fold.errors[place]) ** 2
        tangent = problem.tangent(fold.solution)
    if not np.isfinite(square).all() or not np.isfinite(tangent).all():
        return None
    scale = np.maximum(np.sqrt((tangent[seen] ** 2).sum(axis=0)), _TINY)
    known, asked = tangent[seen] / scale, tangent[above] / scale
    leverage = np.einsum("ri,ij,rj->r", asked, np.linalg.pinv(known.T @ known, rcond=_RANK), asked)
    return _Excess(fold.distance[place], square, variance * (1 + np.maximum(leverage, 0.0)))
