"""How long pictures take: ``python tests/benchmarks/pictures.py``.

A law document of 1000 draws: the report (bound 5 s, 5 MB), and every figure as a picture, whole process, less the
import of the plotting library (bound 3 s). Machines differ: the import of scipy.optimize is told beside.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from shapeplan.figures.catalogue import FIGURES

SAMPLE = Path(__file__).parents[2] / "sample_runs" / "vit_sweep.yaml"


def seconds(*command: str, folder: str) -> float:
    """Return the shortest of three runs of a command."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    """Print a line a command."""
    with tempfile.TemporaryDirectory() as folder:
        program = (sys.executable, "-m", "shapeplan")
        subprocess.run(
            [*program, "fit", str(SAMPLE), "-q", "-o", "law.json"], cwd=folder, check=True, capture_output=True
        )
        unit = seconds(sys.executable, "-c", "import scipy.optimize", folder=folder)
        plotting = seconds(sys.executable, "-c", "import altair, vl_convert", folder=folder)
        print(f"import scipy.optimize {unit:.2f} s, import of the plotting library {plotting:.2f} s")
        taken = seconds(*program, "report", "law.json", "-o", "report.html", folder=folder)
        size = (Path(folder) / "report.html").stat().st_size / 1e6
        print(f"report     {taken:.2f} s (bound 5), {taken / unit:.1f} x scipy.optimize, {size:.1f} MB (bound 5)")
        for name in FIGURES:
            taken = seconds(*program, "plot", "law.json", "--figure", name, "-o", "x.png", folder=folder) - plotting
            print(f"{name:10} {taken:.2f} s after the import (bound 3), {taken / unit:.1f} x scipy.optimize")


if __name__ == "__main__":
    main()
