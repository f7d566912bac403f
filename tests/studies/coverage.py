"""How often intervals hold the losses of real runs: ``python tests/studies/coverage.py`` (needs the public sweeps).

Every public sweep is cut at 1/10 and at 1/4 of its largest compute; what is below is fitted with the default options,
and every row above is predicted. Nothing is tuned to a single sweep: the numbers from them are the prior drift of
`shapeplan.fitting.uncertainty.run_error` and its factor.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import shapeplan as sp
from shapeplan.errors import FitError

SWEEPS = Path(__file__).parents[3] / "shared" / "data" / "sweeps"
OPTIONS = {"routing_moe": {"dims": ("width", "depth", "num_experts")}}
CUTS = (10, 4)


def one(name: str, cut: int) -> tuple[str, np.ndarray, np.ndarray, float, float]:
    """Return a row of the table, which rows the intervals of run and law hold, half width and error (medians)."""
    log = sp.read_runs(SWEEPS / f"{name}.csv", **OPTIONS.get(name, {}))
    below = log.flops <= log.flops.max() / cut
    found = sp.fit(log.take(np.flatnonzero(below)))
    rows = log.take(np.flatnonzero(~below))
    told = sp.predict(found, rows)
    assert told.lower is not None
    assert told.upper is not None
    assert told.law_lower is not None
    assert told.law_upper is not None
    observed, error = rows.observed(), found.uncertainty.run_error
    assert error is not None
    of_run = (told.lower <= observed) & (observed <= told.upper)
    of_law = (told.law_lower <= observed) & (observed <= told.law_upper)
    width = float(np.median(np.log(told.upper / told.lower) / 2))
    off = float(np.median(np.abs(np.log(told.predicted / observed))))
    line = (
        f"| {name} | 1/{cut} | {len(rows)} | {found.law.form.name} | {of_law.mean():.0%} | {of_run.mean():.0%} | "
        f"{width:.1%} | {off:.1%} | {error.drift:.1%} ({error.source}) |"
    )
    return line, of_run, of_law, width, off


def main() -> None:
    """Print the table."""
    if not SWEEPS.is_dir():
        sys.exit("the public sweeps are not beside the project")
    print("| sweep | cut | rows | law | law holds | run holds | half width | error | drift |")
    print("|---|---|---|---|---|---|---|---|---|")
    found = []
    for path in sorted(SWEEPS.glob("*.csv")):
        for cut in CUTS:
            try:
                found.append(one(path.stem, cut))
            except FitError as error:
                print(f"| {path.stem} | 1/{cut} | refused: {error.details[0].message} |")
                continue
            print(found[-1][0], flush=True)
    run, law = (np.concatenate([row[i] for row in found]).mean() for i in (1, 2))
    widths, errors = (np.array([row[i] for row in found]) for i in (3, 4))
    print(f"\npooled over rows: run {run:.1%}, law {law:.1%}; median half width {np.median(widths):.1%},", end=" ")
    print(f"{np.median(widths / errors):.1f} times the error made")


if __name__ == "__main__":
    main()
