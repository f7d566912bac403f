"""Whether refits are global: ``python tests/studies/refits.py [--replicates 40]``.

Replicates of both sample runs are refitted as the bootstrap does, and compared with a global search of each and with
descents from random exponents: one is beaten if any of these ends more than 1e-8 below, relative.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from worlds import in_parallel

from shapeplan.fitting.selection.candidate import fit_candidate
from shapeplan.fitting.selection.identifiability import survey
from shapeplan.fitting.solver import OBJECTIVES, descend, refit, search
from shapeplan.readers.read import read_runs

SAMPLES = Path(__file__).parents[2] / "sample_runs"
LAWS = ("star", "additive", "product", "interaction", "separable", "chinchilla", "outer-power")
TOLERANCE = 1e-8
STARTS = 40


def beaten(sample: str, law: str, objective: str, replicates: int, seed: int) -> tuple[int, int, float]:
    """Return how many refits are beaten, how many did not converge, and the largest excess, relative."""
    config = SAMPLES / "stdlib_lm" / "config.yaml" if sample.startswith("stdlib") else None
    runs = read_runs(SAMPLES / sample, config=config).canonical()
    contents = survey(runs)
    found = fit_candidate(law, runs, contents.dimensions, contents.star, OBJECTIVES[objective])
    problem, (lower, upper) = found.problem, found.problem.bounds
    residual_model, rng = found.residual_model(runs), np.random.default_rng(seed)
    predicted = problem.predicted_points(found.found.best)
    observed = predicted * np.exp(residual_model.widening(0.9) * residual_model.draw(rng, replicates))
    blocks = problem.observing(observed)
    again = refit(blocks, found.found.optima, lower, upper, problem.objective)
    least = again.objective.copy()
    for i in range(replicates):
        alone = [replace(block, observed=block.observed[i]) for block in blocks]
        starts = np.exp(rng.uniform(np.log(lower), np.log(upper), (STARTS, len(lower))))
        ends = descend(alone, starts, lower, upper, objective=problem.objective).objective.min()
        least[i] = min(least[i], ends, search(alone, lower, upper, problem.objective).best.objective[0])
    excess = again.objective / least - 1
    return int((excess > TOLERANCE).sum()), int((~again.converged).sum()), float(excess.max())


def main() -> None:
    """Print a row a sample, objective and law."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    cases = [
        (sample, law, objective)
        for sample in ("vit_sweep.csv", "stdlib_lm/runs.csv")
        for objective in OBJECTIVES
        for law in LAWS
    ]
    found = in_parallel(beaten, [(*case, given.replicates, given.seed) for case in cases])
    for (sample, law, objective), (count, unconverged, worst) in zip(cases, found, strict=True):
        told = f"beaten {count} of {given.replicates}, worst {worst:.0e}, not converged {unconverged}"
        print(f"{sample:18} {objective:9} {law:11} {told}", flush=True)


if __name__ == "__main__":
    main()
