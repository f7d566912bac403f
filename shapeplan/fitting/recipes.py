"""Recipes as a factor: what a unit of compute under one is worth under another, at the same shapes.

Under a recipe that is worth 1.1 times the compute a run reaches the loss of a run of the reference that was trained 1.1
times as long. With the compute and examples of its rows so multiplied, logs of several recipes share one law. The
factors are those of least squares; their intervals come from the profile likelihood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import stdtrit

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.fitting.evidence import RecipeFactor
from shapeplan.fitting.problem import pose
from shapeplan.fitting.records import Estimate
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.solver import refit
from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.runs import Runs

MOST_GROUPS, FEWEST_ROWS = 12, 4
LARGEST_FACTOR = 30.0
_ROUNDS = 4
_CLOSE = 1e-4
"""Change of the logarithm of a factor below which it is settled."""
_OPTIMA = 4


@dataclass(frozen=True)
class Groups:
    """The recipes of a log.

    Attributes
    ----------
    column : str
        The column that tells them.
    names : sequence of str
        Its values, the reference first: that with the most rows.
    group : ndarray of int, shape (rows,)
        Which each row has.
    """

    column: str
    names: Sequence[str]
    group: Ints

    def scaled(self, runs: Runs, logs: Floats) -> Runs:
        """Return the rows with compute and examples of every group multiplied, by factors given as logarithms."""
        factor = np.exp(logs)[self.group]
        examples = None if runs.examples is None else runs.examples * factor
        return replace(runs, flops=runs.flops * factor, examples=examples)


def groups_of(runs: Runs, column: str) -> Groups:
    """Return the recipes that a column of the log tells.

    Raises
    ------
    ArgumentError
        If there is no such column, or it has one value, too many, or too few rows of one.
    """
    if column not in runs.cells:
        known = ", ".join(name for name in runs.cells if name not in runs.dims) or "none"
        raise _bad(f"there is no column {column!r}", f"the columns are: {known}")
    group, names = runs.cells[column].groups()
    counts = np.bincount(group, minlength=len(names))
    if blank := sum(int(count) for name, count in zip(names, counts, strict=True) if not str(name).strip()):
        raise _bad(f"the column {column!r} is empty in {blank} rows", "fill them in, or leave them out with `where`")
    if not 2 <= len(names) <= MOST_GROUPS:
        has = "one value" if len(names) == 1 else f"{len(names)} values"
        raise _bad(f"the column {column!r} has {has}", f"a factor has 2 to {MOST_GROUPS}; `where` keeps some rows")
    least = int(np.argmin(counts))
    if counts[least] < FEWEST_ROWS:
        message = f"{names[least]!r} of the column {column!r} has {counts[least]} rows"
        raise _bad(message, f"a factor needs {FEWEST_ROWS} or more; leave them out with `where`")
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return Groups(column, tuple(str(names[i]) for i in order), place[group])


def as_one_recipe(
    runs: Runs, column: str, law_of: Callable[[Runs], Candidate], level: float
) -> tuple[Runs, tuple[RecipeFactor, ...]]:
    """Return the rows of several recipes with their compute as that of the reference, and what each is worth.

    The law that the factors are read under is chosen without them first, then with them.

    Parameters
    ----------
    runs : Runs
        The log.
    column : str
        The column that tells recipes.
    law_of : callable
        The law that rows are fitted with.
    level : float
        Coverage of the intervals.

    Raises
    ------
    ArgumentError
        If the column tells no recipes.
    """
    groups = groups_of(runs, column)
    one, factors = runs, tuple[RecipeFactor, ...]()
    for _ in range(2):
        logs, factors = recipe_factors(law_of(one), runs, groups, level)
        one = groups.scaled(runs, logs)
    told = ", ".join(f"{factor.compute.value:.3g} for {factor.name!r}" for factor in factors[1:])
    note = (
        f"compute counts as that of the recipe {factors[0].name!r} of {groups.column!r}: times {told}; plans and "
        "predictions are for that recipe"
    )
    return replace(one, notes=(*one.notes, note)), factors


def recipe_factors(
    candidate: Candidate, runs: Runs, groups: Groups, level: float
) -> tuple[Floats, tuple[RecipeFactor, ...]]:
    """Estimate what the compute of every recipe is worth under a law.

    Parameters
    ----------
    candidate : Candidate
        The law, fitted to all rows.
    runs : Runs
        The rows, as they were logged.
    groups : Groups
        Their recipes.
    level : float
        Coverage of the intervals.

    Returns
    -------
    logs : ndarray, shape (groups,)
        Logarithms of the factors; 0 for the reference.
    factors : tuple of RecipeFactor
        The same, with intervals.
    """
    misfit = _Misfit(candidate, runs, groups)
    logs, least = misfit.minimum(np.zeros(len(groups.names)))
    residuals = candidate.residual_model(groups.scaled(runs, logs))
    # The rows of a run share a part of their scatter: they count as fewer.
    sizes = np.bincount(residuals.run)
    effect = 1 + residuals.common * (float((sizes**2).sum() / sizes.sum()) - 1)
    freedom = max(len(runs) / effect - candidate.problem.parameters - len(groups.names) + 1, 1.0)
    allowed = least * (1 + float(stdtrit(freedom, (1 + level) / 2)) ** 2 / freedom)
    counts = np.bincount(groups.group)
    factors = [RecipeFactor(groups.column, groups.names[0], int(counts[0]), Estimate(1.0))]
    for index in range(1, len(groups.names)):
        ends = [misfit.end(logs, index, sign, allowed) for sign in (-1.0, 1.0)]
        value = float(np.exp(logs[index]))
        ci = (float(np.exp(ends[0])), float(np.exp(ends[1])))
        factors.append(RecipeFactor(groups.column, groups.names[index], int(counts[index]), Estimate(value, ci)))
    return logs, tuple(factors)


@dataclass(frozen=True)
class _Misfit:
    """The least objective of a law at given factors."""

    candidate: Candidate
    runs: Runs
    groups: Groups

    def at(self, logs: Floats) -> float:
        """Return it, the constants of the law refitted."""
        problem = self.candidate.problem
        posed = pose(problem.form, self.groups.scaled(self.runs, logs), problem.rows, problem.units, problem.objective)
        found = refit(posed.points, self.candidate.found.optima[:_OPTIMA], *problem.bounds, problem.objective)
        return float(found.objective[0])

    def minimum(self, logs: Floats) -> tuple[Floats, float]:
        """Return the factors of least misfit, one after the other until they stay, and that."""
        logs, least = logs.copy(), np.inf
        for _ in range(_ROUNDS):
            before = logs.copy()
            for index in range(1, len(logs)):
                logs[index], least = self._along(logs, index)
            if len(logs) == 2 or np.abs(logs - before).max() < _CLOSE:
                break
        return logs, least

    def end(self, logs: Floats, index: int, sign: float, allowed: float) -> float:
        """Return where the profile of one factor reaches what is allowed, or the largest factor that is tried."""

        def excess(distance: float) -> float:
            moved = logs.copy()
            moved[index] += sign * distance
            return self.at(moved) - allowed

        most, step = np.log(LARGEST_FACTOR) - sign * logs[index], 0.01
        while step < most and excess(step) < 0:
            step *= 2
        if step >= most:
            return float(sign * np.log(LARGEST_FACTOR))
        return float(logs[index] + sign * brentq(excess, 0.0 if step <= 0.01 else step / 2, step, xtol=_CLOSE))

    def _along(self, logs: Floats, index: int) -> tuple[float, float]:
        def value(log: float) -> float:
            moved = logs.copy()
            moved[index] = log
            return self.at(moved)

        # A valley may be narrow: the search begins around the best of a few factors.
        tried = np.linspace(-np.log(LARGEST_FACTOR), np.log(LARGEST_FACTOR), 13)
        best = int(np.argmin([value(log) for log in tried]))
        low, high = tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)]
        found = minimize_scalar(value, bounds=(low, high), method="bounded", options={"xatol": _CLOSE / 10})
        return float(found.x), float(found.fun)


def _bad(message: str, hint: str) -> ArgumentError:
    return ArgumentError(ErrorDetail("bad-group", message, hint))
