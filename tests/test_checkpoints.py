"""Checkpoints of long runs are merged for the fit, and tell it as much."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Program
from hypothesis import given
from hypothesis import strategies as st

import shapeplan as sp
from shapeplan.fitting.checkpoints import POINTS_A_RUN, merge, with_stretches
from shapeplan.fitting.selection.backtest import backtest
from shapeplan.fitting.selection.candidate import Candidate, fit_candidate
from shapeplan.fitting.selection.identifiability import survey
from shapeplan.runs import Runs

WIDTHS, DEPTHS = (128, 192, 256, 384, 512, 768), (4, 6, 8, 12, 16)
HEADER = "run,width,depth,tokens,flops,loss"


def long_log(path: Path, lengths: tuple[int, ...], seed: int = 0) -> Path:
    """Write runs with as many checkpoints as `lengths` says, evenly spaced in steps as training logs are."""
    rng = np.random.default_rng(seed)
    lines = [HEADER]
    shapes = [(width, 8) for width in WIDTHS] + [(384, depth) for depth in DEPTHS if depth != 8]
    shapes += [(128, 16), (768, 4), (192, 12), (512, 6)]
    for i, (width, depth) in enumerate(shapes):
        run = np.exp(0.002 * rng.standard_normal())
        for step in range(1, lengths[i % len(lengths)] + 1):
            tokens = 5e9 * step / lengths[i % len(lengths)]
            loss = 1.7 + 20 * width**-0.7 + 1.5 * depth**-0.9 + 240 * tokens**-0.3
            loss *= run * np.exp(0.003 * rng.standard_normal())
            lines.append(f"r{i},{width},{depth},{tokens:.7g},{72 * width**2 * depth * tokens:.7g},{loss:.7g}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return sp.read_runs(long_log(tmp_path_factory.mktemp("long") / "log.csv", (60, 200, 9)))


@given(
    st.lists(st.floats(-1, 1), min_size=3, max_size=40),
    st.tuples(st.floats(0.5, 2), st.floats(-0.4, 0.4)),
    st.tuples(st.floats(0.5, 2), st.floats(-0.4, 0.4)),
    st.integers(0, 100),
)
def test_the_sum_of_squares_of_any_line_is_that_of_the_rows_up_to_a_constant(
    progress: list[float], one: tuple[float, float], other: tuple[float, float], seed: int
) -> None:
    x = np.array(progress)
    y = np.exp(0.1 * np.random.default_rng(seed).standard_normal(len(x))) * (2 - 0.3 * x)
    points = merge({"flops": x, "width": np.full_like(x, 0.7)}, y, x, np.zeros(len(x), dtype=int))
    at = points.logs["flops"]

    def difference(places: np.ndarray, observed: np.ndarray, weights: np.ndarray) -> float:
        squares = [
            float((weights * ((level + slope * places) / observed - 1) ** 2).sum()) for level, slope in (one, other)
        ]
        return squares[0] - squares[1]

    rows, merged = difference(x, y, np.ones(len(x))), difference(at, points.observed, points.weights)
    assert merged == pytest.approx(rows, rel=1e-6, abs=1e-6 * len(x))
    assert len(at) <= 2
    assert points.logs["width"] == pytest.approx(np.full(len(at), 0.7), rel=1e-15)
    assert at.min() >= x.min() - 1e-9
    assert at.max() <= x.max() + 1e-9


def test_rows_of_one_compute_become_their_mean() -> None:
    y = np.array([1.0, 1.1, 0.9, 1.2])
    points = merge({"flops": np.zeros(4)}, y, np.zeros(4), np.zeros(4, dtype=int))
    assert len(points.observed) == 1
    best = (1 / y).sum() / (1 / y**2).sum()  # of least squares of relative errors
    assert points.observed[0] == pytest.approx(best)


def test_a_row_far_off_leaves_no_point_below_zero() -> None:
    x, y = np.linspace(0, 1, 9), np.array([1.0] * 8 + [1e-3])
    points = merge({"flops": x}, y, x, np.zeros(9, dtype=int))
    assert (points.observed > 0).all()
    assert (points.weights > 0).all()


def test_short_runs_are_left_as_they_are_and_long_ones_have_no_more_points_than_they(log: Runs) -> None:
    runs = with_stretches(log.canonical())
    assert runs.stretches is not None
    for run in range(len(runs.run_names)):
        mine = runs.run == run
        counts = np.bincount(np.unique(runs.stretches[mine], return_inverse=True)[1])
        if mine.sum() <= POINTS_A_RUN:
            assert (counts == 1).all()
        else:
            assert np.minimum(counts, 2).sum() <= POINTS_A_RUN
    short = log.take(np.isin(log.run, np.flatnonzero(np.bincount(log.run) < POINTS_A_RUN)))
    assert with_stretches(short) is short


def test_runs_that_differ_in_more_than_their_progress_are_not_merged(log: Runs) -> None:
    shape = log.shape.copy()
    shape[np.argmax(np.bincount(log.run)[log.run])] *= 2
    odd = with_stretches(replace(log, shape=shape).canonical())
    whole = with_stretches(log.canonical())
    assert odd.stretches is not None
    assert whole.stretches is not None
    longest = int(np.bincount(log.run).max())
    assert odd.stretches.max() - whole.stretches.max() >= longest - POINTS_A_RUN


@pytest.mark.parametrize(
    "law", ["separable", "star", *(pytest.param(law, marks=pytest.mark.long) for law in ("interaction", "outer-power"))]
)
def test_constants_are_those_of_every_row_within_a_tenth_of_a_standard_error(log: Runs, law: str) -> None:
    merged, every = sp.fit(log, law=law, replicates=60), sp.fit(log, law=law, replicates=0, every_row=True)
    for name, value in merged.law.constants.items():
        spread = float(np.std(merged.bootstrap.draws[name]))
        assert abs(value - every.law.constants[name]) <= 0.1 * spread + 1e-9 * abs(value), name
    assert merged.quality is not None
    assert every.quality is not None
    assert merged.quality.rows == every.quality.rows
    assert merged.quality.objective_value == pytest.approx(every.quality.objective_value, rel=1e-4)


@pytest.mark.long
def test_intervals_are_those_of_every_row(log: Runs) -> None:
    merged, every = (sp.fit(log, law="separable", replicates=400, every_row=every_row) for every_row in (False, True))
    for name, parameter in merged.parameters.items():
        other = every.parameters[name].ci
        assert parameter.ci is not None
        assert other is not None
        widths = np.diff(parameter.ci)[0] / np.diff(other)[0]
        assert 0.75 < widths < 1.33, name


def test_no_fold_sees_a_row_of_what_is_merged_across_its_cut(log: Runs) -> None:
    runs = with_stretches(log.canonical())
    assert runs.stretches is not None
    folds = backtest(_separable(runs), runs).folds
    assert folds
    for fold in folds:
        cut = runs.flops[fold.test].min()
        assert runs.flops[fold.train].max() < cut
        assert not np.isin(runs.stretches[fold.train], runs.stretches[fold.test]).any()


def test_one_outlying_checkpoint_is_told_by_its_line(log: Runs) -> None:
    loss = log.observed().copy()
    loss[100] *= 1.5
    found = sp.fit(replace(log, loss=loss), law="separable", replicates=0)
    assert log.lines[100] in [outlier.line for outlier in found.outliers]


@pytest.mark.long
def test_merging_is_said_and_undone(program: Program, tmp_path: Path) -> None:
    path = long_log(tmp_path / "long.csv", (40,))
    said = program("fit", path, "--law", "separable", "--replicates", "0", "-o", "law.json")
    assert said.returncode == 0, said.stderr
    rows, runs = 14 * 40, 14
    assert f"{rows} rows of {runs} runs are fitted as " in said.stderr
    assert "(--every-row fits each)" in said.stderr
    every = program("fit", path, "--law", "separable", "--replicates", "0", "--every-row")
    assert "--every-row" not in every.stderr
    robust = program("fit", path, "--law", "separable", "--replicates", "0", "--objective", "log-huber")
    assert "--every-row" not in robust.stderr
    compared = program("compare", path)
    assert "(--every-row fits each)" in compared.stderr


def _separable(runs: Runs) -> Candidate:
    contents = survey(runs, None)
    return fit_candidate("separable", runs, contents.dimensions, contents.star)
