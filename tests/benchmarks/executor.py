"""How much faster simulations are on several processes, and on a Dask cluster of two workers on the loopback.

``python tests/benchmarks/executor.py [ROUNDS]`` runs one ``design power`` by turns in one process, in four, and on the
cluster, and compares their wall times and their bytes; rows of the cluster need ``distributed``.
"""

from __future__ import annotations

import importlib.util
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_runs" / "vit_sweep.csv"
STUDY = ("--law", "law.json", "--target", "1e22", "--fit", "separable", "--sweeps", "24", "--seed", "1")
BOUNDS = {"4 processes": 1.7, "2 workers of a cluster": 1.5}


def shapeplan(folder: str, *arguments: str | Path) -> str:
    """Return what a command prints."""
    command = [sys.executable, "-m", "shapeplan", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def timed(folder: str, *where: str) -> tuple[float, str]:
    """Return the wall time of the study, and its document."""
    began = time.perf_counter()
    document = shapeplan(folder, "design", "power", SAMPLE, *STUDY, *where, "--json")
    return time.perf_counter() - began, document


@contextmanager
def cluster(folder: str) -> Iterator[str]:
    """A scheduler with two workers of a thread each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    dask, quiet = [sys.executable, "-m", "dask"], subprocess.DEVNULL
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"]]
    commands += 2 * [[*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]]
    started = [subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet) for command in commands]
    try:
        time.sleep(10)
        yield address
    finally:
        for process in started:
            process.kill()
            process.wait()


def main(rounds: int) -> None:
    """Print a row a kind of workers."""
    with tempfile.TemporaryDirectory() as folder:
        shapeplan(folder, "fit", SAMPLE, "--law", "separable", "--replicates", "0", "-o", "law.json", "-q")
        print("| `design power` of 24 sweeps | times as fast as one process | bound | same bytes |\n|---|---|---|---|")
        kinds = {"4 processes": ("--jobs", "4")}
        compare(folder, kinds, rounds)
        if importlib.util.find_spec("distributed"):
            with cluster(folder) as address:
                compare(folder, {"2 workers of a cluster": ("--scheduler", address)}, rounds)


def compare(folder: str, kinds: dict[str, tuple[str, ...]], rounds: int) -> None:
    """Print how much faster kinds of workers are than one process, each in turn with it."""
    for name, where in kinds.items():
        pairs = [(timed(folder, "--jobs", "1"), timed(folder, *where)) for _ in range(rounds)]
        ratio = statistics.median(one / other for (one, _), (other, _) in pairs)
        same = all(one == other for (_, one), (_, other) in pairs)
        print(f"| {name} | {ratio:.2f} | {BOUNDS[name]:g} | {'yes' if same else 'NO'} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
