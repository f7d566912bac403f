"""Columns without a role against the residuals: what matters is named, what does not is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import fit
from test_logs import rows

import shapeplan as sp


def told(table: list[dict[str, Any]]) -> list[str]:
    found = fit(sp.read_runs(table), law="separable", replicates=0)
    return [caution.message for caution in found.cautions if caution.code == "column-explains"]


def with_column(name: str, cell: Any, effect: float = 0.0) -> list[dict[str, Any]]:
    """Return the plain log with a column, and a loss that follows it in its logarithm, or its second name."""
    table = []
    for i, row in enumerate(rows()):
        value = cell(i)
        size = np.log(value) if isinstance(value, float) else value == "b"
        table.append({**row, name: value, "loss": row["loss"] * np.exp(effect * float(size))})
    return table


@pytest.mark.parametrize(
    ("name", "cell", "effect"),
    [
        ("corpus", lambda i: "ab"[i % 2], 0.004),
        ("optimizer.lr", lambda i: 1e-3 * (1 + (i * 7) % 5), 0.004),
        ("Notes", lambda i: "ab"[i % 2], 0.004),
        ("commit", lambda i: "ab"[i % 2], 0.004),
        ("epochs", lambda i: 1.0 + 7 * (i % 2), 0.004),
        ("weight_decay", lambda i: 0.01 * (1 + (i * 29) % 71), 0.003),
    ],
)
def test_a_column_that_matters_is_named_with_its_share(name: str, cell: Any, effect: float) -> None:
    (message,) = told(with_column(name, cell, effect))
    assert message.startswith(f"ignored columns explain what the fit leaves: {name!r} (")
    assert int(message.split("(")[1].split("%")[0]) > 50
    assert told(with_column(name, cell)) == []


def test_a_column_that_goes_with_the_shape_is_no_recipe() -> None:
    table = with_column("rule", lambda _: "a")
    sizes = sorted({(row["width"], row["depth"], row["mlp_dim"]) for row in table})
    for row in table:
        row["rule"] = "ab"[sizes.index((row["width"], row["depth"], row["mlp_dim"])) * 7 % 3 % 2]
        row["loss"] *= np.exp(0.01 * (row["rule"] == "b"))
    found = fit(sp.read_runs(table), law="separable", replicates=0)
    (hint,) = (caution.hint for caution in found.cautions if caution.code == "column-explains")
    assert hint.startswith("it goes with the shape: runs of one shape that differ in it would tell what it does")


@pytest.mark.parametrize("name", ["val_accuracy", "train/loss", "gpu_hours", "run_id_2"])
def test_what_is_measured_is_not_a_cause(name: str) -> None:
    assert told(with_column(name, lambda i: 1.0 + (i * 7) % 5, 0.01)) == []


def test_columns_of_chance_are_not_named() -> None:
    """Ten logs, four columns each, seeds 0 to 9."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        draws = {
            "corpus": rng.choice(["a", "b"], 72),
            "lr": rng.choice([1e-3, 3e-3, 1e-2], 72),
            "wd": rng.random(72),
            "tokenizer": rng.choice(["x", "y", "z"], 72),
        }
        table = [{**row, **{name: found[i].item() for name, found in draws.items()}} for i, row in enumerate(rows())]
        assert told(table) == []
