"""Whether `design next --pool` beats the cheapest runs and chance: ``python tests/studies/pool.py [--seeds 20]``.

Three public sweeps are replayed as pools, at what their runs cost; a run that is chosen shows all its rows. With every
seed the pool is another draw of four fifths of the runs (of all with ``--part 1``). All ways start from the same
`START` runs, those that `next_from_pool` takes without a law. It then chooses in turns, each of half as many runs as
there are and of no more compute than was spent, with a new fit (60 replicates) before each; the others take the
cheapest first, or runs at random that still fit in. After 10% and 30% of the compute of the pool every fit is by the
law that `auto` takes for the whole sweep, or by `separable` where the rows do not identify that.

The target is the largest compute of the sweep, and plans stay within its sizes: beyond, the whole sweep does not know
the truth. Told are medians over seeds of the regret of the plan under the law of the whole sweep, and of the error
(root mean square of the logarithm) on rows above a tenth of the largest compute whose runs were not chosen. Of the
truth itself the last line tells the expected regret: how well the whole sweep knows its own best shape.

The law of the whole sweep has seen the rows that it judges by, and agrees best with those who choose most of them. With
``--planted`` losses are drawn anew from it for every seed, with its own scatter by run, and errors are of the truth.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from dataclasses import replace
from functools import cache

import numpy as np
from coverage import OPTIONS, SWEEPS
from worlds import in_parallel

import shapeplan as sp
from shapeplan.design.next_run import LEAST_NOISE
from shapeplan.design.pool import next_from_pool
from shapeplan.design.posterior import Posterior
from shapeplan.errors import FitError, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.optimum.best_shape import best_shape
from shapeplan.optimum.cost_model import CostModel
from shapeplan.runs import Runs

NAMES = ("morph", "isoflop_rw", "routing_moe")
SHARES = (0.1, 0.3)
START, REPLICATES = 10, 60


class Sweep:
    """A sweep, and the law of all of it, which is taken for the truth."""

    def __init__(self, name: str) -> None:
        self.log = sp.read_runs(SWEEPS / f"{name}.csv", **OPTIONS.get(name, {}))
        self.runs = self.log.take(np.sort(self.log.last_rows()))
        self.target = float(self.log.flops.max())
        self.whole: Fit = sp.fit(self.log, replicates=REPLICATES)

    def planted(self, seed: int) -> Runs:
        """Return the log with losses that the law of the whole gives, but for its own scatter, by run."""
        told = self.expected()
        scatter = np.sqrt(np.mean(np.log(told / self.log.observed()) ** 2))
        by_run = scatter * np.random.default_rng((seed, 99)).standard_normal(len(self.log.run_names))
        return replace(self.log, loss=told * np.exp(by_run[self.log.run]))

    def expected(self) -> np.ndarray:
        """Return the losses that the law of the whole gives to the rows."""
        return np.asarray(sp.predict(self.whole, self.log).predicted)

    def expected_regret(self) -> float:
        """Return the regret that the whole sweep expects of its own plan."""
        plan = self.whole.variables(self.whole.best_at(self.target), np.array([self.target]))
        return Posterior.of(self.whole, self.target, plan, LEAST_NOISE).regret


@cache
def sweep(name: str) -> Sweep:
    """Return a sweep, read and fitted once a process."""
    return Sweep(name)


class Replay:
    """A sweep of which some runs, drawn with a seed, are trained again."""

    def __init__(self, name: str, seed: int, part: float, *, planted: bool) -> None:
        every = sweep(name)
        self.log = every.planted(seed) if planted else every.log
        self.truth = every.expected() if planted else every.log.observed()
        self.whole, self.target = every.whole, every.target
        runs = len(every.runs)
        drawn = np.random.default_rng((seed, 7)).choice(runs, round(part * runs), replace=False)
        self.pool = every.runs.take(np.sort(drawn))
        self.cost = self.pool.flops
        self.start = [one.row for one in next_from_pool(self.pool, self.target, candidates=START).chosen]

    def rows(self, chosen: list[int]) -> np.ndarray:
        """Return which rows of the sweep the runs of some rows of the pool show."""
        names = {self.pool.run_names[self.pool.run[row]] for row in chosen}
        return np.array([self.log.run_names[run] in names for run in self.log.run])

    def fit(self, chosen: list[int], replicates: int = 0) -> Fit:
        """Fit the law of the whole sweep to the runs that were chosen."""
        seen = self.log.take(self.rows(chosen))
        try:
            return sp.fit(seen, law=self.whole.law.form.name, replicates=replicates)
        except FitError:
            return sp.fit(seen, law="separable", replicates=replicates)

    def plan(self, found: Fit) -> dict[str, np.ndarray]:
        """Return the best shape at the target within the sizes of the sweep, whatever proportions a log keeps."""
        dimensions = replace(found.dimensions, kept={})
        cost = CostModel(dimensions, found.cost, found.flops_convention)
        sizes = {dim: (self.log.values(dim).min(), self.log.values(dim).max()) for dim in found.dims}
        return dimensions.complete(
            best_shape(found.law.form, found.law.units, found.law.arrays(), self.target, cost, sizes)
        )

    def loss(self, shape: dict[str, np.ndarray]) -> float:
        """Return the loss of a shape at the target under the law of the whole sweep."""
        free = {dim: np.ravel(shape[dim]) for dim in self.whole.dims}
        return float(np.ravel(self.whole.law.loss(**self.whole.variables(free, np.array([self.target]))))[0])

    def outcome(self, chosen: list[int]) -> tuple[float, float]:
        """Return regret and error of what some runs tell."""
        found = self.fit(chosen)
        above = (self.log.flops > self.target / 10) & ~self.rows(chosen)
        errors = np.log(sp.predict(found, self.log.take(above)).predicted / self.truth[above])
        return self.loss(self.plan(found)) / self.loss(self.plan(self.whole)) - 1, float(np.sqrt(np.mean(errors**2)))

    def in_turns(self, chosen: list[int], budget: float) -> list[int]:
        """Return the runs with those that `next_from_pool` adds."""
        while (left := budget - self.cost[chosen].sum()) >= np.delete(self.cost, chosen).min():
            seen = self.log.take(self.rows(chosen))
            options = {"log": seen, "candidates": len(chosen) // 2}
            with suppress(FitError):
                options["fit"] = self.fit(chosen, REPLICATES)
            try:
                found = next_from_pool(self.pool, self.target, budget=min(left, self.cost[chosen].sum()), **options)
            except PlanError:
                found = next_from_pool(self.pool, self.target, budget=left, **options)
            chosen = [*chosen, *(one.row for one in found.chosen)]
        return chosen

    def in_order(self, order: np.ndarray, budget: float) -> list[int]:
        """Return the runs of the start with others in an order, those that still fit in."""
        chosen = list(self.start)
        for row in order.tolist():
            if row not in chosen and self.cost[chosen].sum() + self.cost[row] <= budget:
                chosen.append(row)
        return chosen


WAYS = ("design next", "cheapest", "random")


def one(name: str, seed: int, part: float, planted: bool) -> np.ndarray:
    """Return runs, regret and error by every way at every share, shape (ways, shares, 3)."""
    replay = Replay(name, seed, part, planted=planted)
    orders = (np.argsort(replay.cost, kind="stable"), np.random.default_rng(seed).permutation(len(replay.cost)))
    found = np.empty((len(WAYS), len(SHARES), 3))
    for way in range(len(WAYS)):
        chosen = replay.start
        for i, share in enumerate(SHARES):
            budget = share * float(replay.cost.sum())
            chosen = replay.in_order(orders[way - 1], budget) if way else replay.in_turns(chosen, budget)
            found[way, i] = len(chosen), *replay.outcome(chosen)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--part", type=float, default=0.8, help="of the runs of a sweep that a pool has")
    parser.add_argument("--planted", action="store_true", help="losses of the law of the whole sweep, drawn anew")
    options = parser.parse_args()
    if not SWEEPS.is_dir():
        sys.exit("the public sweeps are not beside the project")
    seeds = range(options.seed, options.seed + options.seeds)
    tasks = [(name, seed, options.part, options.planted) for name in NAMES for seed in seeds]
    found = dict(zip(tasks, in_parallel(one, tasks), strict=True))
    print("| sweep | share of the cost | | runs | regret | error above |")
    print("|---|---|---|---|---|---|")
    for name in NAMES:
        medians = np.median([found[task] for task in tasks if task[0] == name], axis=0)
        for i, share in enumerate(SHARES):
            for way, (runs, regret, error) in zip(WAYS, medians[:, i], strict=True):
                print(f"| {name} | {share:.0%} | {way} | {runs:.0f} | {regret:.3%} | {error:.2%} |")
    print("expected regret of the whole:", *(f"{name} {sweep(name).expected_regret():.3%}" for name in NAMES))


if __name__ == "__main__":
    main()
