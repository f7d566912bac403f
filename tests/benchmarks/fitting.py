"""Whole fits with 1000 replicates, as multiples of ``python -c "import scipy.optimize"`` in the same run.

``python tests/benchmarks/fitting.py [FOLDER OF PUBLIC SWEEPS]``; rows need the folder where it is not this project's
own sample.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data" / "sweeps"
ROUNDS = 7


def seconds(*arguments: str | Path) -> float:
    """Return the wall time of a process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *map(str, arguments)], check=True, capture_output=True)
    return time.perf_counter() - start


def ratio(*arguments: str | Path) -> float:
    """Return the median ratio of the fit's wall time to that of the import, one after the other."""
    fit = ("-m", "shapeplan", "fit", *arguments, "-q")
    return statistics.median(seconds(*fit) / seconds("-c", "import scipy.optimize") for _ in range(ROUNDS))


def large_log(path: Path, rows: int) -> None:
    """Write a log of many checkpoints."""
    rng = np.random.default_rng(0)
    runs = rows // 50
    width, depth = rng.choice([256, 384, 512, 768, 1024, 1536], runs), rng.choice([4, 6, 8, 12, 16, 24], runs)
    lines = ["run,width,depth,tokens,flops,loss"]
    for run in range(runs):
        params = 12 * float(width[run]) ** 2 * float(depth[run])
        for tokens in np.geomspace(1e8, 2e10, 50):
            loss = 1.7 + 60 * width[run] ** -0.8 + 3 * depth[run] ** -1.1 + 300 * tokens**-0.3
            loss *= np.exp(0.003 * rng.standard_normal())
            lines.append(f"r{run},{width[run]},{depth[run]},{tokens:.6g},{6 * params * tokens:.6g},{loss:.6g}")
    path.write_text("\n".join(lines) + "\n")


def main() -> None:
    """Print a row a benchmark."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED
    cases = [("star on the sample, bound 4", (ROOT / "sample_runs" / "vit_sweep.csv", "--law", "star"))]
    if folder.is_dir():
        epoch = (folder / "epoch_chinchilla.csv", "--law", "chinchilla", "--objective", "log-huber")
        cases += [("epoch, log-huber, bound 6", epoch), ("morph, auto, bound 20", (folder / "morph.csv",))]
    for name, arguments in cases:
        print(f"{name:30} {ratio(*arguments):5.1f} x import scipy.optimize", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        times = {}
        for rows in (25_000, 50_000, 100_000):
            path = Path(temporary) / f"{rows}.csv"
            large_log(path, rows)
            times[rows] = seconds("-m", "shapeplan", "fit", path, "-q")
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
            print(
                f"{rows:,} rows, auto{'':13} {times[rows] / times[25_000]:5.2f} x 25,000 rows, peak {peak:.2f} GiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
