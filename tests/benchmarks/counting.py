"""Counting a million shapes at once, as a multiple of one ``numpy.log`` over as many floats in the same run.

    python tests/benchmarks/counting.py [rounds]

The best of the rounds counts; the machine's noise falls on both sides alike.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from shapeplan.architectures import Decoder, ViT

SHAPES = 1_000_000
BOUND = 200.0


def main(rounds: int) -> int:
    """Print the table and return 1 if the bound is broken."""
    rng = np.random.default_rng(0)
    width, depth, mlp_dim = (
        64 * rng.integers(1, 96, SHAPES),
        rng.integers(1, 96, SHAPES),
        rng.integers(1, 30000, SHAPES),
    )
    floats = width.astype(float)

    def vit(*shape: object) -> object:
        model = ViT(**dict(zip(("width", "depth", "mlp_dim"), shape, strict=True)), heads=16, patch=14, image=224)
        return model.params, model.flops("training")

    def llama() -> object:
        sizes = {"head_dim": 64, "vocab": 128_256, "seq": 8192, "gated": True, "norm": "rmsnorm"}
        model = Decoder(width=width, depth=depth, mlp_dim=mlp_dim, **sizes)
        return model.params, model.flops("training")

    tasks: dict[str, Callable[[], object]] = {
        "numpy.log": lambda: np.log(floats),
        "ViT, ints": lambda: vit(width, depth, mlp_dim),
        "ViT, floats": lambda: vit(floats, depth.astype(float), mlp_dim.astype(float)),
        "Decoder, ints": llama,
    }
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(rounds):
        for name, task in tasks.items():
            began = time.perf_counter()
            task()
            best[name] = min(best[name], time.perf_counter() - began)
    print("| a million shapes: parameters and training FLOPs | times one `numpy.log` | bound |\n|---|---|---|")
    for name in list(tasks)[1:]:
        print(f"| {name} | {best[name] / best['numpy.log']:.0f} | {BOUND:g} |")
    return int(any(best[name] > BOUND * best["numpy.log"] for name in tasks))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
