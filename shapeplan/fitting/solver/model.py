"""What the engine is given and what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from functools import cached_property

import numpy as np

from shapeplan.fitting.solver import outer_power
from shapeplan.fitting.solver.outer_power import Lift
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import CELLS_IN_CACHE, Bools, Floats, Index, weighted_sum
from shapeplan.numerics.grouping import group_alike


@frozen
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
    inside : int, optional
        How many columns, the first, are inside an outer power, the last of the exponents; the others have no exponents.
        Without, there is no outer power.
    """

    log_columns: Floats
    observed: Floats
    weights: Floats
    maps: Floats | None = None
    inside: int | None = None
    _layout: _Layout = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_layout", _Layout(self.log_columns))

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
        moved = np.zeros(self.log_columns.shape[2], dtype=bool)
        moved[self._layout.moving] = True
        moved[-1] |= self.inside is not None
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
        taken = replace(self, observed=observed, weights=weights, maps=maps)
        object.__setattr__(taken, "_layout", self._layout)  # What is worked out of the columns once serves every batch.
        return taken

    def thinned(self, rows: int) -> Block:
        """Return the block with no more than so many rows, always the same."""
        if self.rows <= rows:
            return self
        # Any regular step could fall in with the order of the log.
        return self.at_rows(np.sort(np.random.default_rng(0).choice(self.rows, rows, replace=False)))

    def at_rows(self, some: Bools | Index) -> Block:
        """Return the block with some of its rows."""
        columns, observed, weights = self.log_columns[some], self.observed[..., some], self.weights[..., some]
        return replace(self, log_columns=columns, observed=observed, weights=weights)

    def columns(self, theta: Floats) -> Floats:
        """Return the columns at many exponents, shape (batch, columns, rows); infinite where no float holds them."""
        mine = theta if self.maps is None else (self.maps @ theta[..., None])[..., 0]
        table, places = self._layout.distinct
        logs = mine @ table
        with np.errstate(over="ignore"):
            np.exp(logs, out=logs)
        return logs.take(places, axis=1).reshape(len(theta), self.width, self.rows)

    def at(self, theta: Floats, columns: Floats, coefficients: Floats, used: Index) -> Linearized:
        """Return the prediction and its derivatives.

        Parameters
        ----------
        theta : ndarray, shape (batch, exponents)
            The exponents.
        columns : ndarray, shape (batch, columns, rows)
            The columns there.
        coefficients : ndarray, shape (batch, columns)
            Their coefficients.
        used : ndarray of int
            The exponents in use.
        """
        size, raised = len(used), self.inside is not None
        jacobian = np.empty((len(columns), size + self.width, self.rows))
        self._slopes(columns, coefficients, used, jacobian[:, : size - raised])
        jacobian[:, size:] = columns
        if self.inside is None:
            predicted = self.predicted(theta, columns, coefficients)
            return Linearized(self, predicted, jacobian, columns, coefficients, used)
        inside, outside = slice(self.inside), slice(self.inside, None)
        lift = Lift.of(weighted_sum(columns[:, inside], coefficients[:, inside]), theta[:, -1])
        jacobian[:, : size - 1] *= lift.first[:, None]
        jacobian[:, size - 1] = lift.value * lift.log
        jacobian[:, size : size + self.inside] *= lift.first[:, None]
        predicted = lift.value + weighted_sum(columns[:, outside], coefficients[:, outside])
        return Linearized(self, predicted, jacobian, columns, coefficients, used, lift)

    def predicted(self, theta: Floats, columns: Floats, coefficients: Floats) -> Floats:
        """Return the prediction, shape (batch, rows)."""
        if self.inside is None:
            return weighted_sum(columns, coefficients)
        return outer_power.predicted(columns, self.inside, theta[:, -1], coefficients)

    def _slopes(self, columns: Floats, coefficients: Floats, used: Index, out: Floats) -> None:
        """Put the derivatives of the sum of terms by the exponents in use into an array (batch, exponents, rows)."""
        moving = self._layout.moving
        slopes = out if self.maps is None else np.empty((len(columns), len(moving), self.rows))
        slopes[:] = 0.0
        terms = columns * coefficients[..., None]
        # Most terms know one or two exponents.
        for exponent, column, logs in self._layout.slopes:
            slopes[:, exponent] += terms[:, column] * logs
        if self.maps is not None:
            np.matmul(np.swapaxes(self.maps[..., moving, :][..., used], -1, -2), slopes, out=out)

    def live(self, coefficients: Floats) -> Bools:
        """Return which exponents move a term whose coefficient is not zero, shape (batch, exponents)."""
        live = (coefficients > 0).astype(float) @ self._layout.moves
        if self.inside is not None:
            live[:, -1] = coefficients[:, : self.inside].sum(axis=1)
        return np.asarray((live if self.maps is None else (live[:, None, :] @ np.abs(self.maps))[:, 0]) > 0)

    def second_derivatives(self, columns: Floats, coefficients: Floats, weights: Floats, used: Index) -> Floats:
        """Return the second derivatives of the sum of terms by exponents and coefficients, summed over weighted rows.

        Parameters
        ----------
        columns : ndarray, shape (batch, columns, rows)
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
        batch, layout = len(columns), self._layout
        sums = (columns * weights[:, None]).transpose(1, 0, 2) @ layout.features
        by_column = (sums[..., : layout.most] @ layout.to_exponents).transpose(1, 2, 0)
        shares = (sums[..., layout.most :] * coefficients.T[..., None]).transpose(1, 0, 2).reshape(batch, -1)
        by_exponents = (shares @ layout.to_pairs).reshape(batch, len(layout.moving), len(layout.moving))
        if self.maps is not None:
            turned = self.maps[..., layout.moving, :][..., used]
            back = np.swapaxes(turned, -1, -2)
            by_exponents, by_column = back @ by_exponents @ turned, back @ by_column
        size, moved = len(used), by_exponents.shape[1]
        second = np.zeros((batch, size + self.width, size + self.width))
        second[:, :moved, :moved] = by_exponents
        second[:, :moved, size:] = by_column
        second[:, size:, :moved] = by_column.transpose(0, 2, 1)
        return second


@frozen
class Linearized:
    """A prediction with its derivatives.

    Attributes
    ----------
    block : Block
        Whose prediction it is.
    predicted : ndarray, shape (batch, rows)
        The prediction.
    jacobian : ndarray, shape (batch, size, rows)
        Its derivatives by the exponents in use, then the coefficients.
    columns, coefficients, used : ndarray
        As in `Block.at`.
    lift : Lift or None
        An outer power.
    """

    block: Block
    predicted: Floats
    jacobian: Floats
    columns: Floats
    coefficients: Floats
    used: Index
    lift: Lift | None = None

    def second_derivatives(self, weights: Floats) -> Floats:
        """Return the second derivatives, summed over rows with weights of shape (batch, rows), (batch, size, size)."""
        block, columns, coefficients, used = self.block, self.columns, self.coefficients, self.used
        if self.lift is None or block.inside is None:
            return block.second_derivatives(columns, coefficients, weights, used)
        own = block.second_derivatives(columns, coefficients, weights * self.lift.first, used)
        return own + self.lift.second_derivatives(self.jacobian, weights, len(used) - 1, block.inside)


class _Layout:
    """Which exponents move which columns of a block, and what the derivatives need of that."""

    def __init__(self, log_columns: Floats) -> None:
        self._logs = log_columns

    @cached_property
    def distinct(self) -> tuple[Floats, Index]:
        """Logarithms of which no two are alike, shape (exponents, some), and whose a row has, (columns x rows,).

        A sweep has few values of a dimension, so that most columns have far fewer distinct entries than rows.
        """
        linear = self._logs.transpose(1, 0, 2).reshape(-1, self._logs.shape[2])
        places = group_alike(*linear.T)
        _, heads = np.unique(places, return_index=True)
        return np.ascontiguousarray(linear[heads].T), places

    @cached_property
    def moves(self) -> Bools:
        """Which exponents move which columns, shape (columns, exponents)."""
        return np.asarray((self._logs != 0).any(axis=0))

    @cached_property
    def moving(self) -> Index:
        """The exponents that move any column."""
        return np.flatnonzero(self.moves.any(axis=0))

    @cached_property
    def slopes(self) -> list[tuple[int, int, Floats]]:
        """Place among the moving, column and logarithms, shape (rows,), of every pair of an exponent and a column."""
        pairs = np.argwhere(self.moves[:, self.moving].T)
        return [
            (int(place), int(column), np.ascontiguousarray(self._logs[:, column, self.moving[place]]))
            for place, column in pairs
        ]

    @cached_property
    def _own(self) -> list[Index]:
        """Places among the moving exponents of those that move a column, for every column."""
        return [np.flatnonzero(moved) for moved in self.moves[:, self.moving]]

    @cached_property
    def most(self) -> int:
        """The largest number of exponents that move a column."""
        return max(map(len, self._own))

    @cached_property
    def _pairs(self) -> list[tuple[int, int]]:
        return [(one, other) for one in range(self.most) for other in range(one, self.most)]

    @cached_property
    def features(self) -> Floats:
        """Logarithms of a column by its own exponents, then their products, shape (columns, rows, features)."""
        rows, columns, _ = self._logs.shape
        logs = np.zeros((columns, rows, self.most))
        for column, own in enumerate(self._own):
            logs[column, :, : len(own)] = self._logs[:, column, self.moving[own]]
        products = [logs[..., one] * logs[..., other] for one, other in self._pairs]
        return np.concatenate([logs, np.stack(products, axis=-1)], axis=-1) if products else logs

    @cached_property
    def to_exponents(self) -> Floats:
        """One where a column's own exponent is a moving one, shape (columns, own exponents, moving exponents)."""
        places = np.zeros((len(self._own), self.most, len(self.moving)))
        for column, own in enumerate(self._own):
            places[column, np.arange(len(own)), own] = 1.0
        return places

    @cached_property
    def to_pairs(self) -> Floats:
        """One where a product of a column is of two moving exponents, shape (columns x products, their square)."""
        places = np.zeros((len(self._own), len(self._pairs), len(self.moving), len(self.moving)))
        for column, own in enumerate(self._own):
            for product, (one, other) in enumerate(self._pairs):
                if other < len(own):
                    places[column, product, own[[one, other]], own[[other, one]]] = 1.0
        return places.reshape(len(self._own) * len(self._pairs), -1)


@frozen
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
        Whether the descent ended where no step lowers the objective any more, or where Newton's promises nothing.
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
    size = max(1, CELLS_IN_CACHE // max(1, rows))
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
