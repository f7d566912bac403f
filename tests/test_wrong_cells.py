"""Outlying rows that one mistyped cell explains are told with the column, its value, and the value that would fit."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest
from conftest import SAMPLES

import shapeplan as sp

COLUMNS = ("width", "depth", "mlp_dim", "forward_flops", "loss")
ROW, LINE = 50, 51
"""A row in the middle of the log, and its place as the only one who counts lines of a list: from one on."""


@pytest.fixture
def rows() -> list[dict[str, float]]:
    """Shapes, compute and loss alone: nothing in such a log checks its compute."""
    return list(clean())


def clean() -> Iterator[dict[str, float]]:
    lines = (SAMPLES / "vit_sweep.csv").read_text().splitlines()
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        yield {name: float(row[name]) for name in COLUMNS}


def said(rows: list[dict[str, float]]) -> str:
    fit = sp.fit(sp.read_runs(rows), law="product", replicates=0)
    return next((caution.message for caution in fit.cautions if caution.code == "outlier"), "")


@pytest.mark.parametrize(
    ("column", "factor"),
    [("forward_flops", 10), ("forward_flops", 0.1), ("forward_flops", 3), ("width", 10), ("depth", 10), ("loss", 0.1)],
)
def test_the_cell_is_told(rows: list[dict[str, float]], column: str, factor: float) -> None:
    right = rows[ROW][column]
    rows[ROW][column] *= factor
    name = "flops" if column == "forward_flops" else column
    found = said(rows)
    assert f"(line {LINE}, " in found
    assert f"; {name} {right * factor:.6g} would fit as {right:.6g})" in found
    assert found.count("would fit as") == 1


def test_an_outlier_that_hides_behind_another_is_told(rows: list[dict[str, float]]) -> None:
    for row in rows[-2:]:
        row["forward_flops"] /= 10
    found = said(rows)
    for row, line in zip(rows[-2:], (len(rows) - 1, len(rows)), strict=True):
        wrong = row["forward_flops"]
        assert f"line {line}" in found
        assert f"flops {wrong:.6g} would fit as {10 * wrong:.6g}" in found
    assert found.count("would fit as") == 2


def test_a_run_that_diverged_has_no_wrong_cell(rows: list[dict[str, float]]) -> None:
    rows[ROW]["loss"] *= 1.6
    assert f"(line {LINE}, " in said(rows)
    assert "would fit as" not in said(rows)


def test_a_clean_log_has_none(rows: list[dict[str, float]]) -> None:
    assert "would fit as" not in said(rows)


@pytest.mark.parametrize("factor", [0.1, 0.01, 10])
def test_tokens_that_compute_follows_from_are_told(factor: float) -> None:
    rows = [
        {"width": w, "depth": d, "params": 12 * w**2 * d, "tokens": 12 * w**2 * d * ratio}
        | {"loss": 1.7 + 150 / w + 6 / d + 900 * (12 * w**2 * d * ratio) ** -0.4}
        for w in (256, 384, 512, 768)
        for d in (4, 8, 12)
        for ratio in (10, 30, 90)
    ]
    right = rows[19]["tokens"]
    rows[19]["tokens"] *= factor
    fit = sp.fit(sp.read_runs(rows, columns={"flops": "6ND"}), law="separable", replicates=0)
    (said,) = [caution.message for caution in fit.cautions if caution.code == "outlier"]
    assert f"tokens {right * factor:.6g} would fit as {right:.6g}" in said
