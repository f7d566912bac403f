"""The interval of a size: replicates of the law, rival laws, and how far optima moved in the backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np

from shapeplan.fitting.result import Fit
from shapeplan.numerics.arrays import Floats, widened
from shapeplan.planning.plan import LawPlan

Ends = tuple[Floats, Floats]


def size_intervals(
    fit: Fit,
    flops: Floats,
    shapes: Mapping[str, Floats],
    of_law: Mapping[str, Ends],
    laws: Sequence[tuple[LawPlan, ...]],
) -> dict[str, Ends]:
    """Return the intervals of the best shape, whatever the law.

    Three errors add as squares, in logarithms: that of the constants, on every side; that of the choice of the law, the
    mean square of what its rivals differ by; and the drift of the optimum with the distance (`size_drift`).

    Parameters
    ----------
    fit : Fit
        The law, its drift and level.
    flops : ndarray, shape (budgets,)
        The budgets.
    shapes, of_law : mapping of str to ndarray, or pair of ndarray, shape (budgets,)
        The best shapes under the law, and the ends of their intervals over its replicates.
    laws : sequence of tuple of LawPlan
        What the rivals make of every budget; those at an edge have no best shape.
    """
    normal = NormalDist().inv_cdf((1 + fit.bootstrap.level) / 2)
    reach = np.log(np.maximum(1.0, np.maximum(flops / fit.flops_range[1], fit.flops_range[0] / flops)))
    intervals = {}
    for dim, ends in of_law.items():
        size = shapes[dim]
        between = np.array([_between(float(size[i]), dim, rivals) for i, rivals in enumerate(laws)])
        sigma = np.hypot(np.sqrt(between), fit.uncertainty.size_drift.get(dim, 0.0) * reach)
        intervals[dim] = widened(size, ends, normal * sigma)
    return intervals


def _between(size: float, dim: str, rivals: Sequence[LawPlan]) -> float:
    """Return the variance of the logarithm of a size over laws that are as good, about that of the choice."""
    others = [law.shape[dim] for law in rivals if dim not in law.at_edge]
    return float(np.sum(np.log(np.array(others) / size) ** 2) / (len(others) + 1)) if others else 0.0
