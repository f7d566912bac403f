"""Logs that cannot tell what a law asks for end in a named status, never in a number that means nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program, fit, sweep

from shapeplan.errors import FitError, PlanError
from shapeplan.fitting.check import check
from shapeplan.fitting.compare import compare
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs
from shapeplan.readers.row_checks import doubt_copies
from shapeplan.runs import Runs


def ladder(tmp_path: Path, spread: float, rows: int = 24) -> Runs:
    """Models of growing size, each trained for about twenty tokens a parameter."""
    rng = np.random.default_rng(0)
    lines = ["params,flops,loss"]
    for params in np.geomspace(1e7, 1e10, rows):
        tokens = 20 * params * np.exp(spread * rng.standard_normal())
        loss = (1.7 + 400 * params**-0.28 + 40000 * tokens**-0.5) * np.exp(3e-4 * rng.standard_normal())
        lines.append(f"{params:.17g},{6 * params * tokens:.17g},{loss:.17g}")
    path = tmp_path / "ladder.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_runs(path)


def test_a_ladder_cannot_tell_size_from_training(tmp_path: Path) -> None:
    exact = ladder(tmp_path, 0.0)
    reasons = {law.law: law.reason for law in check(exact).laws}
    assert reasons["chinchilla"] == "needs rows in which params does not follow from the others"
    with pytest.raises(FitError, match="cannot identify any law"):
        fit(exact, replicates=0)
    loose = fit(ladder(tmp_path, 0.05), replicates=50)
    assert loose.status == "untrusted"
    assert any("hardly move apart" in c.message for c in loose.cautions if c.code == "unidentified")
    free = fit(ladder(tmp_path, 1.0), replicates=50)
    assert not any("hardly move apart" in c.message for c in free.cautions)


def test_check_says_before_the_fit_which_laws_would_not_be_trusted(tmp_path: Path) -> None:
    loose = check(ladder(tmp_path, 0.05))
    said = [caution.message for caution in loose.cautions if caution.code == "unidentified"]
    assert len(said) == 1
    assert said[0].startswith("chinchilla: ")
    assert "hardly move apart" in said[0]
    assert not [caution for caution in check(ladder(tmp_path, 1.0)).cautions if caution.code == "unidentified"]


def test_dimensions_that_move_against_each_other_are_no_two() -> None:
    runs = sweep(0.0)
    shape = runs.shape.copy()
    shape[:, 1] = 1e4 / shape[:, 0]
    anti = replace(runs, dims=("width", "depth"), shape=shape[:, :2], architecture=None)
    laws = {law.law: law for law in check(anti).laws}
    for name in ("additive", "product", "interaction", "separable"):
        assert not laws[name].supported
        assert "does not follow from the others" in (laws[name].reason or "")


@pytest.mark.parametrize("factor", [1e-80, 1e80])
def test_one_row_of_another_world_is_refused(factor: float) -> None:
    runs = sweep()
    loss = runs.observed().copy()
    loss[5] *= factor
    with pytest.raises(FitError, match="which no loss does"):
        fit(replace(runs, loss=loss), replicates=0)


def test_a_metric_at_the_edge_of_floats_is_refused_and_a_huge_one_is_not(program: Program, tmp_path: Path) -> None:
    with pytest.raises(FitError, match="give it in a unit in which it is nearer to 1"):
        fit(replace(sweep(), loss=sweep().observed() * 1e-306), replicates=0)
    header, *lines = (SAMPLES / "vit_sweep.csv").read_text().splitlines()
    at = header.split(",").index("loss")
    rows = [line.split(",") for line in lines]
    huge = [",".join([*row[:at], f"{float(row[at]) * 1e120:.6e}", *row[at + 1 :]]) for row in rows]
    log = tmp_path / "huge.csv"
    log.write_text("\n".join([header, *huge]) + "\n")
    done = program("fit", log, "--law", "separable", "--replicates", "20", "-o", tmp_path / "law.json")
    assert done.returncode == 0, done.stderr
    assert program("predict", tmp_path / "law.json", log).returncode == 0


def test_copies_of_rows_under_other_names_are_doubted() -> None:
    runs = sweep(0.003, 1)
    twice = runs.take(np.tile(np.arange(len(runs)), 2))
    assert [caution.code for caution in doubt_copies(twice).cautions] == ["copied-rows"]
    assert doubt_copies(runs).cautions == runs.cautions


def test_few_replicates_are_no_intervals() -> None:
    few = fit(sweep(), law="separable", replicates=2)
    assert "few-replicates" in {caution.code for caution in few.cautions}
    assert "few-replicates" not in {c.code for c in fit(sweep(), law="separable", replicates=20).cautions}


def test_a_comparison_of_noise_says_that_nothing_fits() -> None:
    rng = np.random.default_rng(0)
    found = compare(replace(sweep(), loss=rng.uniform(0.5, 2.0, 121)))
    assert "lack-of-fit" in {caution.code for caution in found.cautions}
    assert "lack-of-fit" not in {caution.code for caution in compare(sweep()).cautions}


def test_exact_data_choose_the_simplest_law() -> None:
    exact = fit(sweep(0.0), replicates=0)
    assert exact.law.form.name == "separable"
    huber = fit(sweep(0.0), law="separable", objective="log-huber", replicates=50)
    assert all(np.isfinite(one.strength) and one.strength <= 1e6 for one in huber.influences.alone)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("scaling_exponents", "width", "value"), 1e60),
        (("scaling_exponents", "width", "ci"), [9.0, -9.0]),
        (("range", "flops"), [True, 1e20]),
    ],
)
def test_documents_that_contradict_themselves_are_refused(
    program: Program, tmp_path: Path, where: tuple[str, ...], value: object
) -> None:
    law = tmp_path / "law.json"
    assert program("fit", SAMPLES / "vit_sweep.yaml", "--replicates", "20", "-o", law).returncode == 0
    data = json.loads(law.read_text())
    place = data
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = value
    law.write_text(json.dumps(data))
    done = program("recommend", "--law", law, "--flops", "1e18", "--method", "scale")
    assert done.returncode == 1
    assert "law.json" in done.stderr
    assert "went wrong" not in done.stderr


def test_a_shape_that_scales_to_nothing_is_refused() -> None:
    found = fit(sweep(), law="star", replicates=0)
    steep = {dim: replace(s, value=900.0) for dim, s in found.scaling_exponents.items()}
    with pytest.raises(PlanError, match="the plan would be"):
        recommend(replace(found, scaling_exponents=steep), 1e17, weights="equal")
