"""Counters of compute and data that do not count up along a run, are full, or are of one epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import shapeplan as sp
from shapeplan.errors import InputError
from shapeplan.readers.selection import Selection

POINTS = 6
SELECTIONS = {"all": None, "last": Selection(last_point=True)}
Row = dict[str, Any]


def history(jitter: float = 0.02, seed: int = 0) -> list[Row]:
    """Return runs of twelve shapes and two durations, logged at six points; intervals are not quite of one length."""
    rng = np.random.default_rng(seed)
    rows = []
    for width in (256, 384, 512, 768):
        for depth in (4, 8, 12):
            for total in (2e8, 1e9):
                lengths = rng.uniform(1 - jitter, 1 + jitter, POINTS) * total / POINTS
                for point, seen in enumerate(np.cumsum(lengths), 1):
                    loss = 1.7 + 150 / width + 6 / depth + 900 * seen**-0.4
                    rows.append(
                        {"run": f"{width}x{depth}x{total:.0g}", "step": 500 * point, "width": width, "depth": depth}
                        | {
                            "params": 12 * width**2 * depth,
                            "tokens": float(seen),
                            "interval": float(lengths[point - 1]),
                        }
                        | {"loss": round(float(loss * np.exp(0.002 * rng.standard_normal())), 4)}
                    )
    return rows


def table(rows: list[Row], counted: str, clock: bool = True) -> list[Row]:
    """Return rows whose tokens, and compute, are those of a column; without steps where there is no clock."""
    kept = ("run", "step", "width", "depth", "loss") if clock else ("run", "width", "depth", "loss")
    return [
        {key: row[key] for key in kept} | {"tokens": row[counted], "flops": 6 * row["params"] * row[counted]}
        for row in rows
    ]


def said(rows: list[Row], code: str, selection: Selection | None = None) -> list[str]:
    runs = sp.read_runs(rows, selection=selection)
    return [caution.message for caution in runs.cautions if caution.code == code]


@pytest.mark.parametrize("selection", SELECTIONS.values(), ids=SELECTIONS)
@pytest.mark.parametrize("clock", [True, False])
def test_what_goes_up_and_down_within_runs_is_no_count(selection: Selection | None, clock: bool) -> None:
    rows = history()
    message = "within most runs 'tokens' and 'flops' go up and down, and not up alone"
    assert message in said(table(rows, "interval", clock), "broken-arithmetic", selection)
    assert message not in said(table(rows, "tokens", clock), "broken-arithmetic", selection)


def test_no_plan_is_made_of_intervals() -> None:
    fitted = sp.fit(sp.read_runs(table(history(), "interval"), selection=SELECTIONS["last"]), replicates=0)
    assert fitted.quality is not None
    assert fitted.quality.status == "untrusted"


@pytest.mark.parametrize("order", ["descending", "shuffled", "by loss"])
@pytest.mark.parametrize("clock", [True, False])
def test_lines_may_be_in_any_order(order: str, clock: bool) -> None:
    rows = history()
    if order == "shuffled":
        np.random.default_rng(1).shuffle(rows)  # type: ignore[arg-type]
    else:
        rows.sort(key=lambda row: row["loss"] if order == "by loss" else -row["tokens"])
    for code in ("broken-arithmetic", "not-cumulative"):
        assert said(table(rows, "tokens", clock), code) == []


@pytest.mark.parametrize("clock", [True, False])
def test_what_stands_still_may_be_an_interval_or_the_plan(clock: bool) -> None:
    rows = table(history(jitter=0.0), "interval", clock)
    with pytest.raises(InputError, match="already on line"):
        sp.read_runs(rows)
    assert said(rows, "not-cumulative", SELECTIONS["last"]) == [
        "in all rows of most runs 'tokens' and 'flops' are the same, while the loss moves"
    ]


def test_rows_after_a_restart_are_named() -> None:
    rows = history()
    before = rows[POINTS + 2]["tokens"]
    for row in rows[POINTS + 3 : 2 * POINTS]:
        row["tokens"] -= 0.9 * before
    found = said(table(rows, "tokens"), "not-cumulative")
    assert found == [
        f"line {POINTS + 4}: {name!r} is less than earlier in the same run" for name in ("tokens", "flops")
    ]


@pytest.mark.parametrize(("most", "bits"), [(2**31 - 1, "2^31 - 1"), (2**32 - 1, "2^32 - 1")])
def test_a_full_counter_is_named(most: int, bits: str) -> None:
    rows = [row | {"tokens": min(10 * row["tokens"], most)} for row in history() if row["step"] == 500 * POINTS]
    assert any(
        f"{most} tokens are the most that 32 bits hold ({bits})" in one
        for one in said(table(rows, "tokens"), "implausible-magnitude")
    ) is (most < 1e10)


@pytest.mark.parametrize("name", ["epochs", "num_epochs", "passes", "train_epochs"])
def test_tokens_may_be_of_one_epoch_where_compute_follows_from_them(name: str) -> None:
    ends = [row for row in history() if row["step"] == 500 * POINTS]

    def told(count: int, tokens: str = "tokens", **columns: str) -> list[str]:
        rows = [
            {key: row[key] for key in ("run", "width", "depth", "params", "loss")}
            | {tokens: row["tokens"], name: count}
            for row in ends
        ]
        runs = sp.read_runs(rows, columns={"flops": "6ND", **columns})
        return [caution.message for caution in runs.cautions if caution.code == "unread-column"]

    assert told(3) == [f"'tokens' may be those of one of 3 epochs: column {name!r} is ignored"]
    assert told(1) == []
    assert told(3, "tokens_seen") == []


def test_compute_of_a_mixture_is_that_of_its_active_parameters() -> None:
    ends = [row for row in history() if row["step"] == 500 * POINTS]
    rows = [
        {key: row[key] for key in ("run", "width", "depth", "tokens", "loss")}
        | {"total_params": 5 * row["params"], "active_params": row["params"]}
        for row in ends
    ]
    runs = sp.read_runs(rows, columns={"flops": "6ND"})
    assert runs.params is not None
    assert runs.examples is not None
    np.testing.assert_allclose(runs.flops, 6 * runs.params / 5 * runs.examples)
    assert "compute is 6 x active_params x tokens" in " ".join(runs.notes)
    alone = [{key: cell for key, cell in row.items() if key != "total_params"} for row in rows]
    size = sp.read_runs(alone, columns={"flops": "6ND"})
    np.testing.assert_allclose(size.params, runs.params / 5)
    assert "no column of all parameters: those of 'active_params', which a token visits, are the size" in size.notes


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_metric_that_was_filled_in_is_told(share: float) -> None:
    rows = history()
    ends = range(POINTS - 1, len(rows), POINTS)
    for row in list(ends)[: round(share * len(ends))]:
        rows[row]["loss"] = rows[row - 1]["loss"]
    filled = round(share * len(ends))
    (found,) = said(table(rows, "tokens"), "stale-metric")
    assert found.startswith(f"{filled} of {len(rows)} rows (lines {POINTS}, ")
    assert said(table(history(), "tokens"), "stale-metric") == []


def test_a_metric_of_few_digits_repeats_by_chance() -> None:
    rows = [row | {"loss": round(row["loss"], 1)} for row in history()]
    assert said(table(rows, "tokens"), "stale-metric") == []


def test_rows_of_one_step_each_tell_no_order() -> None:
    rows = [row | {"step": 1} for row in history() if row["step"] <= 1000]
    assert said(table(rows, "tokens"), "not-cumulative") == []
