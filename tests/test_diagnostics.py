"""Every warning about a fit: provoked, and silent on a clean sweep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, additive_law, fit, fit_star, sweep

from shapeplan.design.sovit_protocol import rehearsal_law
from shapeplan.fitting.diagnostics.replicate_noise import measure_noise
from shapeplan.fitting.result import Fit
from shapeplan.laws import Law, Separable
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs


def codes(fitted: Fit) -> set[str]:
    return {caution.code for caution in fitted.cautions}


@pytest.fixture(scope="module")
def clean() -> Fit:
    return fit(sweep(0.003, 11), replicates=200)


def repeated(runs: Runs, times: int, noise: float) -> Runs:
    """Return the log trained several times over, with other seeds."""
    rng = np.random.default_rng(0)
    rows = np.tile(np.arange(len(runs)), times)
    again = runs.take(rows)
    names = tuple(f"{name}-{i}" for i in range(times) for name in runs.run_names)
    loss = again.observed() * np.exp(noise * rng.standard_normal(len(rows)))
    return replace(again, loss=loss, run=np.arange(len(rows)), run_names=names)


def test_a_clean_sweep_raises_no_doubt_about_its_fit(clean: Fit) -> None:
    assert codes(clean) <= {"grid-one-duration", "at-bound"}
    assert clean.status == "ok"


def test_noise_is_read_off_replicates() -> None:
    noise = measure_noise(repeated(sweep(0.0), 3, 0.004))
    assert noise is not None
    assert noise.source == "replicates"
    assert noise.rows == 363
    assert noise.sigma == pytest.approx(0.004, rel=0.1)


def test_noise_is_read_off_checkpoints() -> None:
    """A smooth curve bends; what it does not do from point to point is noise."""
    x = np.geomspace(1e18, 1e20, 40)
    rng = np.random.default_rng(1)
    curves = [2 + (x / 1e18) ** -0.3 * scale for scale in (1.0, 1.2, 1.4)]
    loss = np.concatenate(curves) * np.exp(0.002 * rng.standard_normal(120))
    base = sweep(0.0).take(np.repeat([0, 4, 8], 40))
    runs = replace(base, loss=loss, flops=np.tile(x, 3), run=np.repeat([0, 1, 2], 40), run_names=("a", "b", "c"))
    noise = measure_noise(runs)
    assert noise is not None
    assert noise.source == "checkpoints"
    assert noise.sigma == pytest.approx(0.002, rel=0.25)
    assert measure_noise(sweep()) is None


def test_a_law_that_misses_more_than_the_noise_lacks_fit() -> None:
    truth = repeated(sweep(0.0), 2, 0.001)
    assert "lack-of-fit" in codes(fit(truth, law="product", replicates=0))
    assert "lack-of-fit" not in codes(fit(truth, law="separable", replicates=0))


def test_replicates_without_noise_are_told_as_such() -> None:
    truth = repeated(sweep(0.0), 2, 1e-9)
    found = fit(truth, law="product", replicates=0)
    message = next(caution.message for caution in found.cautions if caution.code == "lack-of-fit")
    assert message.endswith(", and replicates of the log show next to no noise (less than 0.01%)")
    assert "lack-of-fit" not in codes(fit(truth, law="separable", replicates=0))


def test_a_metric_that_depends_on_nothing_is_not_explained() -> None:
    rng = np.random.default_rng(0)
    found = fit(replace(sweep(), loss=0.5 + 0.01 * rng.standard_normal(121)), law="separable", replicates=0)
    assert found.status == "untrusted"
    assert any("explains no more than" in caution.message for caution in found.cautions)


def test_residuals_that_bend_with_a_variable_are_told(clean: Fit) -> None:
    runs = sweep(0.003, 11).canonical()
    logs = np.log(runs.values("width"))
    hump = np.exp(-(((logs - np.log(900)) / 0.2) ** 2))
    found = fit(replace(runs, loss=runs.observed() * (1 + 0.03 * hump)), law="separable", replicates=0)
    assert found.trends.keys() == {"flops", "width", "depth", "mlp_dim"}
    assert found.trends["width"].chance < 1e-3
    assert any("the residuals still depend on" in c.message and "width (" in c.message for c in found.cautions)
    assert all(trend.chance > 0.01 for trend in clean.trends.values())
    thirds = np.array_split(np.argsort(runs.values("width"), kind="stable"), 3)
    predicted = found.law.loss(**{name: runs.variables()[name] for name in found.law.form.variables})
    residual = predicted / (runs.observed() * (1 + 0.03 * hump)) - 1
    assert found.trends["width"].low == pytest.approx(float(residual[thirds[0]].mean()))


def test_a_run_that_moves_the_fit_is_named(clean: Fit) -> None:
    runs = sweep(0.003, 11)
    row = runs.run_names.index("depth-8-64M")
    loss = runs.observed().copy()
    loss[row] *= 1.08
    found = fit(replace(runs, loss=loss), law="separable", replicates=200)
    assert found.influences.alone[0].runs == ("depth-8-64M",)
    assert found.influences.alone[0].lines == (int(runs.lines[row]),)
    (hint,) = (caution.hint for caution in found.cautions if caution.code == "influential")
    assert hint.endswith("and `objective=log-huber` weighs them less")
    assert "influential" not in codes(clean)
    truth, spoiled = clean.scaling_exponents["depth"].value, found.scaling_exponents["depth"].value
    assert abs(found.influences.alone[0].exponents["s_depth"] - truth) < abs(spoiled - truth) / 2


def test_five_points_of_epoch_are_named(shared: Path) -> None:
    """They move b from 0.367 to 0.453 (Besiroglu et al. 2024, the five highest losses)."""
    runs = read_runs(shared / "sweeps" / "epoch_chinchilla.csv")
    found = fit(runs, law="chinchilla", objective="log-huber", replicates=200)
    together = found.influences.together
    assert together is not None
    highest = np.argsort(-runs.observed())[:5]
    assert set(together.lines) == set(runs.lines[highest])
    assert found.law.constants["c"] == pytest.approx(0.4530, abs=5e-4)
    assert together.exponents["c"] == pytest.approx(0.3672, abs=5e-4)
    (hint,) = (caution.hint for caution in found.cautions if caution.code == "influential")
    assert hint == "look at these runs first; the fit without each is in the result", "it is log-huber already"


def test_exponents_at_their_bounds_are_told(clean: Fit) -> None:
    true = rehearsal_law()
    steep = Law(true.form, {**true.constants, "a_depth": 12.0}, true.units)
    found = fit(sweep(0.0, law=steep), law="separable", replicates=0)
    assert any(c.code == "at-bound" and "a_depth = 4" in c.message for c in found.cautions)
    assert not any(c.code == "at-bound" and "bound of the search" in c.message for c in clean.cautions)


def test_a_floor_that_vanishes_is_told(clean: Fit) -> None:
    true = rehearsal_law()
    bottomless = sweep(0.0, law=Law(Separable(true.form.dims), {**true.constants, "eps": 0.0}, true.units))
    lower = bottomless.observed() - bottomless.observed().min() / 5
    found = fit(replace(bottomless, loss=lower), law="separable", replicates=0)
    assert found.parameters["eps"].value == 0
    assert any("no irreducible loss is identified (eps = 0)" in caution.message for caution in found.cautions)
    assert clean.parameters["eps"].value > 0
    assert not any("no irreducible loss" in caution.message for caution in clean.cautions)


@pytest.mark.long
def test_a_best_shape_far_outside_the_data_is_told(clean: Fit) -> None:
    """Where larger is always better in depth, the law has no best depth."""
    runs = sweep(0.0, law=additive_law())
    free = runs.observed() + 0.3 * (runs.values("depth") / 10.0) ** -0.1
    found = fit(replace(runs, loss=free), law="interaction", replicates=50)
    assert "no-interior-optimum" in codes(found)
    assert "no-interior-optimum" not in codes(clean)


def test_the_warnings_of_a_star(clean: Fit) -> None:
    runs = sweep(0.003, 11)
    star = fit_star(runs, replicates=50)
    assert "off-star-misfit" in codes(star), "Eq. 3 does not hold on the sample's grid"
    assert "off-star-misfit" not in codes(fit_star(sweep(0.0, law=additive_law()), replicates=50))
    no_center = fit_star(runs.take(np.arange(3, 121)), replicates=0)
    assert "no-center" in codes(no_center)
    assert "no-center" not in codes(star)


def test_the_published_sample_is_read_as_it_is() -> None:
    found = fit(read_runs(SAMPLES / "vit_sweep.yaml"), replicates=200)
    assert codes(found) == {"grid-one-duration"}


def test_few_replicates_are_no_intervals() -> None:
    few = fit(sweep(), law="separable", replicates=2)
    assert "few-replicates" in {caution.code for caution in few.cautions}
    assert "few-replicates" not in {c.code for c in fit(sweep(), law="separable", replicates=20).cautions}


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.study) for seed in (1, 2, 3))])
def test_a_fit_whose_every_exponent_is_vague_is_not_to_be_trusted(seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal(121)
    found = fit_star(replace(sweep(), loss=0.5 + 0.01 * noise), replicates=20)
    assert [caution.code for caution in found.cautions].count("unidentified") == 3
    assert found.status == "untrusted"
