"""Ladders at a constant ratio of examples to parameters, on which size and training never move apart."""

from __future__ import annotations

import numpy as np

from shapeplan.numerics.arrays import Floats
from shapeplan.runs import Runs

_SAME_RATIO = 1.15
"""Largest over least ratio up to which it is one: steps and batches are whole."""
_FEWEST_SIZES = 3
_FLOPS_A_PARAMETER = 2.0
"""Forward FLOPs of an example for every parameter (Kaplan et al. 2020)."""


def parameters_of(runs: Runs) -> Floats | None:
    """Return the parameters of every row: as logged, else from the compute of an example; None where neither is."""
    if runs.params is not None:
        return runs.params
    if runs.examples is None:
        return None
    return np.asarray(runs.forward_flops() / runs.examples / _FLOPS_A_PARAMETER)


def constant_ratio(runs: Runs) -> float | None:
    """Return the examples per parameter that all rows of three sizes or more have; None where they differ."""
    sizes = parameters_of(runs)
    if sizes is None or runs.examples is None:
        return None
    ratios = runs.examples / sizes
    if ratios.max() > _SAME_RATIO * ratios.min() or len(np.unique(sizes)) < _FEWEST_SIZES:
        return None
    return float(np.median(ratios))
