"""Whether `design next` beats chance: ``python tests/studies/next_run.py [--campaigns 100] [--noise 0.3%]``.

A campaign starts from a small star (four values an arm, three durations) under a random truth, each law in turn, and
adds five runs, one at a time, fitting after each; together they may cost half of the star. The runs are those that
`next_runs` puts first, or shapes drawn from the same candidates, trained so long that every run costs as much as the
one that `next_runs` had in its place. Told are the regret, under the truth, of the best shape at 100 times the largest
run, how often it is lower with `next_runs` than by chance, and the regret that `next_runs` expected before and after
its runs, on average, beside what it was.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
from worlds import DIMS, SURROUNDINGS, in_parallel, world

from shapeplan.design.candidates import candidates_for
from shapeplan.design.layout import Entry, joined, planned
from shapeplan.design.next_run import next_runs
from shapeplan.design.simulate import simulate
from shapeplan.design.sovit_protocol import paper_architecture
from shapeplan.design.star import design_star
from shapeplan.fitting.fit import fit
from shapeplan.fitting.result import Fit
from shapeplan.laws import Law
from shapeplan.optimum.best_shape import best_shape
from shapeplan.quantities import parse_fraction
from shapeplan.runs import Runs

LAWS = ("additive", "product", "interaction", "separable")
ADDED = 5
BEYOND = 100.0
COST = paper_architecture()
CENTER = {"width": 1248, "depth": 24, "mlp_dim": 3840}
STAR = design_star(CENTER, COST, (32e6, 64e6, 128e6), points=4).runs
WIDE = dict.fromkeys(DIMS, (1e-6, 1e12))


@dataclass(frozen=True)
class Truth:
    """A law, and its best loss at the target."""

    law: Law
    target: float

    def regret(self, found: Fit) -> float:
        """Return what the best shape of a fit loses."""
        constants = {name: np.asarray([value]) for name, value in self.law.constants.items()}
        place = np.asarray(self.target)
        best = best_shape(self.law.form, self.law.units, constants, place, SURROUNDINGS, WIDE)
        mine = found.best_shapes(found.law.arrays(), place)
        here, least = (
            float(self.law.loss(**SURROUNDINGS.variables(self.law.form, shape, place))[0]) for shape in (mine, best)
        )
        return here / least - 1


def one_campaign(seed: int, noise: float) -> dict[str, float]:
    """Return what came of both ways of adding runs; empty if the best shape is outside the trust region."""
    name = LAWS[seed % len(LAWS)]
    true = Truth(world(name, seed), BEYOND * float(STAR.flops.max()))
    first = simulate(true.law, STAR, noise=noise, seed=seed)
    budget = float(STAR.flops.sum()) / 2
    found = fit(first, law=name, replicates=200)
    best = best_shape(true.law.form, true.law.units, true.law.arrays(), np.array([true.target]), SURROUNDINGS, WIDE)
    if not all(low < best[dim][0] < high for dim, (low, high) in found.bounds.items()):
        return {}
    told = {"before": true.regret(found)}
    log, current, spent = first, found, []
    for k in range(ADDED):
        said = next_runs(current, true.target, budget - sum(spent), candidates=ADDED - k)
        if k == 0:
            told |= {"told before": said.regret, "told after": said.suggestions[-1].regret_after}
        one = said.suggestions[0]
        spent.append(one.flops)
        log = grown(true.law, log, Entry(f"{k}", one.shape, one.examples), noise, 1000 * seed + k)
        current = fit(log, law=name, replicates=200)
    told["next"] = true.regret(current)
    log, current, rng = first, found, np.random.default_rng(seed)
    for k in range(ADDED):
        pool = candidates_for(current, spent[k])
        i = int(rng.integers(len(pool)))
        shape = {dim: int(sizes[i]) for dim, sizes in pool.shape.items()}
        examples = spent[k] / pool.flops[i] * pool.examples[i]
        log = grown(true.law, log, Entry(f"{k}", shape, float(examples)), noise, 1000 * seed + k)
        current = fit(log, law=name, replicates=0)
    told["random"] = true.regret(current)
    return told


def grown(true: Law, log: Runs, entry: Entry, noise: float, seed: int) -> Runs:
    """Return the log with a run more, as it came out."""
    added = simulate(true, planned([entry], COST, "forward"), noise=noise, seed=seed)
    return replace(joined([log, added]), loss=np.concatenate([log.observed(), added.observed()]))


def main() -> None:
    """Print a row a law, and one for all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--noise", type=parse_fraction, default=0.003)
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.campaigns)
    done = in_parallel(one_campaign, [(seed, arguments.noise) for seed in seeds])
    rows = [(LAWS[seed % len(LAWS)], row) for seed, row in zip(seeds, done, strict=True) if row]
    print(f"{len(rows)} of {len(seeds)} campaigns inside the trust region; seeds {arguments.seed} ...")
    for name in (*LAWS, "all"):
        mine = [row for law, row in rows if name in (law, "all")]
        if not mine:
            continue
        column = {key: np.array([row[key] for row in mine]) for key in mine[0]}
        medians = "  ".join(f"{key} {np.median(column[key]):.3%}" for key in ("before", "next", "random"))
        means = "  ".join(
            f"{key} {np.mean(column[key]):.2%}" for key in ("told before", "before", "told after", "next")
        )
        print(
            f"{name:12} {len(mine):3}  lower in {np.mean(column['next'] < column['random']):.0%}"
            f"  medians {medians}  means {means}",
            flush=True,
        )


if __name__ == "__main__":
    main()
