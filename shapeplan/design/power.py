"""What a design would tell: the sweep simulated many times under a prior law, fitted, and planned from."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shapeplan.design.power_curve import Power, Spread, Stage
from shapeplan.design.simulate import simulate
from shapeplan.errors import ArgumentError, ErrorDetail, FitError, PlanError
from shapeplan.fitting.fit import DEFAULT_LEVEL, check_arguments, fit
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend
from shapeplan.quantities import LARGEST_FLOPS, convert_flops
from shapeplan.runs import Runs

DEFAULT_SWEEPS, DEFAULT_REPLICATES = 40, 100
MOST_SWEEPS = 10_000
SHARES = (0.5, 0.75, 1.0)
"""Shares of the runs, the cheapest first, at which the curve is drawn."""


@dataclass(frozen=True)
class _Outcome:
    """What one simulated sweep told."""

    exponents: Mapping[str, float]
    sizes: Mapping[str, float]
    regret: float | None
    law: str | None
    codes: frozenset[str]


@dataclass(frozen=True)
class _Task:
    """One sweep to simulate."""

    design: Runs
    prior: Fit
    target: float
    noise: float
    run_noise: float
    tails: float | None
    seed: int
    law: str
    replicates: int


def power(  # noqa: PLR0913 - public: an argument a question
    design: Runs,
    prior: Fit,
    target: float,
    *,
    noise: float,
    run_noise: float = 0.0,
    tails: float | None = None,
    law: str = "auto",
    sweeps: int = DEFAULT_SWEEPS,
    replicates: int = DEFAULT_REPLICATES,
    seed: int = 0,
    shares: Sequence[float] = SHARES,
    jobs: int = 1,
    done: Callable[[int, int], None] = lambda done, total: None,
) -> Power:
    """Rehearse a sweep: simulate it many times under a prior law, fit every one, and plan from it.

    Parameters
    ----------
    design : Runs
        The runs to train.
    prior : Fit
        A law that predicts loss, taken for the truth.
    target : float
        Budget that is to be planned for, in the convention of the prior.
    noise, run_noise, tails
        As in `simulate`.
    law : str
        What the simulated sweeps are fitted with, ``auto`` for the choice.
    sweeps, replicates, seed : int
        Simulated sweeps a stage, bootstrap replicates of every fit, and the first seed.
    shares : sequence of float
        Shares of the runs, the cheapest first, at which the curve is drawn.
    jobs : int
        Processes at once.
    done : callable
        Told how many sweeps are done, and of how many.

    Raises
    ------
    ArgumentError
        If a number makes no sense.
    FitError
        If the prior predicts no loss, or the design lacks what it needs.
    PlanError
        If the prior has no best shape at the target.
    """
    if not 0 < target <= LARGEST_FLOPS:
        raise ArgumentError(ErrorDetail("bad-flops", f"a target of {target:g} FLOPs is out of range", "give e.g. 1e22"))
    if not 2 <= sweeps <= MOST_SWEEPS:
        raise ArgumentError(ErrorDetail("bad-sweeps", f"{sweeps} sweeps is out of range", f"give 2 to {MOST_SWEEPS}"))
    check_arguments(law, "relative", replicates, DEFAULT_LEVEL)
    if not prior.predicts_loss:
        message = f"the law {prior.law.form.name!r} predicts no loss to simulate"
        raise FitError(ErrorDetail("no-constants", message, "give a joint law that was fitted"))
    order, all_runs = np.argsort(design.spent(), kind="stable"), len(design.run_names)
    counts = sorted({max(2, round(share * all_runs)) for share in shares if 0 < share <= 1} | {all_runs})
    # A mistake in the design or the prior is met here, once, and not in every process.
    simulate(prior.law, design, flops_convention=prior.flops_convention)
    recommend(prior, target, force=True)
    parts = [design.take(np.isin(design.run, order[:count])) for count in counts]
    tasks = [
        _Task(part, prior, target, noise, run_noise, tails, seed + i, law, replicates)
        for part in parts
        for i in range(sweeps)
    ]
    outcomes = list(_all(tasks, jobs, done))
    stages = tuple(_stage(part, prior, outcomes[k * sweeps : (k + 1) * sweeps]) for k, part in enumerate(parts))
    return Power(prior, target, noise, run_noise, tails, sweeps, seed, stages)


def _all(tasks: Sequence[_Task], jobs: int, done: Callable[[int, int], None]) -> Iterator[_Outcome]:
    """Yield the outcomes in order, by some processes at once."""
    if jobs <= 1:
        for i, task in enumerate(tasks, start=1):
            yield _outcome(task)
            done(i, len(tasks))
        return
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context) as pool:
        try:
            with _deaf_children():
                waiting = [pool.submit(_outcome, task) for task in tasks]
            for i, future in enumerate(waiting, start=1):
                yield future.result()
                done(i, len(tasks))
        except BaseException:
            # Nothing is to be waited for: leaving the pool would wait for all that has begun.
            for child in multiprocessing.active_children():
                child.kill()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Start processes that do not hear Ctrl-C: it goes to all of a terminal's, and the parent ends them itself."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _outcome(task: _Task) -> _Outcome:
    prior = task.prior
    log = simulate(
        prior.law,
        task.design,
        flops_convention=prior.flops_convention,
        noise=task.noise,
        run_noise=task.run_noise,
        tails=task.tails,
        seed=task.seed,
    )
    try:
        found = fit(log, law=task.law, replicates=task.replicates, seed=task.seed)
    except FitError as error:
        return _Outcome({}, {}, None, None, frozenset({error.details[0].code}))
    codes = {caution.code for caution in found.cautions} | ({"untrusted-fit"} if found.status != "ok" else set())
    exponents = {dim: s.ci[1] / s.ci[0] for dim, s in found.scaling_exponents.items() if s.ci and s.ci[0] > 0}
    try:
        flops = convert_flops(task.target, prior.flops_convention, found.flops_convention)
        plan = recommend(found, flops, force=True).budgets[0]
    except PlanError as error:
        return _Outcome(exponents, {}, None, found.law.form.name, frozenset({*codes, error.details[0].code}))
    codes |= {caution.code for caution in plan.cautions}
    sizes = {dim: ci[1] / ci[0] for dim, ci in plan.ci.items() if ci and ci[0] > 0 and dim in prior.dims}
    regret = _regret(prior, plan.rounded, task.target)
    return _Outcome(exponents, sizes, regret, found.law.form.name, frozenset(codes))


def _regret(prior: Fit, shape: Mapping[str, float], flops: float) -> float:
    """Return the relative excess loss of a shape over the best one, under the prior law."""
    budget = np.array([flops])
    best = prior.best_shapes(prior.law.arrays(), budget)
    mine = {dim: np.array([float(shape[dim])]) for dim in prior.dims}
    here, least = (float(prior.law.loss(**prior.variables(one, budget))[0]) for one in (mine, best))
    return here / least - 1.0


def _stage(design: Runs, prior: Fit, outcomes: Sequence[_Outcome]) -> Stage:
    count = len(outcomes)
    codes = Counter(code for outcome in outcomes for code in outcome.codes)
    laws = Counter(outcome.law for outcome in outcomes if outcome.law)
    regrets = [outcome.regret for outcome in outcomes if outcome.regret is not None]
    return Stage(
        runs=len(design.run_names),
        flops=float(convert_flops(design.spent(), design.flops_convention, prior.flops_convention).sum()),
        exponents=_spreads([outcome.exponents for outcome in outcomes]),
        sizes=_spreads([outcome.sizes for outcome in outcomes]),
        regret=Spread.of(regrets),
        laws=_shares(laws, count),
        warnings=_shares(codes, count),
        refused=1 - len(regrets) / count,
    )


def _shares(numbers: Counter[str], count: int) -> dict[str, float]:
    """Return numbers over a count, the largest first; equal ones by name, since codes come from sets."""
    return {name: number / count for name, number in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))}


def _spreads(rows: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    names = dict.fromkeys(name for row in rows for name in row)
    spreads = {name: Spread.of([row[name] for row in rows if name in row]) for name in names}
    return {name: spread for name, spread in spreads.items() if spread}
