"""The next runs of a pool: of runs that are laid out, those that tell most about a plan and about the pool."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.design.coverage import Coverage, slopes_at_the_top
from shapeplan.design.first_runs import first_runs, identifying
from shapeplan.design.matching import matched
from shapeplan.design.next_run import (
    DEFAULT_CANDIDATES,
    LEAST_NOISE,
    LITTLE,
    check_fit,
    edge_cautions,
    gain_cautions,
    law_cautions,
    noise_of,
    read_numbers,
)
from shapeplan.design.posterior import Posterior
from shapeplan.errors import Caution, ErrorDetail, PlanError
from shapeplan.fitting.result import Fit, check_is_fit
from shapeplan.fitting.selection.identifiability import FEWEST_VALUES
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, plain
from shapeplan.planning.warnings import extrapolation, extrapolation_cautions
from shapeplan.quantities import Convention, convert_flops, format_flops
from shapeplan.runs import Runs, check_log

_SEED = 0
"""Of the random slopes of the drift."""
_COVERED = 20.0
"""What the part of the surface's variance that a run takes away is worth, beside the part of the regret."""
_SLOPES = 3.0
"""What the part of the variance of the slopes in every size is worth, beside that of the surface, without a law."""
_PRICE = 0.5
"""Power of its cost that a run is worth: at 1 the cheapest come first and the plan stays far away, at 0 a few dear runs
use up the budget."""
_TIE = 1e-9
"""Difference, relative, of runs that are worth the same: of them the first is taken, whatever rounding says."""


@frozen
class PoolRun:
    """A run of a pool to do next, given those before it.

    Attributes
    ----------
    name : str
        Its name in the pool.
    row : int
        Its row there.
    shape : mapping of str to int or float
        Its shape, all dimensions of the pool.
    examples : float or None
        How long it is trained, where the pool says so.
    flops : float
        What it costs, in the convention of the law, else of the pool.
    regret_before, regret_after : float or None
        Expected relative regret of the plan for the target, without it and with it; None before there is a law.
    error_before, error_after : float or None
        Relative standard deviation of the loss of the plan, without it and with it; likewise.
    """

    name: str
    row: int
    shape: Mapping[str, int | float]
    examples: float | None
    flops: float
    regret_before: float | None = None
    regret_after: float | None = None
    error_before: float | None = None
    error_after: float | None = None


@frozen
class PoolChoice:
    """Runs to do next, of a pool.

    Attributes
    ----------
    pool : Runs
        All that is laid out, one row a run.
    fit : Fit or None
        The law that they were judged by; None where there is none that tells a best shape.
    target, budget : float
        What is planned for, and what the runs may cost together, in the convention of the law, else of the pool.
    noise : float or None
        Relative standard deviation of a run's metric, where there is a law.
    left : tuple of int
        Rows of the pool that are not done.
    chosen : tuple of PoolRun
        The best first; each knows of those before it.
    regret_of_all : float or None
        Expected regret once all runs that are left are done, where there is a law.
    why_first : str or None
        Why no law judges: the runs are those that identify one, and those that cover the pool.
    cautions : tuple of Caution
        What is doubtful about them.
    """

    pool: Runs
    fit: Fit | None
    target: float
    budget: float
    noise: float | None
    left: tuple[int, ...]
    chosen: tuple[PoolRun, ...]
    regret_of_all: float | None
    why_first: str | None
    cautions: tuple[Caution, ...]

    def __repr__(self) -> str:
        """Return the runs and what they cost."""
        names = ", ".join(one.name for one in self.chosen)
        return f"<PoolChoice of {len(self.left)} runs: {len(self.chosen)} of {self.flops:.3g} FLOPs together: {names}>"

    @property
    def flops_convention(self) -> Convention:
        """What compute counts."""
        return self.fit.flops_convention if self.fit else self.pool.flops_convention

    @property
    def flops(self) -> float:
        """What the chosen runs cost together."""
        return sum(one.flops for one in self.chosen)

    @property
    def left_flops(self) -> float:
        """What all runs that are not done cost together."""
        rows = list(self.left)
        return float(convert_flops(self.pool.flops[rows], self.pool.flops_convention, self.flops_convention).sum())

    def runs(self) -> Runs:
        """Return the chosen rows of the pool, in their order, as a log to fill in."""
        return self.pool.take(np.array([one.row for one in self.chosen], dtype=int))


def next_from_pool(
    pool: Runs,
    target: float,
    *,
    fit: Fit | None = None,
    log: Runs | None = None,
    under_way: Sequence[str] = (),
    budget: float = math.inf,
    candidates: int = DEFAULT_CANDIDATES,
    noise: float | None = None,
) -> PoolChoice:
    """Choose the runs of a pool to do next.

    The first runs are those that identify a law (see `shapeplan.design.first_runs`). Every further one is judged by
    which part of itself the variance over the pool shrinks, of a smooth surface that knows no law (see
    `shapeplan.design.coverage`), and, where a law tells a best shape, by which part the expected regret of the plan for
    the target does (as in `next_runs`), else by which part the variance of the surface's slopes in the sizes does, per
    root of its cost: by what the law alone would tell of the plan, cheap runs come first, and where it is wrong stays
    unseen (tests/studies/pool.py; cf. arXiv:2604.22753).

    Parameters
    ----------
    pool : Runs
        Runs that are laid out, done or not; of a run with several rows the last counts.
    target : float
        Budget that is planned for, in the convention of the law, else of the pool.
    fit : Fit, optional
        The law of the runs so far.
    log : Runs, optional
        The runs so far; by default the rows behind the law, which are not all where a fit left some out.
    under_way : sequence of str
        Runs of the pool that are not chosen, since they run already; it counts as covered by them.
    budget : float
        Compute of all chosen runs together, in the convention of the law, else of the pool.
    candidates : int
        How many are chosen at most.
    noise : float, optional
        Relative standard deviation of a row's metric; by default the misfit of the law.

    Raises
    ------
    ArgumentError
        If a number makes no sense, or the pool has no rows.
    PlanError
        If no run is left that the budget pays for, or the pool lacks a dimension of the law.
    InputError
        If a run so far has the name of one of the pool and another shape.
    """
    check_log(pool)
    if log is not None:
        check_log(log)
    if fit is not None:
        check_is_fit(fit)
    target, budget, candidates, noise = read_numbers(target, budget, candidates, noise, unlimited=True)
    pool = replace(pool.take(np.sort(pool.last_rows())), loss=None)
    done = _done(pool, fit, log)
    left = np.ones(len(pool), dtype=bool)
    left[done] = False
    cost = convert_flops(pool.flops, pool.flops_convention, fit.flops_convention if fit else pool.flops_convention)
    rest = tuple(np.flatnonzero(left).tolist())
    running = np.array([pool.run_names[run] in under_way for run in pool.run])
    left &= ~running
    known = sorted({*done, *np.flatnonzero(running).tolist()})
    _check_left(pool, left, cost, budget)
    judge = _Judge.of(fit, pool, cost, target, noise) if fit is not None else "there is no law of the runs so far"
    if isinstance(judge, str):
        first = _without_law(pool, known, left, budget * float(pool.flops[0] / cost[0]), candidates)
        chosen = tuple(_planned(pool, cost, row) for row in first)
        return PoolChoice(pool, fit, target, budget, None, rest, chosen, None, judge, ())
    chosen = tuple(judge.choose(Coverage.of(pool, known), left, budget, candidates))
    found = judge.fit
    edge = edge_cautions(found, found.best_at(target))
    cautions = (
        *law_cautions(found),
        *(edge or gain_cautions(judge.posterior.regret)),
        *extrapolation_cautions(found, extrapolation(found, found.best_at(target), target), budget="the target"),
    )
    of_all = judge.posterior.regret_after(np.array(rest))
    return PoolChoice(pool, fit, target, budget, judge.noise, rest, chosen, of_all, None, cautions)


@frozen
class _Judge:
    """What a law knows of the plan and of the runs of a pool; the last run of the posterior is the plan itself."""

    fit: Fit
    pool: Runs
    cost: Floats
    noise: float
    posterior: Posterior

    @classmethod
    def of(cls, fit: Fit, pool: Runs, cost: Floats, target: float, noise: float | None) -> _Judge | str:
        """Return the judge of a pool, or why the law cannot judge it.

        Raises
        ------
        PlanError
            If the pool lacks a dimension of the law.
        """
        missing = [dim for dim in fit.dims if dim not in pool.dims]
        if missing:
            message = f"the law is in {', '.join(missing)}, which the pool has not"
            hint = f"add the column: the pool has {', '.join(pool.dims) or 'no dimension'}"
            raise PlanError(ErrorDetail("missing-dimension", message, hint, pool.name))
        unseen = [dim for dim in fit.dimensions.fixed if dim in pool.dims and _varies(pool.values(dim))]
        if unseen:
            return f"the law does not tell {' and '.join(unseen)}, which the pool varies"
        try:
            check_fit(fit)
            sigma = noise_of(fit) if noise is None else noise
            variables = _with_plan(fit, pool, cost, target)
            posterior = Posterior.of(fit, target, variables, max(sigma, LEAST_NOISE))
        except PlanError as error:
            return error.details[0].message
        return cls(fit, pool, cost, sigma, _drifting(fit, posterior, np.append(cost, target)))

    def choose(self, coverage: Coverage, left: Bools, budget: float, count: int) -> Iterator[PoolRun]:
        """Yield the runs in their order: the best, for its cost, of those that the rest of the budget pays for."""
        posterior, plan = self.posterior, len(self.pool)

        def worth() -> Floats:
            told = posterior.gains()[:-1] / (posterior.regret + LITTLE)
            return np.asarray(told + _COVERED * coverage.variance_reduction())

        for row in _in_turns(worth, self.cost, left, budget, count):
            after = posterior.after(row)
            yield replace(
                _planned(self.pool, self.cost, row),
                regret_before=posterior.regret,
                regret_after=after.regret,
                error_before=posterior.error_of(plan),
                error_after=after.error_of(plan),
            )
            posterior, coverage = after, coverage.after(row)


def _without_law(pool: Runs, known: Sequence[int], left: Bools, budget: float, count: int) -> list[int]:
    """Return runs that identify a law, as far as there are too few of them, then those that cover the pool.

    Of these a run is worth what it tells of the surface, and of its slopes in the sizes of the models where compute is
    largest: where those are known, the direction of the best shape is (tests/studies/pool.py).
    """
    chosen = first_runs(pool, known, left, budget, min(count, max(0, identifying(pool) - len(known))))
    budget -= float(pool.flops[chosen].sum())
    coverage, left = Coverage.of(pool, [*known, *chosen]), left.copy()
    left[chosen] = False

    slopes = slopes_at_the_top(pool)

    def worth() -> Floats:
        return coverage.variance_reduction() + _SLOPES * coverage.slope_variance_reduction(slopes)

    for row in _in_turns(worth, pool.flops, left, budget, count - len(chosen)):
        chosen.append(row)
        coverage = coverage.after(row)
    return chosen


def _in_turns(worth: Callable[[], Floats], cost: Floats, left: Bools, budget: float, count: int) -> Iterator[int]:
    """Yield the row that is worth most for its cost of those that the budget pays for, again and again.

    What the rows are worth is asked anew after every one.
    """
    left = left.copy()
    for _ in range(count):
        able = left & (cost <= budget)
        if not able.any():
            return
        worths = np.where(able, worth() / cost**_PRICE, -np.inf)
        most = worths.max()
        row = int(np.argmax(worths >= most - _TIE * abs(most)))
        left[row] = False
        budget -= float(cost[row])
        yield row


def _varies(sizes: Floats) -> bool:
    """Return whether a dimension has as many values as a law needs to tell its best size."""
    return len(np.unique(sizes)) >= FEWEST_VALUES


def _with_plan(fit: Fit, pool: Runs, cost: Floats, target: float) -> dict[str, Floats]:
    """Return the variables of the law for every run of a pool, and for the best shape at the target after them."""
    derived = fit.variables({dim: pool.values(dim) for dim in fit.dims}, cost)
    known = {**derived, **pool.variables(), "flops": cost}
    plan = fit.variables(fit.best_at(target), np.array(target))
    lacking = [name for name in fit.law.form.variables if name not in known or name not in plan]
    if lacking:
        message = f"the law {fit.law.form.name!r} needs {', '.join(lacking)}, which the pool does not say"
        raise PlanError(ErrorDetail("missing-variable", message, "add the column, or an architecture"))
    return {name: np.append(known[name], plan[name]) for name in fit.law.form.variables}


def _drifting(fit: Fit, posterior: Posterior, flops: Floats) -> Posterior:
    """Return a posterior in which the law drifts beyond the compute of the log, as the backtest shows.

    The error is that of `RunError`: linear in the logarithm of compute beyond the log, with one random slope a draw, so
    that runs beyond the log tell of the error at the target.
    """
    error = fit.uncertainty.run_error
    if error is None:
        return posterior
    slopes = np.random.default_rng(_SEED).standard_normal(len(posterior.runs))
    beyond = np.log(np.maximum(flops / fit.flops_range[1], 1.0))
    return replace(posterior, runs=posterior.runs + np.outer(slopes - slopes.mean(), error.drift * beyond))


def _done(pool: Runs, fit: Fit | None, log: Runs | None) -> list[int]:
    """Return the rows of a pool that have been done, by the log or the rows behind the law."""
    if log is not None:
        names, lines = [log.run_names[i] for i in log.run], log.lines
        shapes, flops = {dim: log.values(dim) for dim in log.dims}, log.flops
        flops = convert_flops(flops, log.flops_convention, pool.flops_convention)
        files = [log.file_of(i) for i in range(len(log))]
    elif fit is not None and fit.rows is not None:
        names, lines = list(fit.rows.runs), fit.rows.lines
        shapes = dict(fit.rows.shape)
        flops = convert_flops(fit.rows.flops, fit.flops_convention, pool.flops_convention)
        files = list(fit.rows.files) or [fit.sources[0].name if fit.sources else ""] * len(names)
    else:
        return []
    last = {name: i for _, i, name in sorted((flops[i], i, name) for i, name in enumerate(names))}
    rows = list(last.values())
    found = matched(
        pool,
        list(last),
        {dim: sizes[rows] for dim, sizes in shapes.items()},
        flops[rows],
        [(files[i], int(lines[i])) for i in rows],
    )
    return sorted({int(row) for row in found if row >= 0})


def _planned(pool: Runs, cost: Floats, row: int) -> PoolRun:
    shape = {dim: plain(size) for dim, size in zip(pool.dims, pool.shape[row], strict=True)}
    examples = None if pool.examples is None else float(pool.examples[row])
    return PoolRun(pool.run_names[pool.run[row]], row, shape, examples, float(cost[row]))


def _check_left(pool: Runs, left: Bools, cost: Floats, budget: float) -> None:
    if not left.any():
        message = f"all {len(pool)} runs of the pool are done"
        raise PlanError(ErrorDetail("pool-done", message, "lay out more runs, or plan from these", pool.name))
    if not (cost[left] <= budget).any():
        cheapest = format_flops(float(cost[left].min()))
        message = f"{format_flops(budget)} FLOPs pay for no run of the pool that is left"
        raise PlanError(
            ErrorDetail("budget-too-small", message, f"the cheapest costs {cheapest}: give at least that", pool.name)
        )
