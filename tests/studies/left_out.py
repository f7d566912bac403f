"""Whether fits without a run are as low as when all look for lower optima: ``python tests/studies/left_out.py``.

In both sample logs the loss of one run after the other is made wrong, and every run left out in turn, as
`shapeplan.fitting.diagnostics.influence` does: it looks for lower optima in a sample of these fits, and in all only
where that often finds one. The fit that matters is the one without the wrong run.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from refits import LAWS, SAMPLES
from worlds import in_parallel

from shapeplan.fitting.selection.candidate import fit_candidate
from shapeplan.fitting.selection.identifiability import survey
from shapeplan.fitting.solver import RELATIVE
from shapeplan.readers.read import read_runs

FACTORS = (1.5, 1.1, 0.8, 1.03)
TOLERANCE = 1e-6


def above(sample: str, law: str, factor: float, seed: int) -> tuple[int, int, float, bool]:
    """Return how many fits there are and end above, the largest excess, and if that without the wrong run does."""
    config = SAMPLES / "stdlib_lm" / "config.yaml" if sample.startswith("stdlib") else None
    runs = read_runs(SAMPLES / sample, config=config).canonical()
    wrong = np.random.default_rng(seed).choice(np.unique(runs.run))
    runs = replace(runs, loss=np.where(runs.run == wrong, factor, 1.0) * runs.loss)
    contents = survey(runs)
    candidate = fit_candidate(law, runs, contents.dimensions, contents.star, RELATIVE)
    names = np.unique(runs.run[candidate.problem.all_rows])
    keep = runs.run[None, :] != names[:, None]
    some, everyone = (candidate.without(keep, by_chance=by_chance).objective for by_chance in (True, False))
    excess = some / everyone - 1
    return (
        len(names),
        int((excess > TOLERANCE).sum()),
        float(excess.max()),
        bool((excess[names == wrong] > TOLERANCE).any()),
    )


def main() -> None:
    """Print a row a sample and law."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=12, help="logs with a wrong run, of every sample and law")
    given = parser.parse_args()
    for sample in ("vit_sweep.csv", "stdlib_lm/runs.csv"):
        for law in LAWS:
            jobs = [(sample, law, FACTORS[seed % len(FACTORS)], seed) for seed in range(given.logs)]
            fits, higher, excess, missed = zip(*in_parallel(above, jobs), strict=True)
            told = f"{sum(higher)} of {sum(fits)} fits end above, by {max(excess):.0e} at most"
            print(f"{sample:18} {law:11} {told}; without the wrong run {sum(missed)} of {given.logs}", flush=True)


if __name__ == "__main__":
    main()
