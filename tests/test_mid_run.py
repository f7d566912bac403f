"""Rows before the end of their runs that lie above the ends are told; those that were cooled down are not."""

from __future__ import annotations

import csv
import re
from typing import cast

import numpy as np
import pytest
from conftest import SAMPLES

import shapeplan as sp
from shapeplan.fitting.diagnostics.mid_run import measure_bumps, measure_mid_run, mid_run_cautions
from shapeplan.fitting.problem import Problem


class AllRows:
    """What is read of a problem that was fitted to all rows."""

    def __init__(self, rows: int):
        self.all_rows = np.arange(rows)


@pytest.mark.parametrize(("above", "told"), [(0.0, False), (0.004, False), (0.03, True), (-0.03, False)])
def test_rows_above_the_ends_are_told(above: float, told: bool) -> None:
    runs = sp.read_runs(SAMPLES / "stdlib_lm" / "runs.csv")
    early = runs.flops < 0.9 * runs.spent()[runs.run]
    scatter = np.random.default_rng(0).normal(0, 0.005, len(runs))
    residuals = np.exp(-(scatter + above * early)) - 1
    found = measure_mid_run(runs, cast(Problem, AllRows(len(runs))), residuals)
    assert found is not None
    assert found.rows == int(early.sum())
    assert found.above == pytest.approx(above, abs=4 * found.error)
    cautions = mid_run_cautions(found, None)
    assert [caution.code for caution in cautions] == (["mid-run-rows"] if told else [])
    if told:
        assert cautions[0].message.startswith(f"the {found.rows} rows before the end of their runs lie ")
        assert "`last_point`" in cautions[0].hint


def test_runs_of_one_row_tell_nothing() -> None:
    runs = sp.read_runs(SAMPLES / "vit_sweep.csv")
    assert measure_mid_run(runs, cast(Problem, AllRows(len(runs))), np.zeros(len(runs))) is None
    assert mid_run_cautions(None, None) == []


@pytest.mark.parametrize(("noise", "above", "told"), [(0.003, 0.0, 0), (0.003, 0.05, 30), (0.03, 0.0, 0)])
def test_rows_above_the_line_between_their_neighbours_are_told(noise: float, above: float, told: int) -> None:
    """Thirty runs of four points, the second or third of which was taken before the decay; the law is not asked."""
    rng, made = np.random.default_rng(0), []
    for run in range(30):
        for point, flops in enumerate((1e18, 2e18, 3e18, 4e18)):
            early = above if point == 1 + run % 2 else 0.0
            loss = 3 * (1 + run / 100) * flops**-0.05 * np.exp(early + noise * rng.standard_normal())
            made.append({"run": f"r{run}", "width": 256 + run, "flops": flops, "loss": loss})
    found = measure_bumps(sp.read_runs(made, dims=["width"]))
    assert (found.rows if found else 0) == told
    if found:
        assert found.above == pytest.approx(above, rel=0.2)
        (caution,) = mid_run_cautions(None, found)
        assert caution.message == (
            "30 rows lie 5.1% (median) above the line between the rows before and after them in the same run: "
            "of warm-up, or before the learning rate decays"
        )


@pytest.mark.long
def test_rows_long_before_the_others_of_their_runs_are_told() -> None:
    lines = [line for line in (SAMPLES / "vit_sweep.csv").read_text().splitlines() if not line.startswith("#")]
    names = ("width", "depth", "mlp_dim", "forward_flops", "loss")
    rows = [{name: float(row[name]) for name in names} for row in csv.DictReader(lines)]
    early = [row | {"forward_flops": 0.005 * row["forward_flops"], "loss": 3 * row["loss"]} for row in rows[::8]]
    told = {caution.code: caution.message for caution in sp.fit(sp.read_runs(rows + early), replicates=0).cautions}
    message = (
        rf"{len(early)} rows long before the others of their runs lie \d+\.\d% \(median\) above the law that the "
        "others give: of warm-up, or before the learning rate decays"
    )
    assert re.fullmatch(message, told["mid-run-rows"])
    assert "mid-run-rows" not in {c.code for c in sp.fit(sp.read_runs(rows), replicates=0).cautions}


def test_rows_of_real_logs_that_were_cooled_down_lie_below_that_line() -> None:
    assert measure_bumps(sp.read_runs(SAMPLES / "stdlib_lm" / "runs.csv")) is None
