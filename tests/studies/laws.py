"""Which law extrapolates best, and whether `auto` takes it: ``python tests/studies/laws.py`` (needs the public sweeps).

Every public sweep is cut at 1/10 and at 1/4 of its largest compute. Every law that the rows below identify is fitted to
them and asked for the rows above; so are the choice of `auto` and a stack of the laws, with weights that are not
negative and sum to one, by least squares on the errors of the backtest, where every fold counts 1 / sqrt(rows).
"""

from __future__ import annotations

import sys

import numpy as np
from coverage import CUTS, OPTIONS, SWEEPS
from scipy.optimize import nnls
from worlds import in_parallel

import shapeplan as sp
from shapeplan.errors import FitError
from shapeplan.fitting.selection.backtest import Backtest, backtest
from shapeplan.fitting.selection.candidate import Candidate, fit_candidates
from shapeplan.fitting.selection.choice import choose
from shapeplan.fitting.selection.identifiability import survey
from shapeplan.runs import Runs
from shapeplan.sweeps.dimensions import hold_two_valued

SUM_TO_ONE = 1e3


def rmse(errors: np.ndarray) -> float:
    """Return the root mean square of errors."""
    return float(np.sqrt(np.mean(errors**2)))


def stacked(tests: list[Backtest], candidates: list[Candidate], top: Runs) -> np.ndarray:
    """Return the errors of a stack of the laws on rows above."""
    cuts = set.intersection(*(set(test.by_cut) for test in tests))
    folds = [[test.by_cut[cut] for test in tests] for cut in sorted(cuts)]
    columns = [
        np.column_stack([np.clip(fold.errors, -1, 1) for fold in row]) / len(row[0].test) ** 0.5 for row in folds
    ]
    errors = np.vstack([*columns, SUM_TO_ONE * np.ones((1, len(tests)))])
    weights, _ = nnls(errors, np.append(np.zeros(len(errors) - 1), SUM_TO_ONE))
    rows = np.arange(len(top))
    own = np.column_stack([one.errors(one.found.best, 0, top, rows) for one in candidates])
    return np.asarray(own @ (weights / weights.sum()))


def one(name: str, cut: int) -> tuple[str, float, float, float] | None:
    """Return a row of the table, and the errors of `auto`, of the best law and of the stack."""
    log = sp.read_runs(SWEEPS / f"{name}.csv", **OPTIONS.get(name, {}))
    below = log.flops <= log.flops.max() / cut
    runs, top = hold_two_valued(log.take(np.flatnonzero(below)).canonical()), log.take(np.flatnonzero(~below))
    try:
        candidates = list(fit_candidates(runs, survey(runs)).values())
    except FitError:
        return None
    rows = np.arange(len(top))
    errors = {one.name: rmse(one.errors(one.found.best, 0, top, rows)) for one in candidates}
    auto = choose(candidates, runs).chosen.name
    tests = [test for one in candidates if (test := backtest(one, runs)).folds]
    with_folds = [test.candidate for test in tests]
    stack = rmse(stacked(tests, with_folds, top)) if tests else errors[auto]
    told = ", ".join(f"{law} {error:.2%}" for law, error in sorted(errors.items(), key=lambda item: item[1]))
    line = f"| {name} | 1/{cut} | {len(runs)} | {len(top)} | {auto} {errors[auto]:.2%} | {stack:.2%} | {told} |"
    return line, errors[auto], min(errors.values()), stack


def main() -> None:
    """Print the table."""
    if not SWEEPS.is_dir():
        sys.exit("the public sweeps are not beside the project")
    print("| sweep | cut | rows below | above | auto | stack | every law, the best first |")
    print("|---|---|---|---|---|---|---|")
    found = in_parallel(one, [(path.stem, cut) for path in sorted(SWEEPS.glob("*.csv")) for cut in CUTS])
    rows = [row for row in found if row is not None]
    print("\n".join(row[0] for row in rows))
    auto, best, stack = (np.array([row[i] for row in rows]) for i in (1, 2, 3))
    means = [float(np.exp(np.log(errors).mean())) for errors in (auto, stack, best)]
    print(f"\ngeometric means: auto {means[0]:.2%}, stack {means[1]:.2%}, best in hindsight {means[2]:.2%};", end=" ")
    print(f"auto is within 10% of the best on {np.mean(auto <= 1.1 * best):.0%} of {len(rows)}")


if __name__ == "__main__":
    main()
