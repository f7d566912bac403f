"""The log of the sweep of our own: complete, exact, and understood without help. No PyTorch is needed to read it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from conftest import SAMPLES

import shapeplan as sp
from shapeplan.runs import Runs

FOLDER = SAMPLES / "stdlib_lm"
CENTER = (160, 8, 640)
SEVERAL_SEEDS = {CENTER: 3, (64, 3, 192): 3}
TOKENS_A_STEP = 8 * 128


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def shape_of(row: dict[str, str]) -> tuple[int, int, int]:
    return int(row["width"]), int(row["depth"]), int(row["mlp_dim"])


@pytest.fixture(scope="module")
def log() -> list[dict[str, str]]:
    return rows_of(FOLDER / "runs.csv")


@pytest.fixture(scope="module")
def runs() -> Runs:
    return sp.read_runs(FOLDER / "runs.csv")


def test_every_planned_run_is_there_once_for_every_duration_or_its_failure_is(log: list[dict[str, str]]) -> None:
    planned: Counter[tuple[tuple[int, int, int], int]] = Counter()
    for design in ("star.csv", "grid.csv"):
        for row in rows_of(FOLDER / design):
            steps = round(float(row["tokens"]) / TOKENS_A_STEP)
            planned[shape_of(row), steps * TOKENS_A_STEP] = SEVERAL_SEEDS.get(shape_of(row), 1)
    assert len(planned) == 3 * 16 + 64
    assert Counter((shape_of(row), int(row["tokens"])) for row in log) == planned
    assert not (FOLDER / "failures.csv").exists()
    assert len({(row["run"], row["tokens"]) for row in log}) == len(log)
    assert len({(shape_of(row), row["seed"]) for row in log}) == len({row["run"] for row in log})


def test_compute_and_parameters_are_the_exact_counts(log: list[dict[str, str]]) -> None:
    cost = sp.architecture({"family": "gpt2", "vocab": 256, "seq": 128, "head_dim": 16})
    for row in log:
        width, depth, mlp_dim = shape_of(row)
        model = cost.model({"width": width, "depth": depth, "mlp_dim": mlp_dim})
        each, rest = divmod(int(model.flops("training")), 128)
        assert rest == 0
        assert int(row["training_flops"]) == each * int(row["tokens"])
        assert int(row["params"]) == model.params
        assert int(row["heads"]) == width // 16


def test_check_finds_star_centre_and_grid_without_help(runs: Runs) -> None:
    assert runs.cautions == ()
    assert runs.flops_convention == "training"
    found = sp.check(runs)
    assert found.star is not None
    assert tuple(found.star.center.values()) == CENTER
    assert {dim: tuple(found.star.values(runs, dim)) for dim in found.star.arms} == {
        "width": (48, 64, 80, 96, 128),
        "depth": (2, 3, 4, 5, 6),
        "mlp_dim": (128, 176, 240, 336, 464),
    }
    assert found.start is not None
    assert "grid" in found.start.source
    assert {support.law for support in found.laws if not support.supported} == {"compute"}


def test_the_centre_that_was_never_fitted_is_predicted_within_two_percent(runs: Runs) -> None:
    found = sp.fit(runs, law="star", replicates=0)
    assert len(found.center) == 3 * 3
    assert max(abs(row.relative_error) for row in found.center) < 0.02


def test_half_and_twice_the_rule_for_the_learning_rate_are_no_better() -> None:
    losses = {row["run"]: float(row["loss"]) for row in rows_of(FOLDER / "tuning.csv")}
    for shape in ("small", "deep", "center"):
        for factor in ("0.5", "2"):
            assert losses[f"{shape}-x{factor}"] > losses[f"{shape}-x1"] * 0.995
