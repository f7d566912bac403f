"""The fit, from rows to a law with its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from shapeplan.errors import ArgumentError, ErrorDetail, FitError, check_choice
from shapeplan.fitting.cost_fit import cost_of, heads_of
from shapeplan.fitting.diagnostics import warnings as doubt
from shapeplan.fitting.diagnostics.influence import MonitoredQuantities, find_influences
from shapeplan.fitting.diagnostics.replicate_noise import measure_noise
from shapeplan.fitting.diagnostics.residual_trends import find_trends
from shapeplan.fitting.diagnostics.star_diagnostics import report_star
from shapeplan.fitting.progress import Counter
from shapeplan.fitting.records import Bootstrap, Estimate, Parameter, Quality
from shapeplan.fitting.result import OPTIMUM_AT, Fit, Rival
from shapeplan.fitting.rows import rows_of
from shapeplan.fitting.selection.candidate import Candidate, fit_candidate, fit_candidates
from shapeplan.fitting.selection.extrapolation_validation import Choice, choose, score_in_sample
from shapeplan.fitting.selection.identifiability import Contents, collinear_cautions, survey
from shapeplan.fitting.solver import OBJECTIVES, Objective
from shapeplan.fitting.uncertainty.bootstrap import bootstrap
from shapeplan.fitting.uncertainty.profile_likelihood import exponent_intervals, simulations
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.laws import FORMS
from shapeplan.numerics.arrays import Floats
from shapeplan.optimum.cost_model import CostModel, trust_region
from shapeplan.runs import Runs
from shapeplan.sweeps.grid import Start, check_start, find_start

MOST_REPLICATES = 100_000
RIVAL_REPLICATES = 200
"""Replicates of a law that was not chosen: enough for the ends of an interval that only tells whether laws agree."""
_WORK_OF_A_LAW = 100
"""Replicates that cost about as much as the search for a law's optimum, or its rollout."""
DEFAULT_LEVEL, LEAST_LEVEL, MOST_LEVEL = 0.9, 0.01, 0.999


def fit(
    runs: Runs,
    *,
    law: str = "auto",
    objective: str = "relative",
    center: Mapping[str, float] | None = None,
    start: Start | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = DEFAULT_LEVEL,
    done: Callable[[int, int], None] = lambda done, total: None,
) -> Fit:
    """Fit a law to a sweep.

    Parameters
    ----------
    runs : Runs
        The log.
    law : str
        One of the laws (see `shapeplan.laws`), or ``auto``: of those whose rollout is within one standard error of the
        best, the one of least BIC.
    objective : {"relative", "log-huber"}
        Least squares of pred/y - 1, or the sum of Huber's misfit of log residuals, which outliers do not move.
    center : mapping of str to float, optional
        Centre of the star; by default what the log says, else found.
    start : Start, optional
        Starting point of the recipe; by default found on the grid of the log.
    replicates : int
        Bootstrap replicates behind the intervals; 0 for none. s_k on a star takes at most so many of its own.
    seed : int
        Seed of the bootstrap.
    level : float
        Coverage of the intervals, between 0 and 1.
    done : callable
        Told how much is done, of how much, in units of about a replicate; the total is a guess until a law is chosen.

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
    check_arguments(law, objective, replicates, level)
    runs = runs.canonical()
    try:
        contents = survey(runs, center)
        laws = len(contents.supported) if law == "auto" else 1
        counter = Counter(2 * _WORK_OF_A_LAW * laws + 2 * replicates, done)
        choice, beside = _choose(runs, contents, law, OBJECTIVES[objective], lambda: counter(_WORK_OF_A_LAW))
    except FitError as error:
        raise FitError(*(detail.within(runs.name) for detail in error.details)) from None
    rivals = sum(_knows_shape(rival) for rival in choice.rivals)
    left = replicates * (2 if beside else 1) + min(replicates, RIVAL_REPLICATES) * rivals
    if beside or choice.chosen.star:
        left += simulations(replicates, level)
    counter.total = counter.count + left
    counted = Replicates(replicates, seed, level, counter)
    return _evidence(runs, contents, choice, beside, start, counted)


def _choose(
    runs: Runs, contents: Contents, law: str, objective: Objective, done: Callable[[], None]
) -> tuple[Choice, Candidate | None]:
    """Return the choice of a law, and the star beside a law that is another."""
    if law != "auto":
        _check_supported(contents, law)
        chosen = fit_candidate(law, runs, contents.dimensions, contents.star, objective)
        choice = Choice(chosen, (score_in_sample(chosen),))
        candidates = {law: chosen}
    else:
        candidates = fit_candidates(runs, contents, objective, done)
        choice = choose(list(candidates.values()), runs, done)
    beside = None
    if choice.chosen.name != "star" and "star" in contents.supported:
        beside = candidates.get("star") or fit_candidate("star", runs, contents.dimensions, contents.star, objective)
    return choice, beside


def _evidence(
    runs: Runs,
    contents: Contents,
    choice: Choice,
    beside: Candidate | None,
    start: Start | None,
    replicates: Replicates,
) -> Fit:
    chosen = choice.chosen
    problem, dims = chosen.problem, contents.dimensions.free
    rows, of_star = problem.all_rows, chosen.name == "star"
    flops_range = _range(runs.flops[rows])
    behind = beside or chosen
    seen = rows_of(runs, chosen, behind.star.star if behind.star else None)
    shape_range = {dim: _range(sizes) for dim, sizes in seen.shape.items()}
    cost, cost_notes, cost_cautions = cost_of(runs, dims)
    cost_model = CostModel(contents.dimensions, cost, runs.flops_convention)
    fitted = replace(chosen.law, derive=cost_model.variables)
    star = report_star(runs, behind) if behind.star else None
    if start is not None:
        _check_start(start, dims)
    start, start_cautions = (start, ()) if start or not dims else find_start(runs, dims, contents.beside_star(runs))

    residual_model = chosen.residual_model(runs)
    behind_residual_model = beside.residual_model(runs) if beside else residual_model
    draws, unconverged = replicates.of(chosen, residual_model)
    source_draws = replicates.of(beside, behind_residual_model)[0] if beside else draws
    exponent_draws = behind.problem.form.scaling_exponents(source_draws) if source_draws else {}
    evidence = replicates.evidence(draws, exponent_draws, unconverged)
    reading = MonitoredQuantities(
        law=chosen,
        star=beside,
        cost_model=cost_model,
        bounds=trust_region({dim: shape_range[dim] for dim in dims}),
        flops=OPTIMUM_AT * flops_range[1],
    )
    exponents, ends_converged = (
        replicates.exponents_of_star(behind, behind_residual_model)
        if star
        else (_estimates(behind.law.scaling_exponents(), exponent_draws, evidence), True)
    )
    growth_draws = reading.growth(draws) if draws else {}
    growth = exponents if of_star else _estimates(reading.growth(fitted.arrays()), growth_draws, evidence)
    at_bound = doubt.find_at_bound(problem, fitted.constants)
    parameters = {
        name: Parameter(value, evidence.interval(draws[name]) if draws else None, name in at_bound)
        for name, value in fitted.constants.items()
    }
    residuals = problem.residuals(chosen.found.best)
    outliers = doubt.find_outliers(runs, problem, residuals)
    noise = measure_noise(runs)
    trends = find_trends(runs, problem, residuals, residual_model)
    influences = find_influences(reading, runs, draws, exponent_draws)
    misfit = doubt.Misfit.of(runs.observed()[rows], residuals)
    vague = doubt.exponent_cautions(exponents, exponent_draws)
    edges, drifts = {}, {}
    if not of_star:
        edges = doubt.edge_cautions(reading.at_edge(fitted.arrays()), reading.at_edge(draws) if draws else {})
        drifts = doubt.growth_cautions(growth)
    count = len(np.unique(runs.run[rows]))
    misfits = doubt.fit_cautions(misfit, noise)
    collinear = collinear_cautions(runs, problem.form)
    unfinished = () if chosen.found.best.converged[0] else (doubt.NOT_CONVERGED,)
    doubted = vague if of_star else {**drifts, **edges}
    own = exponents if of_star else growth
    # On a star every dimension is scaled by its own exponent; a joint law with one at the edge still has the others.
    undefined = of_star and not all(np.isfinite(s.value) for s in own.values())
    lost = own and (undefined or len(doubted) >= len(own))
    grave = (*(misfits if misfit.hopeless else ()), *unfinished, *collinear, *(doubted.values() if lost else ()))
    return Fit(
        law=fitted,
        metric=runs.metric,
        flops_convention=runs.flops_convention,
        dimensions=contents.dimensions,
        scaling_exponents=exponents,
        growth_exponents=growth,
        parameters=parameters,
        quality=Quality(
            objective=problem.objective.name,
            objective_value=float(chosen.found.best.objective[0]),
            relative_rmse=misfit.rmse,
            rows=len(rows),
            runs=count,
            status="untrusted" if grave else "ok",
        ),
        bootstrap=evidence,
        arms=star.arms if star else {},
        star_center=star.shape if star else {},
        center=star.center if star else (),
        center_error=star.center_error if star else None,
        grid_error=star.grid_error if star else None,
        selection=choice.scores,
        outliers=outliers,
        trends=trends,
        noise=noise,
        influences=influences,
        front=doubt.find_front(runs),
        start=start,
        flops_range=flops_range,
        shape_range=shape_range,
        architecture=runs.architecture,
        cost=cost,
        heads=heads_of(runs),
        examples_unit=runs.examples_unit,
        cautions=(
            *doubt.trust_cautions(grave),
            *runs.cautions,
            *misfits,
            *doubt.trend_cautions(trends),
            *unfinished,
            *doubt.shape_cautions(runs, problem),
            *collinear,
            *doubt.replicate_cautions(evidence),
            *(() if ends_converged else (doubt.ENDS_NOT_CONVERGED,)),
            *doubt.run_cautions(residual_model),
            *vague.values(),
            *edges.values(),
            *drifts.values(),
            *(star.cautions if star and of_star else ()),
            *(star.exponent_cautions if star else ()),
            *doubt.outlier_cautions(outliers),
            *doubt.influence_cautions(influences),
            *doubt.bound_cautions(problem, parameters),
            *contents.cautions,
            *start_cautions,
            *cost_cautions,
        ),
        sources=runs.sources,
        notes=(*runs.notes, *cost_notes),
        rows=seen,
        rivals=tuple(_rival(rival, runs, cost_model, replicates) for rival in choice.rivals if _knows_shape(rival)),
    )


def _knows_shape(candidate: Candidate) -> bool:
    """Return whether a law has a best shape of its own; Eq. 2 says nothing away from its arms."""
    return bool(candidate.problem.form.dims) and candidate.name != "star"


def _rival(candidate: Candidate, runs: Runs, cost_model: CostModel, replicates: Replicates) -> Rival:
    fewer = replace(replicates, count=min(replicates.count, RIVAL_REPLICATES))
    return Rival(
        replace(candidate.law, derive=cost_model.variables), fewer.of(candidate, candidate.residual_model(runs))[0]
    )


@dataclass(frozen=True)
class Replicates:
    """How many bootstrap replicates are drawn, from which seed, for which intervals; who is told of each."""

    count: int
    seed: int
    level: float
    done: Callable[[int], None] = lambda more: None

    def of(self, candidate: Candidate, residual_model: ResidualModel) -> tuple[dict[str, Floats], int]:
        """Return the constants of a candidate under every replicate, and how many did not converge."""
        return bootstrap(
            candidate.problem,
            candidate.found,
            residual_model,
            replicates=self.count,
            seed=self.seed,
            level=self.level,
            done=self.done,
        )

    def exponents_of_star(
        self, candidate: Candidate, residual_model: ResidualModel
    ) -> tuple[dict[str, Estimate], bool]:
        """Return s_k of a candidate that was fitted to a star, with likelihood intervals, and if those converged."""
        intervals, converged = exponent_intervals(
            candidate.problem,
            candidate.found,
            residual_model,
            replicates=self.count,
            seed=self.seed,
            level=self.level,
            done=self.done,
        )
        return {dim: Estimate(s, intervals.get(dim)) for dim, s in candidate.law.scaling_exponents().items()}, converged

    def evidence(self, draws: Mapping[str, Floats], exponents: Mapping[str, Floats], unconverged: int) -> Bootstrap:
        """Return the record of the draws."""
        return Bootstrap(self.count, self.seed, self.level, draws, exponents, unconverged)


def _estimates(
    values: Mapping[str, Floats] | Mapping[str, float], draws: Mapping[str, Floats], evidence: Bootstrap
) -> dict[str, Estimate]:
    return {
        name: Estimate(float(np.ravel(value)[0]), evidence.interval(draws[name]) if draws else None)
        for name, value in values.items()
    }


def check_arguments(law: str, objective: str, replicates: int, level: float) -> None:
    """Raise `ArgumentError` if an argument of a fit makes no sense."""
    check_choice("law", law, ("auto", *FORMS))
    check_choice("objective", objective, tuple(OBJECTIVES))
    if replicates < 0:
        raise ArgumentError(ErrorDetail("bad-replicates", f"{replicates} replicates cannot be", "give 0 or more"))
    if replicates > MOST_REPLICATES:
        message = f"{replicates} replicates are more than {MOST_REPLICATES}"
        raise ArgumentError(ErrorDetail("bad-replicates", message, "1000 is plenty for a 90% interval"))
    if not LEAST_LEVEL <= level <= MOST_LEVEL:
        hint = f"give {LEAST_LEVEL:g} to {MOST_LEVEL:g}, e.g. 0.9"
        raise ArgumentError(ErrorDetail("bad-level", f"a level of {level:g} cannot be", hint))


def _check_supported(contents: Contents, law: str) -> None:
    support = next(one for one in contents.laws if one.law == law)
    if support.supported:
        return
    if law == "star" and contents.no_star is not None:
        raise contents.no_star
    message = f"the log cannot identify the law {law!r}: it {support.reason}"
    able = f"it can identify {', '.join(contents.supported)}" if contents.supported else "see shapeplan check"
    raise FitError(ErrorDetail("unsupported-law", message, able))


def _check_start(start: Start, dims: tuple[str, ...]) -> None:
    check_start(start)
    missing = [dim for dim in dims if dim not in start.shape]
    if missing:
        message = f"the start lacks {', '.join(missing)}"
        raise ArgumentError(ErrorDetail("bad-start", message, f"give {', '.join(dims)}"))


def _range(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    return float(values.min()), float(values.max())
