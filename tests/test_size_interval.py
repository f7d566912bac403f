"""Intervals of a size: replicates, rival laws, and how far optima moved in the backtest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from changed import changed
from conftest import DIMS, one, sweep
from hypothesis import given
from hypothesis import strategies as st

import shapeplan as sp
from shapeplan.fitting.records import Estimate
from shapeplan.fitting.result import Fit
from shapeplan.planning.plan import LawPlan
from shapeplan.planning.size_interval import size_intervals

FLOPS = np.array([1e19, 1e22])


def rival(width: float, *at_edge: str) -> LawPlan:
    return LawPlan("interaction", {"width": width}, {"width": None}, Estimate(0.2, None), 0.0, at_edge)


@given(share=st.floats(0.01, 1.0), drift=st.floats(0.0, 0.5))
def test_an_interval_holds_its_size_and_that_of_the_law(planned: Fit, share: float, drift: float) -> None:
    """Rivals and distance only widen it."""
    fit = changed(planned, size_drift={"width": drift})
    size = np.array([900.0, 900.0])
    of_law = {"width": (size * (1 - share / 4), size * (1 + share / 4))}
    found = size_intervals(fit, FLOPS, {"width": size}, of_law, [(), (rival(1000.0),)])["width"]
    assert (found[0] <= of_law["width"][0] * (1 + 1e-12)).all()
    assert (found[1] >= of_law["width"][1] * (1 - 1e-12)).all()


def test_rivals_widen_by_what_they_differ_unless_they_have_no_best_shape(planned: Fit) -> None:
    fit = changed(planned, size_drift={})
    size, exact = np.array([900.0]), {"width": (np.array([900.0]), np.array([900.0]))}
    flops = np.array([fit.flops_range[1]])
    apart = size_intervals(fit, flops, {"width": size}, exact, [(rival(1800.0),)])["width"]
    assert np.log(apart[1][0] / 900) == pytest.approx(1.6449 * np.log(2) / np.sqrt(2), rel=1e-4)
    edge = size_intervals(fit, flops, {"width": size}, exact, [(rival(1800.0, "width"),)])["width"]
    assert edge[0][0] == edge[1][0] == 900.0


def test_drift_widens_with_the_distance(planned: Fit) -> None:
    fit = changed(planned, size_drift={"width": 0.1})
    size, exact = np.array([900.0]), {"width": (np.array([900.0]), np.array([900.0]))}
    top = fit.flops_range[1]
    near, far = (
        size_intervals(fit, np.array([flops]), {"width": size}, exact, [()])["width"] for flops in (top, np.e * top)
    )
    assert near[0][0] == near[1][0] == 900.0
    assert np.log(far[1][0] / 900) == pytest.approx(1.6449 * 0.1, rel=1e-4)


def test_plans_tell_it_and_the_law_alone_if_asked(planned: Fit, tmp_path: Path) -> None:
    moved = changed(planned, size_drift=dict.fromkeys(DIMS, 0.2))
    run, law = one(moved), one(moved, interval="law")
    for dim in DIMS:
        assert run.ci[dim][0] < law.ci[dim][0] < law.ci[dim][1] < run.ci[dim][1]
    limited = one(moved, max_params=3e8)
    assert limited.ci == one(moved, max_params=3e8, interval="law").ci, "limits are kept by the law's own interval"
    moved.save(tmp_path / "law.json")
    assert sp.load(tmp_path / "law.json").uncertainty.size_drift == dict.fromkeys(DIMS, 0.2)
    document = json.loads((tmp_path / "law.json").read_text())
    del document["size_drift"]
    (tmp_path / "old.json").write_text(json.dumps(document))
    assert sp.load(tmp_path / "old.json").uncertainty.size_drift == {}


def test_a_true_law_drifts_next_to_nothing() -> None:
    drift = sp.fit(sweep(0.003, 2), law="separable", replicates=100).uncertainty.size_drift
    assert drift.keys() == set(DIMS)
    assert all(value < 0.02 for value in drift.values())


@pytest.mark.long
def test_real_optima_move_more_than_the_law_knows(shared: Path) -> None:
    """Below a tenth of the compute of a sweep the best width lies outside the law's own interval of it."""
    log = sp.read_runs(shared / "sweeps" / "nanogpt_star.csv")
    top = float(log.flops.max())
    below = sp.fit(log.take(log.flops <= top / 10), replicates=300)
    best = one(sp.fit(log, replicates=0), top, force=True).shape["width"]
    law, run = (one(below, top, force=True, interval=interval).ci["width"] for interval in ("law", "run"))
    assert run[0] < best < law[0]
