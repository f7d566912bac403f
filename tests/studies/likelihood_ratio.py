"""Coverage of likelihood-ratio intervals of s_k: ``python tests/studies/likelihood_ratio.py [--sweeps 60]``.

The bootstrap's intervals of s_k cover more than they claim where 1% of noise meets the slices of the law `product`
(calibration.py). Is that the bootstrap, or the question? Here the textbook interval answers: s_k is in it if Eq. 2 with
s_k held at its true value, c = s_k (a_k + b_k), fits no worse than the F test allows. It needs no draws, and no end of
an interval has to be found: the constrained fit at the truth decides.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.special import fdtri
from worlds import DIMS, in_parallel, sweep, world

from shapeplan.fitting.candidate import Candidate, fit_candidate
from shapeplan.fitting.engine import Block, polish
from shapeplan.fitting.identify import survey

LEVEL = 0.9
STARTS = 20


def one_sweep(truth: str, noise: float, seed: int) -> list[float]:
    """Return, for every s_k, the F statistic of its true value over what the test allows."""
    true = world(truth, seed)
    runs = sweep(true, "star", noise, seed)
    contents = survey(runs)
    found = fit_candidate("star", runs, contents.dimensions, contents.star)
    problem, least = found.problem, float(found.found.best.objective[0])
    freedom = sum(block.rows for block in problem.blocks) - problem.tangent(found.found.best).shape[1]
    constants = {name: np.asarray([value]) for name, value in true.constants.items()}
    exponents = {dim: float(s[0]) for dim, s in true.form.scaling_exponents(constants).items()}
    allowed = float(fdtri(1, freedom, LEVEL))
    return [(held(found, dim, exponents[dim], seed) / least - 1) * freedom / allowed for dim in DIMS]


def held(found: Candidate, dim: str, s: float, seed: int) -> float:
    """Return the least objective of Eq. 2 with s_k held: c gives way to ``s (a_k + b_k)`` in every column."""
    problem = found.problem
    names, (lower, upper) = problem.form.exponents, problem.bounds
    a, b, c = (names.index(name) for name in (f"a_{dim}", f"b_{dim}", "c"))
    blocks = []
    for block in problem.blocks:
        columns = block.log_columns.copy()
        columns[:, :, [a, b]] += s * columns[:, :, [c]]
        columns[:, :, c] = 0.0
        blocks.append(Block(columns, block.observed, block.weights))
    rng = np.random.default_rng(seed)
    random = np.exp(rng.uniform(np.log(lower), np.log(upper), (STARTS, len(lower))))
    starts = np.concatenate([found.found.optima[:12], random])
    fitting = np.clip(starts[:, c], 0.2, 0.8) / (s * (starts[:, a] + starts[:, b]))
    starts[:, [a, b]] *= fitting[:, None]
    return float(polish(blocks, np.clip(starts, lower, upper), lower, upper).objective.min())


def main() -> None:
    """Print a row a truth and noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"{arguments.sweeps} sweeps a row; % of nominal 90% likelihood-ratio intervals that hold the true s_k")
    for truth in ("additive", "product"):
        for noise in (0.003, 0.01):
            seeds = range(arguments.seed, arguments.seed + arguments.sweeps)
            ratios = np.array(in_parallel(one_sweep, [(truth, noise, seed) for seed in seeds]))
            said = "  ".join(f"s {dim} {100 * np.mean(ratios[:, k] <= 1):.0f}" for k, dim in enumerate(DIMS))
            print(f"star {truth:9} {noise:.1%}  {said}", flush=True)


if __name__ == "__main__":
    main()
