"""What a plan loses to the truth: ``python tests/studies/regret.py [--sweeps 50]``.

Truths are random (`worlds`), one a sweep, on the paper's star and grid at 0.3% noise; the budget is 1000 times the
largest run. The recommended (rounded) shape is compared with the best shape under the truth, for the law that made the
sweep and for `auto`; so are the paper's recipe with weights 1/D and with the implied weights. Truths whose best shape
lies outside the trust region are left out.
"""

from __future__ import annotations

import argparse

import numpy as np
from worlds import DIMS, SURROUNDINGS, in_parallel, sweep, world

from shapeplan.errors import PlanError
from shapeplan.fitting.fit import fit
from shapeplan.laws import Law
from shapeplan.optimum.best_shape import best_shape
from shapeplan.planning.recommend import recommend

LAWS = ("additive", "product", "interaction", "separable")
NOISE = 0.003
BEYOND = 1000.0
WIDE = dict.fromkeys(DIMS, (1e-6, 1e12))


def one_sweep(truth: str, seed: int) -> dict[str, float]:
    """Return the regret of every plan, relative; empty if the truth's best shape is outside the trust region."""
    true = world(truth, seed)
    runs = sweep(true, "star+grid", NOISE, seed)
    own = fit(runs, law=truth, replicates=0)
    flops = BEYOND * float(runs.flops.max())
    constants = {name: np.asarray([value]) for name, value in true.constants.items()}
    best = best_shape(true.form, true.units, constants, np.asarray(flops), SURROUNDINGS, WIDE)
    if not all(low < best[dim][0] < high for dim, (low, high) in own.bounds.items()):
        return {}
    least = _loss(true, {dim: float(value[0]) for dim, value in best.items()}, flops)
    regrets = {}
    for name, found in (("own law", own), ("auto", fit(runs, replicates=0))):
        budget = recommend(found, flops, force=True).budgets[0]
        regrets[name] = _loss(true, budget.rounded, flops) / least - 1
        if name == "own law":
            regrets["rounding"] = budget.regret_of_rounding or 0.0
    star = fit(runs, law="star", replicates=0)
    for weights in ("equal", "implied"):
        try:
            budget = recommend(star, flops, weights=weights, force=True).budgets[0]
            regrets[weights] = _loss(true, budget.rounded, flops) / least - 1
        except PlanError:
            regrets[weights] = np.inf
    return regrets


def _loss(true: Law, shape: dict[str, float], flops: float) -> float:
    place = {dim: np.asarray(float(shape[dim])) for dim in DIMS}
    return float(true.loss(**SURROUNDINGS.variables(true.form, place, np.asarray(flops))))


def main() -> None:
    """Print a row a law."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"{arguments.sweeps} sweeps a row, seeds {arguments.seed} ...; median and 90th percentile of the regret")
    for truth in LAWS:
        seeds = range(arguments.seed, arguments.seed + arguments.sweeps)
        rows = [row for row in in_parallel(one_sweep, [(truth, seed) for seed in seeds]) if row]
        said = [
            f"{name} {np.median(values):.2%} / {np.quantile(values, 0.9):.2%}"
            for name in rows[0]
            for values in [[row[name] for row in rows]]
        ]
        print(f"{truth:11} {len(rows)} inside  {'   '.join(said)}", flush=True)


if __name__ == "__main__":
    main()
