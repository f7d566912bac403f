"""The runs that move a fit most: each left out alone, and the strongest together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shapeplan.fitting.records import Influence, Influences
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.solver import Solution
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index, robust_sigma
from shapeplan.optimum.best_shape import best_shape
from shapeplan.optimum.cost_model import CostModel, at_edge
from shapeplan.runs import Runs

NAMED = 5
"""Runs that are named for what each does alone, and for what they do together."""
MATERIAL = 1.0
"""Change without a run, in standard deviations of the estimate, above which it matters."""
DECISIVE = 4.0
"""Change above which the fit rests on one run, however well that run agrees with it."""
NOT_CHANCE = 4.0
"""Standardized residual above which a run is no chance: one in a hundred clean logs of a hundred runs has one."""
_MOST_PAIRS = 1_000_000
"""Points of the fit times runs above which only runs with the largest residuals are tried."""
_FEWEST_RUNS = 6
_INFINITE = 1e6
_SAME_WAY = 0.1
"""Pull along that of the strongest run, as a share of its own, below which another does not pull the same way."""
_TINY = 1e-12
_STEP = 1.1
"""Factor of compute over which the growth of the best shape is measured."""


def is_influential(strength: float | Floats, surprise: float | Floats) -> Bools:
    """Return which runs move the fit by more than its errors and not by chance, or by more than any run may."""
    moves, odd = np.asarray(strength), np.asarray(surprise)
    return np.asarray(((moves > MATERIAL) & (odd > NOT_CHANCE)) | (moves > DECISIVE))


@frozen
class MonitoredQuantities:
    """The numbers of a fit whose change is monitored: exponents, s_k, the best shape and its growth.

    Attributes
    ----------
    runs : Runs
        The log.
    law : Candidate
        The law and its fit.
    star : Candidate or None
        The star whose s_k are reported, where it is not the law itself.
    cost_model : CostModel
        Dimensions and cost, for the best shape.
    bounds : mapping of str to (float, float)
        Where the best shape is looked for.
    flops : float
        Compute at which it is compared.
    """

    runs: Runs
    law: Candidate
    star: Candidate | None
    cost_model: CostModel
    bounds: Mapping[str, tuple[float, float]]
    flops: float

    def numbers(self, constants: Mapping[str, Floats], exponents: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return exponents, s_k, and logarithms of the best shape, each of shape (problems,).

        Parameters
        ----------
        constants : mapping of str to ndarray, shape (problems,)
            Of the law.
        exponents : mapping of str to ndarray, shape (problems,)
            s_k.
        """
        numbers = {name: constants[name] for name in self.law.problem.form.exponents}
        numbers |= {f"s_{dim}": values for dim, values in exponents.items()}
        numbers |= {f"growth_{dim}": values for dim, values in self.growth(constants).items()}
        return numbers | {f"optimum_{dim}": np.log(values) for dim, values in self.best(constants, self.flops).items()}

    def growth(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return how a dimension of the best shape grows with compute: in closed form, else at `flops`.

        NaN where the best shape is at the edge of the trust region, and so does not grow.
        """
        form = self.law.problem.form
        if closed := form.growth_exponents(constants):
            return closed
        above, below = (self.best(constants, self.flops * factor) for factor in (_STEP, 1 / _STEP))
        kept = self.cost_model.dimensions.kept
        leaders = {dim: kept[dim].to if dim in kept else dim for dim in above}
        return {
            dim: np.where(
                at_edge(above[leader], self.bounds[leader]) | at_edge(below[leader], self.bounds[leader]),
                np.nan,
                np.log(above[dim] / below[dim]) / (2 * np.log(_STEP)),
            )
            for dim, leader in leaders.items()
        }

    def at_edge(self, constants: Mapping[str, Floats]) -> dict[str, Bools]:
        """Return whether a dimension of the best shape is at the edge of the trust region, shape (problems,)."""
        best = self.best(constants, self.flops)
        kept = self.cost_model.dimensions.kept
        return {dim: at_edge(values, self.bounds[dim]) for dim, values in best.items() if dim not in kept}

    def best(self, constants: Mapping[str, Floats], flops: float) -> dict[str, Floats]:
        """Return the best shapes under constants of the law, each of shape (problems,); empty where it has none."""
        problem = self.law.problem
        if not problem.form.dims:
            return {}
        return best_shape(problem.form, problem.units, constants, np.asarray(flops), self.cost_model, self.bounds)

    def estimate(self) -> dict[str, Floats]:
        """Return the numbers of the fit to all rows."""
        constants = self.law.problem.constants(self.law.found.best)
        star = constants if self.star is None else self.star.problem.constants(self.star.found.best)
        return self.numbers(constants, self._exponents(star))

    def without(self, keep: Bools) -> tuple[dict[str, Floats], Solution]:
        """Return the numbers of fits to fewer rows, and the fits; `keep` has shape (problems, rows of the log)."""
        solution = self.law.without(keep, by_chance=True)
        constants = self.law.problem.constants(solution)
        star = constants if self.star is None else self.star.problem.constants(self.star.without(keep, by_chance=True))
        return self.numbers(constants, self._exponents(star)), solution

    def lacking(self, runs: Runs, keep: Bools) -> str | None:
        """Return what the rows kept, shape (rows of the log,), lack to identify the fits; None where they can."""
        fitted = (self.law,) if self.star is None else (self.law, self.star)
        reasons = (f"{law.name} {reason}" for law in fitted if (reason := law.lacking(runs, keep)))
        return next(reasons, None)

    def _exponents(self, constants: Mapping[str, Floats]) -> dict[str, Floats]:
        return (self.star or self.law).problem.form.scaling_exponents(constants)


def find_influences(
    monitored: MonitoredQuantities, runs: Runs, draws: Mapping[str, Floats], exponent_draws: Mapping[str, Floats]
) -> Influences:
    """Leave every run out in turn and refit.

    Parameters
    ----------
    monitored : MonitoredQuantities
        The fit, and what is watched of it.
    runs : Runs
        The log.
    draws, exponent_draws : mapping of str to ndarray, shape (replicates,)
        Bootstrap draws of the constants and of s_k, whose standard deviations are the units; empty for none.
    """
    names = np.unique(runs.run[monitored.law.problem.all_rows])
    if not draws or len(names) < _FEWEST_RUNS:
        return Influences()
    here = monitored.estimate()
    drawn = monitored.numbers(draws, exponent_draws)
    tame, tame_star = _tameness(monitored.law), _tameness(monitored.star or monitored.law)
    spread = {name: (tame_star if name.startswith("s_") else tame) * _spread(values) for name, values in drawn.items()}
    tried = _worth_trying(monitored.law, runs, names)
    keep = runs.run[None, :] != tried[:, None]
    missing = [monitored.lacking(runs, mine) for mine in keep]
    reasons = {runs.run_names[run]: reason for run, reason in zip(tried, missing, strict=True) if reason}
    able = np.flatnonzero([reason is None for reason in missing])
    if not able.size:
        return Influences(reasons=reasons)
    tried, keep = tried[able], keep[able]
    alone, solution = monitored.without(keep)
    changes = _changes(here, alone, spread)
    strength = np.abs(changes).max(axis=0)
    surprise = _surprise(monitored.law, runs, solution, tried)
    order = np.lexsort((-strength, ~is_influential(strength, surprise)))
    # Runs that pull the same way as the strongest hide each other one by one: they are left out together too.
    pull = changes[:, order[0]] @ changes
    same_way = np.argsort(-pull, kind="stable")[:NAMED]
    same_way = same_way[pull[same_way] >= _SAME_WAY * pull[order[0]]]
    named = [i for i in order if i in same_way or i in order[:NAMED]]
    reported = tuple(_influence(runs, tried[[i]], alone, strength[i], surprise[i], int(i)) for i in named)
    group = ~np.isin(runs.run, tried[same_way])
    if len(same_way) < 2 or monitored.lacking(runs, group):
        return Influences(reported, reasons=reasons)
    joint, _ = monitored.without(group[None])
    moved = float(np.abs(_changes(here, joint, spread)).max())
    members = [i for i in order if i in same_way]
    together = _influence(runs, tried[members], joint, moved, float(surprise[members].min()), 0)
    return Influences(reported, together, reasons)


def _changes(here: Mapping[str, Floats], other: Mapping[str, Floats], spread: Mapping[str, float]) -> Floats:
    """Return the changes of what the user reads, in standard deviations, shape (numbers, problems).

    Where the law has them those are s_k and the best shape; exponents of single terms may be undetermined by nature.
    """
    read = [name for name in here if name.startswith(("s_", "optimum_"))] or list(here)
    known = [name for name in read if spread[name] > 0]
    with np.errstate(invalid="ignore"):
        changes = np.array([(other[name] - here[name]) / spread[name] for name in known])
    if not known:
        return np.zeros((1, len(next(iter(other.values())))))
    return np.asarray(np.nan_to_num(changes, nan=0.0, posinf=_INFINITE, neginf=-_INFINITE))


def _surprise(candidate: Candidate, runs: Runs, solution: Solution, left_out: Index) -> Floats:
    """Return how far the rows of runs are from the law, for fits without them, shape (runs,).

    The geometric mean of a residual with and without the row has the standard deviation of a row in clean data,
    whatever the row's leverage. Rows of one run are averaged; the unit is the robust scatter of all rows.
    """
    rows = candidate.problem.all_rows
    residuals = candidate.problem.residuals(candidate.found.best)
    sigma = _robust_sigma(candidate)
    squares = np.empty(len(left_out))
    for i, run in enumerate(left_out):
        mine = np.flatnonzero(runs.run[rows] == run)
        deleted = candidate.errors(solution, i, runs, rows[mine])
        squares[i] = np.mean(np.abs(residuals[mine] * deleted))
    return np.asarray(np.sqrt(squares) / sigma)


def _robust_sigma(candidate: Candidate) -> float:
    """Return the robust standard deviation of the rows around the law."""
    return max(robust_sigma(candidate.problem.residuals(candidate.found.best)), _TINY)


def _tameness(candidate: Candidate) -> float:
    """Return robust sigma over RMS: keeps outliers from inflating the bootstrap that they are measured by."""
    return min(1.0, _robust_sigma(candidate) / candidate.relative_rmse) if candidate.relative_rmse else 1.0


def _spread(values: Floats) -> float:
    """Return a standard deviation robust to outlying draws: from the central 80%."""
    finite = np.sort(values[np.isfinite(values)])
    if len(finite) < 2:
        return 0.0
    low, high = finite[int(0.1 * (len(finite) - 1))], finite[int(0.9 * (len(finite) - 1))]
    return float(high - low) / 2.563


def _worth_trying(candidate: Candidate, runs: Runs, names: Index) -> Index:
    """Return all runs, or where they are too many those with the largest residuals."""
    rows = candidate.problem.all_rows
    most = max(NAMED, _MOST_PAIRS // len(candidate.problem.point_of))
    if len(names) <= most:
        return names
    residuals = np.abs(candidate.problem.residuals(candidate.found.best))
    largest = np.zeros(int(runs.run.max()) + 1)
    np.maximum.at(largest, runs.run[rows], residuals)
    return np.sort(names[np.argsort(-largest[names], kind="stable")[:most]])


def _influence(
    runs: Runs, left_out: Index, numbers: Mapping[str, Floats], strength: float, surprise: float, i: int
) -> Influence:
    prefix, first = "optimum_", [_first_row(runs, int(run)) for run in left_out]
    return Influence(
        runs=tuple(runs.run_names[run] for run in left_out),
        lines=tuple(int(runs.lines[row]) for row in first),
        files=tuple(runs.own_file(row) for row in first) if runs.files else (),
        strength=float(strength),
        surprise=float(surprise),
        exponents={name: float(values[i]) for name, values in numbers.items() if not name.startswith(prefix)},
        optimum={
            name.removeprefix(prefix): float(np.exp(values[i]))
            for name, values in numbers.items()
            if name.startswith(prefix) and np.isfinite(values[i])
        },
    )


def _first_row(runs: Runs, run: int) -> int:
    """Return the row of a run that comes first in its log."""
    return min(np.flatnonzero(runs.run == run).tolist(), key=lambda row: (runs.own_file(row), runs.lines[row]))
