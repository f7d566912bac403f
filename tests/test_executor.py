"""Where simulations run is not seen in what comes out: processes, clusters, lost workers, and a study resumed."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import ROOT, SAMPLES, Program

WORK = """\
import os, signal, sys, time
from pathlib import Path

import numpy as np


def draw(task):
    seed, killer, pause = task
    time.sleep(pause)
    if killer and seed == 5 and not Path(killer).exists():
        Path(killer).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return np.random.default_rng(np.random.SeedSequence(seed)).normal(size=3).tolist()


def always_killed(task):
    os.kill(os.getpid(), signal.SIGKILL)
"""
STUDY = """\
import json, sys

import work
from shapeplan.workers.executor import Executor

if __name__ == "__main__":
    jobs, scheduler, killer, pause, count = json.loads(sys.argv[1])
    call = work.always_killed if killer == "always" else work.draw
    tasks = ((seed, killer, pause) for seed in range(count))
    for result in Executor(jobs, scheduler).map(call, tasks):
        print(result, flush=True)
"""
POWER = ("--law", "law.json", "--target", "1e21", "--sweeps", "3", "--replicates", "0", "--fit", "chinchilla")
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs ray")
needs_distributed = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="needs distributed")


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(folder)))}


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    (folder / "work.py").write_text(WORK)
    (folder / "study.py").write_text(STUDY)
    command = [sys.executable, str(folder / "study.py"), json.dumps(arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=pipe, stderr=pipe, text=True)


def results(folder: Path, jobs: int, scheduler: str | None = None, killer: str = "", pause: float = 0) -> str:
    process = start(folder, jobs, scheduler, killer, pause, 20)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def test_processes_and_a_lost_one_give_the_same_bytes(tmp_path: Path) -> None:
    one = results(tmp_path, 1)
    assert len(one.splitlines()) == 20
    assert results(tmp_path, 2) == one
    assert results(tmp_path, 4) == one
    killer = tmp_path / "killed"
    assert results(tmp_path, 2, None, str(killer)) == one
    assert killer.exists(), "a worker was killed"


FIT = ("fit", SAMPLES / "vit_sweep.csv", "--replicates", "20", "-q")


@pytest.mark.long
def test_a_fit_is_the_same_whichever_processes_backtest(program: Program, tmp_path: Path) -> None:
    for jobs in ("1", "3"):
        assert program(*FIT, "--jobs", jobs, "-o", tmp_path / f"{jobs}.json").returncode == 0
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "3.json").read_bytes()


def test_workers_that_are_lost_again_and_again_are_an_error(tmp_path: Path) -> None:
    process = start(tmp_path, 2, None, "always", 0, 3)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "worker processes ended without a result 4 times in a row" in err


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler on the loopback with workers that nobody restarts."""
    (folder / "work.py").write_text(WORK)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"

    def dask(*arguments: str) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        command = [sys.executable, "-m", "dask", *arguments]
        return subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=quiet, stderr=quiet)

    started = [dask("scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard")]
    try:
        for _ in range(workers):
            started.append(dask("worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) == 0:
                    break
            time.sleep(0.1)
        yield address, started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.long
@needs_distributed
def test_a_cluster_and_a_lost_worker_of_it_give_the_same_bytes(tmp_path: Path, program: Program) -> None:
    one = results(tmp_path, 1)
    with cluster(tmp_path) as (address, workers):
        assert results(tmp_path, 1, address) == one
        process = start(tmp_path, 1, address, "", 0.2, 20)
        assert process.stdout
        first = process.stdout.readline()
        workers[0].send_signal(signal.SIGKILL)
        rest, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert first + rest == one
        law(program)
        power = ("design", "power", SAMPLES / "vit_sweep.csv", *POWER, "--json")
        here = program(*power, "--jobs", "1")
        there = program(*power, "--scheduler", address, PYTHONPATH=environment(tmp_path)["PYTHONPATH"])
        assert (there.returncode, there.stdout) == (0, here.stdout), there.stderr
        alone = program(*FIT, "--json")
        spread = program(*FIT, "--json", "--scheduler", address, PYTHONPATH=environment(tmp_path)["PYTHONPATH"])
        assert (spread.returncode, spread.stdout) == (0, alone.stdout), spread.stderr


@pytest.mark.long
@needs_distributed
def test_a_bad_address_is_one_line(program: Program) -> None:
    law(program)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        silent = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    for address in (silent, "nonsense://x:1"):
        done = program(
            "design", "power", SAMPLES / "vit_sweep.csv", *POWER, "--scheduler", address, PYTHONPATH=str(ROOT)
        )
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith(f"error: no Dask scheduler answers at '{address}' (")


@pytest.mark.parametrize(
    ("library", "extra", "address"), [("distributed", "cluster", "tcp://x:1"), ("ray", "ray", "ray://x:1")]
)
def test_without_its_library_the_extra_is_named(
    program: Program, tmp_path: Path, library: str, extra: str, address: str
) -> None:
    law(program)
    (tmp_path / f"{library}.py").write_text("raise ImportError('hidden')")
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = program("design", "power", SAMPLES / "vit_sweep.csv", *POWER, "--scheduler", address, PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (
        2,
        f"error: a scheduler of this kind needs {library}, which is not installed; "
        f"pip install 'shapeplan[{extra}]', or leave --scheduler out\n",
    )


@contextmanager
def ray_cluster(folder: Path) -> Iterator[str]:
    """A Ray cluster of two workers on the loopback."""
    (folder / "work.py").write_text(WORK)
    with socket.socket() as inner, socket.socket() as client:
        for one in (inner, client):
            one.bind(("127.0.0.1", 0))
        ports = inner.getsockname()[1], client.getsockname()[1]
    ray = Path(sys.executable).parent / "ray"
    options = [f"--port={ports[0]}", f"--ray-client-server-port={ports[1]}", "--num-cpus=2"]
    command = [ray, "start", "--head", "--block", *options, "--include-dashboard=false", "--disable-usage-stats"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", ports[1])) == 0:
                    break
            time.sleep(0.2)
        yield f"ray://127.0.0.1:{ports[1]}"
    finally:
        process.terminate()
        process.wait(timeout=60)


@needs_ray
def test_a_ray_cluster_and_a_lost_worker_of_it_give_the_same_bytes(tmp_path: Path, program: Program) -> None:
    one, killer = results(tmp_path, 1), tmp_path / "killed"
    with ray_cluster(tmp_path) as address:
        assert results(tmp_path, 1, address, str(killer)) == one
        assert killer.exists(), "a worker was killed"
        law(program)
        power = ("design", "power", SAMPLES / "vit_sweep.csv", *POWER, "--json")
        here = program(*power, "--jobs", "1")
        there = program(*power, "--scheduler", address, PYTHONPATH=environment(tmp_path)["PYTHONPATH"])
        assert (there.returncode, there.stdout) == (0, here.stdout), there.stderr


def law(program: Program) -> None:
    done = program("fit", SAMPLES / "vit_sweep.csv", "--law", "separable", "--replicates", "0", "-o", "law.json")
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_a_killed_study_is_resumed_to_the_same_bytes(program: Program, tmp_path: Path) -> None:
    law(program)
    power = ("design", "power", str(SAMPLES / "vit_sweep.csv"), *POWER, "--json")
    whole = program(*power, "--jobs", "1", "--outcomes", "whole.jsonl")
    assert whole.returncode == 0, whole.stderr
    expected = (tmp_path / "whole.jsonl").read_bytes()
    lines = expected.splitlines()
    assert [json.loads(line)["index"] for line in lines[1:]] == list(range(9))
    part = tmp_path / "part.jsonl"
    command = [sys.executable, "-m", "shapeplan", *power, "--jobs", "2", "--outcomes", str(part)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and (not part.exists() or part.read_bytes().count(b"\n") < 3):
        time.sleep(0.01)
    process.kill()
    process.wait()
    written = part.read_bytes()
    assert written.count(b"\n") >= 3
    assert expected.startswith(written)
    # As a kill in the middle of a line, and of the header, leaves it; then as it is when all is done.
    for cut in (len(written), len(b"\n".join(lines[:4])) - 9, 20, 0, len(expected)):
        part.write_bytes(expected[:cut])
        resumed = program(*power, "--jobs", "1", "--outcomes", part)
        assert (resumed.returncode, resumed.stdout) == (0, whole.stdout), resumed.stderr
        assert part.read_bytes() == expected
    power = power[:-1]
    part.write_bytes(b"\n".join(lines[:3]) + b"\n" + lines[5] + b"\n")
    torn = program(*power, "--outcomes", part)
    assert torn.returncode == 1
    assert "part.jsonl:4: is no outcome: index 4 follows 1" in torn.stderr
    other = program(*power, "--seed", "7", "--noise", "1%", "--outcomes", "whole.jsonl")
    assert other.returncode == 1
    assert "whole.jsonl:1: holds another study: noise 0.005, now 0.01; seed 0, now 7; choose another" in other.stderr
    assert (tmp_path / "whole.jsonl").read_bytes() == expected
    (tmp_path / "notes.jsonl").write_text("my notes\n")
    assert "notes.jsonl:1: is no file of outcomes" in program(*power, "--outcomes", "notes.jsonl").stderr
    assert (tmp_path / "notes.jsonl").read_text() == "my notes\n"
    wrong = program(*power, "--outcomes", "x.parquet")
    assert wrong.returncode == 2
    assert "does not end in .jsonl" in wrong.stderr
