"""A residual bootstrap that respects runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.fitting.problem import Problem
from shapeplan.fitting.solver import Block, Found, Solution, refit
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import CELLS_IN_MEMORY, Floats

SAMPLED_RUNS = 2000
"""Runs beyond which replicates are fitted to so many of them, drawn at random."""
_CALIBRATED = 1.1
"""Factor of the scatter of replicates of a joint law: without it, percentiles of a fit so far from linear hold 82 to
90% where they say 90% (tests/studies/calibration.py; calibrated confidence: Loh 1987)."""


@frozen
class Refits:
    """Fits to replicates of the observations.

    Attributes
    ----------
    draws : dict of str to ndarray, shape (replicates,)
        Every constant under every replicate; empty without replicates.
    unconverged : int
        Replicates whose refit did not end at an optimum.
    kept : tuple of (sequence of Block, Solution)
        The first of the replicates, as many as were to be kept, and their optima.
    share : float
        Share of the rows that were fitted.
    """

    draws: dict[str, Floats]
    unconverged: int = 0
    kept: tuple[tuple[Sequence[Block], Solution], ...] = ()
    share: float = 1.0


def bootstrap(
    problem: Problem,
    found: Found,
    residual_model: ResidualModel,
    *,
    replicates: int,
    seed: int,
    level: float,
    keep: int = 0,
    done: Callable[[int], None] = lambda more: None,
) -> Refits:
    """Refit the problem to replicates of its observations.

    A replicate adds scatter to what the law predicts and is refitted from the best of the optima that the search
    knows. The scatter is drawn from the residuals of all rows with random signs: a part that the rows of a run have in
    common (they are not independent) and a part of their own, each as large as the log shows once the parameters that
    the fit used up are allowed for. It is widened for Student's tails over the normal's, and for a joint law by what
    percentiles lack in simulation.

    Where there are very many runs, replicates are fitted to m of the n, with the scatter of estimates from n: that of
    rows times the root of m / n (the m out of n bootstrap: Bickel, Goetze and van Zwet 1997).

    Parameters
    ----------
    problem : Problem
        The problem.
    found : Found
        Its optimum.
    residual_model : ResidualModel
        How its rows, block after block, scatter around it.
    replicates : int
        How many.
    seed : int
        Seed of NumPy's PCG64.
    level : float
        Coverage that the widening aims at.
    keep : int
        How many of the replicates are kept with their fits.
    done : callable
        Told how many more replicates are done.

    Returns
    -------
    Refits
        The constants under every replicate.
    """
    if not replicates:
        return Refits({})
    rng = np.random.default_rng(seed)
    rows = len(problem.point_of)
    problem, residual_model = _sampled(problem, residual_model, rng)
    predicted = problem.predicted_points(found.best)
    at_points = residual_model.at_points(problem.point_of, problem.point_weights)
    wider = residual_model.widening(level) * (_CALIBRATED if problem.form.joint else 1.0)
    count = max(1, replicates * len(predicted) // CELLS_IN_MEMORY)
    sizes = [len(piece) for piece in np.array_split(np.arange(replicates), count)]
    draws, unconverged, kept = [], 0, []
    for size in sizes:
        blocks = problem.observing(predicted * np.exp(wider * at_points.draw(rng, size)))
        again = refit(blocks, found.optima, *problem.bounds, problem.objective, by_chance=True)
        draws.append(problem.constants(again))
        unconverged += int((~again.converged).sum())
        if keep > 0:
            first = np.arange(min(keep, size))
            kept.append(([block.take(first) for block in blocks], again.take(first)))
            keep -= len(first)
        done(size)
    together = {name: np.concatenate([part[name] for part in draws]) for name in draws[0]}
    return Refits(together, unconverged, tuple(kept), len(problem.point_of) / rows)


def _sampled(
    problem: Problem, residual_model: ResidualModel, rng: np.random.Generator
) -> tuple[Problem, ResidualModel]:
    """Return a problem on a sample of its runs, and a scatter under which it tells as much as the whole.

    Few runs are not sampled.
    """
    runs = residual_model.runs
    if runs <= SAMPLED_RUNS:
        return problem, residual_model
    drawn = rng.choice(runs, SAMPLED_RUNS, replace=False)
    some = np.isin(residual_model.run[problem.point_of], drawn)
    less = residual_model.sigma * np.sqrt(SAMPLED_RUNS / runs)
    return problem.at_points(some), replace(residual_model, sigma=float(less))
