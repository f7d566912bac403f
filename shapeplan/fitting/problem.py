"""From a form and rows to the blocks that the engine solves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.errors import ErrorDetail, FitError
from shapeplan.fitting.checkpoints import merge
from shapeplan.fitting.selection.identifiability import is_constant
from shapeplan.fitting.solver import RELATIVE, Block, Found, Objective, Solution, search
from shapeplan.frozen import frozen
from shapeplan.laws import OUTER, Form, Term
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.runs import Runs

_AT_BOUND = 1e-9
_SMALL, _ROUNDING = 1e-9, 1e-12
"""Coefficient, over the largest, below which its term is looked at, and share of all terms that is rounding."""
SMALLEST_METRIC, LARGEST_METRIC, WIDEST_METRIC = 1e-290, 1e290, 1e30
"""What floats can carry through squares of ratios, and powers of units."""


@frozen
class Problem:
    """A form posed on rows.

    Attributes
    ----------
    form : Form
        The form.
    units : mapping of str to float
        Reference value of every variable.
    rows : mapping of str to ndarray of int
        Rows of the log that every branch of the form is fitted to.
    blocks : tuple of Block
        One a branch, in the form's order, with all of its rows; predictions are in units of `metric_unit`.
    points : tuple of Block
        The same with checkpoints merged: what the engine descends on.
    point_rows : tuple of ndarray of int
        A row that every point of a block stands for.
    metric_unit : float
        Median of the metric over the rows.
    objective : Objective
        What the fit minimizes.
    """

    form: Form
    units: Mapping[str, float]
    rows: Mapping[str, Index]
    blocks: tuple[Block, ...]
    points: tuple[Block, ...]
    point_rows: tuple[Index, ...]
    metric_unit: float
    objective: Objective = RELATIVE

    @property
    def all_rows(self) -> Index:
        """The rows of all branches, block after block."""
        return np.concatenate(list(self.rows.values()))

    @property
    def parameters(self) -> int:
        """Number of exponents and coefficients."""
        return len(self.form.exponents) + len(self.form.coefficients)

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the exponents."""
        pairs = np.array([self.form.bounds(name) for name in self.form.exponents])
        return pairs[:, 0], pairs[:, 1]

    def constants(self, solution: Solution) -> dict[str, Floats]:
        """Name the numbers of a batch of solutions, each of shape (batch,).

        A coefficient whose term is nothing but rounding in every row is 0: of a log without noise it would tell
        exponents, and other ones on every machine.
        """
        named = dict(zip(self.form.exponents, solution.exponents.T, strict=True))
        parts = zip(self.blocks, solution.coefficients, strict=True)
        coefficients = np.concatenate([_above_rounding(*part, solution.exponents) for part in parts], axis=1).T
        for term, values in zip(self.form.terms, coefficients, strict=True):
            # What an outer power raises is in units of the metric's root.
            inside = self.form.outer and term.powers
            named[term.coefficient] = values * (self.metric_unit ** (1 / named[OUTER]) if inside else self.metric_unit)
        return named

    def tangent(self, solution: Solution) -> Floats:
        """Return the derivatives of the logarithms of what the first of a batch predicts, block after block.

        They are by the parameters in use, exponents and then coefficients, shape (rows, parameters). Not in use are
        coefficients of zero, exponents of such terms alone, and exponents at their bounds.
        """
        lower, upper = self.bounds
        theta = solution.exponents[0]
        by_exponent = []
        by_coefficient = np.zeros((len(self.all_rows), sum(block.width for block in self.blocks)))
        row = column = 0
        for block, coefficients in zip(self.blocks, solution.coefficients, strict=True):
            used = np.flatnonzero(block.uses)
            here = block.at(solution.exponents[:1], block.columns(solution.exponents[:1]), coefficients[:1], used)
            slopes = (here.jacobian[0] / here.predicted[0]).T
            exponents = np.zeros((block.rows, len(theta)))
            exponents[:, used] = slopes[:, : len(used)]
            by_exponent.append(exponents)
            by_coefficient[row : row + block.rows, column : column + block.width] = slopes[:, len(used) :]
            row, column = row + block.rows, column + block.width
        exponents = np.concatenate(by_exponent)
        inside = (theta > lower * (1 + _AT_BOUND)) & (theta < upper * (1 - _AT_BOUND)) & exponents.any(axis=0)
        positive = np.concatenate([coefficients[0] > 0 for coefficients in solution.coefficients])
        return np.hstack([exponents[:, inside], by_coefficient[:, positive]])

    @property
    def point_of(self) -> Index:
        """A row that every point stands for, points and rows block after block, shape (points,)."""
        starts = np.cumsum([0, *(block.rows for block in self.blocks)])
        return np.concatenate([start + rows for start, rows in zip(starts, self.point_rows, strict=False)])

    @property
    def point_weights(self) -> Floats:
        """How many rows every point stands for, block after block, shape (points,)."""
        return np.concatenate([block.weights for block in self.points])

    def at_points(self, some: Bools) -> Problem:
        """Return the problem with some of its points, shape (points,), alone; its rows stay."""
        cuts = np.cumsum([block.rows for block in self.points])[:-1]
        kept = np.split(some, cuts)
        points = tuple(block.at_rows(mine) for block, mine in zip(self.points, kept, strict=True))
        rows = tuple(row[mine] for row, mine in zip(self.point_rows, kept, strict=True))
        return replace(self, points=points, point_rows=rows)

    def branches(self) -> dict[str, Problem]:
        """Return every branch as a problem of its own, with the exponents of all."""
        return {
            branch: replace(self, rows={branch: rows}, blocks=(block,), points=(points,), point_rows=(row,))
            for (branch, rows), block, points, row in zip(
                self.rows.items(), self.blocks, self.points, self.point_rows, strict=True
            )
        }

    def observing(self, observed: Floats) -> list[Block]:
        """Return the points with other observations, shape (batch, points), in units of `metric_unit`."""
        cuts = np.cumsum([block.rows for block in self.points])[:-1]
        return [
            replace(block, observed=mine)
            for block, mine in zip(self.points, np.split(observed, cuts, axis=1), strict=True)
        ]

    def keeping(self, keep: Bools) -> list[Block]:
        """Return the points of rows to be kept, shape (batch, rows of the log); those of a stretch go together."""
        return [
            replace(block, weights=block.weights * keep[:, rows[some]])
            for block, rows, some in zip(self.points, self.rows.values(), self.point_rows, strict=True)
        ]

    def predicted(self, solution: Solution) -> Floats:
        """Return what the first of a batch predicts for rows, block after block, in units of `metric_unit`."""
        return _predicted(self.blocks, solution)

    def predicted_points(self, solution: Solution) -> Floats:
        """Return what the first of a batch predicts for points, block after block, in units of `metric_unit`."""
        return _predicted(self.points, solution)

    def residuals(self, solution: Solution) -> Floats:
        """Return pred/y - 1 of the first of a batch, block after block."""
        observed: Floats = np.concatenate([block.observed for block in self.blocks])
        return self.predicted(solution) / observed - 1.0

    def misfit(self, solution: Solution) -> float:
        """Return the objective of the first of a batch over all rows."""
        observed = np.concatenate([block.observed for block in self.blocks])
        return float(self.objective.value(self.predicted(solution), observed, np.ones(len(observed))))


def _predicted(blocks: Sequence[Block], solution: Solution) -> Floats:
    theta = solution.exponents[:1]
    return np.concatenate(
        [
            block.predicted(theta, block.columns(theta), coefficients[:1])[0]
            for block, coefficients in zip(blocks, solution.coefficients, strict=True)
        ]
    )


def solve(problem: Problem, plain: Found | None = None) -> Found:
    """Return the global optimum, and what else was found on the way.

    Parameters
    ----------
    problem : Problem
        The problem.
    plain : Found, optional
        What the search found for the same terms without their outer power.

    Raises
    ------
    FitError
        If the numbers are beyond what a float holds.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = search(
            problem.points, *problem.bounds, problem.objective, plain=None if plain is None else plain.optima
        )
    if not np.isfinite(found.best.objective[0]):
        message = "the numbers of the log span too many orders of magnitude for the law"
        raise FitError(ErrorDetail("out-of-range", message, "check the units of its columns"))
    return found


def check_signal(runs: Runs, rows: Index) -> None:
    """Raise `FitError` if the metric is the same in all rows, or beyond what can be computed with."""
    metric = runs.observed()[rows]
    if not (metric.min() >= SMALLEST_METRIC and metric.max() <= LARGEST_METRIC):
        message = f"the metric {runs.metric!r} runs from {metric.min():.3g} to {metric.max():.3g}"
        raise FitError(ErrorDetail("out-of-range", message, "give it in a unit in which it is nearer to 1"))
    if metric.max() / metric.min() > WIDEST_METRIC:
        message = f"the metric {runs.metric!r} spans {metric.min():.3g} to {metric.max():.3g}, which no loss does"
        raise FitError(ErrorDetail("out-of-range", message, "look for rows that diverged, or for mixed units"))
    if is_constant(metric):
        message = f"the metric {runs.metric!r} is the same in every row of the fit"
        raise FitError(ErrorDetail("no-signal", message, "log a metric that depends on the model"))


def reference_unit(values: Floats) -> float:
    """Return the unit of a variable: its median, so that constants are of order one."""
    return float(np.median(values))


def pose(
    form: Form,
    runs: Runs,
    rows: Mapping[str, Index],
    units: Mapping[str, float],
    objective: Objective = RELATIVE,
) -> Problem:
    """Pose a form on the rows of its branches."""
    columns = runs.variables()
    exponents = form.exponents
    metric_unit = reference_unit(runs.observed()[np.concatenate(list(rows.values()))])
    blocks, points, point_rows = [], [], []
    for branch, terms in form.branches.items():
        chosen = rows[branch]
        logs = {name: np.log(columns[name][chosen] / units[name]) for name in form.variables}
        observed = runs.observed()[chosen] / metric_unit
        inside = sum(bool(term.powers) for term in terms) if form.outer else None
        block = Block(_log_columns(terms, exponents, logs), observed, np.ones(len(chosen)), inside=inside)
        blocks.append(block)
        if runs.stretches is None:
            points.append(block)
            point_rows.append(np.arange(len(chosen)))
            continue
        merged = merge(logs, observed, np.log(runs.flops[chosen]), runs.stretches[chosen])
        linear = _log_columns(terms, exponents, merged.logs)
        points.append(Block(linear, merged.observed, merged.weights, inside=inside))
        point_rows.append(merged.row)
    return Problem(
        form, dict(units), dict(rows), tuple(blocks), tuple(points), tuple(point_rows), metric_unit, objective
    )


def _above_rounding(block: Block, coefficients: Floats, exponents: Floats) -> Floats:
    """Return coefficients, shape (batch, columns), those as 0 that rounding left of an exact fit without them."""
    small = (coefficients > 0) & (coefficients < _SMALL * coefficients.max(axis=1, keepdims=True))
    doubtful = np.flatnonzero(small.any(axis=1))
    if not doubtful.size:
        return coefficients
    with np.errstate(over="ignore", invalid="ignore"):
        terms = block.columns(exponents[doubtful]) * coefficients[doubtful][..., None]
        shares = (terms / terms.sum(axis=1, keepdims=True)).max(axis=2)
    sound = coefficients.copy()
    sound[doubtful] = np.where(shares <= _ROUNDING, 0.0, coefficients[doubtful])
    return sound


def _log_columns(terms: Sequence[Term], exponents: Sequence[str], logs: Mapping[str, Floats]) -> Floats:
    """Return the logarithm of every column as a linear function of the exponents, shape (rows, columns, exponents)."""
    rows = len(next(iter(logs.values())))
    linear = np.zeros((rows, len(terms), len(exponents)))
    for i, term in enumerate(terms):
        for power in term.powers:
            linear[:, i, exponents.index(power.exponent)] += power.sign * logs[power.variable]
    return linear
