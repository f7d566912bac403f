"""The engine: variable projection for sums of terms with non-negative coefficients. It knows no scaling laws.

A problem is a set of blocks of rows. In block k the prediction is ``A_k(theta) x_k`` with ``x_k >= 0``, and every
column of A_k is the exponential of a linear function of the exponents theta. Some exponents are shared by the blocks.
For given theta the coefficients are a non-negative least squares, so only theta is searched (Golub and Pereyra 1973):

1. on a grid of the shared exponents, every block is searched alone: a grid of its own exponents, then a polish from
   its lowest local minima;
2. the best combinations of the blocks' optima, over all points of the shared grid, start joint polishes. The lowest
   wins.

The polish is Levenberg-Marquardt with an analytic Jacobian, for a whole batch of starts or bootstrap replicates at
once. Its step is a quadratic program in exponents and coefficients together, with the bounds of both; then the
coefficients are solved for anew. Kaufman's (1975) step, which eliminates the coefficients first, stalls wherever one
of them vanishes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shapeplan.arrays import Bools, Floats, Index
from shapeplan.fitting.boxqp import solve_box_qp, solve_nnls

SHARED_POINTS = 17
OWN_POINTS = 13
STARTS_PER_BLOCK = 4
JOINT_STARTS = 128
"""Size of the grids, geometric between the bounds; how many optima of a block, and of all blocks, are polished."""

_STEPS = 300
_CELLS = 400_000
"""Rows times starts that are polished at once, which bounds memory."""
_SAME = 1e-7
_TINY = 1e-300


@dataclass(frozen=True)
class Block:
    """Rows that share one sum of terms.

    Attributes
    ----------
    log_columns : ndarray, shape (rows, columns, exponents)
        Column i of row r is ``exp(log_columns[r, i] @ theta)``.
    weights : ndarray, shape (rows,) or (batch, rows)
        The residual of row r is ``weights[r] * prediction[r] - targets[r]``.
    targets : ndarray, shape (rows,)
        One for the relative objective, whose weights are one over the observation.
    """

    log_columns: Floats
    weights: Floats
    targets: Floats

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.log_columns)

    @property
    def uses(self) -> Bools:
        """Which exponents move this block, shape (exponents,)."""
        return np.asarray(np.any(self.log_columns != 0, axis=(0, 1)))


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
        Sum of squared residuals over all blocks.
    converged : ndarray of bool, shape (batch,)
        Whether the polish stopped because no step lowers the objective any more.
    """

    exponents: Floats
    coefficients: tuple[Floats, ...]
    objective: Floats
    converged: Bools

    def take(self, index: int) -> Solution:
        """Return one of the batch, as a batch of one."""
        one = slice(index, index + 1)
        return Solution(
            self.exponents[one],
            tuple(part[one] for part in self.coefficients),
            self.objective[one],
            self.converged[one],
        )


def search(blocks: Sequence[Block], lower: Floats, upper: Floats) -> Solution:
    """Find the global optimum over all exponents within bounds.

    Parameters
    ----------
    blocks : sequence of Block
        With weights of shape (rows,).
    lower, upper : ndarray, shape (exponents,)
        Bounds, positive.

    Returns
    -------
    Solution
        A batch of one.
    """
    uses = np.array([block.uses for block in blocks])
    shared = uses.sum(axis=0) > 1
    grid = _grid(lower, upper, shared, SHARED_POINTS)
    own = uses & ~shared
    optima = [_search_block(block, grid, mine, lower, upper) for block, mine in zip(blocks, own, strict=True)]
    found = polish(blocks, _combine(grid, own, optima), lower, upper)
    return found.take(int(np.argmin(found.objective)))


def polish(
    blocks: Sequence[Block], starts: Floats, lower: Floats, upper: Floats, free: Bools | None = None
) -> Solution:
    """Descend from each start to a local optimum.

    Parameters
    ----------
    blocks : sequence of Block
        Weights of shape (rows,), or (batch, rows) with one set a start.
    starts : ndarray, shape (batch, exponents)
        Where to start.
    lower, upper : ndarray, shape (exponents,)
        Bounds.
    free : ndarray of bool, shape (exponents,), optional
        Exponents that may move; all of them by default.

    Returns
    -------
    Solution
        One optimum a start.
    """
    movable = np.ones(starts.shape[1], dtype=bool) if free is None else free
    pieces = [
        _polish_together([_only(block, piece) for block in blocks], starts[piece], lower, upper, movable)
        for piece in _pieces(len(starts), blocks)
    ]
    return Solution(
        np.concatenate([piece.exponents for piece in pieces]),
        tuple(np.concatenate(parts) for parts in zip(*(piece.coefficients for piece in pieces), strict=True)),
        np.concatenate([piece.objective for piece in pieces]),
        np.concatenate([piece.converged for piece in pieces]),
    )


def _polish_together(blocks: Sequence[Block], starts: Floats, lower: Floats, upper: Floats, movable: Bools) -> Solution:
    """Descend from all starts at once."""
    theta = np.clip(starts, lower, upper)
    state = _linearize(blocks, theta)
    damping = np.full(len(theta), 1e-3)
    growth = np.full(len(theta), 2.0)
    quiet = np.zeros(len(theta), dtype=int)
    active = np.arange(len(theta))
    for _ in range(_STEPS):
        model = state.take(active)
        low = np.where(movable, lower - theta[active], 0.0)
        high = np.where(movable, upper - theta[active], 0.0)
        moved, promised = model.step(damping[active], low, high)
        trial = np.clip(theta[active] + moved, lower, upper)
        fresh = _linearize([_only(block, active) for block in blocks], trial)
        gain = model.objective - fresh.objective
        accept = gain > 0
        still = (np.abs(moved) <= 1e-13 * np.abs(theta[active])).all(axis=1)
        flat = gain <= 1e-14 * model.objective

        theta[active[accept]] = trial[accept]
        state.put(active[accept], fresh.take(np.flatnonzero(accept)))
        # Nielsen's rule for the damping.
        ratio = np.clip(gain / np.maximum(promised, _TINY), 0.0, 2.0)
        shrink = np.maximum(1 / 3, 1 - (2 * ratio - 1) ** 3)
        damping[active] = np.clip(damping[active] * np.where(accept, shrink, growth[active]), 1e-15, 1e20)
        growth[active] = np.where(accept, 2.0, growth[active] * 2.0)
        quiet[active] = np.where(flat, quiet[active] + 1, 0)
        active = active[~still & (quiet[active] < 8)]
        if not active.size:
            break
    converged = np.ones(len(theta), dtype=bool)
    converged[active] = False
    return Solution(theta, state.split_coefficients(blocks), state.objective, converged)


def grid_objective(block: Block, theta: Floats) -> Floats:
    """Return the sum of squared residuals of one block at many exponents, shape (batch,)."""
    values = []
    for piece in _pieces(len(theta), [block]):
        columns = _columns(block, theta[piece])
        residual = np.einsum("bni,bi->bn", columns, _project(block, columns)) - block.targets
        values.append(np.einsum("bn,bn->b", residual, residual))
    return np.concatenate(values)


def _pieces(batch: int, blocks: Sequence[Block]) -> list[Index]:
    """Split a batch so that what is computed at once stays small."""
    size = max(1, _CELLS // sum(block.rows for block in blocks))
    return np.split(np.arange(batch), range(size, batch, size))


def _search_block(block: Block, grid: Floats, own: Bools, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Search one block's own exponents at every point of the shared grid.

    Returns
    -------
    exponents : ndarray, shape (points, optima, exponents)
        Local optima at every point, the lowest first; where there are fewer, the lowest again.
    objective : ndarray, shape (points, optima)
        Their objectives; infinite for repetitions.
    """
    local = _grid(lower, upper, own, OWN_POINTS)
    starts, owner = [], []
    for index, point in enumerate(grid):
        theta = np.where(own, local, point)
        objective = grid_objective(block, theta)
        minima = _local_minima(objective, OWN_POINTS)
        minima = minima[np.argsort(objective[minima], kind="stable")][:STARTS_PER_BLOCK]
        starts.append(theta[minima])
        owner += [index] * len(minima)
    found = polish([block], np.concatenate(starts), lower, upper, own)
    exponents = np.repeat(grid[:, None, :], STARTS_PER_BLOCK, axis=1)
    objectives = np.full((len(grid), STARTS_PER_BLOCK), np.inf)
    owners = np.array(owner)
    for index in range(len(grid)):
        mine = np.flatnonzero(owners == index)
        mine = mine[np.argsort(found.objective[mine], kind="stable")]
        exponents[index] = found.exponents[mine[0]]
        exponents[index, : len(mine)] = found.exponents[mine]
        values = found.objective[mine]
        # Several starts may end in one optimum, which is needed once.
        repeated = np.diff(values, prepend=-np.inf) <= _SAME * values
        objectives[index, : len(mine)] = np.where(repeated, np.inf, values)
    return exponents, objectives


def _combine(grid: Floats, own: Bools, optima: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Return the joint starts: the best combinations of the blocks' local optima over the shared grid."""
    choices = np.array(list(itertools.product(range(STARTS_PER_BLOCK), repeat=len(optima))))
    total = np.sum([objective[:, choices[:, k]] for k, (_, objective) in enumerate(optima)], axis=0)
    ranked = np.argsort(total, axis=None, kind="stable")[:JOINT_STARTS]
    finite = ranked[np.isfinite(total.ravel()[ranked])]
    point, choice = np.unravel_index(finite if finite.size else ranked[:1], total.shape)
    starts = grid[point].copy()
    for k, (exponents, _) in enumerate(optima):
        starts[:, own[k]] = exponents[point, choices[choice, k]][:, own[k]]
    return starts


def _grid(lower: Floats, upper: Floats, which: Bools, points: int) -> Floats:
    """Return a geometric grid over the chosen exponents, the others at the middle; shape (points^chosen, exponents)."""
    middle = np.sqrt(lower * upper)
    axes = [
        np.geomspace(low, high, points) if chosen else [mid]
        for low, high, mid, chosen in zip(lower, upper, middle, which, strict=True)
    ]
    return np.array(list(itertools.product(*axes)))


def _local_minima(values: Floats, points: int) -> Index:
    """Return flat indices of the points of a grid that no neighbour along an axis lies below."""
    dims = max(0, round(np.log(len(values)) / np.log(points)))
    cube = values.reshape((points,) * dims) if dims else values.reshape(1)
    lowest = np.ones(cube.shape, dtype=bool)
    for axis in range(cube.ndim):
        padded = np.concatenate([np.full_like(cube.take([0], axis), np.inf), cube], axis=axis)
        before = padded.take(range(cube.shape[axis]), axis)
        after = np.concatenate([cube, np.full_like(cube.take([0], axis), np.inf)], axis=axis).take(
            range(1, cube.shape[axis] + 1), axis
        )
        lowest &= (cube <= before) & (cube <= after)
    return np.flatnonzero(lowest)


def _only(block: Block, batch: Index) -> Block:
    return block if block.weights.ndim == 1 else Block(block.log_columns, block.weights[batch], block.targets)


def _columns(block: Block, theta: Floats) -> Floats:
    """Return the weighted design matrices, shape (batch, rows, columns)."""
    rows, columns, exponents = block.log_columns.shape
    logs = theta @ block.log_columns.reshape(rows * columns, exponents).T
    weights = block.weights[..., None]
    return np.asarray(np.exp(logs).reshape(len(theta), rows, columns) * weights)


def _project(block: Block, columns: Floats) -> Floats:
    """Return the non-negative coefficients that fit the columns best, shape (batch, columns)."""
    gram = columns.transpose(0, 2, 1) @ columns
    return solve_nnls(gram, np.einsum("bni,n->bi", columns, block.targets))


@dataclass
class _Model:
    """The Gauss-Newton model of the objective around a batch of points, in exponents and coefficients together.

    Variable projection proper eliminates the coefficients from the model. Keeping them, with their bound at zero,
    lets a step see which coefficients it will switch on or off; without that a descent stalls where one vanishes.
    """

    coefficients: Floats
    objective: Floats
    gradient: Floats
    curvature: Floats

    def take(self, batch: Index) -> _Model:
        return _Model(self.coefficients[batch], self.objective[batch], self.gradient[batch], self.curvature[batch])

    def put(self, batch: Index, other: _Model) -> None:
        self.coefficients[batch], self.objective[batch] = other.coefficients, other.objective
        self.gradient[batch], self.curvature[batch] = other.gradient, other.curvature

    def split_coefficients(self, blocks: Sequence[Block]) -> tuple[Floats, ...]:
        widths = np.cumsum([block.log_columns.shape[1] for block in blocks])[:-1]
        return tuple(np.split(self.coefficients, widths, axis=1))

    def step(self, damping: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """Return the damped step of the exponents and the decrease it promises."""
        size = low.shape[1]
        index = np.arange(size)
        diagonal = self.curvature[:, index, index]
        floor = 1e-12 * diagonal.max(axis=1, keepdims=True) + _TINY
        damped = self.curvature.copy()
        damped[:, index, index] += damping[:, None] * np.maximum(diagonal, floor) + floor
        lower = np.concatenate([low, -self.coefficients], axis=1)
        upper = np.concatenate([high, np.full_like(self.coefficients, np.inf)], axis=1)
        step = solve_box_qp(damped, self.gradient, lower, upper)
        promised = -2 * np.einsum("bi,bi->b", self.gradient, step) - np.einsum(
            "bi,bij,bj->b", step, self.curvature, step, optimize=True
        )
        return step[:, :size], promised


def _linearize(blocks: Sequence[Block], theta: Floats) -> _Model:
    """Fit the coefficients at the exponents and model the objective around them."""
    batch, size = theta.shape
    total = size + sum(block.log_columns.shape[1] for block in blocks)
    objective, gradient, curvature = np.zeros(batch), np.zeros((batch, total)), np.zeros((batch, total, total))
    parts, start = [], size
    for block in blocks:
        columns = _columns(block, theta)
        solution = _project(block, columns)
        residual = np.einsum("bni,bi->bn", columns, solution) - block.targets
        used = np.flatnonzero(block.uses)
        slopes = np.einsum("npq,bnp->bnq", block.log_columns[:, :, used], columns * solution[:, None, :])
        jacobian = np.concatenate([slopes, columns], axis=2)
        where = np.concatenate([used, np.arange(start, start + columns.shape[2])])
        objective += np.einsum("bn,bn->b", residual, residual)
        gradient[:, where] += np.einsum("bnq,bn->bq", jacobian, residual)
        curvature[:, where[:, None], where] += jacobian.transpose(0, 2, 1) @ jacobian
        parts.append(solution)
        start += columns.shape[2]
    return _Model(np.concatenate(parts, axis=1), objective, gradient, curvature)
