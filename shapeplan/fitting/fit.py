"""The fit, from rows to a law with its evidence."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import numpy as np

from shapeplan.errors import ArgumentError, Caution, Complaint, FitError
from shapeplan.fitting.bootstrap import wild_bootstrap
from shapeplan.fitting.check import FITTED
from shapeplan.fitting.costs import cost_of, heads_of
from shapeplan.fitting.diagnostics import (
    HOPELESS_FIT,
    arm_report,
    bound_cautions,
    center_cautions,
    exponent_cautions,
    find_at_bound,
    find_front,
    find_outliers,
    fit_cautions,
    grid_cautions,
    outlier_cautions,
)
from shapeplan.fitting.result import Bootstrap, Estimate, Fit, Parameter, Quality, Score, Status
from shapeplan.fitting.star import center_error, grid_error, predict_center, solve_star
from shapeplan.laws import Law
from shapeplan.runs import Runs
from shapeplan.sweeps.dimensions import find_dimensions
from shapeplan.sweeps.grid import Start, check_start, find_start
from shapeplan.sweeps.star import doubts, find_star

MOST_REPLICATES = 100_000
LEAST_LEVEL, MOST_LEVEL = 0.01, 0.999
LAWS = ("auto", *FITTED)
"""What `fit` takes as its law; ``auto`` is the star for now."""


def fit(
    runs: Runs,
    *,
    law: str = "auto",
    center: Mapping[str, float] | None = None,
    start: Start | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.9,
) -> Fit:
    """Fit a law to a sweep.

    Parameters
    ----------
    runs : Runs
        The log.
    law : str
        ``star`` (arXiv:2305.13035, Eq. 2) or ``auto``, which chooses it.
    center : mapping of str to float, optional
        Centre of the star; by default what the log says, else found.
    start : Start, optional
        Starting point of the recipe; by default found on the grid of the log.
    replicates : int
        Bootstrap replicates behind the intervals; 0 for none.
    seed : int
        Seed of the bootstrap.
    level : float
        Coverage of the intervals, between 0 and 1.

    Returns
    -------
    Fit
        The law, its intervals, its status and what is doubtful about it.

    Raises
    ------
    FitError
        If the rows cannot support the law; the message says what is missing.
    ArgumentError
        If an argument makes no sense.
    """
    _check_arguments(law, replicates, level)
    dimensions, cautions = find_dimensions(runs)
    try:
        star = find_star(runs, dimensions.free, center or runs.center)
        found = solve_star(runs, star)
    except FitError as error:
        raise FitError(*(complaint.within(_name(runs)) for complaint in error.complaints)) from None
    problem, solution = found.problem, found.solution
    constants = {name: float(value[0]) for name, value in problem.constants(solution).items()}
    fitted = Law(problem.form, constants, problem.units)

    rows = problem.all_rows
    draws = wild_bootstrap(problem, solution, runs.run[rows], replicates=replicates, seed=seed, level=level)
    bootstrap = Bootstrap(replicates, seed, level, draws)
    at_bound = find_at_bound(problem, constants)
    parameters = {
        name: Parameter(value, bootstrap.interval(draws[name]) if draws else None, name in at_bound)
        for name, value in constants.items()
    }
    exponent_draws = problem.form.scaling_exponents(draws) if draws else {}
    exponents = {
        dim: Estimate(value, bootstrap.interval(exponent_draws[dim]) if draws and np.isfinite(value) else None)
        for dim, value in fitted.scaling_exponents().items()
    }
    vague = exponent_cautions(exponents, exponent_draws)
    residuals = problem.residuals(solution)
    relative_rmse = float(np.sqrt(np.mean(residuals**2)))
    outliers = find_outliers(runs, problem, residuals)
    center_rows = predict_center(runs, star, fitted)
    rest = np.setdiff1d(np.arange(len(runs)), star.rows)
    seen_center, seen_grid = center_error(center_rows), grid_error(runs, rest, fitted)
    start_cautions: tuple[Caution, ...] = ()
    if start is None:
        start, start_cautions = find_start(runs, dimensions.free, rest)
    else:
        _check_start(start, dimensions.free)
    cost, cost_notes, cost_cautions = cost_of(runs, dimensions.free)
    return Fit(
        law=fitted,
        metric=runs.metric,
        flops_convention=runs.flops_convention,
        dimensions=dimensions,
        scaling_exponents=exponents,
        parameters=parameters,
        quality=Quality(
            objective="relative",
            objective_value=float(solution.objective[0]),
            relative_rmse=relative_rmse,
            rows=len(rows),
            runs=len(np.unique(runs.run[rows])),
            status=_status(exponents, vague, relative_rmse, bool(solution.converged[0])),
        ),
        bootstrap=bootstrap,
        arms=arm_report(runs, problem, residuals, found.c_alone),
        center=center_rows,
        center_error=seen_center,
        grid_error=seen_grid,
        selection=(Score("star", None, None, relative_rmse),),
        outliers=outliers,
        front=find_front(runs),
        start=start,
        flops_range=(float(runs.flops[rows].min()), float(runs.flops[rows].max())),
        shape_range={dim: _range(runs.values(dim)) for dim in runs.dims},
        architecture=runs.architecture,
        cost=cost,
        heads=heads_of(runs),
        examples_unit=runs.examples_unit,
        cautions=(
            *runs.cautions,
            *fit_cautions(relative_rmse),
            *vague,
            *center_cautions(seen_center, relative_rmse),
            *grid_cautions(seen_grid, relative_rmse),
            *found.cautions,
            *outlier_cautions(outliers),
            *bound_cautions(problem, parameters),
            *doubts(runs, star),
            *cautions,
            *start_cautions,
            *cost_cautions,
        ),
        sources=runs.sources,
        notes=(*runs.notes, *cost_notes),
    )


def _check_arguments(law: str, replicates: int, level: float) -> None:
    if law not in LAWS:
        close = difflib.get_close_matches(law, LAWS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(LAWS)}"
        raise ArgumentError(Complaint("unknown-law", f"there is no law {law!r} to fit", hint, value=law))
    if replicates < 0:
        raise ArgumentError(Complaint("bad-replicates", f"{replicates} replicates cannot be", "give 0 or more"))
    if replicates > MOST_REPLICATES:
        message = f"{replicates} replicates are more than {MOST_REPLICATES}"
        raise ArgumentError(Complaint("bad-replicates", message, "1000 is plenty for a 90% interval"))
    if not LEAST_LEVEL <= level <= MOST_LEVEL:
        hint = f"give {LEAST_LEVEL:g} to {MOST_LEVEL:g}, e.g. 0.9"
        raise ArgumentError(Complaint("bad-level", f"a level of {level:g} cannot be", hint))


def _check_start(start: Start, dims: tuple[str, ...]) -> None:
    check_start(start)
    missing = [dim for dim in dims if dim not in start.shape]
    if missing:
        message = f"the start lacks {', '.join(missing)}"
        raise ArgumentError(Complaint("bad-start", message, f"give {', '.join(dims)}"))


def _status(exponents: Mapping[str, Estimate], vague: list[Caution], relative_rmse: float, converged: bool) -> Status:
    defined = all(np.isfinite(s.value) for s in exponents.values())
    sound = converged and defined and relative_rmse <= HOPELESS_FIT and len(vague) < len(exponents)
    return "ok" if sound else "untrusted"


def _name(runs: Runs) -> str | None:
    return runs.sources[0].name if runs.sources else None


def _range(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    return float(values.min()), float(values.max())
