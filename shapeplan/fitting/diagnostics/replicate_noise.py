"""The scatter that no law could explain: of replicates, or of neighbouring points of one run."""

from __future__ import annotations

import numpy as np

from shapeplan.fitting.records import Noise
from shapeplan.numerics.arrays import robust_sigma
from shapeplan.runs import Runs

FEWEST = 5
"""Replicates beyond the first, or inner points of runs, below which nothing is said."""
_SAME_COMPUTE = 1e-3


def measure_noise(runs: Runs) -> Noise | None:
    """Return the noise that the log shows by itself; None where it shows none."""
    return _replicates(runs) or _checkpoints(runs)


def _replicates(runs: Runs) -> Noise | None:
    """Return the scatter of rows of other runs with the same shape and compute."""
    logs = np.log(runs.observed())
    step = np.round(np.log(runs.flops) / _SAME_COMPUTE)
    # Replicates are the same in everything, also in what is no variable of a law.
    known = [column for column in (runs.params, runs.heads, runs.examples) if column is not None]
    place = np.column_stack([runs.shape, step, *known])
    _, group = np.unique(place, axis=0, return_inverse=True)
    group = group.ravel()
    # Two points of one run are no replicates: only the first row of a run in a group counts.
    _, first = np.unique(np.column_stack([group, runs.run]), axis=0, return_index=True)
    counts = np.bincount(group[first])
    means = np.bincount(group[first], logs[first]) / np.maximum(counts, 1)
    freedom = int(np.maximum(counts - 1, 0).sum())
    if freedom < FEWEST:
        return None
    square = float(((logs[first] - means[group[first]]) ** 2).sum()) / freedom
    return Noise("replicates", float(np.sqrt(square)), int(counts[counts > 1].sum())) if square > 0 else None


def _checkpoints(runs: Runs) -> Noise | None:
    """Return the robust scatter of inner points of runs around the line between their neighbours."""
    order = np.lexsort((runs.flops, runs.run))
    run, x, y = runs.run[order], np.log(runs.flops[order]), np.log(runs.observed()[order])
    inner = np.flatnonzero((run[2:] == run[:-2]) & (x[2:] > x[1:-1]) & (x[1:-1] > x[:-2]))
    if len(inner) < FEWEST:
        return None
    share = (x[inner + 2] - x[inner + 1]) / (x[inner + 2] - x[inner])
    off = y[inner + 1] - share * y[inner] - (1 - share) * y[inner + 2]
    # A loss curve bends steadily; noise does not: what the points have in common is taken off.
    off = (off - np.median(off)) / np.sqrt(1 + share**2 + (1 - share) ** 2)
    sigma = robust_sigma(off)
    return Noise("checkpoints", sigma, len(inner)) if sigma > 0 else None
