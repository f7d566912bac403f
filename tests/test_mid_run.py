"""Rows before the end of their runs that lie above the ends are told; those that were cooled down are not."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from conftest import SAMPLES

import shapeplan as sp
from shapeplan.fitting.diagnostics.mid_run import measure_mid_run, mid_run_cautions
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
    cautions = mid_run_cautions(found)
    assert [caution.code for caution in cautions] == (["mid-run-rows"] if told else [])
    if told:
        assert cautions[0].message.startswith(f"the {found.rows} rows before the end of their runs lie ")
        assert "`last_point`" in cautions[0].hint


def test_runs_of_one_row_tell_nothing() -> None:
    runs = sp.read_runs(SAMPLES / "vit_sweep.csv")
    assert measure_mid_run(runs, cast(Problem, AllRows(len(runs))), np.zeros(len(runs))) is None
    assert mid_run_cautions(None) == []
