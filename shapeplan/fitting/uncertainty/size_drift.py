"""How far the best shape moved from fold to fold of the backtest, beyond what so few rows would move it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shapeplan.fitting.diagnostics.influence import MonitoredQuantities
from shapeplan.fitting.selection.backtest import Backtest, Fold
from shapeplan.numerics.arrays import Floats
from shapeplan.optimum.cost_model import at_edge

_DRAWS = 200
"""Replicates that tell how far rows alone move the best shape: enough for a variance."""


def size_drift(backtest: Backtest, monitored: MonitoredQuantities, draws: Mapping[str, Floats]) -> dict[str, float]:
    """Measure how far a dimension of the best shape moves, for a factor e of extrapolation.

    Every fold is asked for the best shape at the largest compute of the log, and so is the fit to all rows. What the
    logarithms differ by, squared, is in excess of what chance makes it by the drift, times the squared logarithm of the
    distance; of the folds the median is taken, so that a poor one does not decide. Chance is the variance of replicates
    of the log at as far a distance beyond it, for the fewer rows.

    Parameters
    ----------
    backtest : Backtest
        Of the law.
    monitored : MonitoredQuantities
        Where best shapes are looked for.
    draws : mapping of str to ndarray, shape (replicates,)
        Constants of the law under the replicates; empty for none.

    Returns
    -------
    dict of str to float
        Standard deviation of the logarithm, by dimension; without those that no fold tells.
    """
    problem, runs = backtest.candidate.problem, monitored.runs
    folds = [fold for fold in backtest.folds if fold.sound]
    if not problem.form.joint or not problem.form.dims or not draws or not folds:
        return {}
    top = float(runs.flops.max())
    whole = monitored.best(problem.constants(backtest.candidate.found.best), top)
    some = {name: values[:_DRAWS] for name, values in draws.items()}
    excess: dict[str, list[float]] = {dim: [] for dim in whole}
    for fold in folds:
        moved = monitored.best(problem.constants(fold.solution), top)
        reach = float(fold.distance.max())
        chance = _variances(monitored.best(some, reach * top), fold)
        for dim, bounds in monitored.bounds.items():
            inside = ~at_edge(moved[dim], bounds) & ~at_edge(whole[dim], bounds)
            step = float(np.log(moved[dim] / whole[dim])[0])
            if inside[0] and np.isfinite(step):
                excess[dim].append((step**2 - chance[dim]) / np.log(reach) ** 2)
    return {dim: float(np.sqrt(max(np.median(found), 0.0))) for dim, found in excess.items() if found}


def _variances(shapes: Mapping[str, Floats], fold: Fold) -> dict[str, float]:
    """Return the variance of the logarithm of every dimension, for as few rows as a fold has."""
    fewer = len(fold.train) / fold.train.sum()
    variances = {}
    for dim, values in shapes.items():
        logs = np.log(values)
        variances[dim] = float(np.var(logs[np.isfinite(logs)]) * fewer) if np.isfinite(logs).any() else 0.0
    return variances
