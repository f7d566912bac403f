"""The width and the MLP dim in each other's place, with and without what tells their cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import shapeplan as sp

Row = dict[str, Any]


def rows(ratio: float = 4.0, *, swapped: bool = False, cost: bool = True) -> list[Row]:
    """Return rows of five widths, two MLP dims a width, and three durations."""
    rng = np.random.default_rng(0)
    found = []
    for width in (256, 384, 512, 768, 1024):
        for depth, times in ((4, ratio), (8, ratio), (8, ratio / 2), (12, ratio / 2)):
            mlp_dim = round(times * width)
            params = depth * (4 * width**2 + 2 * width * mlp_dim)
            for tokens in (1e9, 4e9, 16e9):
                loss = 1.7 + 60 * width**-0.8 + 3 * depth**-1.1 + 20 * mlp_dim**-0.7 + 300 * tokens**-0.3
                sizes = (mlp_dim, width) if swapped else (width, mlp_dim)
                row = {"width": sizes[0], "depth": depth, "mlp_dim": sizes[1], "flops": 6 * params * tokens}
                row |= {"params": params, "tokens": tokens} if cost else {}
                found.append(row | {"loss": float(loss * np.exp(0.002 * rng.standard_normal()))})
    return found


def told(table: list[Row]) -> list[str]:
    return [caution.message for caution in sp.read_runs(table).cautions if caution.code == "implausible-shape"]


@pytest.mark.parametrize("cost", [True, False])
def test_a_swap_in_every_row_is_told(cost: bool) -> None:
    assert told(rows(swapped=True, cost=cost)) == ["every row: 'mlp_dim' is 0.25 to 0.5 times the width"]
    assert told(rows(cost=cost)) == []


def test_an_mlp_that_is_narrower_than_the_width_is_one_where_the_cost_says_so() -> None:
    assert told(rows(ratio=0.75)) == []


@pytest.mark.parametrize("swapped", [True, False])
def test_width_and_depth_in_each_others_place_are_told_where_the_mlp_follows_one(swapped: bool) -> None:
    table = [row for row in rows() if row["mlp_dim"] == 4 * row["width"]]
    if swapped:
        table = [{**row, "width": row["depth"], "depth": row["width"]} for row in table]
    assert told(table) == (["every row: the depth is 256 to 1.02e+03, the width 4 to 8"] if swapped else [])
