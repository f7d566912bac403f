"""Checkpoints of a run that are close in compute, merged into fewer points that tell a fit as much.

A law is smooth in the compute of a run. On a short stretch of it, the sum of squares over many rows is that over two
points: the nodes of a Gauss quadrature of the rows, with the values that a line through them has there. They are exact
for a law that is a line in the logarithm of compute, and nearly so for one that bends, since the bend vanishes at the
nodes (Golub and Welsch 1969).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index, Ints
from shapeplan.numerics.grouping import first_of_group
from shapeplan.runs import Runs

POINTS_A_RUN = 16
"""Rows of a run beyond which they are merged, and points that then stand for them at most."""
_POINTS = 2
_STRETCHES = POINTS_A_RUN // _POINTS
_ROUNDING = 1e-9
"""Spread of the logarithm of compute below which rows have one compute."""


@frozen
class Points:
    """What a fit is made to instead of rows.

    Attributes
    ----------
    logs : mapping of str to ndarray, shape (points,)
        Logarithms of the variables.
    observed : ndarray, shape (points,)
        The metric.
    weights : ndarray, shape (points,)
        How many rows a point stands for.
    row : ndarray of int, shape (points,)
        One of those rows.
    """

    logs: Mapping[str, Floats]
    observed: Floats
    weights: Floats
    row: Index


def with_stretches(runs: Runs) -> Runs:
    """Return rows with the stretches of every long run numbered, so that a fit merges the rows of each.

    Stretches of a run are equally long in the logarithm of compute. A row is a stretch by itself where its run has few,
    or where those of the run differ in more than their progress.
    """
    sizes = np.bincount(runs.run, minlength=len(runs.run_names))
    many = (sizes > POINTS_A_RUN) & _is_steady(runs)
    if not many.any():
        return runs
    progress = np.log(runs.flops)
    first, last = np.full(len(sizes), np.inf), np.full(len(sizes), -np.inf)
    np.minimum.at(first, runs.run, progress)
    np.maximum.at(last, runs.run, progress)
    length = np.maximum(last - first, _ROUNDING)[runs.run]
    part = np.minimum((_STRETCHES * (progress - first[runs.run]) / length).astype(int), _STRETCHES - 1)
    own = np.where(many[runs.run], runs.run * _STRETCHES + part, len(sizes) * _STRETCHES + np.arange(len(runs)))
    _, stretch = np.unique(own, return_inverse=True)
    points = int(np.minimum(np.bincount(stretch), _POINTS).sum())
    note = (
        f"{len(runs):,} rows of {len(sizes):,} runs are fitted as {points:,} points: checkpoints of a run that are "
        "close in compute are merged (`every_row` fits each)"
    )
    return replace(runs, stretches=stretch, notes=(*runs.notes, note))


def whole_stretches(runs: Runs, keep: Bools) -> Bools:
    """Return which of the rows to be kept are in a stretch that is kept whole, shape (rows,)."""
    if runs.stretches is None:
        return keep
    cut = np.zeros(int(runs.stretches.max()) + 1, dtype=bool)
    cut[runs.stretches[~keep]] = True
    return np.asarray(keep & ~cut[runs.stretches])


def merge(logs: Mapping[str, Floats], observed: Floats, progress: Floats, stretches: Ints) -> Points:
    """Return the points that stand for rows.

    Parameters
    ----------
    logs : mapping of str to ndarray, shape (rows,)
        Logarithms of the variables.
    observed : ndarray, shape (rows,)
        The metric, positive, in a unit in which it is near 1.
    progress : ndarray, shape (rows,)
        Logarithm of compute.
    stretches : ndarray of int, shape (rows,)
        The stretch of every row.
    """
    _, first, group, counts = np.unique(stretches, return_index=True, return_inverse=True, return_counts=True)
    few = counts[group] <= _POINTS
    alone = np.flatnonzero(few)
    kept = Points({name: column[alone] for name, column in logs.items()}, observed[alone], np.ones(len(alone)), alone)
    if few.all():
        return kept
    some = np.flatnonzero(~few)
    _, group = np.unique(group[some], return_inverse=True)
    stretch = _Stretches(group, first[counts > _POINTS], progress[some], 1.0 / observed[some] ** 2)
    nodes = stretch.nodes({name: column[some] for name, column in logs.items()}, observed[some])
    return _joined((kept, *nodes))


class _Stretches:
    """Rows of stretches, with the mass that each has in a sum of squares of relative errors."""

    def __init__(self, group: Ints, first: Index, progress: Floats, mass: Floats) -> None:
        self.group, self.first, self.mass = group, first, mass
        _, self.head = np.unique(group, return_index=True)
        self.total = np.bincount(group, mass)
        self.offset = progress - self.mean(progress)[group]
        spread = self.mean(self.offset**2)
        self.wide = spread > _ROUNDING**2
        self.variance = np.where(self.wide, spread, 1.0)

    def mean(self, values: Floats) -> Floats:
        """Return the mean of every stretch."""
        return np.asarray(np.bincount(self.group, self.mass * values) / self.total)

    def line(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the line through the values of every stretch: level at the mean of progress, and slope."""
        start = values[self.head]
        rise = values - start[self.group]  # Of what is constant along a run, without rounding.
        level = self.mean(rise)
        return start + level, self.mean((rise - level[self.group]) * self.offset) / self.variance

    def nodes(self, logs: Mapping[str, Floats], observed: Floats) -> tuple[Points, ...]:
        """Return the two nodes of every stretch; one, the mean, where all its rows have the same compute."""
        skew = np.where(self.wide, self.mean(self.offset**3) / self.variance, 0.0)
        root = np.sqrt(skew**2 + 4 * self.variance)
        below, above = (skew - root) / 2, (skew + root) / 2
        level, slope = self.line(observed)
        # A line through rows one of which is far off may end below zero, where no metric is.
        two = self.wide & (np.minimum(slope * below, slope * above) > -level / 2)
        lines = {name: self.line(column) for name, column in logs.items()}

        def at(offset: Floats, share: Floats, which: Index) -> Points:
            values = level + slope * offset
            places = {name: (start + rise * offset)[which] for name, (start, rise) in lines.items()}
            weights = self.total * share * values**2
            return Points(places, values[which], weights[which], self.first[which])

        one, both = np.flatnonzero(~two), np.flatnonzero(two)
        middle = at(np.zeros_like(level), np.ones_like(level), one)
        return middle, at(below, above / root, both), at(above, -below / root, both)


def _joined(pieces: Sequence[Points]) -> Points:
    """Return points in the order of the rows that they stand for."""
    row = np.concatenate([piece.row for piece in pieces])
    order = np.argsort(row, kind="stable")
    return Points(
        {name: np.concatenate([piece.logs[name] for piece in pieces])[order] for name in pieces[0].logs},
        np.concatenate([piece.observed for piece in pieces])[order],
        np.concatenate([piece.weights for piece in pieces])[order],
        row[order],
    )


def _is_steady(runs: Runs) -> Bools:
    """Return which runs differ from row to row in their progress alone, shape (runs,)."""
    steady = np.ones(len(runs.run_names), dtype=bool)
    first = first_of_group(runs.run)
    for column in (*runs.shape.T, runs.params, runs.heads):
        if column is not None:
            unlike = (column != column[first]) & ~(np.isnan(column) & np.isnan(column[first]))
            steady[runs.run[unlike]] = False
    return steady
