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
RUNS = 200


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
    """Write a log of `RUNS` runs over three dimensions, with as many checkpoints each as make the rows."""
    rng = np.random.default_rng(0)
    width, depth = rng.choice([256, 384, 512, 768, 1024, 1536], RUNS), rng.choice([4, 6, 8, 12, 16, 24], RUNS)
    mlp = width * rng.choice([2, 3, 4, 6], RUNS)
    lines = ["run,width,depth,mlp_dim,tokens,flops,loss"]
    for run in range(RUNS):
        params = float(depth[run]) * (4.0 * width[run] ** 2 + 2.0 * width[run] * mlp[run])
        own = np.exp(0.002 * rng.standard_normal())
        for tokens in np.geomspace(1e9, 2e10, rows // RUNS):
            loss = 1.7 + 60 * width[run] ** -0.8 + 3 * depth[run] ** -1.1 + 20 * mlp[run] ** -0.6 + 300 * tokens**-0.3
            loss *= own * np.exp(0.003 * rng.standard_normal())
            shape = f"r{run},{width[run]},{depth[run]},{mlp[run]}"
            lines.append(f"{shape},{tokens:.6g},{6 * params * tokens:.6g},{loss:.6g}")
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
        logs = {rows: Path(temporary) / f"{rows}.csv" for rows in (1_000, 3_200, 100_000)}
        for rows, path in logs.items():
            large_log(path, rows)
        least = min(seconds("-c", "import scipy.optimize") for _ in range(ROUNDS))
        times = {rows: seconds("-m", "shapeplan", "fit", path, "-q") for rows, path in logs.items()}
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print(f"1,000 rows, auto, bound 15     {times[1_000] / least:5.1f} x import scipy.optimize", flush=True)
        print(f"100,000 rows, auto, bound 2    {times[100_000] / times[3_200]:5.2f} x 3,200 rows, peak {peak:.2f} GiB")


if __name__ == "__main__":
    main()
