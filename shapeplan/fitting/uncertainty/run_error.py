"""How far a run is from the law, by how far it is extrapolated: scatter of rows, and a drift read off the backtest."""

from __future__ import annotations

import numpy as np

from shapeplan.fitting.evidence import RunError
from shapeplan.fitting.selection.backtest import Backtest, Fold
from shapeplan.fitting.uncertainty.residual_model import ResidualModel, orthonormal
from shapeplan.numerics.arrays import Floats
from shapeplan.runs import Runs

PRIOR = 0.0125
"""Drift, relative and for a factor e of compute, that counts as one fold: that of public sweeps
(tests/studies/coverage.py)."""
_WIDER = 1.4
"""Factor of the squared drift: folds share most of their rows, so that they vary less than sweeps do."""
_COMMON = 0.5
"""Share of the squared drift that all rows of a compute have in common; the rest every shape has for itself."""
_LEAST = 1e-12
"""Share of what rows could tell of the drift below which only rounding does."""
_ROUNDS = 30
_TINY = 1e-24


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
    measured = [_of_fold(backtest, runs, fold, variance) for fold in backtest.folds if fold.sound]
    folds = [told for told in measured if told is not None]
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


def squared_drift(errors: Floats, reach: Floats, followed: Floats, variance: float) -> tuple[float, float] | None:
    """Return the squared drift that errors of a fold show, and its standard error where there is none.

    Without drift, errors have the covariance C of rows and of the law that was fitted below (delta method). A drift d
    adds d^2 V, where V is u u' for what all rows have in common, half of it, and diag(u u') for what each has for
    itself, and u is the reach. Of the unbiased quadratic estimates this has the least variance where d is small
    (MINQUE: Rao 1971).

    Parameters
    ----------
    errors : ndarray, shape (rows,)
        Logarithmic errors of the rows above.
    reach : ndarray, shape (rows,)
        Logarithm of their distance from the rows below.
    followed : ndarray, shape (rows, rank)
        Rows above of Q, an orthonormal basis of the derivatives of the law at the rows below and above: the inverse of
        C is I - Q Q', what a fit to all of them could not follow, over the variance.
    variance : float
        Of the logarithm of a row about the law.

    Returns
    -------
    tuple of float, or None
        None where a fit to all rows could follow those above, whatever they are.
    """
    own = 1 - _COMMON
    squared = reach**2
    left_error, left_reach = (x - followed @ (followed.T @ x) for x in (errors, reach))
    diagonal = 1 - (followed**2).sum(axis=1)
    between = followed.T @ (squared[:, None] * followed)
    seen = _COMMON * (reach @ left_error) ** 2 + own * (squared @ left_error**2)
    by_chance = _COMMON * (reach @ left_reach) + own * (squared @ diagonal)
    information = (
        _COMMON**2 * (reach @ left_reach) ** 2
        + 2 * _COMMON * own * (squared @ left_reach**2)
        + own**2 * (squared**2 @ (2 * diagonal - 1) + (between**2).sum())
    )
    if information <= _LEAST * squared.sum() ** 2:
        return None
    return float((seen - variance * by_chance) / information), float(variance * np.sqrt(2 / information))


def _of_fold(backtest: Backtest, runs: Runs, fold: Fold, variance: float) -> tuple[float, float] | None:
    """Return what a fold tells of the drift; None where no row of the law is above, or its fit has no derivatives."""
    problem = backtest.candidate.problem
    rows = problem.all_rows
    above = np.isin(rows, fold.test)
    told = fold.train[rows] | above
    if not above.any():
        return None
    place = np.searchsorted(fold.test, rows[above])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        errors = np.log1p(fold.errors[place])
        tangent = problem.tangent(fold.solution)[told]
    if not np.isfinite(errors).all() or not np.isfinite(tangent).all():
        return None
    return squared_drift(errors, np.log(fold.distance[place]), orthonormal(tangent)[above[told]], variance)
