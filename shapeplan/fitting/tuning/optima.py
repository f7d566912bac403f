"""The best learning rate and batch of every shape and duration in which a log varies them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.polynomial.polynomial import polyfit

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.numerics.grouping import group_alike
from shapeplan.runs import Runs

FEWEST_VALUES = 3
"""Distinct values that a parabola needs."""
_BESIDE = 2
"""Values on either side of the best that the parabola is fitted to: losses rise faster far above it."""
_FAR = 0.3
"""Loss above the least, as a share of it, from which values that are not next to the best are left out."""
_SAME_COMPUTE = 0.01
"""How much more compute than the least of a group its rows may have: runs of one duration end within a batch."""


@frozen
class Optimum:
    """The best recipe of one shape and duration.

    Attributes
    ----------
    flops, params, examples : float or None
        Compute, size and duration; None where the log does not tell.
    lr, batch : float or None
        The best values; None for what was not varied enough, or is best at the edge of what was tried.
    at_batch : float or None
        The batch that the learning rate is best at.
    """

    flops: float
    params: float | None
    examples: float | None
    lr: float | None
    batch: float | None
    at_batch: float | None


@frozen
class Best:
    """The best values of one recipe, in logarithms, and the loss there."""

    loss: float
    lr: float | None = None
    batch: float | None = None
    at_batch: float | None = None


def interior_minimum(places: Floats, losses: Floats) -> tuple[float, float] | None:
    """Return where a parabola is least, and its value there; None unless that is between the values that were tried.

    Parameters
    ----------
    places, losses : ndarray, shape (runs,)
        Logarithms of what was varied, and the losses; several runs may share a place.
    """
    values, index = np.unique(places, return_inverse=True)
    if len(values) < FEWEST_VALUES:
        return None
    means = np.bincount(index, weights=losses) / np.bincount(index)
    best = int(np.argmin(means))
    if best in (0, len(values) - 1):
        return None
    away = np.abs(np.arange(len(values)) - best)
    near = (away <= 1) | ((away <= _BESIDE) & (means <= (1 + _FAR) * means[best]))
    some = near[index]
    constant, slope, curvature = polyfit(places[some] - values[best], losses[some], 2)
    if curvature <= 0:
        return None
    step = -slope / (2 * curvature)
    if not values[near].min() < values[best] + step < values[near].max():
        return None
    return float(values[best] + step), float(constant - curvature * step**2)


def optima_of(runs: Runs, others: Ints) -> list[Optimum]:
    """Return the best recipes of a log, by shape and duration; those alone where something was varied enough.

    Parameters
    ----------
    runs : Runs
        One row a run, with a metric, and learning rates or batches in `Runs.recipe`.
    others : ndarray of int, shape (rows,)
        Which rows are alike in the other columns of the recipe: of several the best counts.
    """
    found, loss = [], runs.observed()
    lr, batch = (np.log(runs.recipe[name]) if name in runs.recipe else None for name in ("lr", "batch"))
    for rows in _groups(runs):
        alike = [rows[others[rows] == kind] for kind in np.unique(others[rows])]
        bests = [_best(loss[some], _some(lr, some), _some(batch, some)) for some in alike if len(some) >= FEWEST_VALUES]
        tuned = [best for best in bests if best is not None]
        if not tuned:
            continue
        best = min(tuned, key=lambda one: one.loss)
        found.append(
            Optimum(
                flops=_mean(runs.flops, rows),
                params=None if runs.params is None else _mean(runs.params, rows),
                examples=None if runs.examples is None else _mean(runs.examples, rows),
                lr=_exp(best.lr),
                batch=_exp(best.batch),
                at_batch=_exp(best.at_batch),
            )
        )
    return found


def _groups(runs: Runs) -> Iterator[Ints]:
    """Yield the rows of every shape and duration."""
    if not len(runs):
        return
    shape = runs.shape_groups if runs.dims or runs.params is None else group_alike(runs.params)
    order = np.lexsort((runs.flops, shape))
    starts, first = [], (-1, 0.0)
    for place, (kind, flops) in enumerate(zip(shape[order].tolist(), runs.flops[order].tolist(), strict=True)):
        if kind != first[0] or flops > first[1] * (1 + _SAME_COMPUTE):
            first = (kind, flops)
            starts.append(place)
    yield from np.split(order, starts[1:])


def _best(loss: Floats, lr: Floats | None, batch: Floats | None) -> Best | None:
    """Return the best values of the rows of one shape, duration and recipe: learning rates within batches first."""
    if batch is None or np.ptp(batch) == 0:
        low = None if lr is None else interior_minimum(lr, loss)
        return None if low is None else Best(low[1], lr=low[0], at_batch=None if batch is None else float(batch[0]))
    if lr is None or np.ptp(lr) == 0:
        low = interior_minimum(batch, loss)
        return None if low is None else Best(low[1], batch=low[0], at_batch=low[0])
    found = {float(size): interior_minimum(lr[batch == size], loss[batch == size]) for size in np.unique(batch)}
    lows = [(size, *low) for size, low in found.items() if low is not None]
    if not lows:
        return None
    sizes, rates, least = np.array(lows).T
    low = interior_minimum(sizes, least)
    if low is None:
        i = int(np.argmin(least))
        return Best(float(least[i]), lr=float(rates[i]), at_batch=float(sizes[i]))
    return Best(low[1], lr=float(np.interp(low[0], sizes, rates)), batch=low[0], at_batch=low[0])


def _some(column: Floats | None, rows: Ints) -> Floats | None:
    return None if column is None else column[rows]


def _mean(column: Floats, rows: Ints) -> float:
    return float(np.exp(np.mean(np.log(column[rows]))))


def _exp(logarithm: float | None) -> float | None:
    return None if logarithm is None else float(np.exp(logarithm))
