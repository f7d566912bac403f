"""The global search over exponents. For given exponents the coefficients are a least squares: only those are searched.

1. On a grid of the exponents that blocks share, every block is searched alone: its own exponents on a full grid where
   they are few, else on an even scatter of points whose best are improved one exponent at a time.
2. The best combinations of the blocks' optima, over all points of the shared grid, start joint descents: all of them
   roughly, the lowest to the end, and the best once more with terms that it has switched off.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from shapeplan.fitting.solver.levenberg_marquardt import COARSE, FINEST_LONG, MEDIUM, descend
from shapeplan.fitting.solver.losses import RELATIVE, Objective
from shapeplan.fitting.solver.model import Block, Solution, distinct, pieces
from shapeplan.fitting.solver.projection import least
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index

SHARED_POINTS = 17
"""Points of the grid of a shared exponent; all grids are geometric between the bounds."""
OWN_POINTS = 13
FULL_GRID = 2500
"""Points above which a grid of a block's own exponents gives way to a scatter."""
SCATTER = 2048
IMPROVED, IMPROVED_POINTS, ROUNDS = 24, 9, 2
"""How many of the scatter are improved one exponent at a time, over how many values, how often."""
STARTS_PER_BLOCK = 4
JOINT_STARTS = 128
SCATTER_STARTS = 72
"""How many optima of a block at one point of the shared grid, of all blocks, and of a scatter are polished."""
POWERS, POWERED = 9, 12
"""Values of an outer power from which descents start, and from how many optima of the sums themselves."""
THINNED = 500
"""Rows of a block that the search looks at."""
FINALISTS = 20
"""How many descents are followed to the end."""
_LIKELY = 1.1
"""Objective on thinned rows, over the least, up to which an optimum may be the lowest on all: of 2,000 rows chance does
not make it as much."""
_SAME = 1e-7
_CLOSE, _APART = 1e-3, 0.2
"""Distances, as a share of the range of some exponent, below which points are the same, and above which far apart."""


@frozen
class Found:
    """The result of a search.

    Attributes
    ----------
    best : Solution
        The global optimum, a batch of one.
    optima : ndarray, shape (optima, exponents)
        Distinct local optima, the lowest first, then points far from them at which a rough descent ended: where the
        optima of problems that differ a little may be.
    """

    best: Solution
    optima: Floats


def search(
    blocks: Sequence[Block],
    lower: Floats,
    upper: Floats,
    objective: Objective = RELATIVE,
    *,
    plain: Floats | None = None,
) -> Found:
    """Find the global optimum over all exponents within bounds.

    Parameters
    ----------
    blocks : sequence of Block
        With observations and weights of shape (rows,).
    lower, upper : ndarray, shape (exponents,)
        Bounds, positive.
    objective : Objective
        What to minimize.
    plain : ndarray, shape (optima, exponents - 1), optional
        Optima without the outer power, where there is one and they are known.
    """
    thin = [block.thinned(THINNED) for block in blocks]
    if any(block.inside is not None for block in blocks):
        if plain is None:
            bare = [replace(block, inside=None, log_columns=block.log_columns[..., :-1]) for block in blocks]
            plain = search(bare, lower[:-1], upper[:-1], objective).optima
        return _descend_from(blocks, thin, _under_powers(plain, lower, upper), lower, upper, objective)
    uses = np.array([block.uses for block in blocks])
    shared = uses.sum(axis=0) > 1
    grid = _grid(lower, upper, shared, SHARED_POINTS)
    own = uses & ~shared
    alone = [_search_block(block, grid, mine, lower, upper, objective) for block, mine in zip(thin, own, strict=True)]
    return _descend_from(blocks, thin, _combine(grid, own, alone), lower, upper, objective)


def _descend_from(
    blocks: Sequence[Block], thin: Sequence[Block], starts: Floats, lower: Floats, upper: Floats, objective: Objective
) -> Found:
    """Descend from all starts roughly, and from the lowest ends to the end, on no more rows than tell them apart.

    Where these are not all, those that may be lowest on all rows descend on these too.
    """
    rough = descend(thin, starts, lower, upper, objective=objective, criteria=COARSE)
    order = np.argsort(rough.objective, kind="stable")
    ends = rough.exponents[order]
    finalists = distinct(ends, lower, upper, _CLOSE)[:FINALISTS]
    found = descend(thin, finalists, lower, upper, objective=objective)
    if any(few.rows < block.rows for few, block in zip(thin, blocks, strict=True)):
        ends = np.concatenate([found.exponents, ends])
        likely = found.objective <= _LIKELY * found.objective.min()
        found = descend(
            blocks, distinct(found.exponents[likely], lower, upper, _CLOSE), lower, upper, objective=objective
        )
    order = np.argsort(found.objective, kind="stable")
    best = descend(blocks, found.exponents[order[:1]], lower, upper, objective=objective, criteria=FINEST_LONG)
    best = _with_idle_terms_tried(blocks, best, lower, upper, objective)
    optima = distinct(np.concatenate([best.exponents, found.exponents[order]]), lower, upper, _CLOSE)
    apart = distinct(np.concatenate([optima, ends]), lower, upper, _APART)
    return Found(best, np.concatenate([optima, apart[len(distinct(optima, lower, upper, _APART)) :]]))


def _with_idle_terms_tried(
    blocks: Sequence[Block], best: Solution, lower: Floats, upper: Floats, objective: Objective
) -> Solution:
    """Return an optimum, or a lower one in which a term is at work that it has switched off.

    No descent finds out whether such a term is worth something at another exponent, since it has no slope by that. Each
    exponent that only moves terms that are switched off is tried at both bounds.
    """
    live = np.any([block.live(part)[0] for block, part in zip(blocks, best.coefficients, strict=True)], axis=0)
    idle = np.flatnonzero(~live)
    if not idle.size:
        return best
    points = np.repeat(best.exponents, 2 * idle.size, axis=0)
    points[np.arange(len(points)), np.repeat(idle, 2)] = np.stack([lower[idle], upper[idle]], axis=1).ravel()
    found = descend(blocks, points, lower, upper, objective=objective, criteria=FINEST_LONG)
    lowest = found.take(found.objective.argsort(kind="stable")[:1])
    return lowest if lowest.objective[0] < best.objective[0] * (1 - _SAME) else best


def _under_powers(optima: Floats, lower: Floats, upper: Floats) -> Floats:
    """Return where optima of the sums themselves may be under an outer power, which becomes the last exponent.

    A term to the power kappa is the same function of its variables with exponents kappa times as large.
    """
    some = optima[:POWERED]
    powers = np.repeat(np.geomspace(lower[-1], upper[-1], POWERS), len(some))[:, None]
    return np.asarray(np.clip(np.hstack([np.tile(some, (POWERS, 1)) / powers, powers]), lower, upper))


def _search_block(
    block: Block, grid: Floats, own: Bools, lower: Floats, upper: Floats, objective: Objective
) -> tuple[Floats, Floats]:
    """Search one block's own exponents at every point of the shared grid.

    Returns
    -------
    exponents : ndarray, shape (points, optima, exponents)
        Local optima at every point, the lowest first; where there are fewer, the lowest again.
    objective : ndarray, shape (points, optima)
        Their objectives; infinite for repetitions.
    """
    full = OWN_POINTS ** int(own.sum()) <= FULL_GRID
    most = STARTS_PER_BLOCK if len(grid) > 1 else SCATTER_STARTS
    local = _grid(lower, upper, own, OWN_POINTS) if full else _scatter(lower, upper, own)
    starts, owner = [], []
    for index, point in enumerate(grid):
        theta = np.where(own, local, point)
        values = _values(block, theta, objective)
        if full:
            minima = _local_minima(values, OWN_POINTS)
            chosen = theta[minima[np.argsort(values[minima], kind="stable")][:most]]
        else:
            order = np.argsort(values, kind="stable")
            improved = _improve(block, theta[order[:IMPROVED]], own, lower, upper, objective)
            chosen = np.concatenate([improved, theta[order[: most - IMPROVED]]])
        starts.append(chosen)
        owner += [index] * len(chosen)
    if len(grid) == 1:
        # No other block to combine with: the joint descents start here.
        return starts[0][None], np.zeros((1, len(starts[0])))
    found = descend([block], np.concatenate(starts), lower, upper, own, objective=objective, criteria=MEDIUM)
    exponents = np.repeat(grid[:, None, :], most, axis=1)
    objectives = np.full((len(grid), most), np.inf)
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
    choices = np.array(list(itertools.product(*(range(objective.shape[1]) for _, objective in optima))))
    total = np.sum([objective[:, choices[:, k]] for k, (_, objective) in enumerate(optima)], axis=0)
    ranked = np.argsort(total, axis=None, kind="stable")[:JOINT_STARTS]
    finite = ranked[np.isfinite(total.ravel()[ranked])]
    point, choice = np.unravel_index(finite if finite.size else ranked[:1], total.shape)
    starts = grid[point].copy()
    for k, (exponents, _) in enumerate(optima):
        starts[:, own[k]] = exponents[point, choices[choice, k]][:, own[k]]
    return starts


def _values(block: Block, theta: Floats, objective: Objective) -> Floats:
    """Return the objective of one block at many exponents, shape (batch,)."""
    parts = pieces(len(theta), block.rows)
    return np.concatenate([least(objective, block, theta[i]) for i in parts])


def _improve(block: Block, theta: Floats, own: Bools, lower: Floats, upper: Floats, objective: Objective) -> Floats:
    """Return the points with one exponent after the other moved to the best of a few values."""
    theta = theta.copy()
    for _, exponent in itertools.product(range(ROUNDS), np.flatnonzero(own)):
        values = np.append(np.geomspace(lower[exponent], upper[exponent], IMPROVED_POINTS), np.nan)
        tried = np.repeat(theta[:, None, :], len(values), axis=1)
        tried[:, :-1, exponent] = values[:-1]
        scores = _values(block, tried.reshape(-1, theta.shape[1]), objective).reshape(len(theta), -1)
        theta = tried[np.arange(len(theta)), np.argmin(scores, axis=1)]
    return theta


def _grid(lower: Floats, upper: Floats, which: Bools, points: int) -> Floats:
    """Return a geometric grid over the chosen exponents, the others at the middle; shape (points^chosen, exponents)."""
    middle = np.sqrt(lower * upper)
    axes = [
        np.geomspace(low, high, points) if chosen else [mid]
        for low, high, mid, chosen in zip(lower, upper, middle, which, strict=True)
    ]
    return np.array(list(itertools.product(*axes)))


def _scatter(lower: Floats, upper: Floats, which: Bools) -> Floats:
    """Return points that fill the range of the chosen exponents evenly, the others at the middle.

    A Kronecker sequence in the logarithms, with powers of the root of ``x^(d+1) = x + 1`` (the golden ratio for d = 1).
    """
    dims = int(which.sum())
    root = 2.0
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (dims + 1))
    place = np.full((SCATTER, len(lower)), 0.5)
    place[:, which] = (0.5 + np.outer(np.arange(1, SCATTER + 1), root ** -np.arange(1.0, dims + 1))) % 1.0
    return np.asarray(lower * (upper / lower) ** place)


def _local_minima(values: Floats, points: int) -> Index:
    """Return flat indices of the points of a grid that no neighbour along an axis lies below."""
    dims = max(0, round(np.log(len(values)) / np.log(points)))
    cube = values.reshape((points,) * dims) if dims else values.reshape(1)
    lowest = np.ones(cube.shape, dtype=bool)
    for axis in range(cube.ndim):
        wall = np.full_like(cube.take([0], axis), np.inf)
        size = cube.shape[axis]
        before = np.concatenate([wall, cube], axis=axis).take(range(size), axis)
        after = np.concatenate([cube, wall], axis=axis).take(range(1, size + 1), axis)
        lowest &= (cube <= before) & (cube <= after)
    return np.flatnonzero(lowest)
