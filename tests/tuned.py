"""Sweeps whose best learning rate, and batch, are a known power of compute, or of parameters and tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

SHAPES = ((256, 4), (320, 5), (384, 6), (512, 8), (640, 10))
RATES = (0.25, 0.5, 1.0, 2.0, 4.0)
SEQ = 512


def sizes(tokens: tuple[float, ...] = (1e8, 2e8, 4e8)) -> Iterator[tuple[int, int, float, float]]:
    """Yield width, depth, parameters and tokens."""
    for width, depth in SHAPES:
        for seen in tokens:
            yield width, depth, 12.0 * width**2 * depth, seen


def rows(
    best: Callable[[float, float], float],
    *,
    noise: float = 0.0,
    seed: int = 0,
    batch: Callable[[float, float], float] | None = None,
    rates: tuple[float, ...] = RATES,
    **columns: Any,
) -> list[dict[str, Any]]:
    """Return a log.

    Its learning rates are tried at factors around a value that is off the best by a random one, and so are its batches
    where a rule is given: the loss is a parabola in the logarithm of both.
    """
    draw = np.random.default_rng(seed)
    log = []
    for width, depth, params, tokens in sizes():
        base = 2 + 30 * params**-0.2 + 100 * tokens**-0.25
        middle = best(params, tokens) * np.exp(draw.uniform(-0.4, 0.4))
        least = batch(params, tokens) if batch else None
        for size in [None] if least is None else [least * factor * 1.1 for factor in (0.25, 0.5, 1.0, 2.0, 4.0)]:
            for factor in rates:
                lr = middle * factor
                excess = 0.01 * np.log(lr / best(params, tokens)) ** 2
                excess += 0.005 * np.log(size / least) ** 2 if size is not None else 0.0
                loss = base * (1 + excess) * (1 + noise * draw.standard_normal())
                row = {"width": width, "depth": depth, "mlp_dim": 4 * width, "params": params, "tokens": tokens}
                row |= {"training_flops": 6 * params * tokens, "learning_rate": lr, "loss": loss} | columns
                row |= {} if size is None else {"batch_tokens": size}
                log.append({"run": f"r{len(log)}"} | row)
    return log
