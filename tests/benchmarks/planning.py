"""Ten thousand budgets at once, with intervals from 1000 draws: ``python tests/benchmarks/planning.py``.

Seconds, since the bound is in seconds, and multiples of ``python -c "import scipy.optimize"`` in the same run, which
travel between machines. The time is that of the plan, its document and its bytes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import shapeplan as sp

LOG = Path(__file__).parents[2] / "sample_runs" / "vit_sweep.yaml"
BUDGETS = 10_000
BOUND = 10.0


def main() -> int:
    """Print the table and return 1 if the bound is broken."""
    fit = sp.fit(sp.read_runs(LOG), replicates=1000)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import scipy.optimize"], check=True)
    unit = time.perf_counter() - began
    times = {}
    began = time.perf_counter()
    plan = sp.recommend(fit, np.geomspace(1e19, 1e25, BUDGETS))
    times["the plan"] = time.perf_counter() - began
    text = sp.plan_document(plan).dumps()
    times["with its document"] = time.perf_counter() - began
    for what, seconds in times.items():
        print(f"{BUDGETS:,} budgets, {what:18} {seconds:5.2f} s = {seconds / unit:5.1f} x import scipy.optimize")
    print(f"{len(text) / 1e6:.1f} MB of JSON, bound {BOUND:g} s")
    return int(times["with its document"] > BOUND)


if __name__ == "__main__":
    sys.exit(main())
