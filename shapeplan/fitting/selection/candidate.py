"""A law fitted to all the rows of a log that it can use: what the choice of a law compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property

import numpy as np

from shapeplan.fitting.problem import Problem, check_signal, pose, reference_unit, solve
from shapeplan.fitting.records import HeldOutError
from shapeplan.fitting.selection.identifiability import (
    Contents,
    joint_form,
    lacking,
    lacking_on_star,
    nothing_supported,
)
from shapeplan.fitting.solver import RELATIVE, Found, Objective, Solution, refit
from shapeplan.fitting.star import StarSolution, solve_star
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.frozen import frozen
from shapeplan.laws import FORMS, Law
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.runs import Runs
from shapeplan.sweeps.dimensions import Dimensions
from shapeplan.sweeps.star import StarSweep

_ROUNDING = 1e-18
_WORST = 1e300
_AKAIKE = 2.0
"""Gain in deviance that a constant is worth (Akaike 1974)."""


@frozen
class Candidate:
    """A law with its fit to all rows that it can use.

    Attributes
    ----------
    problem, found : Problem, Found
        The law posed on the rows, and its optimum.
    star : StarSolution or None
        The star behind it, for Eq. 2.
    """

    problem: Problem
    found: Found
    star: StarSolution | None = None

    @property
    def name(self) -> str:
        """The law, as users write it."""
        return self.problem.form.name

    @property
    def law(self) -> Law:
        """The law with the constants of the optimum."""
        constants = {name: float(value[0]) for name, value in self.problem.constants(self.found.best).items()}
        return Law(self.problem.form, constants, self.problem.units)

    @cached_property
    def relative_rmse(self) -> float:
        """Root mean square of pred/y - 1 over its own rows."""
        return float(np.sqrt(np.mean(self.problem.residuals(self.found.best) ** 2)))

    def bic(self, runs: Runs) -> float:
        """Return the Bayesian information criterion (Schwarz 1978) over all rows, up to a constant of the log.

        The rows of a run are not independent: a run counts as one observation. Eq. 2 must answer for rows beside its
        arms too, so that all laws are compared on the same rows.
        """
        count = len(np.unique(runs.run))
        errors = self.errors(self.found.best, 0, runs, np.arange(len(runs)))
        square = max(float(np.mean(errors**2)), _ROUNDING)
        return float(min(count * np.log(square) + self.problem.parameters * np.log(count), _WORST))

    def residual_model(self, runs: Runs) -> ResidualModel:
        """Return how its rows scatter around the fit."""
        _, run = np.unique(runs.run[self.problem.all_rows], return_inverse=True)
        predicted = self.problem.predicted(self.found.best)
        observed = np.concatenate([block.observed for block in self.problem.blocks])
        scatter = ResidualModel.of(np.log(observed / predicted), run, self.problem.tangent(self.found.best))
        levels = None if runs.level_errors is None else runs.level_errors[self.problem.all_rows]
        return replace(scatter, levels=levels)

    def error_beside_star(self, runs: Runs) -> HeldOutError | None:
        """Return how far Eq. 2 is from the rows beside its star, which it never saw; None where there are none."""
        beside = self.star.star.beside(runs) if self.star else np.empty(0, dtype=np.int64)
        return HeldOutError.of_errors(self.errors(self.found.best, 0, runs, beside)) if beside.size else None

    def without(self, keep: Bools, *, by_chance: bool = False) -> Solution:
        """Fit again with rows left out, those of a stretch together.

        Parameters
        ----------
        keep : ndarray of bool, shape (problems, rows of the log)
            Rows that each fit may see.
        by_chance : bool
            As for `refit`.

        Returns
        -------
        Solution
            One optimum a problem.
        """
        problem = self.problem
        return refit(problem.keeping(keep), self.found.optima, *problem.bounds, problem.objective, by_chance=by_chance)

    def errors(self, solution: Solution, index: int, runs: Runs, rows: Index) -> Floats:
        """Return pred/y - 1 for rows of the log under one of a batch of solutions; infinite where no loss comes out."""
        constants = {name: value[index] for name, value in self.problem.constants(solution).items()}
        known = runs.variables()
        variables = {name: known[name][rows] for name in self.problem.form.variables}
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            predicted = Law(self.problem.form, constants, self.problem.units).loss(**variables)
            errors = predicted / runs.observed()[rows] - 1.0
        return np.where(np.isfinite(errors), errors, np.inf)

    def unseen(self, solution: Solution, index: int, runs: Runs, rows: Index) -> Floats:
        """Return the errors on rows that one of a batch of fits did not see; infinite where it did not converge."""
        errors = self.errors(solution, index, runs, rows)
        return errors if solution.converged[index] else np.full_like(errors, np.inf)

    def lacking(self, runs: Runs, keep: Bools) -> str | None:
        """Return what the rows kept, shape (rows of the log,), lack to identify the law; None where they can."""
        if self.star is not None:
            return lacking_on_star(runs, self.star.star.within(keep))
        return lacking(
            self.problem.form, {name: values[keep] for name, values in runs.variables().items()}, runs.examples_unit
        )


def fit_candidates(
    runs: Runs,
    contents: Contents,
    objective: Objective = RELATIVE,
    done: Callable[[], None] = lambda: None,
) -> dict[str, Candidate]:
    """Fit every law that a log can identify; `done` is told of each.

    Raises
    ------
    FitError
        If there is none.
    """
    if not contents.supported:
        raise nothing_supported(contents)
    candidates: dict[str, Candidate] = {}
    for name in contents.supported:
        plain = candidates.get(FORMS[name].plain or "")
        candidate = fit_candidate(name, runs, contents.dimensions, contents.star, objective, plain)
        candidates[candidate.name] = candidate
        done()
    return candidates


def power_notes(asked: Iterable[str], fitted: Iterable[Candidate]) -> tuple[str, ...]:
    """Return which laws were fitted at an outer power of 1, since the rows do not tell it from that."""
    names = {candidate.name for candidate in fitted}
    return tuple(
        f"the law {law!r} is left out: its outer power is not told from 1 by these rows (AIC), and at 1 it is"
        f" {FORMS[law].plain!r}"
        for law in asked
        if FORMS[law].plain in names and law not in names
    )


def fit_candidate(
    name: str,
    runs: Runs,
    dimensions: Dimensions,
    star: StarSweep | None,
    objective: Objective = RELATIVE,
    plain: Candidate | None = None,
) -> Candidate:
    """Fit one law to all rows that it can use.

    A law whose outer power gains less than a constant is worth is not told from the plain one, which is what is
    returned: at 1 the power costs no constant. `plain` is that one, where it is fitted already.

    Raises
    ------
    FitError
        If the rows cannot support it.
    """
    if not FORMS[name].joint:
        assert star is not None, "a log without a star does not support Eq. 2"
        solution = solve_star(runs, star, objective)
        return Candidate(solution.problem, solution.found, solution)
    form = joint_form(name, dimensions)
    rows = np.arange(len(runs))
    check_signal(runs, rows)
    known = runs.variables()
    units = {variable: reference_unit(known[variable]) for variable in form.variables}
    problem = pose(form, runs, {"joint": rows}, units, objective)
    if form.plain is None:
        return Candidate(problem, solve(problem))
    plain = plain or fit_candidate(form.plain, runs, dimensions, star, objective)
    candidate = Candidate(problem, solve(problem, plain.found))
    least, raised = (max(one.relative_rmse**2, _ROUNDING) for one in (plain, candidate))
    return candidate if len(runs) * np.log(least / raised) > _AKAIKE else plain
