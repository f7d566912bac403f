"""An isoFLOP sweep of a ladder of sizes, from a law of parameters and tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

BUDGETS = np.geomspace(1e18, 1e21, 7)
A, B, C_EXPONENT, A_EXPONENT = 400.0, 1300.0, 0.31, 0.35
GROWTH = C_EXPONENT / (A_EXPONENT + C_EXPONENT)


def ladder(path: Path, spread: float = 8.0, noise: float = 0.002, seed: int = 0, bend: float = 0.0) -> Path:
    """Write an isoFLOP sweep of a ladder: at every budget seven sizes up to a factor about the best.

    With `bend` losses far from a valley rise above the law, by that share for a squared factor e of size.
    """
    rng = np.random.default_rng(seed)
    lines = ["width,depth,params,tokens,flops,loss"]
    for budget in BUDGETS:
        best = (A_EXPONENT * A / (C_EXPONENT * B) * (budget / 6) ** C_EXPONENT) ** (1 / (A_EXPONENT + C_EXPONENT))
        for factor in np.geomspace(1 / spread, spread, 7):
            width = 64 * max(round((best * factor / 12 / (1 / 64)) ** (1 / 3) / 64), 1)
            depth = width // 64
            params = 12 * width**2 * depth
            tokens = budget / 6 / params
            loss = 1.7 + A * params**-A_EXPONENT + B * tokens**-C_EXPONENT
            loss *= np.exp(bend * np.log(params / best) ** 2 + noise * rng.standard_normal())
            lines.append(f"{width},{depth},{params},{tokens:.7g},{budget:.7g},{loss:.7g}")
    path.write_text("\n".join(lines) + "\n")
    return path
