"""Runs of a design as training programs log them: called as its rows or not, with or without a shape, just begun."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Program

DESIGN = """\
run,width,depth,mlp_dim,tokens,training_flops
small-seed0,64,2,256,1e8,1e13
small-seed1,64,2,256,1e8,1e13
large-seed0,128,4,512,1e8,8e13
"""


@pytest.fixture
def design(tmp_path: Path) -> Path:
    (tmp_path / "design.csv").write_text(DESIGN)
    (tmp_path / "config.yaml").write_text("architecture: {family: gpt2, vocab: 256, seq: 128, head_dim: 16}\n")
    return tmp_path / "design.csv"


def states(program: Program, *arguments: str | Path) -> tuple[dict[str, str], str]:
    done = program("status", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return {row["name"]: row["state"] for row in json.loads(done.stdout)["rows"]}, done.stderr


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_printed_losses_are_those_of_the_rows_that_their_folders_are_called_as(
    program: Program, design: Path, tmp_path: Path
) -> None:
    tokens = "tokens per iteration will be: 1,000,000\n"
    write(tmp_path / "runs/small-seed1/log.txt", tokens + "step 100: train loss 3.1, val loss 3.2\n")
    write(tmp_path / "runs/large-seed0/log.txt", tokens + "step 50: train loss nan, val loss nan\n")
    found, said = states(program, design, "runs", "--config", "config.yaml")
    assert found == {"small-seed0": "pending", "small-seed1": "done", "large-seed0": "diverged"}
    assert "note: the log tells no shape: that of 2 rows is the design's, whose names their runs have\n" in said


def test_a_name_of_the_design_comes_before_an_identifier(program: Program, design: Path, tmp_path: Path) -> None:
    header = "run_id,name,width,depth,mlp_dim,training_flops,loss,state\n"
    write(tmp_path / "log.csv", header + "x1y2,small-seed1,64,2,256,1e13,3.2,finished\n")
    found, said = states(program, design, "log.csv")
    assert found == {"small-seed0": "pending", "small-seed1": "done", "large-seed0": "pending"}
    assert "note: runs are called as column 'name' calls them, which are names of the design\n" in said


def test_runs_that_the_design_does_not_name_keep_their_own_names(
    program: Program, design: Path, tmp_path: Path
) -> None:
    header = "run_id,name,width,depth,mlp_dim,training_flops,loss,state\n"
    rows = "x1y2,small-seed1,64,2,256,1e13,3.2,finished\nz3,vivid-sun,256,4,512,1e13,3.1,finished\n"
    write(tmp_path / "log.csv", header + rows)
    done = program("status", design, "log.csv")
    assert done.returncode == 0, done.stderr
    assert "z3" in done.stdout


def test_a_log_without_shape_or_names_of_the_design_is_refused(program: Program, design: Path, tmp_path: Path) -> None:
    write(tmp_path / "log.csv", "run,tokens,training_flops,loss\nother,1e8,1e13,3.2\n")
    done = program("status", design, "log.csv")
    assert done.returncode == 1
    assert "width" in done.stderr
    assert "there is no such column" in done.stderr


def test_files_of_runs_that_have_just_begun_are_named_and_left_out(
    program: Program, design: Path, tmp_path: Path
) -> None:
    entry = {"step": 100, "width": 64, "depth": 2, "mlp_dim": 256, "training_flops": 1e13, "val_loss": 3.2}
    write(tmp_path / "runs/small-seed0/metrics.jsonl", json.dumps(entry) + "\n")
    write(tmp_path / "runs/small-seed1/metrics.jsonl", "")
    found, said = states(program, design, "runs")
    assert list(found.values()).count("done") == 1
    assert "note: 1 file holds no run yet: left out (runs/small-seed1/metrics.jsonl)\n" in said


def test_a_file_of_wandb_without_a_record_is_a_run_that_has_just_begun(program: Program, tmp_path: Path) -> None:
    pytest.importorskip("wandb.proto.wandb_internal_pb2")
    write(tmp_path / "wandb/run-a/run-a.wandb", ":W&B\0\0\0")
    done = program("check", "wandb")
    assert done.returncode == 1
    assert "error: wandb: has no runs; check what was logged" in done.stderr


def test_an_empty_log_alone_is_refused(program: Program, tmp_path: Path) -> None:
    write(tmp_path / "runs/a/metrics.jsonl", "")
    done = program("check", "runs")
    assert done.returncode == 1
    assert "is empty" in done.stderr
