"""Whether the search is global: ``python tests/studies/global_search.py [--sweeps 50]``.

On every sweep the search is compared with the best of 100 descents from random exponents; it is beaten if one ends more
than 1e-8 below, relative. Truths are random (`worlds`); noise is 0, 0.3% and 1% in turn.
"""

from __future__ import annotations

import argparse

import numpy as np
from worlds import in_parallel, sweep, world

from shapeplan.fitting.selection.candidate import fit_candidate
from shapeplan.fitting.selection.identifiability import survey
from shapeplan.fitting.solver import OBJECTIVES, descend

LAWS = ("star", "additive", "product", "interaction", "separable", "chinchilla", "outer-power", "kaplan")
NOISES = (0.0, 0.003, 0.01)
TOLERANCE = 1e-8
EXACT = 1e-20
"""Sums of squares of a noise-free fit below this are zero up to rounding."""


def one_sweep(law: str, objective: str, seed: int, starts: int) -> float:
    """Return how far the search is above the best random start, relative."""
    truth = world("additive" if law == "star" else law, seed)
    runs = sweep(truth, "star+grid", NOISES[seed % len(NOISES)], seed)
    contents = survey(runs)
    found = fit_candidate(law, runs, contents.dimensions, contents.star, OBJECTIVES[objective])
    lower, upper = found.problem.bounds
    points = np.exp(np.random.default_rng(seed).uniform(np.log(lower), np.log(upper), (starts, len(lower))))
    others = descend(found.problem.blocks, points, lower, upper, objective=OBJECTIVES[objective])
    here, best = float(found.found.best.objective[0]), float(others.objective.min())
    return max(here - EXACT, 0.0) / best - 1 if best > EXACT else 0.0


def main() -> None:
    """Print a row a law and objective."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=50)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for objective in OBJECTIVES:
        for law in LAWS:
            seeds = range(arguments.seed, arguments.seed + arguments.sweeps)
            excess = np.array(in_parallel(one_sweep, [(law, objective, seed, arguments.starts) for seed in seeds]))
            beaten = int((excess > TOLERANCE).sum())
            print(f"{objective:9} {law:11} beaten in {beaten} of {len(excess)}, worst {excess.max():+.1e}", flush=True)


if __name__ == "__main__":
    main()
