"""What a design would tell: the sweep simulated many times under a prior law, fitted, and planned from."""

from __future__ import annotations

import contextlib
import itertools
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from shapeplan.arguments import number, seed_of, whole
from shapeplan.design.power_curve import Outcome, Power, Spread, Stage
from shapeplan.design.simulate import simulate
from shapeplan.errors import ArgumentError, ErrorDetail, FitError, PlanError
from shapeplan.fitting.fit import DEFAULT_LEVEL, check_arguments, fit
from shapeplan.fitting.result import Fit, check_is_fit
from shapeplan.frozen import frozen
from shapeplan.planning.recommend import recommend
from shapeplan.quantities import LARGEST_FLOPS, convert_flops
from shapeplan.runs import Runs, check_log
from shapeplan.workers.executor import Executor

DEFAULT_SWEEPS, DEFAULT_REPLICATES = 40, 100
MOST_SWEEPS = 10_000
SHARES = (0.5, 0.75, 1.0)
"""Shares of the runs, the cheapest first, at which the curve is drawn."""


@frozen
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
    scheduler: str | None = None,
    known: Iterable[Outcome] = (),
    landed: Callable[[int, Outcome], None] = lambda index, outcome: None,
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
        Processes at once. Their number does not change the result.
    scheduler : str, optional
        Address of a Dask or Ray cluster, ``tcp://host:port`` or ``ray://host:port``: its workers simulate, in place of
        processes here.
    known : iterable of Outcome
        The first outcomes, of a study that was interrupted; read before anything is simulated.
    landed : callable
        Told the index, from 0, and the outcome of every sweep that is simulated here, in order of the index: all
        sweeps of the fewest runs first.
    done : callable
        Told how many sweeps are done, and of how many.

    Raises
    ------
    ArgumentError
        If a number makes no sense, or the design has no rows.
    FitError
        If the prior predicts no loss, or the design lacks what it needs.
    PlanError
        If the prior has no best shape at the target.
    """
    check_log(design)
    check_is_fit(prior)
    target, noise, run_noise = number("target", target), number("noise", noise), number("run_noise", run_noise)
    sweeps, replicates, seed = whole("sweeps", sweeps), whole("replicates", replicates), seed_of(seed)
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
    total = sweeps * len(parts)
    tallies = [_Tally() for _ in parts]
    count = 0
    for outcome in itertools.islice(known, total):
        tallies[count // sweeps].add(outcome)
        count += 1
        done(count, total)
    tasks = (
        _Task(parts[i // sweeps], prior, target, noise, run_noise, tails, seed + i % sweeps, law, replicates)
        for i in range(count, total)
    )
    # Closed whatever happens: processes that are left open would outlive this one.
    with contextlib.closing(Executor(jobs, scheduler).map(_outcome, tasks)) as outcomes:
        for index, outcome in enumerate(outcomes, start=count):
            landed(index, outcome)
            tallies[index // sweeps].add(outcome)
            done(index + 1, total)
    stages = tuple(tally.stage(part, prior) for tally, part in zip(tallies, parts, strict=True))
    return Power(prior, target, noise, run_noise, tails, sweeps, seed, stages)


def _outcome(task: _Task) -> Outcome:
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
        return Outcome({}, {}, None, None, frozenset({error.details[0].code}))
    codes = {caution.code for caution in found.cautions} | ({"untrusted-fit"} if found.status != "ok" else set())
    exponents = {dim: s.ci[1] / s.ci[0] for dim, s in found.scaling_exponents.items() if s.ci and s.ci[0] > 0}
    try:
        flops = convert_flops(task.target, prior.flops_convention, found.flops_convention)
        plan = recommend(found, flops, force=True).budgets[0]
    except PlanError as error:
        return Outcome(exponents, {}, None, found.law.form.name, frozenset({*codes, error.details[0].code}))
    codes |= {caution.code for caution in plan.cautions}
    sizes = {dim: ci[1] / ci[0] for dim, ci in plan.ci.items() if ci and ci[0] > 0 and dim in prior.dims}
    regret = _regret(prior, plan.rounded, task.target)
    return Outcome(exponents, sizes, regret, found.law.form.name, frozenset(codes))


def _regret(prior: Fit, shape: Mapping[str, float], flops: float) -> float:
    """Return the relative excess loss of a shape over the best one, under the prior law."""
    budget = np.array([flops])
    best = prior.best_shapes(prior.law.arrays(), budget)
    mine = {dim: np.array([float(shape[dim])]) for dim in prior.dims}
    here, least = (float(prior.law.loss(**prior.variables(one, budget))[0]) for one in (mine, best))
    return here / least - 1.0


class _Tally:
    """What is kept of the outcomes of a stage: numbers alone, so that ten thousand sweeps take little memory."""

    def __init__(self) -> None:
        self.count = 0
        self.codes: Counter[str] = Counter()
        self.laws: Counter[str] = Counter()
        self.regrets = array("d")
        self.exponents: dict[str, array[float]] = {}
        self.sizes: dict[str, array[float]] = {}

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.count += 1
        self.codes.update(outcome.codes)
        self.laws.update([outcome.law] if outcome.law else [])
        self.regrets.extend([] if outcome.regret is None else [outcome.regret])
        for kept, new in ((self.exponents, outcome.exponents), (self.sizes, outcome.sizes)):
            for name, value in new.items():
                kept.setdefault(name, array("d")).append(value)

    def stage(self, design: Runs, prior: Fit) -> Stage:
        """Return what the outcomes tell together."""
        return Stage(
            runs=len(design.run_names),
            flops=float(convert_flops(design.spent(), design.flops_convention, prior.flops_convention).sum()),
            exponents=_spreads(self.exponents),
            sizes=_spreads(self.sizes),
            regret=Spread.of(self.regrets),
            laws=_shares(self.laws, self.count),
            warnings=_shares(self.codes, self.count),
            refused=1 - len(self.regrets) / self.count,
        )


def _shares(numbers: Counter[str], count: int) -> dict[str, float]:
    """Return numbers over a count, the largest first; equal ones by name, since codes come from sets."""
    return {name: number / count for name, number in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))}


def _spreads(values: Mapping[str, Sequence[float]]) -> dict[str, Spread]:
    spreads = {name: Spread.of(numbers) for name, numbers in values.items()}
    return {name: spread for name, spread in spreads.items() if spread}
