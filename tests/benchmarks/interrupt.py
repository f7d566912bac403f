"""How long Ctrl-C takes: ``python tests/benchmarks/interrupt.py``.

Every command is interrupted at several moments of its work; the longest time until its process and its children are
gone is printed in units of ``python -c pass`` in the same run, the exit status beside it.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "sample_runs"
VIT = str(SAMPLES / "vit_sweep.csv")
MOMENTS = (0.2, 0.5, 0.9, 1.4, 2.2, 3.5)
COMMANDS = {
    "fit": ("fit", VIT, "--replicates", "20000"),
    "fit --law star": ("fit", VIT, "--law", "star", "--replicates", "20000"),
    "compare": ("compare", VIT, "--objective", "log-huber"),
    "design power": (
        *("design", "power", VIT, "--law", "law.json", "--noise", "0.3%", "--target", "1e20"),
        *("--sweeps", "999"),
    ),
    "design next": ("design", "next", "--law", "law.json", "--budget", "1e20", "--target", "1e22"),
    "recommend": ("recommend", "--law", "law.json", *(f"--flops={1e18 * 1.01**i:g}" for i in range(700))),
    "plot": ("plot", "law.json", "-o", "frontier.png"),
    "report": ("report", "law.json", "-o", "report.html"),
}


def start(folder: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the program as the leader of a process group."""
    line = [sys.executable, "-m", "shapeplan", *arguments]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(line, cwd=folder, stdout=quiet, stderr=quiet, start_new_session=True)


def seconds_to_end(folder: str, arguments: tuple[str, ...], moment: float) -> tuple[float, int] | None:
    """Return how long the command takes to end after Ctrl-C, and its exit status; None if it was over before."""
    process = start(folder, *arguments)
    time.sleep(moment)
    if process.poll() is not None:
        return None
    begin = time.perf_counter()
    os.killpg(process.pid, signal.SIGINT)
    status = process.wait()
    return time.perf_counter() - begin, status


def main() -> None:
    """Print a row a command."""
    bare = []
    for _ in range(7):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare.append(time.perf_counter() - begin)
    unit = statistics.median(bare)
    with tempfile.TemporaryDirectory() as folder:
        assert start(folder, "fit", VIT, "--law", "separable", "-o", "law.json").wait() == 0
        for name, arguments in COMMANDS.items():
            ends = [end for moment in MOMENTS if (end := seconds_to_end(folder, arguments, moment))]
            statuses = sorted({status for _, status in ends})
            longest = max(seconds for seconds, _ in ends) / unit if ends else 0.0
            print(f"{name:16} {len(ends)} times, at most {longest:5.1f} x python -c pass, exit {statuses}", flush=True)
            left = {path.name for path in Path(folder).iterdir()} - {"law.json", "frontier.png", "report.html"}
            assert not left, left


if __name__ == "__main__":
    main()
