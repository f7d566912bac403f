"""Whether `design power` predicts what then happens: ``python tests/studies/power.py [--fresh 40]``.

The paper's star, alone and with its grid, is rehearsed under the law behind sample_runs as users do by default. Then
fresh sweeps, of other seeds, are simulated, fitted with `auto` and 1000 replicates, and planned from. Told are widths
of intervals, upper end over lower, as predicted and as found, medians; and the ratio of their logarithms.
"""

from __future__ import annotations

import argparse
import os

import numpy as np
from worlds import STAR_ROWS, in_parallel

from shapeplan.design.power import DEFAULT_SWEEPS, power
from shapeplan.design.simulate import simulate
from shapeplan.design.sovit_protocol import paper_design, rehearsal_law
from shapeplan.fitting.fit import fit
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend
from shapeplan.runs import Runs

TARGET = 1e21
FIRST_SEED = 10_000


def prior() -> Fit:
    """Return the truth as a fit."""
    return fit(simulate(rehearsal_law(), paper_design()), law="separable", replicates=0)


def design(name: str) -> Runs:
    """Return the paper's star, or its star and grid."""
    runs = paper_design()
    return runs if name == "star+grid" else runs.take(np.arange(len(runs)) < STAR_ROWS)


def one_sweep(name: str, noise: float, seed: int) -> dict[str, float]:
    """Return the widths of one fresh sweep."""
    found = fit(simulate(prior().law, design(name), noise=noise, seed=seed), seed=seed)
    widths = {f"s {dim}": s.ci for dim, s in found.scaling_exponents.items()}
    widths |= dict(recommend(found, TARGET, force=True).budgets[0].ci.items())
    return {what: ci[1] / ci[0] for what, ci in widths.items() if ci and ci[0] > 0}


def main() -> None:
    """Print a row a design and noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", type=int, default=40)
    arguments = parser.parse_args()
    for name in ("star", "star+grid"):
        for noise in (0.003, 0.01):
            stage = power(design(name), prior(), TARGET, noise=noise, shares=(1,), jobs=os.cpu_count() or 1).stages[-1]
            told = {f"s {dim}": spread.median for dim, spread in stage.exponents.items()}
            told |= {dim: spread.median for dim, spread in stage.sizes.items()}
            seeds = range(FIRST_SEED, FIRST_SEED + arguments.fresh)
            rows = in_parallel(one_sweep, [(name, noise, seed) for seed in seeds])
            said = []
            for what, width in told.items():
                seen = float(np.median([row[what] for row in rows if what in row]))
                said.append(f"{what} {width:.3g}/{seen:.3g} ({np.log(width) / np.log(seen):.2f})")
            print(
                f"{name:9} {noise:.1%}, {DEFAULT_SWEEPS} rehearsed, {len(rows)} fresh:  {'  '.join(said)}", flush=True
            )


if __name__ == "__main__":
    main()
