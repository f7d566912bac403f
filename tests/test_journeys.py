"""From a log to plans, predictions and figures, under every law: what is saved is read, what is refused says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES
from ladders import ladder

import shapeplan as sp
from shapeplan.errors import FitError, PlanError
from shapeplan.figures.catalogue import FIGURES
from shapeplan.fitting.result import Fit
from shapeplan.laws import FORMS
from shapeplan.runs import Runs

BEYOND = 10.0


def _isoflop(folder: Path) -> Runs:
    return sp.read_runs(ladder(folder / "isoflop.csv"), flops_convention="training")


def _of_sample(*parts: str) -> Callable[[Path], Runs]:
    return lambda folder: sp.read_runs(SAMPLES.joinpath(*parts), metric="loss")


LOGS = {
    "the paper's protocol": _of_sample("vit_sweep.csv"),
    "a star beside a grid": _of_sample("stdlib_lm", "runs.csv"),
    "rows that no law fits": _of_sample("vit_glyphs", "runs.csv"),
    "an isoFLOP sweep of a ladder": _isoflop,
}


@pytest.mark.long
@pytest.mark.parametrize("law", FORMS)
@pytest.mark.parametrize("log", LOGS)
def test_a_law_is_read_back_and_used(log: str, law: str, tmp_path: Path) -> None:
    runs = LOGS[log](tmp_path)
    fit = _fitted(runs, law)
    fit.save(tmp_path / "law.json")
    read = sp.load(tmp_path / "law.json")
    for name, parameter in fit.parameters.items():
        assert read.parameters[name].value == parameter.value, name
    predicted = sp.predict(read, runs)
    assert len(predicted.predicted) == len(runs)
    planned = _planned(read)
    if planned is not None:
        again = _planned(fit)
        assert again is not None
        assert planned.budgets[0].rounded == again.budgets[0].rounded
        assert all(np.isfinite(size) and size > 0 for size in planned.budgets[0].shape.values())
    shown = [name for name in FIGURES if _figure(name, read)]
    assert "fit" in shown


def _fitted(runs: Runs, law: str) -> Fit:
    try:
        return sp.fit(runs, law=law, replicates=5)
    except FitError as error:
        if {detail.code for detail in error.details} - {"unsupported-law", "no-star"}:
            raise
        pytest.skip(f"the log does not identify it: {error}")


def _planned(fit: Fit) -> sp.Plan | None:
    try:
        return sp.recommend(fit, flops=[BEYOND * fit.flops_range[1]], force=True)
    except PlanError:
        return None


def _figure(name: str, fit: Fit) -> bool:
    try:
        return bool(sp.figure(name, fit).tables)
    except PlanError:
        return False
