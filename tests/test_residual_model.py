"""How rows scatter: what runs share is told from what rows have of their own, though the fit took some of both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import SAMPLES, fit

from shapeplan.design.simulate import simulate
from shapeplan.fitting.diagnostics.warnings import run_cautions
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs


def scatters(of_run: float, of_row: float, sizes: list[int], count: int = 400) -> list[ResidualModel]:
    """Return the scatter around least squares with two slopes that only runs tell, and one within runs."""
    rng = np.random.default_rng(0)
    run = np.repeat(np.arange(len(sizes)), sizes)
    size = rng.standard_normal((len(sizes), 2))[run]
    tangent = np.column_stack([np.ones(len(run)), size, rng.standard_normal(len(run))])
    basis, _ = np.linalg.qr(tangent)
    found = []
    for _ in range(count):
        noise = of_run * rng.standard_normal(len(sizes))[run] + of_row * rng.standard_normal(len(run))
        found.append(ResidualModel.of(noise - basis @ (basis.T @ noise), run, tangent))
    return found


@pytest.mark.parametrize("sizes", [[24] * 6, [3] * 15, [1] * 30 + [3] * 10])
@pytest.mark.parametrize(("of_run", "of_row"), [(0.005, 0.001), (0.003, 0.003)])
def test_both_parts_are_found_on_average(sizes: list[int], of_run: float, of_row: float) -> None:
    found = scatters(of_run, of_row, sizes)
    assert np.mean([one.common * one.sigma**2 for one in found]) == pytest.approx(of_run**2, rel=0.12)
    assert np.mean([(1 - one.common) * one.sigma**2 for one in found]) == pytest.approx(of_row**2, rel=0.12)


def test_where_every_row_is_a_run_it_is_the_residual_variance() -> None:
    found = scatters(0.0, 0.003, [1] * 40)
    assert {one.common for one in found} == {0.0}
    assert [one.freedom for one in found] == pytest.approx([36.0] * len(found))
    rows = np.sqrt(np.mean([one.sigma**2 for one in found]))
    assert rows == pytest.approx(0.003, rel=0.03)


def test_points_of_few_runs_are_not_so_many_observations() -> None:
    few = scatters(0.005, 0.001, [24] * 6, count=50)
    assert all(one.between == pytest.approx(3, abs=0.1) for one in few)
    assert all(one.freedom < 5 for one in few), "not the 140 of the rows"
    assert few[0].widening(0.9) > 1.2
    many = scatters(0.0, 0.003, [1] * 144, count=2)
    assert many[0].widening(0.9) < 1.01


def test_draws_have_the_scatter_and_what_runs_share() -> None:
    residual_model = scatters(0.005, 0.001, [24] * 6, count=1)[0]
    draws = residual_model.draw(np.random.default_rng(1), 4000)
    assert draws.shape == (4000, 144)
    assert float(draws.std()) == pytest.approx(residual_model.sigma, rel=0.05)
    together = np.mean(draws[:, 0] * draws[:, 23]) / residual_model.sigma**2
    apart = np.mean(draws[:, 0] * draws[:, 24]) / residual_model.sigma**2
    assert together == pytest.approx(residual_model.common, abs=0.1)
    assert apart == pytest.approx(0, abs=0.1)


def test_a_law_that_takes_up_all_runs_is_told() -> None:
    residual_model = scatters(0.005, 0.001, [24] * 3, count=1)[0]
    assert [caution.code for caution in run_cautions(residual_model)] == ["few-runs"]
    assert "(3, with 72 rows)" in run_cautions(residual_model)[0].message
    assert not run_cautions(scatters(0.0, 0.003, [1] * 40, count=1)[0])


@pytest.mark.long
def test_intervals_know_that_points_of_a_run_share_its_luck() -> None:
    """Three points a run on the paper's star: run noise makes intervals wider than the same noise by row."""
    truth = fit(read_runs(SAMPLES / "vit_sweep.yaml"), law="separable", replicates=0)
    star = read_runs(SAMPLES / "vit_sweep.yaml").take(np.arange(57))
    design = grouped(star)

    def width(noise: float, run_noise: float) -> float:
        log = simulate(truth.law, design, noise=noise, run_noise=run_noise, seed=3)
        found = fit(log, law="separable", replicates=99)
        assert "few-runs" not in {caution.code for caution in found.cautions}
        low, high = found.parameters["a_depth"].ci or (0, 0)
        return high - low

    assert width(0.001, 0.004) > 1.3 * width(0.0041, 0.0)


def grouped(runs: Runs) -> Runs:
    """Return the log with the rows of one shape as points of one run."""
    _, run = np.unique(runs.shape, axis=0, return_inverse=True)
    run = run.ravel()
    return replace(runs, run=run, run_names=tuple(f"run {i}" for i in range(int(run.max()) + 1)))
