"""The fit of the law `star`: arms together with one c, and each arm alone as a check."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import fdtrc

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.fitting.problem import Problem, check_signal, pose, reference_unit, solve
from shapeplan.fitting.solver import RELATIVE, Found, Objective, refit
from shapeplan.frozen import frozen
from shapeplan.laws import Star
from shapeplan.runs import Runs
from shapeplan.sweeps.star import StarSweep, check_durations, check_rows

_EXACT = 1e-9
_SIGNIFICANCE = 0.01


@frozen
class StarSolution:
    """The optimum on a star.

    Attributes
    ----------
    star : StarSweep
        The star.
    problem : Problem
        Eq. 2 posed on the arms.
    found : Found
        Its global optimum.
    c_alone : mapping of str to float
        c of every arm fitted by itself.
    cautions : tuple of Caution
        ``c-differs`` where the arms disagree.
    """

    star: StarSweep
    problem: Problem
    found: Found
    c_alone: Mapping[str, float]
    cautions: tuple[Caution, ...]


def solve_star(runs: Runs, star: StarSweep, objective: Objective = RELATIVE) -> StarSolution:
    """Fit Eq. 2 to the arms of a star.

    Raises
    ------
    FitError
        If an arm was not trained for two durations, or there are fewer rows than parameters.
    """
    dims = tuple(star.arms)
    check_durations(runs, star)
    check_rows(star)
    rows = np.concatenate([star.arms[dim] for dim in dims])
    check_signal(runs, rows)
    # A dimension's own arm gives its unit: on the other arms it stands at the centre.
    units = {dim: reference_unit(runs.values(dim)[star.arms[dim]]) for dim in dims}
    units["flops"] = reference_unit(runs.flops[rows])
    form = Star(dims, {dim: star.center[dim] / units[dim] for dim in dims})
    parameters = len(form.exponents) + len(form.coefficients)
    problem = pose(form, runs, star.arms, units, objective)
    found = solve(problem)
    lower, upper = problem.bounds
    c_alone, separate = {}, 0.0
    for dim, arm in problem.branches().items():
        alone = refit(arm.points, found.optima, lower, upper, objective)
        c_alone[dim] = float(alone.exponents[0, form.exponents.index("c")])
        separate += arm.misfit(alone)
    shared = problem.misfit(found.best)
    # The F test is one of sums of squares.
    least_squares = objective is RELATIVE
    cautions = (
        _compute_exponent_cautions(shared, separate, len(rows), parameters + len(dims) - 1, len(dims))
        if least_squares
        else []
    )
    return StarSolution(star, problem, found, c_alone, tuple(cautions))


def _compute_exponent_cautions(shared: float, separate: float, rows: int, parameters: int, arms: int) -> list[Caution]:
    """Return a caution where arms fitted apart, each with its own c, are better than chance allows (F test).

    Parameters
    ----------
    shared, separate : float
        Sum of squared residuals with one c, and with one c an arm.
    rows, parameters : int
        Rows, and parameters of the fit with one c an arm.
    arms : int
        Number of arms.
    """
    extra, freedom = arms - 1, rows - parameters
    if extra < 1 or freedom < 1 or separate <= rows * _EXACT**2:
        return []
    statistic = max(shared - separate, 0.0) / extra / (separate / freedom)
    chance = float(fdtrc(extra, freedom, statistic))
    if chance >= _SIGNIFICANCE:
        return []
    message = f"the arms disagree about c (F = {statistic:.1f}, p = {chance:.1g})"
    return [Caution(codes.C_DIFFERS, message, "see the c of each arm; the paper finds one c for all dimensions")]
