"""What tests share: clean environments, the program as a process, and the data that lies beside the project."""

from __future__ import annotations

import fcntl
import os
import pickle
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forked
import pytest
from changed import changed
from hypothesis import settings

# A worker a core: threads of matrix products would only get in each other's way. NumPy reads this when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from shapeplan.design.simulate import simulate
from shapeplan.design.sovit_protocol import paper_design, rehearsal_law
from shapeplan.fitting.fit import fit as fit_anew
from shapeplan.fitting.result import Fit, Rival
from shapeplan.laws import Additive, Law
from shapeplan.planning.plan import BudgetPlan
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs

# Machines are shared: a slow example is no failure.
settings.register_profile("shapeplan", deadline=None)
settings.load_profile("shapeplan")

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_runs"
SHARED = ROOT.parent / "shared" / "data"

Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "GITHUB_ACTIONS", "COLUMNS", "SHAPEPLAN_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Run the program as a process in an empty folder; one started anew where the environment is another."""

    def run(*arguments: str | Path, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        given = [str(argument) for argument in arguments]
        if not environment:
            return forked.run(given, tmp_path, stdin)
        return subprocess.run(
            [sys.executable, "-m", "shapeplan", *given],
            cwd=tmp_path,
            env={**os.environ, **environment},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=forked.TIMEOUT,
        )

    return run


@pytest.fixture
def shared() -> Path:
    """The folder of public sweeps and certified counts, which is not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("the public sweeps and certified tables lie beside the project, and are not here")
    return SHARED


def on_terminal(columns: int, *arguments: str | Path, results: bool = False, **environment: str) -> tuple[str, int]:
    """Run the program on a terminal of that width; return what it shows (results only, if asked) and its status."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "shapeplan", *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL if results else theirs,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux says EIO when the other side of a terminal is closed.
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    return shown.decode().replace("\r\n", "\n"), process.wait()


def additive_law() -> Law:
    """Return an Eq. 3 with a trade-off in every dimension, in units of the paper's start."""
    constants = {
        "alpha_width": 0.020,
        "alpha_depth": 0.015,
        "alpha_mlp_dim": 0.012,
        "a_width": 1.1,
        "a_depth": 0.9,
        "a_mlp_dim": 0.7,
        "beta_width": 0.010,
        "beta_depth": 0.012,
        "beta_mlp_dim": 0.008,
        "b_width": 0.9,
        "b_depth": 0.6,
        "b_mlp_dim": 0.5,
        "xi": 0.02,
        "c": 0.35,
        "eps": 0.1,
    }
    units = {"width": 608.0, "depth": 10.0, "mlp_dim": 928.0, "flops": 3.5e18}
    return Law(Additive(("width", "depth", "mlp_dim")), constants, units)


def sweep(noise: float = 0.003, seed: int = 0, law: Law | None = None) -> Runs:
    """Return the paper's protocol under a law (the rehearsal law by default)."""
    return simulate(law or rehearsal_law(), paper_design(), noise=noise, seed=seed)


_FITS: dict[bytes, Fit] = {}


def fit(runs: Runs, **options: Any) -> Fit:
    """Fit a law to a log, once for all tests that ask for the same: a fit is frozen and follows its seed."""
    key = pickle.dumps((runs, sorted(options.items())))
    if key not in _FITS:
        _FITS[key] = fit_anew(runs, **options)
    return _FITS[key]


def fit_star(runs: Runs, **options: Any) -> Fit:
    """Fit Eq. 2, whatever other law the log may suit better."""
    return fit(runs, law="star", **options)


DIMS = ("width", "depth", "mlp_dim")


@pytest.fixture(scope="session")
def planned() -> Fit:
    """The sample, fitted: what plans are made from."""
    return fit(read_runs(SAMPLES / "vit_sweep.yaml"), replicates=200)


@pytest.fixture(scope="session")
def rivalled() -> Fit:
    """A fit with a rival law that nearly agrees with its own."""
    runs = sweep(0.003, 0)
    other = fit(runs, law="interaction", replicates=100)
    return changed(fit(runs, replicates=200), rivals=(Rival(other.law, other.bootstrap.draws),))


def one(fit: Fit, flops: float | None = 1e21, **options: Any) -> BudgetPlan:
    """Return the plan of a budget."""
    return recommend(fit, flops, **options).budgets[0]


def loss(fit: Fit, shape: dict[str, float], flops: float) -> float:
    """Return the loss of a shape under the law of a fit."""
    return float(fit.law.loss(**{dim: float(shape[dim]) for dim in DIMS}, flops=flops))
