"""Best learning rates and batches of a log: planted power laws are found, and what is not told is said."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tuned import rows

from shapeplan.fitting.tuning.optima import interior_minimum
from shapeplan.fitting.tuning.power_law import Tuning
from shapeplan.fitting.tuning.regress import power_law
from shapeplan.fitting.tuning.tuned import tuning_notes, tuning_of
from shapeplan.readers.read import read_runs
from shapeplan.readers.selection import Selection


def of_compute(params: float, tokens: float) -> float:
    """Return the best learning rate as DeepSeek LLM has it."""
    return 0.3118 * (6 * params * tokens) ** -0.125


def of_size_and_data(params: float, tokens: float) -> float:
    """Return the best learning rate as Step Law has it."""
    return 1.79 * params**-0.713 * tokens**0.307


def tuning(log: list[dict[str, Any]], **options: Any) -> Tuning:
    found = tuning_of(read_runs(log, **options), 0.9)
    assert found is not None
    return found


def test_a_parabola_is_least_between_what_was_tried() -> None:
    places = np.log([1.0, 2.0, 4.0, 8.0, 16.0])
    place, value = interior_minimum(places, 3 + 0.1 * (places - 1.5) ** 2) or (0, 0)
    assert (place, value) == (pytest.approx(1.5), pytest.approx(3.0))
    assert interior_minimum(places, places) is None
    assert interior_minimum(places, -places) is None
    assert interior_minimum(places[:2], places[:2]) is None


def test_diverged_runs_do_not_move_the_parabola() -> None:
    places = np.log([1.0, 2.0, 4.0, 8.0, 16.0])
    losses = 3 + 0.1 * (places - 1.5) ** 2
    losses[-1] = 11.0
    assert interior_minimum(places, losses) == pytest.approx((1.5, 3.0))


def test_a_power_of_compute_is_found_exactly_without_noise() -> None:
    found = tuning(rows(of_compute)).lr
    assert found.law is not None
    assert found.reason == ""
    assert found.law.variables == ("flops",)
    assert found.law.exponents["flops"] == pytest.approx(-0.125, abs=1e-6)
    assert found.law.at({"flops": 1e22}).value == pytest.approx(0.3118 * 1e22**-0.125)
    assert found.law.backtest == pytest.approx(1)
    assert found.law.groups == 15


def test_a_power_of_parameters_and_tokens_is_found() -> None:
    law = tuning(rows(of_size_and_data)).lr.law
    assert law is not None
    assert law.exponents == pytest.approx({"params": -0.713, "examples": 0.307}, abs=1e-6)
    there = {"params": 1e9, "examples": 1e11}
    assert law.at(there).value == pytest.approx(of_size_and_data(*there.values()))


def test_the_interval_of_a_new_point_holds_the_truth_as_often_as_it_says() -> None:
    far = 6 * 1e8 * 2e9
    held = []
    for seed in range(60):
        law = tuning(rows(of_compute, noise=0.002, seed=seed)).lr.law
        if law is None or law.variables != ("flops",):
            continue
        low, high = law.at({"flops": far}).ci or (0, 0)
        held.append(low <= 0.3118 * far**-0.125 <= high)
    assert len(held) >= 40
    assert np.mean(held) >= 0.85


def test_learning_rate_and_batch_are_tuned_together() -> None:
    log = rows(of_compute, batch=lambda params, tokens: 0.3 * (6 * params * tokens) ** 0.33)
    found = tuning(log)
    assert found.lr.law is not None
    assert found.batch.law is not None
    assert found.lr.law.exponents == pytest.approx({"flops": -0.125}, abs=1e-6)
    assert found.batch.law.exponents == pytest.approx({"flops": 0.33}, abs=1e-6)
    assert found.batches is not None
    low, high = found.batches
    assert low == pytest.approx(0.3 * (6 * 12 * 256**2 * 4 * 1e8) ** 0.33)
    assert high > low


def test_the_best_of_every_shape_alone_still_tells_what_was_tried() -> None:
    best = read_runs(rows(of_compute), selection=Selection(best_of=("learning_rate",)))
    assert len(best) == 15
    found = tuning_of(best, 0.9)
    assert found is not None
    assert found.lr.law is not None


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (rows(of_compute, rates=(1.0,)), "within no shape and duration are there three values of the learning rate"),
        (rows(of_compute, rates=(0.03, 0.06, 0.12)), "within no shape and duration are there three values"),
        (rows(of_compute)[:10], "2 groups have a best value inside those tried, and a power law needs 3"),
        ([row | {"optimizer": "ab"[i % 2]} for i, row in enumerate(rows(of_compute))], "several recipes, by optimizer"),
        ([row | {"learning_rate": 0.01} for row in rows(of_compute)], "the same learning rate, 0.01"),
        (
            [{k: v for k, v in row.items() if k != "learning_rate"} | {"warmup_steps": 50} for row in rows(of_compute)],
            "no column that tells the learning rate",
        ),
    ],
    ids=["one value", "at the edge", "two groups", "two optimizers", "constant", "missing"],
)
def test_what_is_not_identified_is_said(log: list[dict[str, Any]], reason: str) -> None:
    found = tuning(log)
    assert found.lr.law is None
    assert reason in found.lr.reason


def test_a_law_that_does_not_extrapolate_is_none() -> None:
    flops = np.array([1e18, 3e18, 1e19, 1e20])
    values = np.array([1e-2, 1e-2, 1e-2, 1e-3])
    assert power_law({"flops": flops}, values, 0.9) == (
        "the largest group is off by a factor of 10 from the power law of the smaller ones, more than 2"
    )
    assert power_law({"flops": np.full(4, 1e18)}, values, 0.9) == (
        "the 4 groups with a best value are of about the same compute, size and duration"
    )


def test_a_learning_rate_that_changes_within_runs_is_no_setting() -> None:
    log = [
        row | {"run": f"r{i // 5}", "tokens": row["tokens"] * (1 + i % 5), "learning_rate": 1e-3 / (1 + i % 5)}
        for i, row in enumerate(rows(of_compute))
    ]
    log = [
        row | {"training_flops": 6 * row["params"] * row["tokens"], "loss": 3 - 0.1 * (i % 5)}
        for i, row in enumerate(log)
    ]
    assert "changes within runs" in tuning(log).lr.reason


def test_a_log_without_such_columns_tells_nothing() -> None:
    log = [{name: cell for name, cell in row.items() if name != "learning_rate"} for row in rows(of_compute)]
    assert tuning_of(read_runs(log), 0.9) is None
    assert tuning_notes(None) == ()


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"warmup_steps": 100}, {"warmup_steps": 100.0}),
        ({"warmup": 2000}, {"warmup_steps": 2000.0}),
        ({"warmup": 0.02}, {"warmup_share": 0.02}),
        ({"warmup_ratio": 0.01}, {"warmup_share": 0.01}),
        ({"warmup": 1}, {}),
        ({"batch_tokens": 2**17}, {"batch": 2.0**17}),
        ({"batch_size": 256}, {}),
        ({"batch_size": 250, "steps": 4}, {"batch": 250 * 1e5}),
        ({"batch_size": 1e5, "steps": 1000}, {"batch": 1e5}),
        ({"batch_size": 40000, "steps": 1000}, {}),
    ],
    ids=str,
)
def test_warm_up_and_batch_are_read_where_their_unit_is_told(
    columns: dict[str, Any], expected: dict[str, float]
) -> None:
    log = [row | columns for row in rows(of_compute) if row["tokens"] == 1e8]
    recipe = dict(read_runs(log).recipe)
    assert recipe.pop("lr") is not None
    assert {name: float(values[0]) for name, values in recipe.items()} == pytest.approx(expected)


def test_a_note_tells_the_law() -> None:
    found = tuning(rows(of_compute))
    said = "as flops^-0.125, 15 groups of the log, backtest off by 1x"
    assert tuning_notes(found) == (f"the best learning rate goes {said}; a plan with `format` has it",)
    assert found.lr.law is not None
    assert math.isclose(found.lr.law.level, 0.9)
