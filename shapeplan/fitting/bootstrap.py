"""A wild bootstrap that respects runs."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, stdtrit

from shapeplan.arrays import Floats, Ints
from shapeplan.fitting.engine import Block, Solution, polish
from shapeplan.fitting.problem import Problem

_CELLS = 2_000_000
"""Rows times replicates that are made at once, which bounds memory."""


def wild_bootstrap(
    problem: Problem, solution: Solution, run: Ints, *, replicates: int, seed: int, level: float
) -> dict[str, Floats]:
    """Refit the problem to replicates of its observations.

    A replicate turns the residuals of every run around or leaves them, the whole run together (the points of a run
    are not independent), and is refitted from the estimate. Residuals are first widened for the degrees of freedom
    that the fit used up, and for the tails of Student's t over the normal's.

    Parameters
    ----------
    problem : Problem
        The problem.
    solution : Solution
        Its optimum.
    run : ndarray of int, shape (rows of the problem,)
        Run of every row, block after block.
    replicates : int
        How many.
    seed : int
        Seed of NumPy's PCG64.
    level : float
        Coverage that the widening aims at.

    Returns
    -------
    dict of str to ndarray, shape (replicates,)
        Every constant under every replicate.
    """
    if not replicates:
        return {}
    runs, index = np.unique(run, return_inverse=True)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(replicates, len(runs)))
    widening = _widening(problem, solution, len(run), level)
    pieces = np.array_split(signs, max(1, replicates * len(run) // _CELLS))
    found = [_refit(problem, solution, index, piece, widening) for piece in pieces]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _refit(problem: Problem, solution: Solution, index: Ints, signs: Floats, widening: float) -> dict[str, Floats]:
    """Refit to the observations whose scatter is turned by `signs`, shape (replicates, runs)."""
    blocks, start = [], 0
    for block, coefficients in zip(problem.blocks, solution.coefficients, strict=True):
        here = slice(start, start + block.rows)
        predicted = np.exp(block.log_columns @ solution.exponents[0]) @ coefficients[0]
        scatter = widening * (1.0 / (block.weights * predicted) - 1.0)
        # A residual of more than 90% would turn an observation negative; it stays a positive loss.
        observed = predicted * (1.0 + np.clip(signs[:, index[here]] * scatter, -0.9, None))
        blocks.append(Block(block.log_columns, 1.0 / observed, block.targets))
        start += block.rows
    starts = np.repeat(solution.exponents, len(signs), axis=0)
    return problem.constants(polish(blocks, starts, *problem.bounds))


def _widening(problem: Problem, solution: Solution, rows: int, level: float) -> float:
    used = solution.exponents.shape[1] + sum(int((part[0] > 0).sum()) for part in solution.coefficients)
    freedom = max(rows - used, 1)
    tail = (1 + level) / 2
    return float(np.sqrt(rows / freedom) * stdtrit(freedom, tail) / ndtri(tail))
