"""Refits of replicates, folds and held exponents end at their optimum, whatever start they are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from conftest import SAMPLES

from shapeplan.fitting.selection.candidate import Candidate, fit_candidate
from shapeplan.fitting.selection.identifiability import survey
from shapeplan.fitting.solver import LOG_HUBER, OBJECTIVES, RELATIVE, Block, Objective, descend, refit, search
from shapeplan.fitting.solver.levenberg_marquardt import StoppingCriteria
from shapeplan.laws.trade import held_alone
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs

SAME = 1e-8
"""Excess of the objective that is none."""


def real_sweep() -> Runs:
    return read_runs(SAMPLES / "stdlib_lm" / "runs.csv", config=SAMPLES / "stdlib_lm" / "config.yaml").canonical()


def candidate_of(runs: Runs, law: str, objective: Objective = RELATIVE) -> Candidate:
    contents = survey(runs)
    return fit_candidate(law, runs, contents.dimensions, contents.star, objective)


def replicates_of(found: Candidate, runs: Runs, count: int) -> list[Block]:
    predicted = found.problem.predicted_points(found.found.best)
    residual_model = found.residual_model(runs).draw(np.random.default_rng(0), count)
    return found.problem.observing(predicted * np.exp(residual_model))


def least_from_other_starts(found: Candidate, blocks: Sequence[Block], seed: int) -> float:
    """Return the least objective of a global search of one problem, and of descents from random exponents."""
    lower, upper = found.problem.bounds
    objective = found.problem.objective
    starts = np.exp(np.random.default_rng(seed).uniform(np.log(lower), np.log(upper), (40, len(lower))))
    ends = descend(blocks, starts, lower, upper, objective=objective).objective.min()
    return min(float(ends), float(search(blocks, lower, upper, objective).best.objective[0]))


@pytest.mark.long
@pytest.mark.parametrize(
    ("law", "objective"), [("separable", "relative"), ("star", "relative"), ("interaction", "log-huber")]
)
def test_no_other_start_ends_below_a_replicate(law: str, objective: str) -> None:
    """Of twelve; over hundreds, the study refits.py tells how many are beaten."""
    runs = real_sweep()
    found = candidate_of(runs, law, OBJECTIVES[objective])
    blocks = replicates_of(found, runs, 12)
    again = refit(blocks, found.found.optima, *found.problem.bounds, found.problem.objective)
    assert again.converged.all()
    for i in range(12):
        alone = [replace(block, observed=block.observed[i]) for block in blocks]
        assert again.objective[i] <= least_from_other_starts(found, alone, i) * (1 + SAME)


def test_replicates_that_only_some_look_for_have_the_same_quantiles() -> None:
    """Those of a tenth at most may end above their lowest optimum, and none below it."""
    runs = real_sweep()
    found = candidate_of(runs, "star")
    blocks = replicates_of(found, runs, 200)
    every = refit(blocks, found.found.optima, *found.problem.bounds)
    some = refit(blocks, found.found.optima, *found.problem.bounds, by_chance=True)
    excess = some.objective / every.objective - 1
    assert some.converged.all()
    assert (np.abs(excess) > SAME).mean() < 0.1
    ends, others = (np.quantile(np.log(solution.exponents), [0.05, 0.95], axis=0) for solution in (every, some))
    assert np.ptp(others, axis=0) == pytest.approx(np.ptp(ends, axis=0), rel=0.05)


@pytest.mark.parametrize("law", ["separable", "product"])
def test_no_other_start_ends_below_a_fold(law: str) -> None:
    runs = real_sweep()
    found = candidate_of(runs, law)
    cuts = np.quantile(runs.flops, [0.6, 0.7, 0.8, 0.9])
    keep = np.array([runs.flops <= cut for cut in cuts])
    folds = found.without(keep)
    for i, mine in enumerate(keep):
        (block,) = found.problem.blocks
        alone = [replace(block, weights=mine.astype(float))]
        assert folds.converged[i]
        assert folds.objective[i] <= least_from_other_starts(found, alone, i) * (1 + SAME)


def test_no_other_start_ends_below_a_held_exponent() -> None:
    runs = real_sweep()
    found = candidate_of(runs, "star")
    names, (lower, upper) = found.problem.form.exponents, found.problem.bounds
    maps = np.array([held_alone(names, "depth", s) for s in (0.4, 0.6, 0.8)])
    held = [replace(block, maps=maps) for block in found.problem.blocks]
    again = refit(held, found.found.optima, lower, upper)
    starts = np.exp(np.random.default_rng(0).uniform(np.log(lower), np.log(upper), (100, len(lower))))
    for i, one in enumerate(maps):
        alone = [replace(block, maps=one) for block in found.problem.blocks]
        assert again.objective[i] <= descend(alone, starts, lower, upper).objective.min() * (1 + SAME)


def test_an_exponent_of_a_term_that_is_off_is_always_the_same() -> None:
    """Its rows show no second term: the exponent of that one is in the middle of its range, from any start."""
    x = np.geomspace(0.1, 10, 12)
    columns = np.zeros((12, 2, 2))
    columns[:, 0, 0], columns[:, 1, 1] = -np.log(x), np.log(x)
    lower, upper = np.array([0.02, 0.02]), np.array([2.0, 4.0])
    starts = np.exp(np.random.default_rng(0).uniform(np.log(lower), np.log(upper), (20, 2)))
    # A loss that falls faster than the first term alone leaves nothing for one that rises.
    found = descend([Block(columns, 3 * x**-0.4 - 0.1 * x, np.ones(12))], starts, lower, upper)
    assert (found.coefficients[0][:, 1] == 0).all()
    assert found.exponents[:, 1] == pytest.approx(np.sqrt(0.02 * 4.0))
    assert np.ptp(found.exponents[:, 0]) < 1e-6


@pytest.mark.parametrize("objective", [RELATIVE, LOG_HUBER])
def test_a_descent_that_is_cut_short_says_so(objective: Objective) -> None:
    found = candidate_of(real_sweep(), "separable", objective)
    lower, upper = found.problem.bounds
    start = np.sqrt(lower * upper)[None]
    short = descend(found.problem.blocks, start, lower, upper, objective=objective, criteria=StoppingCriteria(steps=2))
    assert not short.converged.any()
    assert descend(found.problem.blocks, start, lower, upper, objective=objective).converged.all()
