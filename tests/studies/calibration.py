"""How often nominal 90% intervals hold the truth: ``python tests/studies/calibration.py [--sweeps 200]``.

Truths are random (`worlds`), one a sweep; the law that generated the sweep is fitted. A star alone is fitted with
Eq. 2, whose slices the laws `additive` and `product` both have. Watched: s_k, and at ten times the largest compute the
best shape, its loss, and the loss of a run of it.
"""

from __future__ import annotations

import argparse

import numpy as np
from worlds import DIMS, SURROUNDINGS, in_parallel, sweep, world

from shapeplan.fitting.fit import fit
from shapeplan.optimum.best_shape import best_shape

CASES = (
    ("star", "additive", "star"),
    ("star", "product", "star"),
    ("star+grid", "additive", "additive"),
    ("star+grid", "product", "product"),
    ("star+grid", "interaction", "interaction"),
    ("star+grid", "separable", "separable"),
    ("star+grid", "outer-power", "outer-power"),
    ("star of runs", "additive", "star"),
    ("star of runs+grid", "product", "product"),
    ("star of runs+grid", "separable", "separable"),
)
BEYOND = 10.0
WIDE = dict.fromkeys(DIMS, (1e-6, 1e12))


def one_sweep(design: str, truth: str, law: str, noise: float, seed: int, replicates: int) -> dict[str, bool]:
    """Return which intervals of one sweep hold the truth."""
    true = world(truth, seed)
    found = fit(sweep(true, design, noise, seed), law=law, replicates=replicates, seed=seed)
    constants = {name: np.asarray([value]) for name, value in true.constants.items()}
    flops = BEYOND * found.flops_range[1]
    held = {}
    for dim, s in true.form.scaling_exponents(constants).items():
        interval = found.scaling_exponents[dim].ci
        held[f"s {dim}"] = interval is not None and interval[0] <= s[0] <= interval[1]
    if (design, truth) == ("star", "product"):
        # Eq. 2 with the other dimensions at the centre says nothing of the joint optimum.
        return held
    best = {
        dim: float(x[0]) for dim, x in best_shape(true.form, true.units, constants, flops, SURROUNDINGS, WIDE).items()
    }
    for dim, estimate in found.optimum(flops).items():
        held[f"best {dim}"] = estimate.ci is not None and estimate.ci[0] <= best[dim] <= estimate.ci[1]
    loss = float(true.loss(**SURROUNDINGS.variables(true.form, best, np.asarray(flops))))
    low, high = found.loss_interval(**found.variables(best, flops))
    held["loss"] = bool(low[0] <= loss <= high[0])
    predicted = found.law.loss(**found.variables(best, flops))
    distance = found.distance(np.atleast_1d(flops))
    of_run = found.run_interval(np.atleast_1d(predicted), distance, (low, high))
    assert of_run is not None
    observed = loss * np.exp(noise * np.random.default_rng((seed, 2)).standard_normal())
    held["run"] = bool(of_run[0][0] <= observed <= of_run[1][0])
    return held


def main() -> None:
    """Print a row a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", type=int, default=200)
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", action="store_true", help="only the sweeps in which points of a run share noise")
    arguments = parser.parse_args()
    print(
        f"{arguments.sweeps} sweeps a row; seeds {arguments.seed} ...; % of nominal 90% intervals that hold the truth"
    )
    cases = [case for case in CASES if "of runs" in case[0]] if arguments.runs else CASES
    for design, truth, law in cases:
        for noise in (0.003, 0.01):
            seeds = range(arguments.seed, arguments.seed + arguments.sweeps)
            jobs = [(design, truth, law, noise, seed, arguments.replicates) for seed in seeds]
            rows = in_parallel(one_sweep, jobs)
            means = {name: 100 * np.mean([row[name] for row in rows]) for name in rows[0]}
            said = "  ".join(f"{name} {mean:.0f}" for name, mean in means.items())
            print(f"{design:17} {truth:11} fitted {law:11} {noise:.1%}  {said}", flush=True)


if __name__ == "__main__":
    main()
