"""A campaign as a script: design, launch, a trainer that draws its losses from a law, fit, recommend."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Program

from shapeplan import Runs, Selection, read_runs

ARCHITECTURE = "architecture: {family: llama, vocab: 8192, seq: 512, head_dim: 32}\n"
BUDGET = 1e17
CRASHED, DIVERGED = "grid-256-5-704-100M", "grid-160-5-704-200M"

TRAINER = '''\
"""Trains nothing: the loss of a run is that of a law, with noise; one run is killed and one diverges."""

import json, math, random, sys
from pathlib import Path

UNITS = {"width": 256, "depth": 5, "mlp_dim": 700}


def loss(job):
    fade = (job["training_flops"] / 1e16) ** -0.35
    sizes = [job[dim] / unit for dim, unit in UNITS.items()]
    return 1 + sum(0.3 * x**-0.9 + 0.25 * x**0.8 * fade for x in sizes) + 0.3 * fade


crashed, diverged, says_its_state = sys.argv[2], sys.argv[3], sys.argv[4] == "states"
random.seed(0)
for line in open(sys.argv[1]):
    job = json.loads(line)
    home = Path("runs", job["run"])
    home.mkdir(parents=True)
    (home / "config.json").write_text(json.dumps(job))
    end = loss(job) * math.exp(random.gauss(0, 0.001))
    log = []
    for step in range(1, 11):
        told = end * (1 + (10 - step) / 10)
        if job["run"] == diverged and step > 6:
            told = 1e4 if says_its_state else float("nan")
        log.append(json.dumps({"step": step, "tokens": job["tokens"] * step / 10, "val/loss": told}) + "\\n")
    text = "".join(log)
    if job["run"] == crashed:
        text = text[: len(text) // 2]
    if says_its_state:
        state = "failed" if job["run"] == crashed else "finished"
        text = text[: text.rindex("\\n") + 1] + json.dumps({"state": state}) + "\\n"
    (home / "metrics.jsonl").write_text(text)
'''


def best() -> dict[str, float]:
    """Return the sizes of least loss at the budget, where the derivatives of the trainer's law vanish."""
    fade = (BUDGET / 1e16) ** -0.35
    ratio = (0.3 * 0.9 / (0.25 * 0.8 * fade)) ** (1 / 1.7)
    return {"hidden_size": 256 * ratio, "num_hidden_layers": 5 * ratio, "intermediate_size": 700 * ratio}


def names_and_shapes(runs: Runs) -> dict[str, tuple[float, ...]]:
    return {runs.run_names[run]: tuple(shape) for run, shape in zip(runs.run, runs.shape.tolist(), strict=True)}


@pytest.mark.parametrize(
    "says_its_state", [False, True], ids=["a log that is cut and a NaN", "a failed state and a huge loss"]
)
def test_from_a_design_to_a_config(program: Program, tmp_path: Path, says_its_state: bool) -> None:
    (tmp_path / "lm.yaml").write_text(ARCHITECTURE)
    (tmp_path / "train.py").write_text(TRAINER)

    around = ("--around", "width=256,depth=5,mlp_dim=704", "--ratio", "1.6", "--points", "3")
    files = ("--durations", "50M,100M,200M", "--architecture", "lm.yaml", "-o", "grid.csv", "--launch", "jsonl")
    designed = program("design", "grid", *around, *files)
    assert designed.returncode == 0, designed.stderr

    states = "states" if says_its_state else "silent"
    command = [sys.executable, "train.py", "grid.runs.jsonl", CRASHED, DIVERGED, states]
    subprocess.run(command, cwd=tmp_path, check=True)

    fit = ("fit", "runs/", "--config", "lm.yaml", "-o", "law.json", "--law", "additive", "--replicates", "20")
    refused = program(*fit)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert not (tmp_path / "law.json").exists()
    assert "error: 2 mistakes: " in refused.stderr
    assert all(f"runs/{run}/metrics.jsonl:1" in refused.stderr for run in (CRASHED, DIVERGED))
    assert "--where 'state=finished' leaves such rows out" in refused.stderr

    fitted = program(*fit, "--where", "state=finished", "--drop-nonfinite")
    assert fitted.returncode == 0, fitted.stderr
    assert [note for note in fitted.stderr.splitlines() if "warning" in note] == []
    law = json.loads((tmp_path / "law.json").read_text())
    left_out = {f"runs/{run}/metrics.jsonl" for run in (CRASHED, DIVERGED)}
    assert {row["file"] for row in law["dropped"]} == left_out
    assert all(f"({file}" in fitted.stderr or f", {file})" in fitted.stderr for file in left_out)

    finished = Selection(where=("state=finished",), drop_nonfinite=True)
    trained = names_and_shapes(read_runs(tmp_path / "runs", config=tmp_path / "lm.yaml", selection=finished))
    designed_runs = names_and_shapes(read_runs(tmp_path / "grid.csv", require_metric=False))
    assert trained == {name: shape for name, shape in designed_runs.items() if name not in (CRASHED, DIVERGED)}

    planned = program("recommend", "--law", "law.json", "--flops", str(BUDGET), "--format", "hf-llama")
    assert planned.returncode == 0, planned.stderr
    config = json.loads(planned.stdout)
    for size, wanted in best().items():
        assert config[size] == pytest.approx(wanted, rel=0.15), size
