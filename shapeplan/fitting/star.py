"""The fit of the law `star`: arms together with one c, each arm alone as a check, the centre predicted unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.arrays import Index
from shapeplan.errors import Caution, Complaint, FitError
from shapeplan.fitting.diagnostics import compute_exponent_cautions
from shapeplan.fitting.engine import Solution, search
from shapeplan.fitting.problem import Problem, pose, reference_unit
from shapeplan.fitting.result import CenterRow, HeldOutError
from shapeplan.laws import Law, Star
from shapeplan.runs import Runs
from shapeplan.sweeps.star import StarSweep, check_durations, check_rows

_NO_SIGNAL = 1e-9


@dataclass(frozen=True)
class StarSolution:
    """The optimum on a star.

    Attributes
    ----------
    problem : Problem
        Eq. 2 posed on the arms.
    solution : Solution
        Its global optimum.
    c_alone : mapping of str to float
        c of every arm fitted by itself.
    cautions : tuple of Caution
        ``c-differs`` where the arms disagree.
    """

    problem: Problem
    solution: Solution
    c_alone: Mapping[str, float]
    cautions: tuple[Caution, ...]


def solve_star(runs: Runs, star: StarSweep) -> StarSolution:
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
    if np.ptp(runs.observed()[rows]) <= _NO_SIGNAL * runs.observed()[rows].min():
        message = f"the metric {runs.metric!r} is the same in every row of the arms"
        raise FitError(Complaint("no-signal", message, "log a metric that depends on the model"))
    # A dimension's own arm gives its unit: on the other arms it stands at the centre.
    units = {dim: reference_unit(runs.values(dim)[star.arms[dim]]) for dim in dims}
    units["flops"] = reference_unit(runs.flops[rows])
    form = Star(dims, {dim: star.center[dim] / units[dim] for dim in dims})
    parameters = len(form.exponents) + len(form.coefficients)
    problem = pose(form, runs, star.arms, units)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        solution = problem.solve()
    if not np.isfinite(solution.objective[0]):
        message = "the numbers of the log span too many orders of magnitude for the law"
        raise FitError(Complaint("out-of-range", message, "check the units of its columns"))
    lower, upper = problem.bounds
    c_alone, separate = {}, 0.0
    for dim, block in zip(dims, problem.blocks, strict=True):
        alone = search([block], lower, upper)
        c_alone[dim] = float(alone.exponents[0, form.exponents.index("c")])
        separate += float(alone.objective[0])
    cautions = compute_exponent_cautions(
        float(solution.objective[0]), separate, len(rows), parameters + len(dims) - 1, len(dims)
    )
    return StarSolution(problem, solution, c_alone, tuple(cautions))


def grid_error(runs: Runs, rows: Index, law: Law) -> HeldOutError | None:
    """Compare the law with the rows beside the star, which the fit never saw; None where there are none."""
    variables = {dim: runs.values(dim)[rows] for dim in law.form.dims}
    return HeldOutError.of(law.loss(**variables, flops=runs.flops[rows]), runs.observed()[rows])


def center_error(rows: tuple[CenterRow, ...]) -> HeldOutError | None:
    """Sum up the rows of the held-out centre."""
    return HeldOutError.of(np.array([row.predicted for row in rows]), np.array([row.observed for row in rows]))


def predict_center(runs: Runs, star: StarSweep, law: Law) -> tuple[CenterRow, ...]:
    """Predict the rows of the centre, which the fit never saw, in order of compute."""
    rows = star.center_rows[np.argsort(runs.flops[star.center_rows], kind="stable")]
    if not rows.size:
        return ()
    variables: dict[str, ArrayLike] = {**star.center, "flops": runs.flops[rows]}
    predicted = np.broadcast_to(law.loss(**variables), rows.shape)
    by_arm = {
        dim: Law(Star((dim,), {dim: star.center[dim] / law.units[dim]}), law.constants, law.units).loss(**variables)
        for dim in star.arms
    }
    observed = runs.observed()[rows]
    return tuple(
        CenterRow(
            flops=float(runs.flops[row]),
            observed=float(observed[i]),
            predicted=float(predicted[i]),
            relative_error=float(predicted[i] / observed[i] - 1),
            by_arm={dim: float(values[i]) for dim, values in by_arm.items()},
        )
        for i, row in enumerate(rows)
    )
