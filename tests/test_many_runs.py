"""Logs of more runs than a fit needs: a sample is fitted, which is said, and tells as much as the whole."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from conftest import Program

import shapeplan as sp
from shapeplan.fitting import many_runs
from shapeplan.fitting.many_runs import MOST_RUNS, sample_runs
from shapeplan.fitting.selection.candidate import Candidate, fit_candidate
from shapeplan.fitting.selection.identifiability import survey
from shapeplan.fitting.uncertainty.bootstrap import bootstrap
from shapeplan.runs import Runs

A_WIDTH, A_DEPTH, C = 0.7, 0.9, 0.3
SIGMA = 0.004


def one_row_runs(path: Path, runs: int, seed: int = 0) -> Path:
    """Write a log of runs of one row each, at random shapes and durations."""
    rng = np.random.default_rng(seed)
    width, depth = 16 * rng.integers(8, 129, runs), rng.integers(2, 33, runs)
    tokens = np.exp(rng.uniform(np.log(1e8), np.log(2e10), runs))
    flops = 72 * width**2 * depth * tokens
    loss = 1.7 + 60 * width**-A_WIDTH + 3 * depth**-A_DEPTH + 300 * tokens**-C
    loss = loss * np.exp(SIGMA * rng.standard_normal(runs))
    rows = zip(range(runs), width, depth, tokens, flops, loss, strict=True)
    lines = [f"r{i},{w},{d},{t:.7g},{f:.7g},{y:.7g}" for i, w, d, t, f, y in rows]
    path.write_text("\n".join(["run,width,depth,tokens,flops,loss", *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one_row_runs(tmp_path_factory.mktemp("many") / "log.csv", MOST_RUNS + 1000)


def test_a_sample_is_fitted_and_said(program: Program, log: Path) -> None:
    fit = ("fit", log, "--law", "separable", "--replicates", "0")
    some, every = program(*fit), program(*fit, "--every-row")
    assert (some.returncode, every.returncode) == (0, 0), some.stderr + every.stderr
    assert "note: of 6,000 runs 5,000 are fitted, drawn at random (--every-row fits all)\n" in some.stderr
    assert "5000 rows of 5000 runs" in some.stdout
    assert "--every-row" not in every.stderr
    assert "6000 rows of 6000 runs" in every.stdout


def test_the_laws_are_compared_on_the_same_sample(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_runs, "MOST_RUNS", 300)
    runs = sp.read_runs(log)
    compared = sp.compare(runs.take(runs.run < 500))
    assert (compared.rows, compared.runs) == (300, 300)
    assert "of 500 runs 300 are fitted, drawn at random (`every_row` fits all)" in compared.notes


def test_the_sample_holds_whole_runs_whatever_the_order_of_the_log(log: Path) -> None:
    runs = sp.read_runs(log)
    backwards = runs.take(np.arange(len(runs))[::-1])
    some, other = (sample_runs(one.canonical()) for one in (runs, backwards))
    assert len(some.run_names) == MOST_RUNS
    assert some.run_names == other.run_names
    np.testing.assert_array_equal(some.observed(), other.observed())
    few = runs.take(runs.run < MOST_RUNS)
    assert sample_runs(few) is few


def test_a_sample_of_runs_gives_the_scatter_of_all(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = sp.read_runs(log)
    runs = runs.take(runs.run < 1200).canonical()
    candidate = _fitted("separable", runs)
    spreads = {}
    for most in (1200, 400):
        monkeypatch.setattr(importlib.import_module("shapeplan.fitting.uncertainty.bootstrap"), "SAMPLED_RUNS", most)
        model = candidate.residual_model(runs)
        refits = bootstrap(candidate.problem, candidate.found, model, replicates=300, seed=0, level=0.9)
        assert refits.unconverged == 0
        spreads[most] = {name: float(np.std(values)) for name, values in refits.draws.items()}
    for name, spread in spreads[1200].items():
        assert 0.75 < spreads[400][name] / spread < 1.33, name


@pytest.mark.parametrize("law", ["separable", "additive", "interaction"])
def test_a_search_on_few_rows_ends_at_the_optimum_of_all(law: str, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = sp.read_runs(log)
    runs = runs.take(runs.run < 1200).canonical()
    whole = _fitted(law, runs)
    monkeypatch.setattr(importlib.import_module("shapeplan.fitting.solver.global_search"), "THINNED", 300)
    thinned = _fitted(law, runs)
    assert thinned.found.best.objective[0] == pytest.approx(whole.found.best.objective[0], rel=1e-9)


def _fitted(law: str, runs: Runs) -> Candidate:
    contents = survey(runs, None)
    return fit_candidate(law, runs, contents.dimensions, contents.star)
