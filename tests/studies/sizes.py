"""How often intervals of a size hold the best size of the whole log: ``python tests/studies/sizes.py``.

Every public sweep is cut at 1/10 and at 1/4 of its largest compute. The best shape at the largest compute, by the fit
to the rows below, is compared with that of the fit to all rows: the truth is not known, but these know more of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from coverage import CUTS, OPTIONS, SWEEPS
from worlds import in_parallel

import shapeplan as sp
from shapeplan.errors import FitError, PlanError


def one(path: Path) -> list[tuple[str, bool, bool]]:
    """Return a row a cut and dimension: the table's, and whether the intervals of law and run hold the size."""
    log = sp.read_runs(path, **OPTIONS.get(path.stem, {}))
    flops = float(log.flops.max())
    whole = sp.fit(log, replicates=0)
    rows = []
    for cut in CUTS if whole.law.form.dims else ():
        try:
            found = sp.fit(log.take(np.flatnonzero(log.flops <= flops / cut)), replicates=400)
            target = sp.recommend(whole, flops, method="optimum", force=True).budgets[0].shape
            law, run = (
                sp.recommend(found, flops, method="optimum", force=True, interval=interval).budgets[0]
                for interval in ("law", "run")
            )
        except (FitError, PlanError):
            continue
        for dim in found.dims:
            held = []
            for ci in (law.ci[dim], run.ci[dim]):
                assert ci is not None
                held.append(ci[0] <= target[dim] <= ci[1])
            told = " | ".join("{:.4g} to {:.4g}".format(*(plan.ci[dim] or (0, 0))) for plan in (law, run))
            line = f"| {path.stem} | 1/{cut} | {dim} | {target[dim]:.4g} | {run.shape[dim]:.4g} | {told} |"
            rows.append((line, held[0], held[1]))
    return rows


def main() -> None:
    """Print the table."""
    if not SWEEPS.is_dir():
        sys.exit("the public sweeps are not beside the project")
    print("| sweep | cut | dimension | whole log | rows below | law | run |")
    print("|---|---|---|---|---|---|---|")
    rows = [row for found in in_parallel(one, [(path,) for path in sorted(SWEEPS.glob("*.csv"))]) for row in found]
    print("\n".join(row[0] for row in rows))
    law, run = (np.mean([row[i] for row in rows]) for i in (1, 2))
    print(f"\nheld: by the interval of the law {law:.0%}, by that of a run {run:.0%} of {len(rows)}")


if __name__ == "__main__":
    main()
