"""The fit, from rows to a law with its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from shapeplan.arguments import number, seed_of, whole
from shapeplan.errors import ArgumentError, ErrorDetail, FitError, check_choice
from shapeplan.fitting.cost_fit import cost_of, heads_of
from shapeplan.fitting.diagnostics.diagnose import diagnose
from shapeplan.fitting.diagnostics.influence import MonitoredQuantities
from shapeplan.fitting.diagnostics.star_diagnostics import report_star
from shapeplan.fitting.diagnostics.warnings import find_front, valley_cautions
from shapeplan.fitting.evidence import LogSummary, ModelSelection, RecipeFactor, Rival, StarEvidence
from shapeplan.fitting.isoflop import IsoFlops
from shapeplan.fitting.many_runs import fewer_rows
from shapeplan.fitting.progress import Counter
from shapeplan.fitting.proportions import kept_in_proportion
from shapeplan.fitting.recipes.one_recipe import as_one_recipe
from shapeplan.fitting.result import OPTIMUM_AT, Fit
from shapeplan.fitting.rows import rows_of
from shapeplan.fitting.selection.backtest import backtest
from shapeplan.fitting.selection.candidate import Candidate, fit_candidate, fit_candidates, power_notes
from shapeplan.fitting.selection.choice import Choice, choose, score_in_sample
from shapeplan.fitting.selection.identifiability import Contents, survey
from shapeplan.fitting.selection.near_valleys import ChosenOn, near_valleys
from shapeplan.fitting.solver import OBJECTIVES, Objective
from shapeplan.fitting.tuning.power_law import Tuning
from shapeplan.fitting.tuning.tuned import tuning_notes, tuning_of
from shapeplan.fitting.uncertainty.estimates import Replicates, estimate
from shapeplan.fitting.uncertainty.profile_likelihood import simulations
from shapeplan.fitting.uncertainty.size_growth import growth_of_params
from shapeplan.fitting.valleys import find_isoflops, is_far
from shapeplan.frozen import frozen
from shapeplan.laws import FORMS, Star
from shapeplan.optimum.cost_model import CostModel, trust_region
from shapeplan.runs import Runs, check_log
from shapeplan.sweeps.dimensions import hold_two_valued
from shapeplan.sweeps.grid import Start, check_start, find_start
from shapeplan.workers.executor import Executor

MOST_REPLICATES = 100_000
RIVAL_REPLICATES = 100
"""Replicates of a law that was not chosen: enough for the ends of an interval that only tells whether laws agree."""
_WORK_OF_A_LAW = 100
"""Replicates that cost about as much as the search for a law's optimum, or its backtest."""
DEFAULT_LEVEL, LEAST_LEVEL, MOST_LEVEL = 0.9, 0.01, 0.999


def fit(  # noqa: PLR0913 - public: an argument a question
    runs: Runs,
    *,
    law: str = "auto",
    objective: str = "relative",
    center: Mapping[str, float] | None = None,
    start: Start | None = None,
    replicates: int = 1000,
    seed: int = 0,
    level: float = DEFAULT_LEVEL,
    every_row: bool = False,
    group: str | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
    done: Callable[[int, int], None] = lambda done, total: None,
) -> Fit:
    """Fit a law to a sweep.

    Parameters
    ----------
    runs : Runs
        The log.
    law : str
        One of the laws (see `shapeplan.laws`), or ``auto``: by the fit to the rows, the backtest and BIC (see
        `shapeplan.fitting.selection.choice.choose`, and ``shapeplan explain auto``).
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
    every_row : bool
        Whether to fit every row; else checkpoints of a run that are close in compute are merged where it has many (see
        `shapeplan.fitting.checkpoints`), and of more than 5,000 runs so many are drawn.
    group : str, optional
        Column whose values are recipes that share one law: each has a level of its compute, loss or irreducible loss
        beside that of the reference, the one with the most rows (see `shapeplan.fitting.recipes`).
    jobs, scheduler
        Processes at once that backtest the laws, or a cluster in their place (see
        `shapeplan.workers.executor.Executor`); the fit is the same.
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
        If an argument makes no sense; as `Executor.map` does of a cluster.
    """
    check_log(runs)
    replicates, seed, level = whole("replicates", replicates), seed_of(seed), number("level", level)
    check_arguments(law, objective, replicates, level)
    executor = Executor(jobs, scheduler)
    tuning = tuning_of(runs, level, group)
    runs = runs.canonical()
    if not every_row:
        runs = fewer_rows(runs, OBJECTIVES[objective])
    if law == "auto" or not FORMS[law].joint or FORMS[law].over(runs.dims).dims:
        runs = hold_two_valued(runs)
    counter = Counter(2 * _WORK_OF_A_LAW * len(FORMS) + 2 * replicates, done)

    def chosen_on(rows: Runs) -> _Chosen:
        contents = survey(rows, center)
        return _choose(rows, contents, law, OBJECTIVES[objective], lambda: counter(_WORK_OF_A_LAW), executor)

    recipes: tuple[RecipeFactor, ...] = ()
    try:
        if group is not None:
            runs, recipes = as_one_recipe(runs, group, lambda rows: chosen_on(rows).choice.chosen, level)
        found = chosen_on(runs)
    except FitError as error:
        raise FitError(*(detail.within(runs.name) for detail in error.details)) from None
    isoflops, far = find_isoflops(runs, level), is_far(runs)
    found = near_valleys(found, far, chosen_on)
    runs, choice, beside = found.runs, found.choice, found.beside
    rivals = sum(_knows_shape(rival) for rival in choice.rivals)
    left = replicates * (2 if beside else 1) + min(replicates, RIVAL_REPLICATES) * rivals
    if beside or choice.chosen.star:
        left += simulations(replicates, level)
    counter.total = counter.count + left
    counted = Replicates(replicates, seed, level, counter)
    return _assemble(found, isoflops, recipes, tuning, start, counted)


@frozen
class _Chosen(ChosenOn):
    """The same with the star beside another law, where the rows have one."""

    beside: Candidate | None


def _choose(
    runs: Runs, contents: Contents, law: str, objective: Objective, done: Callable[[], None], executor: Executor
) -> _Chosen:
    """Choose a law, or fit the one that was asked for."""
    if law != "auto":
        _check_supported(contents, law)
        chosen = fit_candidate(law, runs, contents.dimensions, contents.star, objective)
        choice = Choice(backtest(chosen, runs), (score_in_sample(chosen),))
        candidates = {chosen.name: chosen}
    else:
        candidates = fit_candidates(runs, contents, objective, done)
        choice = choose(list(candidates.values()), runs, done, executor)
    beside = None
    if choice.chosen.problem.form.joint and Star.name in contents.supported:
        beside = candidates.get(Star.name) or fit_candidate(
            Star.name, runs, contents.dimensions, contents.star, objective
        )
    asked = contents.supported if law == "auto" else (law,)
    notes = power_notes(asked, candidates.values())
    return _Chosen(replace(runs, notes=(*runs.notes, *notes)), contents, choice, beside)


def _assemble(
    found: _Chosen,
    isoflops: IsoFlops | None,
    recipes: tuple[RecipeFactor, ...],
    tuning: Tuning | None,
    start: Start | None,
    replicates: Replicates,
) -> Fit:
    """Return the fit of a law that was chosen: estimates, diagnostics, and what plans need of the log."""
    runs, contents, choice, beside = found.runs, found.contents, found.choice, found.beside
    chosen, dims = choice.chosen, contents.dimensions.free
    behind = beside or chosen
    cost, cost_notes, cost_cautions = cost_of(runs, dims)
    front = find_front(runs)
    kept, kept_cautions = kept_in_proportion(chosen, runs, dims)
    dimensions = replace(contents.dimensions, kept=kept)
    cost_model = CostModel(dimensions, cost, runs.flops_convention)
    law = replace(chosen.law, derive=cost_model.variables)
    seen = rows_of(runs, chosen, behind.star.star if behind.star else None)
    flops_range = _range(runs.flops[chosen.problem.all_rows])
    shape_range = {dim: _range(sizes) for dim, sizes in seen.shape.items()}
    monitored = MonitoredQuantities(
        runs=runs,
        law=chosen,
        star=beside,
        cost_model=cost_model,
        bounds=trust_region({dim: shape_range[dim] for dim in dims}),
        flops=OPTIMUM_AT * flops_range[1],
    )
    if start is not None:
        _check_start(start, dims)
    if start is None and dims and not law.form.along_ladder:
        start, start_cautions = find_start(runs, dims, contents.beside_star(runs))
    else:
        start_cautions = ()
    star = report_star(runs, behind) if behind.star else None
    estimates = estimate(law, monitored, choice.backtest, replicates)
    of_log = (*kept_cautions, *contents.cautions, *start_cautions, *cost_cautions)
    rivals = [_rival(rival, runs, cost_model, replicates) for rival in choice.rivals if _knows_shape(rival)]
    growth = dict(estimates.uncertainty.growth_exponents)
    if isoflops is not None and (
        of_params := growth_of_params(monitored, choice.rivals, estimates.uncertainty.bootstrap, isoflops)
    ):
        growth["params"] = of_params
    of_valleys = valley_cautions(isoflops, growth.get("params"))
    return Fit(
        law=law,
        log=LogSummary(
            metric=runs.metric,
            flops_convention=runs.flops_convention,
            examples_unit=runs.examples_unit,
            dimensions=dimensions,
            flops_range=flops_range,
            shape_range=shape_range,
            architecture=runs.architecture,
            cost=cost,
            heads=heads_of(runs),
            front=front,
            rows=seen,
            isoflops=isoflops,
            recipes=recipes,
            tuning=tuning,
            sources=runs.sources,
            read_as=runs.read_as,
            own_settings=runs.own_settings,
            dropped=runs.dropped,
            notes=(*runs.notes, *cost_notes, *tuning_notes(tuning)),
        ),
        uncertainty=replace(estimates.uncertainty, growth_exponents=growth),
        diagnostics=diagnose(law, monitored, estimates, star, (*of_valleys, *of_log)),
        model_selection=ModelSelection(choice.scores, tuple(rivals)),
        star=star.evidence if star else StarEvidence(),
        start=start,
    )


def _knows_shape(candidate: Candidate) -> bool:
    """Return whether a law has a best shape of its own; Eq. 2 holds on its arms alone."""
    return candidate.problem.form.knows_shape and candidate.problem.form.joint


def _rival(candidate: Candidate, runs: Runs, cost_model: CostModel, replicates: Replicates) -> Rival:
    fewer = replace(replicates, count=min(replicates.count, RIVAL_REPLICATES))
    return Rival(
        replace(candidate.law, derive=cost_model.variables), fewer.of(candidate, candidate.residual_model(runs)).draws
    )


def check_arguments(law: str, objective: str, replicates: int, level: float) -> None:
    """Raise `ArgumentError` if an argument of a fit makes no sense."""
    check_choice("law", law, ("auto", *FORMS))
    check_choice("objective", objective, tuple(OBJECTIVES))
    if replicates < 0:
        raise ArgumentError(ErrorDetail("bad-replicates", f"{replicates} replicates is out of range", "give 0 or more"))
    if replicates > MOST_REPLICATES:
        message = f"{replicates} replicates are more than {MOST_REPLICATES}"
        raise ArgumentError(ErrorDetail("bad-replicates", message, "1000 is plenty for a 90% interval"))
    if not LEAST_LEVEL <= level <= MOST_LEVEL:
        hint = f"give {LEAST_LEVEL:g} to {MOST_LEVEL:g}, e.g. 0.9"
        raise ArgumentError(ErrorDetail("bad-level", f"a level of {level:g} is out of range", hint))


def _check_supported(contents: Contents, law: str) -> None:
    support = next(one for one in contents.laws if one.law == law)
    if support.supported:
        return
    if not FORMS[law].joint and contents.no_star is not None:
        raise contents.no_star
    reason = support.reason or ""
    why = f"it {reason}" if reason.startswith("needs") else reason
    message = f"the log cannot identify the law {law!r}: {why}"
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
