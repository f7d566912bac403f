"""Models of one size whose losses are of another scale are told; steep and curved laws are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shapeplan as sp

BITS = 1 / np.log(2)


def table(
    widths: tuple[int, ...] = (256, 384, 512, 768, 1024, 1536),
    depths: tuple[int, ...] = (4, 8, 12, 20),
    power: float = 0.8,
    floor: float = 1.7,
    scale: Callable[[int, int], float] = lambda width, depth: 1.0,
) -> list[dict[str, float]]:
    rng = np.random.default_rng(0)
    rows = []
    for width in widths:
        for depth in depths:
            for tokens in (1e9, 4e9, 1.6e10):
                loss = floor + 60 * width**-power + 3 * depth**-1.1 + 300 * tokens**-0.3
                loss *= scale(width, depth) * np.exp(0.003 * rng.standard_normal())
                flops = 72 * width**2 * depth * tokens
                rows.append({"width": width, "depth": depth, "flops": flops, "loss": float(loss)})
    return rows


def told(rows: list[dict[str, float]]) -> list[str]:
    return [
        f"{one.message}; {one.hint}"
        for one in sp.read_runs(rows).cautions
        if one.code == "implausible-magnitude" and "of every model" in one.message
    ]


@pytest.mark.parametrize(
    ("scale", "group"),
    [
        (lambda width, depth: BITS if depth == 4 else 1.0, "depth 4"),
        (lambda width, depth: BITS if depth == 20 else 1.0, "depth 20"),
        (lambda width, depth: 1.0 if depth == 12 else BITS, "depth 12"),
        (lambda width, depth: BITS if width == 512 else 1.0, "width 512"),
        (lambda width, depth: BITS if width == 1536 else 1.0, "width 1536"),
    ],
)
def test_losses_in_bits_of_one_size_are_told(scale: Callable[[int, int], float], group: str) -> None:
    (said,) = told(table(scale=scale))
    assert f"'loss' of every model with {group} is " in said
    assert said.endswith("is it in bits there, and in nats elsewhere, or the other way round?")


def test_another_scale_is_told_without_a_guess() -> None:
    (said,) = told(table(scale=lambda width, depth: 10.0 if width == 384 else 1.0))
    assert said.endswith("is it of another scale?")


@settings(max_examples=60)
@given(
    power=st.floats(0.1, 1.2),
    floor=st.sampled_from([0.0, 0.1, 1.7, 10.0]),
    widths=st.sampled_from(
        [(8, 64, 512, 4096), (256, 384, 512, 768), (16, 24, 4096), (32, 64, 128, 256, 512, 1024, 2048)]
    ),
    depths=st.sampled_from([(2, 4, 48), (1, 2, 4, 8, 16, 32), (4, 8, 12, 20)]),
)
def test_no_smooth_law_is_doubted(power: float, floor: float, widths: tuple[int, ...], depths: tuple[int, ...]) -> None:
    assert told(table(widths, depths, power, floor)) == []
