"""Runs that a log lacks for what no law of it can tell: ties broken, valleys closed, ratios varied."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Program

import shapeplan as sp
from shapeplan.design.completing import completing_runs
from shapeplan.fitting.result import Fit

DEPTHS = (4, 6, 8, 10, 12, 16, 20)
SETTINGS = "architecture: {family: gpt2, vocab: 50257, seq: 1024, head_dim: 64}\n"


def ladder(path: Path, ratio: float | None) -> Path:
    """Write a ladder of width 64 times depth at three durations, or at one ratio of tokens to parameters."""
    rng = np.random.default_rng(0)
    lines = ["run,width,depth,mlp_dim,params,tokens,flops,loss"]
    for depth in DEPTHS:
        width = 64 * depth
        params = 12 * depth * width**2
        for tokens in (2e9, 4e9, 8e9) if ratio is None else (ratio * params,):
            loss = (1.8 + 482 / params**0.348 + 2085 / tokens**0.366) * np.exp(0.002 * rng.standard_normal())
            shape = f"d{depth}-{tokens:.0f},{width},{depth},{4 * width},{params}"
            lines.append(f"{shape},{tokens:.0f},{6 * params * tokens:.6g},{loss:.5f}")
    path.write_text("\n".join(lines) + "\n")
    return path


def isoflop(path: Path) -> Path:
    """Write four budgets of sizes that all are too small for the last."""
    lines = ["run,width,depth,params,tokens,flops,loss"]
    for budget, sizes in ((1e18, DEPTHS), (3e18, DEPTHS), (1e19, DEPTHS), (1e20, DEPTHS[:5])):
        for depth in sizes:
            width = 64 * depth
            params = 12 * depth * width**2
            tokens = budget / 6 / params
            loss = 1.8 + 482 / params**0.348 + 2085 / tokens**0.366
            lines.append(f"b{budget:g}-{depth},{width},{depth},{params},{tokens:.0f},{budget:.6g},{loss:.6f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Fit:
    runs = sp.read_runs(ladder(tmp_path_factory.mktemp("tied") / "log.csv", None))
    return sp.fit(runs, law="separable", replicates=50)


def test_what_moves_together_is_moved_apart_at_two_sizes(tied: Fit) -> None:
    found = completing_runs(tied, 2e19)
    depths = [run for run in found if "depth moves with width" in run.reason]
    for run in depths:
        width, depth = run.shape["width"], run.shape["depth"]
        assert depth in (width / 32, width / 128)
        assert run.flops <= 2e19
    assert len({run.shape["width"] for run in depths}) == 2
    assert len(depths) == 4


def test_half_of_the_runs_complete_the_log_and_all_are_in_it(tied: Fit) -> None:
    found = sp.next_runs(tied, target=1e21, budget=1e20, candidates=5)
    assert len(found.completing) == 2
    assert len(found.suggestions) == 3
    runs = found.runs()
    assert len(runs) == 5
    assert runs.flops.sum() == pytest.approx(found.flops, rel=1e-6)
    assert found.flops <= 1e20


def test_a_log_that_lacks_nothing_gets_none() -> None:
    fit = sp.fit(sp.read_runs("sample_runs/vit_sweep.yaml"), law="separable", replicates=50)
    assert completing_runs(fit, 1e22) == ()


def test_a_budget_without_a_minimum_gets_a_size_beyond_its_edge(tmp_path: Path) -> None:
    fit = sp.fit(sp.read_runs(isoflop(tmp_path / "log.csv")), law="auto", replicates=50)
    assert fit.log.isoflops is not None
    assert [valley.state for valley in fit.log.isoflops.valleys][-1] != "inside"
    found = completing_runs(fit, 2e20)
    assert "the budget 1e20 has no minimum among its sizes" in found[0].reason
    assert found[0].shape["width"] > 64 * DEPTHS[4]
    assert found[0].flops == pytest.approx(1e20, rel=0.01)
    assert not any("1e20" in run.reason for run in completing_runs(fit, 5e19))


def test_a_ladder_at_one_ratio_gets_others(program: Program, tmp_path: Path) -> None:
    ladder(tmp_path / "log.csv", 20.0)
    (tmp_path / "lm.yaml").write_text(SETTINGS)
    done = program("fit", "log.csv", "--config", "lm.yaml", "--replicates", "50", "-o", "law.json", "-q")
    assert done.returncode == 0, done.stderr
    asked = ("design", "next", "--law", "law.json", "--budget", "1e20", "--target", "1e21", "--candidates", "4")
    done = program(*asked)
    assert done.returncode == 0, done.stderr
    assert "Runs for what the log does not tell; the law cannot judge them" in done.stdout
    document = json.loads(program(*asked, "--json").stdout)
    assert document["suggestions"] == []
    ratios = []
    for run in document["completing"]:
        depth = run["shape"]["depth"]
        ratios.append(run["examples"] / (20 * 12 * depth * (64 * depth) ** 2))
    assert sorted(ratios) == pytest.approx([0.5, 0.5, 2.0, 2.0], rel=1e-3)
    written = program(*asked, "-o", "more.csv")
    assert written.returncode == 0, written.stderr
    assert len((tmp_path / "more.csv").read_text().splitlines()) == 5
    checked = program("check", "log.csv", "--config", "lm.yaml")
    assert "(`design next`)" in " ".join(checked.stdout.split())
