"""Start-up of the command line, as a multiple of a bare interpreter in the same run.

    python tests/benchmarks/startup.py [rounds]

Every round times each command once, in turn, so that noise of the machine falls on all of them alike; the best of the
rounds counts.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BOUNDS = {
    "shapeplan --help": 8.0,
    "shapeplan flops ViT-g/14": 20.0,
    "shapeplan recommend --law law.json --flops 1e21": 30.0,
}
SAMPLE = Path(__file__).parents[2] / "sample_runs" / "vit_sweep.yaml"


def main(rounds: int) -> int:
    """Print the table and return 1 if a bound is broken."""
    program = shutil.which("shapeplan", path=str(Path(sys.executable).parent))
    assert program, "install shapeplan into this interpreter's environment first"
    bare = "python -c pass"
    best = dict.fromkeys([bare, *BOUNDS], float("inf"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "fit", SAMPLE, "-o", "law.json", "-q"], cwd=folder, check=True, capture_output=True)
        for _ in range(rounds):
            for command in best:
                words = [sys.executable, "-c", "pass"] if command == bare else [program, *command.split()[1:]]
                began = time.perf_counter()
                subprocess.run(words, cwd=folder, check=True, capture_output=True)
                best[command] = min(best[command], time.perf_counter() - began)
    print("| command | times `python -c pass` | bound |\n|---|---|---|")
    for command, bound in BOUNDS.items():
        print(f"| `{command}` | {best[command] / best[bare]:.1f} | {bound:g} |")
    return int(any(best[command] > bound * best[bare] for command, bound in BOUNDS.items()))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
