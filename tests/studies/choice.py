"""Whether `auto` finds the law behind a sweep: ``python tests/studies/choice.py [--sweeps 50]``.

Truths are random (`worlds`), one a sweep, on the paper's star and grid. `auto` is right if it takes the true law, or
one whose error on held-out rows is within 10% of the true law's: both are fitted to the sweep and asked for the
noise-free loss of its shapes at three and ten times their compute.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from worlds import DIMS, SURROUNDINGS, in_parallel, sweep, world

from shapeplan.fitting.fit import fit

LAWS = ("additive", "product", "interaction", "separable", "chinchilla", "outer-power")
TOLERANCE = 1.1


def one_sweep(truth: str, noise: float, seed: int) -> tuple[str, float, float]:
    """Return the law of choice, its error on held-out rows over that of the true law, and the same of the rollout."""
    true = world(truth, seed)
    runs = sweep(true, "star+grid", noise, seed)
    chosen = fit(runs, replicates=0)
    own = fit(runs, law=truth, replicates=0)
    shape = {dim: np.tile(runs.values(dim), 2) for dim in DIMS}
    flops = np.concatenate([3 * runs.flops, 10 * runs.flops])
    target = true.loss(**SURROUNDINGS.variables(true.form, shape, flops))
    errors = [np.sqrt(np.mean((one.law.loss(**shape, flops=flops) / target - 1) ** 2)) for one in (chosen, own)]
    rollout = {score.law: score.rollout_rmse for score in chosen.selection}
    by_rollout = (rollout[chosen.law.form.name] or np.inf) / (rollout.get(truth) or np.inf)
    return chosen.law.form.name, float(errors[0] / errors[1]), float(by_rollout)


def main() -> None:
    """Print a row a law and noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(
        f"{arguments.sweeps} sweeps a row; seeds {arguments.seed} ...; % right by held-out rows (by the rollout itself)"
    )
    for truth in LAWS:
        for noise in (0.003, 0.01):
            seeds = range(arguments.seed, arguments.seed + arguments.sweeps)
            found = in_parallel(one_sweep, [(truth, noise, seed) for seed in seeds])
            right = np.mean([law == truth or error <= TOLERANCE for law, error, _ in found])
            scored = np.mean([law == truth or error <= TOLERANCE for law, _, error in found])
            chosen = ", ".join(f"{law} {count}" for law, count in Counter(law for law, *_ in found).most_common())
            print(f"{truth:11} {noise:.1%}  {right:4.0%} ({scored:4.0%})  chosen: {chosen}", flush=True)


if __name__ == "__main__":
    main()
