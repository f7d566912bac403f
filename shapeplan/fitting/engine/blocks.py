"""What the engine is given and what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shapeplan.arrays import Bools, Floats, Index

_CELLS = 400_000
"""Rows times starts that are worked on at once, which bounds memory."""


@dataclass(frozen=True)
class Block:
    """Rows that share one sum of terms.

    Attributes
    ----------
    log_columns : ndarray, shape (rows, columns, exponents)
        Column i of row r is ``exp(log_columns[r, i] @ theta)``.
    observed : ndarray, shape (rows,) or (batch, rows)
        What is to be predicted, positive; a batch has one set a start.
    weights : ndarray, shape (rows,) or (batch, rows)
        How much every row counts; 0 leaves it out.
    maps : ndarray, shape (exponents, exponents) or (batch, exponents, exponents), optional
        Where exponents are held in a linear relation: those of the columns are ``maps @ theta``.
    """

    log_columns: Floats
    observed: Floats
    weights: Floats
    maps: Floats | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.log_columns)

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.log_columns.shape[1])

    @property
    def uses(self) -> Bools:
        """Which exponents move this block, shape (exponents,)."""
        moved = np.asarray(np.any(self.log_columns != 0, axis=(0, 1)))
        if self.maps is None:
            return moved
        return np.asarray(np.any(self.maps[..., moved, :] != 0, axis=tuple(range(self.maps.ndim - 1))))

    @property
    def batch(self) -> int:
        """Number of sets of observations, weights or maps; 1 if all starts share them."""
        sets = [len(array) for array in (self.observed, self.weights) if array.ndim > 1]
        return max(sets + ([len(self.maps)] if self.maps is not None and self.maps.ndim > 2 else []), default=1)

    def take(self, batch: Index) -> Block:
        """Return the block with some sets of a batch; what all starts share stays."""
        observed = self.observed[batch] if self.observed.ndim > 1 else self.observed
        weights = self.weights[batch] if self.weights.ndim > 1 else self.weights
        maps = self.maps[batch] if self.maps is not None and self.maps.ndim > 2 else self.maps
        return replace(self, observed=observed, weights=weights, maps=maps)

    def thinned(self, rows: int) -> Block:
        """Return the block with no more than so many rows, always the same; of observations of shape (rows,)."""
        if self.rows <= rows:
            return self
        # Any regular step could fall in with the order of the log.
        kept = np.sort(np.random.default_rng(0).choice(self.rows, rows, replace=False))
        columns, observed, weights = self.log_columns[kept], self.observed[kept], self.weights[kept]
        return replace(self, log_columns=columns, observed=observed, weights=weights)

    def columns(self, theta: Floats) -> Floats:
        """Return the columns at many exponents, shape (batch, rows, columns)."""
        rows, columns, exponents = self.log_columns.shape
        mine = theta if self.maps is None else (self.maps @ theta[..., None])[..., 0]
        logs = mine @ self.log_columns.reshape(rows * columns, exponents).T
        return np.exp(logs, out=logs).reshape(len(theta), rows, columns)

    def slopes(self, terms: Floats, used: Index) -> Floats:
        """Return the derivatives of the prediction by the exponents in use, shape (batch, rows, exponents in use).

        Parameters
        ----------
        terms : ndarray, shape (batch, rows, columns)
            The columns times their coefficients.
        used : ndarray of int
            The exponents in use.
        """
        moving = used if self.maps is None else np.flatnonzero(self.log_columns.any(axis=(0, 1)))
        slopes = np.zeros((*terms.shape[:2], len(moving)))
        for q, exponent in enumerate(moving):
            # Most terms know one or two exponents.
            for column in np.flatnonzero(self.log_columns[:, :, exponent].any(axis=0)):
                slopes[:, :, q] += terms[:, :, column] * self.log_columns[:, column, exponent]
        return slopes if self.maps is None else slopes @ self.maps[..., moving, :][..., used]

    def live(self, coefficients: Floats) -> Bools:
        """Return which exponents move a term whose coefficient is not zero, shape (batch, exponents)."""
        moves = (self.log_columns != 0).any(axis=0)
        live = (coefficients > 0).astype(float) @ moves
        return np.asarray((live if self.maps is None else (live[:, None, :] @ np.abs(self.maps))[:, 0]) > 0)

    def second_derivatives(self, columns: Floats, coefficients: Floats, weights: Floats, used: Index) -> Floats:
        """Return the second derivatives of the prediction by exponents and coefficients, summed over weighted rows.

        Parameters
        ----------
        columns : ndarray, shape (batch, rows, columns)
            The columns.
        coefficients : ndarray, shape (batch, columns)
            Their coefficients.
        weights : ndarray, shape (batch, rows)
            Of every row in the sum.
        used : ndarray of int
            The exponents in use.

        Returns
        -------
        ndarray, shape (batch, size, size)
            By the exponents in use, then the coefficients.
        """
        moving = used if self.maps is None else np.flatnonzero(self.log_columns.any(axis=(0, 1)))
        weighted = columns * weights[..., None]
        by_exponents = np.zeros((len(columns), len(moving), len(moving)))
        mixed = np.zeros((len(columns), len(moving), self.width))
        for column in range(self.width):
            own = np.flatnonzero(self.log_columns[:, column, moving].any(axis=0))
            logs = self.log_columns[:, column, moving[own]]
            mixed[:, own, column] = weighted[:, :, column] @ logs
            pairs = (logs[:, :, None] * logs[:, None, :]).reshape(self.rows, -1)
            inner = (weighted[:, :, column] @ pairs).reshape(len(columns), len(own), len(own))
            by_exponents[:, own[:, None], own] += coefficients[:, column, None, None] * inner
        if self.maps is not None:
            turned = self.maps[..., moving, :][..., used]
            back = np.swapaxes(turned, -1, -2)
            by_exponents, mixed = back @ by_exponents @ turned, back @ mixed
        nothing = np.zeros((len(columns), self.width, self.width))
        return np.block([[by_exponents, mixed], [mixed.transpose(0, 2, 1), nothing]])


@dataclass(frozen=True)
class Solution:
    """The result of a search or of a batch of polishes.

    Attributes
    ----------
    exponents : ndarray, shape (batch, exponents)
        Where each polish ended.
    coefficients : tuple of ndarray, shape (batch, columns) each
        The non-negative coefficients of every block there.
    objective : ndarray, shape (batch,)
        What is minimized, summed over all blocks.
    converged : ndarray of bool, shape (batch,)
        Whether the polish stopped because no step lowers the objective any more.
    """

    exponents: Floats
    coefficients: tuple[Floats, ...]
    objective: Floats
    converged: Bools

    def take(self, index: Index | int) -> Solution:
        """Return some of the batch; of one index, a batch of one."""
        some = np.atleast_1d(index)
        parts = tuple(part[some] for part in self.coefficients)
        return Solution(self.exponents[some], parts, self.objective[some], self.converged[some])

    def put(self, index: Index, other: Solution) -> None:
        """Replace some of the batch by all of another."""
        self.exponents[index] = other.exponents
        self.objective[index] = other.objective
        self.converged[index] = other.converged
        for mine, others in zip(self.coefficients, other.coefficients, strict=True):
            mine[index] = others

    @classmethod
    def concatenate(cls, pieces: Sequence[Solution]) -> Solution:
        """Return one batch of many."""
        return cls(
            np.concatenate([piece.exponents for piece in pieces]),
            tuple(np.concatenate(parts) for parts in zip(*(piece.coefficients for piece in pieces), strict=True)),
            np.concatenate([piece.objective for piece in pieces]),
            np.concatenate([piece.converged for piece in pieces]),
        )


def pieces(batch: int, rows: int) -> list[Index]:
    """Split a batch so that what is computed at once stays small."""
    size = max(1, _CELLS // max(1, rows))
    return np.split(np.arange(batch), range(size, batch, size))


def distinct(points: Floats, lower: Floats, upper: Floats, distance: float, most: int | None = None) -> Floats:
    """Return the points that are farther than a distance from all before them.

    Parameters
    ----------
    points : ndarray, shape (points, exponents)
        The points, those to be kept first.
    lower, upper : ndarray, shape (exponents,)
        Bounds.
    distance : float
        The largest difference of an exponent's logarithm, as a share of its range.
    most : int, optional
        How many are kept at most.
    """
    place = np.log(points / lower) / np.log(upper / lower)
    kept: list[int] = []
    for i in range(len(points)):
        if len(kept) == most:
            break
        if not kept or (np.abs(place[kept] - place[i]).max(axis=1) > distance).all():
            kept.append(i)
    return points[kept]
