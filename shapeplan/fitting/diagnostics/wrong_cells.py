"""Outlying rows that a mistyped cell explains: off by a power of ten, or FLOPs in the other convention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.solver import Solution
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, Index, robust_sigma
from shapeplan.runs import Runs

_MOST = 0.1
"""Share of the rows up to which they are outliers to a law of the others."""
_FAR, _NEAR = 5.0, 3.0
"""Robust standard deviations from the law of the others beyond which a row is none of them, and within which it is."""
_VAGUE = 0.02
"""Scatter of the others above which many a change would do."""
_ROUNDS = 5
"""How often the outlying rows are looked for anew."""
_SLACK, _LONGER = 1.5, 4.0
"""Factor by which a mended cell may lie outside the range of its column, and for what longer runs have more of."""
_TENS = tuple(10.0**power for power in (-12, -9, -6, -3, -2, -1, 1, 2, 3, 6, 9, 12))
_CONVENTIONS = (3.0, 1 / 3)
"""Forward FLOPs for training FLOPs, and the other way round."""
_TINY = 1e-12


@frozen
class WrongCell:
    """A cell with which a row is far from the law, and with another one is not.

    Attributes
    ----------
    column : str
        A dimension, ``flops``, ``params``, the metric, or examples, with which compute moves.
    value, factor : float
        What it is, and times what it would fit.
    error : float
        How far the row is from the law then, pred/y - 1.
    """

    column: str
    value: float
    factor: float
    error: float


def wrong_cells(candidate: Candidate, runs: Runs, outlying: Index) -> dict[str, WrongCell]:
    """Return the cell that explains it, for those of the outlying rows that one explains, by place.

    The law is fitted again without the outlying rows. Where changes of several cells would do, the one that brings the
    row nearest to the law is told; a cell that would then be outside the range of its column is none.

    Parameters
    ----------
    candidate : Candidate
        The law and its fit to all rows.
    runs : Runs
        The log.
    outlying : ndarray of int
        Rows of the log that are far from the law.
    """
    rows = candidate.problem.all_rows
    for _ in range(_ROUNDS if outlying.size else 0):
        keep = ~np.isin(np.arange(len(runs)), outlying)
        if outlying.size > _MOST * len(rows) or candidate.lacking(runs, keep):
            break
        without, others = candidate.without(keep[None]), np.setdiff1d(rows, outlying)
        sigma = max(robust_sigma(candidate.errors(without, 0, runs, others)), _TINY)
        if sigma > _VAGUE:
            break
        # Some rows only seemed far from a law that others had bent, and some of these seemed near it.
        far = rows[np.abs(candidate.errors(without, 0, runs, rows)) > _FAR * sigma]
        if np.array_equal(far, outlying):
            found = ((runs.place(row), _explanation(candidate, without, runs, row, others)) for row in far.tolist())
            return {at: cell for at, cell in found if cell is not None and abs(cell.error) <= _NEAR * sigma}
        outlying = far
    return {}


def _explanation(candidate: Candidate, without: Solution, runs: Runs, row: int, others: Index) -> WrongCell | None:
    """Return the change of one cell that brings a row nearest to the law of the others."""
    tried = [
        replace(cell, error=float(candidate.errors(without, 0, changed, np.array([0]))[0]))
        for cell, changed in _changes(runs, row, others)
    ]
    return min(tried, key=lambda cell: abs(cell.error), default=None)


def _changes(runs: Runs, row: int, others: Index) -> Iterator[tuple[WrongCell, Runs]]:
    """Yield cells of a row that may be mistyped, with the row as it would be then."""
    one = runs.take(np.array([row]))
    columns = {runs.metric: runs.observed()}
    # With examples the log's own arithmetic is checked when it is read, but where compute is derived from them.
    columns |= runs.variables() if runs.examples is None else {runs.examples_unit: runs.examples}
    for column, values in columns.items():
        value, low, high = float(values[row]), float(values[others].min()), float(values[others].max())
        usual = _usual(values[others]) if column in runs.dims else None
        slack = _LONGER if column in ("flops", runs.examples_unit) else _SLACK
        for factor in _TENS + (_CONVENTIONS if column == "flops" else ()):
            right = value * factor
            if low / slack <= right <= high * slack and (usual is None or np.isclose(usual, right, rtol=1e-9).any()):
                yield WrongCell(column, value, factor, np.inf), _with(one, column, right)


def _usual(sizes: Floats) -> Floats | None:
    """Return the sizes that rows have, where many have the same; None where sizes are as they come."""
    distinct = np.unique(sizes)
    return distinct if 2 * len(distinct) <= len(sizes) else None


def _with(one: Runs, column: str, value: float) -> Runs:
    """Return a row with another value of a column."""
    changed = np.array([value])
    if column in one.dims:
        shape = one.shape.copy()
        shape[:, one.dims.index(column)] = changed
        return replace(one, shape=shape)
    if column == one.metric:
        return replace(one, loss=changed)
    if column == one.examples_unit and one.examples is not None:
        return replace(one, examples=changed, flops=one.flops * changed / one.examples)
    return replace(one, flops=changed) if column == "flops" else replace(one, params=changed)
