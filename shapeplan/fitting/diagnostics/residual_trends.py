"""Residuals against compute and every dimension: a law that bends the wrong way shows here before it extrapolates."""

from __future__ import annotations

import numpy as np
from scipy.special import fdtrc

from shapeplan.fitting.problem import Problem
from shapeplan.fitting.records import Trend
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.numerics.arrays import Floats
from shapeplan.runs import Runs

_DEGREE = 4
"""Of the polynomial in the logarithm of a variable that is tested for: a fit leaves no slope and little bend."""
_FEWEST_VALUES = _DEGREE + 2


def find_trends(runs: Runs, problem: Problem, residuals: Floats, residual_model: ResidualModel) -> dict[str, Trend]:
    """Return how the residuals pred/y - 1, block after block, go with compute and with every dimension that varies.

    Chance is that of an F test for a polynomial, with as many rows as they are worth: those of one run that scatter
    together count less.
    """
    rows = problem.all_rows
    per_run = len(rows) / residual_model.runs
    worth = len(rows) / (1 + (per_run - 1) * residual_model.common)
    columns = {"flops": runs.flops[rows]} | {dim: runs.values(dim)[rows] for dim in runs.dims}
    return {
        name: _trend(np.log(values), residuals, worth)
        for name, values in columns.items()
        if len(np.unique(values)) >= _FEWEST_VALUES
    }


def _trend(place: Floats, residuals: Floats, worth: float) -> Trend:
    order = np.argsort(place, kind="stable")
    low, middle, high = (float(residuals[third].mean()) for third in np.array_split(order, 3))
    basis = np.vander((place - place.mean()) / place.std(), _DEGREE + 1)
    fitted = basis @ np.linalg.lstsq(basis, residuals, rcond=None)[0]
    total = float(((residuals - residuals.mean()) ** 2).sum())
    explained = float(((fitted - fitted.mean()) ** 2).sum()) / total if total else 0.0
    freedom = worth - _DEGREE - 1
    statistic = explained / _DEGREE / max((1 - explained) / freedom, 1e-300) if freedom > 0 else 0.0
    return Trend(low, middle, high, float(fdtrc(_DEGREE, max(freedom, 1.0), statistic)))
