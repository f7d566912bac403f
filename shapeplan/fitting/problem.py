"""From a form and rows to the blocks that the engine solves, under the relative objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shapeplan.arrays import Floats, Index
from shapeplan.fitting.engine import Block, Solution, search
from shapeplan.laws import Form, Term
from shapeplan.runs import Runs


@dataclass(frozen=True)
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
        One a branch, in the form's order; predictions are in units of `metric_unit`.
    metric_unit : float
        Median of the metric over the rows.
    """

    form: Form
    units: Mapping[str, float]
    rows: Mapping[str, Index]
    blocks: tuple[Block, ...]
    metric_unit: float

    @property
    def all_rows(self) -> Index:
        """The rows of all branches, block after block."""
        return np.concatenate(list(self.rows.values()))

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the exponents."""
        pairs = np.array([self.form.bounds(name) for name in self.form.exponents])
        return pairs[:, 0], pairs[:, 1]

    def solve(self) -> Solution:
        """Return the global optimum."""
        return search(self.blocks, *self.bounds)

    def constants(self, solution: Solution) -> dict[str, Floats]:
        """Name the numbers of a batch of solutions, each of shape (batch,)."""
        named = dict(zip(self.form.exponents, solution.exponents.T, strict=True))
        coefficients = self.metric_unit * np.concatenate(solution.coefficients, axis=1)
        named.update(zip(self.form.coefficients, coefficients.T, strict=True))
        return named

    def residuals(self, solution: Solution) -> Floats:
        """Return pred/y - 1 of the first of a batch, block after block."""
        return np.concatenate(
            [
                np.exp(block.log_columns @ solution.exponents[0]) @ coefficients[0] * block.weights - 1.0
                for block, coefficients in zip(self.blocks, solution.coefficients, strict=True)
            ]
        )


def reference_unit(values: Floats) -> float:
    """Return the unit of a variable: its median, so that constants are of order one."""
    return float(np.median(values))


def pose(form: Form, runs: Runs, rows: Mapping[str, Index], units: Mapping[str, float]) -> Problem:
    """Pose a form on the rows of its branches; residuals are pred/y - 1, the paper's objective."""
    columns = runs.variables()
    exponents = form.exponents
    metric_unit = reference_unit(runs.observed()[np.concatenate(list(rows.values()))])
    blocks = []
    for branch, terms in form.branches.items():
        chosen = rows[branch]
        logs = {name: np.log(columns[name][chosen] / units[name]) for name in form.variables}
        observed = runs.observed()[chosen]
        blocks.append(Block(_log_columns(terms, exponents, logs), metric_unit / observed, np.ones(len(chosen))))
    return Problem(form, dict(units), dict(rows), tuple(blocks), metric_unit)


def _log_columns(terms: Sequence[Term], exponents: Sequence[str], logs: Mapping[str, Floats]) -> Floats:
    """Return the logarithm of every column as a linear function of the exponents, shape (rows, columns, exponents)."""
    rows = len(next(iter(logs.values())))
    linear = np.zeros((rows, len(terms), len(exponents)))
    for i, term in enumerate(terms):
        for power in term.powers:
            linear[:, i, exponents.index(power.exponent)] += power.sign * logs[power.variable]
    return linear
