"""Runs that could be added to a sweep: shapes around the trained ones, each trained for what its share pays."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np

from shapeplan.errors import ErrorDetail, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, nearest_multiple
from shapeplan.planning.building import rule_of_log
from shapeplan.quantities import format_flops

MOST_SHAPES = 512
"""Shapes that are compared: eight values of each of three dimensions."""
_FEWEST_VALUES, _MOST_VALUES = 3, 24
AROUND = 1.5
"""How far beyond the trained values, and the longest training, candidates go, as a factor."""
LEAST_SPENT = 0.8
"""Part of its share that a candidate spends at least: runs that are much cheaper cannot be compared by the FLOP."""
_SPENDERS = 0.75
"""Quantile of what shapes cost at their longest, above which no share goes."""
_NEXT_DIGIT = 1.005
"""What three digits may lose of a number."""
_SAME = 0.01
"""Relative distance in every dimension and in examples at which a candidate is a run that has been done."""


@frozen
class Candidates:
    """Runs that could be added; arrays have one entry a run.

    Attributes
    ----------
    shape : mapping of str to ndarray
        All dimensions.
    examples, flops : ndarray
        How long, and what that costs in the convention of the law.
    """

    shape: Mapping[str, Floats]
    examples: Floats
    flops: Floats

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self.flops)


def candidates_for(fit: Fit, share: float) -> Candidates:
    """Return the runs that a share of a budget pays for.

    Parameters
    ----------
    fit : Fit
        With rows, and a cost.
    share : float
        Most that a run may cost, in the convention of the law.

    Returns
    -------
    Candidates
        Shapes up to `AROUND` beyond the trained ones, in every combination; each for as many examples as the share
        pays, but no fewer than any row has seen, nor more than `AROUND` times the most. None is a run of the log.

    Raises
    ------
    PlanError
        If the share pays for none.
    """
    shape = _shapes(fit)
    each = fit.cost_model.flops_per_example(shape)
    fewest, most = examples_range(fit)
    longest = AROUND * most
    # A share that only the largest shapes could spend would leave nothing to compare.
    share = min(share, float(np.quantile(longest * each, _SPENDERS)))
    examples = _rounded_down(np.minimum(share / each, longest))
    flops = examples * each
    enough = np.minimum(share / each, longest) >= max(1.0, fewest)
    kept = enough & ~_done(fit, shape, examples)
    if not kept.any():
        least = _NEXT_DIGIT * max(1.0, fewest) * each.min()
        message = f"{format_flops(share)} FLOPs a run pay for none that is as long as those of the log"
        hint = f"give a larger budget, or fewer candidates: the cheapest run costs {format_flops(float(least))}"
        raise PlanError(ErrorDetail("budget-too-small", message, hint))
    kept &= flops >= LEAST_SPENT * flops[kept].max()
    return Candidates({dim: sizes[kept] for dim, sizes in shape.items()}, examples[kept], flops[kept])


def examples_range(fit: Fit) -> tuple[float, float]:
    """Return the fewest and the most examples that a row of the log has seen."""
    rows = fit.rows
    assert rows is not None, "the rows are not known"
    examples = rows.examples
    if examples is None:
        examples = rows.flops / fit.cost_model.flops_per_example({dim: rows.shape[dim] for dim in fit.dims})
    return float(examples.min()), float(examples.max())


def _shapes(fit: Fit) -> dict[str, Floats]:
    """Return shapes around the trained ones, all dimensions, that can be built."""
    built, axes = rule_of_log(fit), {}
    count = max(_FEWEST_VALUES, min(_MOST_VALUES, int(MOST_SHAPES ** (1 / len(fit.dims)) + 1e-9)))
    for dim in fit.dims:
        low, high = fit.shape_range[dim]
        values = np.geomspace(low / AROUND, high * AROUND, count)
        axes[dim] = np.unique(nearest_multiple(values, built.multiple(dim)))
    free = np.array(list(itertools.product(*axes.values())), dtype=float)
    return built.complete({dim: free[:, k] for k, dim in enumerate(axes)})


def _rounded_down(examples: Floats) -> Floats:
    """Return examples to three digits, never more than given."""
    unit = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(examples, 1.0))) - 2, 0.0)
    return np.asarray(np.floor(examples / unit) * unit)


def _done(fit: Fit, shape: Mapping[str, Floats], examples: Floats) -> Bools:
    """Return which runs the log has already, shape (runs,)."""
    rows = fit.rows
    if rows is None or rows.examples is None:
        return np.zeros(len(examples), dtype=bool)
    seen = np.log(np.column_stack([*(rows.shape[dim] for dim in fit.dims), rows.examples]))
    asked = np.log(np.column_stack([*(shape[dim] for dim in fit.dims), np.maximum(examples, 1.0)]))
    near = np.zeros(len(asked), dtype=bool)
    for row in np.unique(seen, axis=0):
        near |= (np.abs(asked - row) <= _SAME).all(axis=1)
    return near
