"""Coverage of what a recipe is worth, and which level is chosen, on simulated logs of two recipes.

``python tests/studies/recipes.py [--logs N]``
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from test_recipes import DIFFERENCE, FACTOR, WORTH, recipes

import shapeplan as sp

TRUTHS = {"compute": WORTH["new"], "loss": FACTOR, "eps": DIFFERENCE}


def main() -> None:
    """Print a row a level: which level was chosen, and how often its interval holds the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=60)
    count = parser.parse_args().logs
    for level, truth in TRUTHS.items():
        forms, held, compute = Counter[str](), [], []
        for seed in range(count):
            with tempfile.TemporaryDirectory() as folder:
                runs = sp.read_runs(recipes(Path(folder) / "log.csv", seed=seed, level=level))
            new = sp.fit(runs, law="separable", replicates=0, group="corpus").log.recipes[1]
            forms[new.form] += 1
            if new.level is not None and new.level.ci is not None and new.form == level:
                held.append(new.level.ci[0] <= truth <= new.level.ci[1])
            if new.compute.ci is not None and level == "compute":
                compute.append(new.compute.ci[0] <= truth <= new.compute.ci[1])
        said = f"; what it is worth in compute, of any level, in {np.mean(compute):.0%}" if compute else ""
        print(f"truth {level}: chosen {dict(forms)}, its level held by {np.mean(held):.0%}{said}", flush=True)


if __name__ == "__main__":
    main()
