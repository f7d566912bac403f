"""Intervals of a run: what the backtest measures, and what becomes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from changed import changed
from conftest import SAMPLES, Program, fit, sweep
from hypothesis import given
from hypothesis import strategies as st

import shapeplan as sp
from shapeplan.errors import ArgumentError
from shapeplan.explain.pages import page
from shapeplan.fitting.evidence import RunError
from shapeplan.fitting.records import Bootstrap
from shapeplan.fitting.result import Fit
from shapeplan.fitting.uncertainty.residual_model import orthonormal
from shapeplan.fitting.uncertainty.run_error import PRIOR, squared_drift
from shapeplan.runs import Runs

ERROR = RunError(0.003, 0.02, "backtest")


@pytest.fixture(scope="module")
def log() -> Runs:
    return sp.read_runs(SAMPLES / "vit_sweep.csv")


@pytest.fixture(scope="module")
def found(log: Runs) -> Fit:
    return sp.fit(log, law="separable", replicates=50)


def bent(log: Runs, share: float) -> Runs:
    """Return a log whose losses rise above the law by a share for every factor e of compute, from its middle on."""
    beyond = np.maximum(np.log(log.flops / np.median(log.flops)), 0.0)
    return replace(log, loss=log.observed() * np.exp(share * beyond))


@given(st.floats(0.1, 10), st.floats(0.01, 100), st.floats(0.5, 1.5), st.floats(0.5, 1.5), st.floats(0.5, 0.99))
def test_an_interval_holds_its_estimate_and_that_of_the_law(
    loss: float, distance: float, low: float, high: float, level: float
) -> None:
    law = np.array([loss * min(low, high)]), np.array([loss * max(low, high)])
    below, above = ERROR.around(np.array([loss]), np.array([distance]), law, level)
    assert below[0] <= min(loss, law[0][0]) * (1 + 1e-12) or law[0][0] > loss
    assert below[0] < loss < above[0]
    assert above[0] >= law[1][0] * (1 - 1e-12)


def test_intervals_widen_with_the_distance_and_not_within_the_log() -> None:
    inside, edge, beyond = ERROR.sigma(np.array([0.1, 1.0, np.e]))
    assert inside == edge == ERROR.scatter
    assert beyond == pytest.approx(np.hypot(0.003, 0.02))


def test_a_true_law_drifts_next_to_nothing_and_a_bent_one_as_it_is_bent(log: Runs, found: Fit) -> None:
    straight = found.uncertainty.run_error
    curved = sp.fit(bent(log, 0.05), law="separable", replicates=0).uncertainty.run_error
    assert straight is not None
    assert curved is not None
    assert straight.source == curved.source == "backtest"
    assert straight.drift < 0.005
    assert curved.drift > 4 * straight.drift
    assert curved.errors[-1].rmse > straight.errors[-1].rmse


@pytest.mark.parametrize("drift", [0.0, 0.02])
def test_the_squared_drift_of_a_fold_is_unbiased_and_knows_its_error(drift: float) -> None:
    rng, scatter, rows = np.random.default_rng(1), 0.01, 12
    reach = np.sort(rng.uniform(0.1, 2.3, rows))
    tangent = np.column_stack([np.ones(40), rng.standard_normal((40, 3))])
    known, asked = tangent[rows:], tangent[:rows]
    of_law = asked @ np.linalg.inv(known.T @ known) @ asked.T
    covariance = scatter**2 * (np.eye(rows) + of_law)
    covariance += drift**2 * 0.5 * (np.outer(reach, reach) + np.diag(reach**2))
    basis = orthonormal(tangent)[:rows]
    errors = rng.multivariate_normal(np.zeros(rows), covariance, size=4000, method="cholesky")
    told = [squared_drift(one, reach, basis, scatter**2) for one in errors]
    estimates, spreads = np.array([one for one in told if one is not None]).T
    assert len(estimates) == len(errors)
    assert abs(estimates.mean() - drift**2) < 4 * estimates.std() / np.sqrt(len(errors))
    if not drift:
        assert estimates.std() == pytest.approx(spreads[0], rel=0.1)


def test_rows_above_that_a_fit_follows_whatever_they_are_tell_no_drift() -> None:
    basis = orthonormal(np.eye(6)[:, :2])
    assert squared_drift(np.array([0.1, 0.2]), np.array([1.0, 1.5]), basis[:2], 1e-4) is None


def test_errors_are_told_by_distance(found: Fit) -> None:
    error = found.uncertainty.run_error
    assert error is not None
    distances = [one.distance for one in error.errors]
    assert distances == sorted(distances)
    assert all(one.rows > 0 and one.rmse < 0.01 for one in error.errors)


def test_a_log_of_one_compute_takes_the_prior_and_says_so() -> None:
    log = sweep(0.003, 0)
    found = fit(replace(log, flops=np.full(len(log), 1e19)), law="separable", replicates=20)
    error = found.uncertainty.run_error
    assert error is not None
    assert (error.source, error.errors) == ("prior", ())
    assert error.drift == pytest.approx(np.sqrt(1.4) * PRIOR)
    assert "no-backtest" in {caution.code for caution in found.cautions}
    assert f"{error.drift:.1%} for a factor e" in page("no-backtest").text


def test_predictions_tell_the_interval_of_a_run_and_of_the_law(log: Runs, found: Fit) -> None:
    run, law = sp.predict(found, log), sp.predict(found, log, interval="law")
    assert run.lower is not None and run.upper is not None  # noqa: PT018 - two arrays of one interval
    assert run.law_lower is not None and run.law_upper is not None  # noqa: PT018
    assert (run.lower <= run.law_lower).all()
    assert (run.upper >= run.law_upper).all()
    assert law.lower is not None and law.upper is not None  # noqa: PT018
    assert (law.lower == run.law_lower).all()
    assert (law.upper == run.law_upper).all()
    held = (run.lower <= log.observed()) & (log.observed() <= run.upper)
    assert held.mean() > 0.85, "rows that were fitted are runs too"
    with pytest.raises(ArgumentError, match="there is no interval 'both'"):
        sp.predict(found, log, interval="both")


def test_plans_tell_both(found: Fit) -> None:
    of_run, of_law = (sp.recommend(found, 1e22, interval=interval).budgets[0] for interval in ("run", "law"))
    assert of_run.loss is not None and of_law.loss is not None  # noqa: PT018
    assert of_run.loss.value == of_law.loss.value
    assert of_run.law_ci == of_law.law_ci == of_law.loss.ci
    assert of_run.loss.ci is not None and of_law.loss.ci is not None  # noqa: PT018
    assert of_run.loss.ci[0] < of_law.loss.ci[0] < of_law.loss.ci[1] < of_run.loss.ci[1]
    with pytest.raises(ArgumentError, match="there is no interval 'both'"):
        sp.recommend(found, 1e22, interval="both")


def test_a_document_of_an_older_version_keeps_the_interval_of_the_law(log: Runs, found: Fit, tmp_path: Path) -> None:
    found.save(tmp_path / "law.json")
    document = json.loads((tmp_path / "law.json").read_text())
    del document["run_error"]
    (tmp_path / "old.json").write_text(json.dumps(document))
    old = sp.predict(sp.load(tmp_path / "old.json"), log)
    assert old.lower is not None and old.law_lower is not None  # noqa: PT018
    assert (old.lower == old.law_lower).all()
    assert sp.load(tmp_path / "law.json").uncertainty.run_error == found.uncertainty.run_error
    assert changed(found, run_error=None).run_interval(np.ones(1), np.ones(1), None) is None


def test_the_command_line_says_whose_interval_it_is(program: Program) -> None:
    log = SAMPLES / "vit_sweep.csv"
    program("fit", log, "--law", "separable", "--replicates", "20", "-o", "law.json")
    assert "(90% intervals of a run)" in program("predict", "law.json", log).stdout
    assert "(90% intervals of the law, not of a run)" in program("predict", "law.json", log, "--interval", "law").stdout
    done = program("predict", "law.json", log, "--interval", "both")
    assert (done.returncode, "there is no interval 'both'" in done.stderr) == (2, True)
    told = program("recommend", "--law", "law.json", "--flops", "1e22", "--json").stdout
    budget = json.loads(told)["budgets"][0]
    assert budget["loss"]["ci"][0] < budget["law_ci"][0]


@given(st.lists(st.floats(0.5, 2.0), min_size=2, max_size=30), st.floats(0.1, 3.0))
def test_no_interval_excludes_its_own_estimate(draws: list[float], estimate: float) -> None:
    interval = Bootstrap(len(draws), level=0.9).interval(np.array([*draws, np.nan]), estimate)
    assert interval is not None
    assert interval[0] <= estimate <= interval[1]
    assert Bootstrap().interval(np.array([np.nan]), estimate) is None
