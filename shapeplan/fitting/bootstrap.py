"""A residual bootstrap that respects runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from shapeplan.arrays import Floats, Ints
from shapeplan.fitting.engine import Block, Found, search_again
from shapeplan.fitting.problem import Problem

_CELLS = 2_000_000
"""Rows times replicates that are made at once, which bounds memory."""
_CANDIDATES = 12
"""Optima of the estimate's search that every replicate scores before it descends."""
_MOST_COMMON = 0.99


@dataclass(frozen=True)
class Scatter:
    """How rows scatter around a fit.

    Attributes
    ----------
    shape : ndarray, shape (rows,)
        Logarithmic residuals in units of their root mean square: what a replicate draws from.
    sigma : float
        Standard deviation of a row, for the freedom the fit used up.
    common : float
        Share of the variance that rows of one run have in common, 0 where every row is a run.
    """

    shape: Floats
    sigma: float
    common: float

    @classmethod
    def of(cls, residuals: Floats, run: Ints, parameters: int) -> Scatter:
        """Measure the scatter of logarithmic residuals, shape (rows,), of runs, shape (rows,)."""
        rows = len(residuals)
        square = float(np.mean(residuals**2))
        if square == 0:
            return cls(residuals, 0.0, 0.0)
        sizes, sums = np.bincount(run), np.bincount(run, residuals)
        pairs = float((sizes * (sizes - 1)).sum())
        together = float((sums**2).sum() - (residuals**2).sum())
        common = min(max(together / pairs / square, 0.0), _MOST_COMMON) if pairs else 0.0
        sigma = float(np.sqrt(square * rows / max(rows - parameters, 1)))
        return cls(residuals / np.sqrt(square), sigma, common)

    def draw(self, rng: np.random.Generator, run: Ints, replicates: int) -> Floats:
        """Return residuals of replicates, shape (replicates, rows): one part a run, one part a row."""

        def parts(size: int) -> Floats:
            signs = rng.choice([-1.0, 1.0], size=(replicates, size))
            return np.asarray(signs * self.shape[rng.integers(len(self.shape), size=(replicates, size))])

        rows = np.sqrt(1 - self.common) * parts(len(run))
        if self.common:
            rows += np.sqrt(self.common) * parts(int(run.max()) + 1)[:, run]
        return np.asarray(self.sigma * rows)


def bootstrap(
    problem: Problem,
    found: Found,
    run: Ints,
    *,
    replicates: int,
    seed: int,
    level: float,
    done: Callable[[int], None] = lambda more: None,
) -> dict[str, Floats]:
    """Refit the problem to replicates of its observations.

    A replicate adds scatter to what the law predicts and is refitted from the best of the optima that the search
    knows. The scatter is drawn from the residuals of all rows with random signs: a part that the rows of a run have in
    common (they are not independent) and a part of their own, in the proportion that the log shows. It is widened for
    the parameters that the fit used up, and for Student's tails over the normal's.

    Parameters
    ----------
    problem : Problem
        The problem.
    found : Found
        Its optimum.
    run : ndarray of int, shape (rows of the problem,)
        Run of every row, block after block.
    replicates : int
        How many.
    seed : int
        Seed of NumPy's PCG64.
    level : float
        Coverage that the widening aims at.
    done : callable
        Told how many more replicates are done.

    Returns
    -------
    dict of str to ndarray, shape (replicates,)
        Every constant under every replicate.
    """
    if not replicates:
        return {}
    _, index = np.unique(run, return_inverse=True)
    predicted = np.concatenate(problem.predicted(found.best))
    observed = np.concatenate([block.observed for block in problem.blocks])
    parameters = problem.active(found.best)
    scatter = Scatter.of(np.log(observed / predicted), index, parameters)
    wider = student_widening(len(run) - parameters, level)
    rng = np.random.default_rng(seed)
    count = max(1, replicates * len(run) // _CELLS)
    sizes = [len(piece) for piece in np.array_split(np.arange(replicates), count)]
    draws = []
    for size in sizes:
        again = predicted * np.exp(wider * scatter.draw(rng, index, size))
        draws.append(_refit(problem, found, again))
        done(size)
    return {name: np.concatenate([part[name] for part in draws]) for name in draws[0]}


def student_widening(freedom: int, level: float) -> float:
    """Return how much wider than the normal's Student's central interval of `level` is."""
    tail = (1 + level) / 2
    return float(stdtrit(max(freedom, 1), tail) / ndtri(tail))


def _refit(problem: Problem, found: Found, observed: Floats) -> dict[str, Floats]:
    """Fit observations of shape (replicates, rows of the problem)."""
    cuts = np.cumsum([block.rows for block in problem.blocks])[:-1]
    blocks = [
        Block(block.log_columns, mine, block.weights)
        for block, mine in zip(problem.blocks, np.split(observed, cuts, axis=1), strict=True)
    ]
    candidates = found.optima[:_CANDIDATES]
    return problem.constants(search_again(blocks, candidates, *problem.bounds, problem.objective))
