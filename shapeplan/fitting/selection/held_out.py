"""Errors on rows that a law did not see: the top decade of compute, and every shape."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shapeplan.fitting.checkpoints import whole_stretches
from shapeplan.fitting.records import HeldOutError
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.numerics.arrays import Bools
from shapeplan.runs import Runs

NO_ERRORS = "a fit without them does not converge, or gives some of them no finite loss"
SHAPE_GROUPS = 40
"""Shapes beyond this number are left out several at a time."""


def predict_top_decade(candidate: Candidate, runs: Runs) -> tuple[HeldOutError | None, str | None]:
    """Return how the law does on the top decade of compute, fitted below it, or why that is not known."""
    decade = runs.flops >= runs.flops.max() / 10
    below = whole_stretches(runs, ~decade)
    if not below.any():
        return None, "no row is below a tenth of the largest compute"
    if reason := candidate.lacking(runs, below):
        return None, f"below a tenth of the largest compute: {reason}"
    errors = candidate.unseen(candidate.without(below[None]), 0, runs, np.flatnonzero(decade))
    return (HeldOutError.of_errors(errors), None) if np.isfinite(errors).all() else (None, NO_ERRORS)


def predict_unseen_shapes(
    candidate: Candidate, runs: Runs, dims: Sequence[str]
) -> tuple[HeldOutError | None, str | None]:
    """Leave one shape out after the other and predict its rows, or say why that cannot be.

    Many shapes are left out in at most `SHAPE_GROUPS` groups, every shape in one.
    """
    sizes = [runs.values(dim) for dim in dims] or [runs.variables()["params"]]
    _, shape = np.unique(np.column_stack(sizes), axis=0, return_inverse=True)
    group = shape.ravel() % SHAPE_GROUPS
    names = np.unique(group)
    keep = group[None, :] != names[:, None]
    missing = (f"without {_named(runs, ~mine)}: {why}" for mine in keep if (why := candidate.lacking(runs, mine)))
    if reason := next(missing, None):
        return None, reason
    solution = candidate.without(keep)
    errors = [candidate.unseen(solution, i, runs, np.flatnonzero(~mine)) for i, mine in enumerate(keep)]
    everything = np.concatenate(errors)
    return (HeldOutError.of_errors(everything), None) if np.isfinite(everything).all() else (None, NO_ERRORS)


def _named(runs: Runs, rows: Bools) -> str:
    """Return the first run among some rows, for a message."""
    return f"the shape of {runs.run_names[runs.run[np.argmax(rows)]]}"
