"""The README is run: every command works, and what it shows is what is printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT, SAMPLES

PLACES = ("README.md", "sample_runs/README.md", "sample_runs/stdlib_lm/README.md", "sample_runs/vit_glyphs/README.md")
TRAINING = "python sweep.py --jobs 2"
"""The one command that is not run: it trains for hours."""


def blocks_of(text: str) -> list[tuple[str, str]]:
    return re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)


BLOCKS = blocks_of((ROOT / "README.md").read_text())
SHELL = [line for kind, body in BLOCKS if kind == "sh" for line in body.strip().split("\n")]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(SAMPLES, folder / "sample_runs")
    return folder


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # The program of this interpreter stands in for the one that pip would install.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.parametrize(
    ("place", "outputs"),
    [
        (PLACES[0], 1),
        (PLACES[1], 0),
        pytest.param(PLACES[2], 1, marks=pytest.mark.long),
        pytest.param(PLACES[3], 0, marks=pytest.mark.long),
    ],
)
def test_every_command_works_in_order_and_prints_what_is_shown(clone: Path, place: str, outputs: int) -> None:
    """Commands that name `sample_runs` are typed at the top of the clone, others beside the README."""
    shown = 0
    for (kind, body), (next_kind, expected) in pairwise([*blocks_of((ROOT / place).read_text()), ("", "")]):
        if kind != "sh":
            continue
        printed = ""
        for line in body.strip().split("\n"):
            command = line.removeprefix("pip install . && ")
            if not command.startswith("pip install") and command != TRAINING:
                done = shell(command, clone if "sample_runs" in command else (clone / place).parent)
                assert done.returncode == 0, (command, done.stderr)
                printed += done.stdout
        if next_kind == "text":
            assert printed == expected
            shown += 1
    assert shown == outputs


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 165


def test_the_install_and_test_commands_are_those_of_ci() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    assert SHELL[0].startswith("pip install . && shapeplan fit")
    assert "README.md" in ci
    assert any(line == "pip install '.[test]' && pytest" for line in SHELL)


def test_the_python_example_runs(clone: Path) -> None:
    code = next(body for kind, body in BLOCKS if kind == "python" and "import shapeplan as sp" in body)
    done = subprocess.run([sys.executable, "-c", code], cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_number_of_named_models_is_true() -> None:
    from shapeplan.architectures.catalogue import CATALOGUE

    assert f"{len(CATALOGUE)} named models" in (ROOT / "README.md").read_text()


def test_the_yaml_example_is_a_log(tmp_path: Path) -> None:
    from shapeplan.readers.read import read_runs

    log = tmp_path / "runs.yaml"
    log.write_text(next(body for kind, body in BLOCKS if kind == "yaml"))
    runs = read_runs(log)
    assert runs.center == {"width": 1968, "depth": 40, "mlp_dim": 6144}
    assert runs.architecture is not None


def test_the_truth_in_sample_runs_is_the_truth() -> None:
    """The table of optima, and of what the recipe loses, in sample_runs/README.md."""
    import numpy as np
    from scipy.optimize import minimize

    from shapeplan.design.sovit_protocol import paper_architecture, rehearsal_law
    from shapeplan.fitting.fit import fit
    from shapeplan.planning.recommend import recommend
    from shapeplan.readers.read import read_runs

    page = (SAMPLES / "README.md").read_text()
    law, cost = rehearsal_law(), paper_architecture()
    dims = ("width", "depth", "mlp_dim")

    def loss(shape: dict[str, float], flops: float) -> float:
        return float(law.loss(**shape, examples=flops / cost.flops_per_example(shape)))

    optima = {}
    rows = re.findall(r"\| ([\d.]+e\d+) \| \((\d+), (\d+), (\d+)\) \| ([\d.]+) \|\n", page)
    assert len(rows) == 4
    for flops, *shape, value in rows:
        start = np.log([float(size) for size in shape])
        found = minimize(
            lambda logs, t=float(flops): loss(dict(zip(dims, np.exp(logs), strict=True)), t),
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-8, "fatol": 1e-14, "maxiter": 5000},
        )
        assert [round(size) for size in np.exp(found.x)] == [int(size) for size in shape]
        assert f"{found.fun:.5f}" == value
        optima[flops] = found.fun
    fitted = fit(read_runs(SAMPLES / "vit_sweep.yaml"), law="star", replicates=0)
    plans = re.findall(r"\| ([\d.]+e\d+) \| \((\d+), (\d+), (\d+)\) \| ([\d.]+) \| ([\d.]+)% \|", page)
    assert len(plans) == 2
    for flops, *shape, value, excess in plans:
        budget = recommend(fitted, float(flops), weights="equal").budgets[0]
        assert [budget.rounded[dim] for dim in dims] == [int(size) for size in shape]
        true = loss({dim: float(size) for dim, size in budget.rounded.items()}, float(flops))
        assert f"{true:.5f}" == value
        assert f"{100 * (true / optima[flops] - 1):.1f}" == excess


@pytest.mark.long
def test_the_law_of_the_worked_example_is_a_law_like_any_other(tmp_path: Path) -> None:
    page = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
    code = next(body for kind, body in blocks_of(page) if kind == "python" and "class Volume" in body)
    package = tmp_path / "shapeplan"
    shutil.copytree(ROOT / "shapeplan", package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "laws" / "volume.py").write_text(code)

    def run(*arguments: str | Path) -> str:
        command = [sys.executable, "-m", "shapeplan", *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    log = ROOT / "sample_runs" / "vit_sweep.csv"
    law = tmp_path / "law.json"
    assert "Law volume for loss (an example)" in run("fit", log, "--law", "volume", "--replicates", "20", "-o", law)
    assert "volume" in run("compare", log)
    assert "loss under the law volume" in run("predict", law, log)
