"""What a million rows cost: ``python tests/benchmarks/reading.py`` (needs pandas, to compare with).

``check`` as a whole process beside ``pandas.read_csv`` as one, in CPU time, and its memory beside the size of the
file: of 1000 runs with 1000 points each, and of a million runs with a point each. The least of three runs each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROWS = 1_000_000


def write(path: Path, runs: int) -> None:
    """Write a log of so many runs, from seed 0."""
    rng = np.random.default_rng(0)
    points = ROWS // runs
    width, depth, ratio = (
        np.repeat(rng.choice(sizes, runs), points) for sizes in ((256, 512, 768), (4, 8, 16), (2, 4))
    )
    tokens = np.tile(np.arange(1, points + 1), runs) * (10**6 if points > 1 else rng.integers(10**7, 10**10, runs))
    flops = 6.0 * (4 * width**2 + 2 * ratio * width**2) * depth * tokens
    loss = 1.7 + 60 * width**-0.9 + 900 * tokens**-0.38 + 1e-3 * rng.random(ROWS)
    run = np.repeat(np.arange(runs), points)
    columns = zip(run, width, depth, ratio * width, flops, tokens, loss, strict=True)
    body = "\n".join(f"r{r},{w},{d},{m},{f:.9g},{t},{y:.6f}" for r, w, d, m, f, t, y in columns)
    path.write_text("run,width,depth,mlp_dim,flops,tokens,loss\n" + body + "\n")


def cost(*command: str) -> tuple[float, float]:
    """Return the CPU time in seconds and the memory in MiB of a process."""
    child = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / (2**10 if sys.platform != "darwin" else 2**20)


def main() -> None:
    print(f"{'log':24s}{'CPU time / pandas.read_csv':>28s}{'memory / size of the file':>28s}")
    with tempfile.TemporaryDirectory() as folder:
        for runs in (1000, ROWS):
            path = Path(folder) / f"{runs}.csv"
            write(path, runs)
            mine = [cost("-m", "shapeplan", "check", str(path), "-q") for _ in range(3)]
            theirs = [cost("-c", f"import pandas; pandas.read_csv({str(path)!r})") for _ in range(3)]
            ratio = min(cpu for cpu, _ in mine) / min(cpu for cpu, _ in theirs)
            memory = min(peak for _, peak in mine) / (path.stat().st_size / 2**20)
            print(f"{f'{runs} runs':24s}{ratio:28.1f}{memory:28.1f}")


if __name__ == "__main__":
    main()
