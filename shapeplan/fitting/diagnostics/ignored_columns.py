"""Columns that a law does not have, against what its fit leaves: a partial F test of each."""

from __future__ import annotations

import numpy as np
from scipy.special import fdtrc

from shapeplan.cells import Cells
from shapeplan.fitting.problem import Problem
from shapeplan.fitting.records import Explained
from shapeplan.fitting.solver import Solution
from shapeplan.fitting.uncertainty.residual_model import ResidualModel, orthonormal
from shapeplan.numerics.arrays import Floats, Index
from shapeplan.numerics.grouping import is_function
from shapeplan.runs import Runs

FILE = ""
"""In place of a column: which of several files a row is from."""
_DEGREE = 2
"""Of the polynomial in a column of numbers, or in their logarithms where all are positive."""
_MOST_GROUPS = 12
"""Values of a column of names, or distinct numbers, beyond which they are no groups."""


def what_ignored_explain(
    runs: Runs, problem: Problem, solution: Solution, model: ResidualModel
) -> dict[str, Explained]:
    """Return what every column without a role explains of the residuals of a fit, beyond the law's own parameters.

    The column, and the derivatives of the law by its parameters, are regressors of the residuals; the F statistic is
    that of adding the column (Draper and Smith, Applied Regression Analysis, 1998, ch. 6). Rows count for what they
    are worth: those of one run that scatter together count less.

    Parameters
    ----------
    runs : Runs
        The log, with its columns; `Runs.factors` are tested, and `FILE`.
    problem, solution : Problem, Solution
        The fit.
    model : ResidualModel
        How rows scatter.
    """
    rows = problem.all_rows
    residuals = problem.residuals(solution)
    basis = orthonormal(problem.tangent(solution))
    left = residuals - basis @ (basis.T @ residuals)
    total = float(left @ left)
    worth = len(rows) / (1 + (len(rows) / model.runs - 1) * model.common)
    found = {}
    tested = {name: runs.cells[name] for name in runs.factors} | ({FILE: Cells(runs.files)} if runs.files else {})
    for name, cells in tested.items() if total > 0 else ():
        regressors = _regressors(cells, rows)
        if regressors is None:
            continue
        own = orthonormal(regressors - basis @ (basis.T @ regressors))
        added, freedom = own.shape[1], worth - basis.shape[1] - own.shape[1]
        if not added or freedom < 1:
            continue
        share = float(((own.T @ left) ** 2).sum()) / total
        statistic = share / added / max((1 - share) / freedom, 1e-300)
        follows = is_function(cells.groups()[0], runs.shape_groups)
        found[name] = Explained(share, float(fdtrc(added, freedom, statistic)), follows)
    return found


def _regressors(cells: Cells, rows: Index) -> Floats | None:
    """Return a column as regressors, shape (rows, terms); None where it does not vary, or has too many names."""
    some = cells.take(rows)
    group, names = some.groups()
    if len(names) < 2:
        return None
    if len(names) <= _MOST_GROUPS:
        # Indicators, of which one follows from the others and the constant of the law.
        return np.asarray(group[:, None] == np.arange(1, len(names)), dtype=float)
    values = some.numbers()
    if values is None or not np.isfinite(values).all():
        return None
    place: Floats = np.log(values) if (values > 0).all() else values
    place = (place - place.mean()) / max(float(place.std()), 1e-300)
    terms: Floats = place[:, None] ** np.arange(1, _DEGREE + 1)
    return terms
