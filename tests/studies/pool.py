"""Whether `design next --pool` beats the cheapest runs and chance: ``python tests/studies/pool.py [--seeds 20]``.

Three public sweeps are replayed as pools, at what their runs cost; a run that is chosen shows all its rows. All ways
start from the same `START` runs, those that `next_from_pool` takes without a law. It then chooses in turns, each of
half as many runs as there are and of no more compute than was spent, with a new fit (60 replicates) before each; the
others take the cheapest first, or runs at random that still fit in. After 10% and 30% of the compute of the pool every
fit is by the law that `auto` takes for the whole sweep, or by `separable` where the rows do not identify that.

The target is the largest compute of the sweep, and plans stay within its sizes: beyond, the whole sweep does not know
the truth. Told are the regret of the plan under the law of the whole sweep, and the error (root mean square of the
logarithm) on rows above a tenth of the largest compute whose runs were not chosen; of chance, medians.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import cached_property

import numpy as np
from coverage import OPTIONS, SWEEPS
from worlds import in_parallel

import shapeplan as sp
from shapeplan.design.pool import next_from_pool
from shapeplan.errors import FitError, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.optimum.best_shape import best_shape
from shapeplan.optimum.cost_model import CostModel

NAMES = ("morph", "isoflop_rw", "routing_moe")
SHARES = (0.1, 0.3)
START, REPLICATES = 8, 60


class Replay:
    """A sweep whose runs are trained again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.log = sp.read_runs(SWEEPS / f"{name}.csv", **OPTIONS.get(name, {}))
        self.pool = self.log.take(np.sort(self.log.last_rows()))
        self.cost, self.target = self.pool.flops, float(self.log.flops.max())
        self.start = [one.row for one in next_from_pool(self.pool, self.target, candidates=START).chosen]

    @cached_property
    def whole(self) -> Fit:
        """The fit to all rows, which is taken for the truth."""
        return sp.fit(self.log, replicates=0)

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
        above = self.log.take((self.log.flops > self.target / 10) & ~self.rows(chosen))
        errors = np.log(sp.predict(found, above).predicted / above.observed())
        return self.loss(self.plan(found)) / self.loss(self.plan(self.whole)) - 1, float(np.sqrt(np.mean(errors**2)))

    def in_turns(self, chosen: list[int], budget: float) -> list[int]:
        """Return the runs with those that `next_from_pool` adds."""
        while (left := budget - self.cost[chosen].sum()) >= np.delete(self.cost, chosen).min():
            seen = self.log.take(self.rows(chosen))
            options = {"fit": self.fit(chosen, REPLICATES), "log": seen, "candidates": len(chosen) // 2}
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


def one(name: str, seed: int) -> list[tuple[int, float, float]]:
    """Return runs, regret and error at every share: of chance with a seed, -1 the cheapest first, -2 in turns."""
    replay, found = Replay(name), []
    chosen = replay.start
    for share in SHARES:
        budget = share * float(replay.cost.sum())
        if seed == -2:
            chosen = replay.in_turns(chosen, budget)
        else:
            order = np.argsort(replay.cost, kind="stable") if seed < 0 else np.random.default_rng(seed).permutation
            chosen = replay.in_order(order(len(replay.cost)) if callable(order) else order, budget)
        found.append((len(chosen), *replay.outcome(chosen)))
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = [-2, -1, *range(parser.parse_args().seeds)]
    if not SWEEPS.is_dir():
        sys.exit("the public sweeps are not beside the project")
    tasks = [(name, seed) for name in NAMES for seed in seeds]
    found = dict(zip(tasks, in_parallel(one, tasks), strict=True))
    print("| sweep | share of the cost | | runs | regret | error above |")
    print("|---|---|---|---|---|---|")
    for name in NAMES:
        for i, share in enumerate(SHARES):
            chance = np.median([found[name, seed][i] for seed in seeds[2:]], axis=0)
            for way, row in (("design next", found[name, -2][i]), ("cheapest", found[name, -1][i]), ("random", chance)):
                print(f"| {name} | {share:.0%} | {way} | {row[0]:.0f} | {row[1]:.3%} | {row[2]:.2%} |")


if __name__ == "__main__":
    main()
