from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program, additive_law, fit, fit_anew, fit_star, sweep

from shapeplan.design.simulate import simulate
from shapeplan.design.sovit_protocol import paper_design
from shapeplan.errors import ArgumentError, FitError
from shapeplan.fitting.check import check
from shapeplan.fitting.predict import predict
from shapeplan.fitting.result import Fit
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs
from shapeplan.sweeps.grid import Start
from shapeplan.sweeps.star import find_star

DIMS = ("width", "depth", "mlp_dim")


def codes(fitted: Fit) -> set[str]:
    return {caution.code for caution in fitted.cautions}


def changed(runs: Runs, rows: np.ndarray | int, factor: float) -> Runs:
    """Return the log with the metric of some rows multiplied."""
    loss = runs.observed().copy()
    loss[rows] *= factor
    return replace(runs, loss=loss)


def test_noise_free_eq_3_is_recovered() -> None:
    """s_k, c and the unseen centre to 1e-4 (in fact far better), from no start given."""
    truth = additive_law()
    found = fit_star(sweep(0.0, law=truth), replicates=0)
    assert found.law.constants["c"] == pytest.approx(0.35, rel=1e-4)
    for dim, s in {"width": 0.35 / 2.0, "depth": 0.35 / 1.5, "mlp_dim": 0.35 / 1.2}.items():
        assert found.scaling_exponents[dim].value == pytest.approx(s, rel=1e-4)
        assert found.arms[dim].c_alone == pytest.approx(0.35, rel=1e-4)
    assert len(found.center) == 3
    for row in found.center:
        assert abs(row.relative_error) < 1e-4
        assert all(value == pytest.approx(row.observed, rel=1e-4) for value in row.by_arm.values())
    assert found.grid_error is not None
    assert found.grid_error.rmse < 1e-4
    assert found.status == "ok"
    assert "off-star-misfit" not in codes(found)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_units_of_the_metric_and_of_compute_do_not_matter(scale: float) -> None:
    runs = sweep(0.003, 5)
    base = fit_star(runs, replicates=0)
    loss = runs.observed() * scale
    found = fit_star(replace(runs, loss=loss, flops=runs.flops / scale), replicates=0)
    assert found.quality is not None
    assert base.quality is not None
    assert found.quality.objective_value == pytest.approx(base.quality.objective_value, rel=1e-8)
    assert found.scaling_exponents["width"].value == pytest.approx(base.scaling_exponents["width"].value, rel=1e-5)


def test_the_centre_is_never_fitted() -> None:
    runs = sweep()
    star = find_star(runs, runs.dims)
    spoiled = changed(runs, star.center_rows, 3.0)
    assert fit_star(spoiled, replicates=0).law.constants == fit_star(runs, replicates=0).law.constants
    assert "center-missed" in codes(fit_star(spoiled, replicates=0))
    assert "center-missed" not in codes(fit_star(runs, replicates=0))


@pytest.mark.long
def test_intervals_hold_the_estimate_and_grow_with_noise_and_level() -> None:
    widths = {}
    for noise in (0.001, 0.003):
        for level in (0.5, 0.9):
            found = fit_star(sweep(noise, 4), replicates=200, level=level)
            width = found.scaling_exponents["width"]
            assert width.ci is not None
            assert width.ci[0] < width.value < width.ci[1]
            widths[noise, level] = width.ci[1] - width.ci[0]
    assert widths[0.001, 0.9] < widths[0.003, 0.9]
    assert widths[0.003, 0.5] < widths[0.003, 0.9]


@pytest.mark.long
def test_the_bootstrap_follows_its_seed() -> None:
    one, same, other = (fit_anew(sweep(), law="star", replicates=50, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.bootstrap.draws["c"], same.bootstrap.draws["c"])
    assert not np.array_equal(one.bootstrap.draws["c"], other.bootstrap.draws["c"])


@pytest.mark.long
def test_luck_that_a_run_shares_widens_intervals() -> None:
    """Rows of a run that scatter together say less than as many rows apart; rows that do not are worth as many."""
    runs = sweep(0.0, law=additive_law())
    rng = np.random.default_rng(0)
    _, shape = np.unique(runs.shape, axis=0, return_inverse=True)
    names = tuple(map(str, range(shape.max() + 1)))
    lucky = replace(runs, loss=runs.observed() * np.exp(0.003 * rng.standard_normal(shape.max() + 1)[shape]))
    apart = replace(runs, loss=runs.observed() * np.exp(0.003 * rng.standard_normal(len(runs))))

    def width(log: Runs, *, grouped: bool) -> float:
        found = fit_star(replace(log, run=shape, run_names=names) if grouped else log, replicates=99)
        ci = found.scaling_exponents["depth"].ci
        assert ci is not None
        assert found.quality is not None
        assert found.quality.runs == (18 if grouped else 54)
        return ci[1] - ci[0]

    assert width(lucky, grouped=True) > 1.2 * width(lucky, grouped=False)
    assert width(apart, grouped=True) == pytest.approx(width(apart, grouped=False), rel=0.2)


def test_a_tied_dimension_is_fitted_as_one() -> None:
    design = paper_design().take(np.arange(39))  # the centre, the width arm and the depth arm
    shape = design.shape.copy()
    shape[:, 2] = 4 * shape[:, 0]
    found = fit_star(sweep_of(replace(design, shape=shape)), replicates=0)
    assert found.dimensions.free == ("width", "depth")
    assert found.dimensions.tied["mlp_dim"].ratio == pytest.approx(4.0)
    assert "tied" in codes(found)


def sweep_of(design: Runs) -> Runs:

    return simulate(additive_law(), design, noise=0.001, seed=0)


def test_a_dimension_that_never_varies_stays() -> None:
    runs = sweep().take(np.arange(39))
    found = fit_star(runs, replicates=0)
    assert found.dimensions.fixed == {"mlp_dim": 6144.0}
    assert "not-varied" in codes(found)


def test_an_outlier_is_named() -> None:
    runs = changed(sweep(0.001), 10, 1.05)
    found = fit_star(runs, replicates=0)
    assert found.outliers[0].run == runs.run_names[10]
    assert found.outliers[0].line == 12
    assert "outlier" in codes(found)
    assert fit_star(sweep(0.001), replicates=0).outliers == ()


def test_arms_that_disagree_about_c_are_named() -> None:
    runs = sweep(0.001)
    star = find_star(runs, runs.dims)
    loss = runs.observed().copy()
    rows = star.arms["depth"]
    loss[rows] = 0.1 + 3.0 * runs.values("depth")[rows] ** -0.5 * (runs.flops[rows] / 1e19) ** -0.9
    found = fit_star(replace(runs, loss=loss), replicates=0)
    assert "c-differs" in codes(found)
    assert "c-differs" not in codes(fit_star(runs, replicates=0))


@pytest.mark.long
def test_mixed_metrics_are_not_to_be_trusted() -> None:
    rng = np.random.default_rng(0)
    runs = sweep()
    found = fit_star(replace(runs, loss=runs.observed() * rng.uniform(0.5, 2.0, len(runs))), replicates=0)
    assert found.status == "untrusted"
    assert "lack-of-fit" in codes(found)


def test_an_arm_without_a_trade_off_is_not_to_be_trusted() -> None:
    """If larger is always better, beta is zero and s is not defined."""
    runs = sweep(0.0)
    star = find_star(runs, runs.dims)
    loss = runs.observed().copy()
    rows = star.arms["mlp_dim"]
    loss[rows] = 0.1 + 0.2 * (runs.values("mlp_dim")[rows] / 2000) ** -0.5 + 0.1 * (runs.flops[rows] / 1e20) ** -0.35
    found = fit_star(replace(runs, loss=loss), replicates=20)
    assert np.isnan(found.scaling_exponents["mlp_dim"].value)
    assert found.status == "untrusted"
    assert "unidentified" in codes(found)


def test_a_star_at_one_duration_is_refused() -> None:
    runs = sweep()
    longest = np.flatnonzero(np.isin(runs.examples, [256e6, 600e6]))
    with pytest.raises(FitError, match="on the width arm only 0 shapes are logged at two or more points"):
        fit_star(runs.take(longest))


def test_fewer_rows_than_parameters_are_refused() -> None:
    runs = sweep()
    star = find_star(runs, runs.dims)
    few = np.concatenate(
        [star.center_rows, *(rows[:6] for rows in star.arms.values()), *(r[6:9] for r in star.arms.values())]
    )
    short = runs.take(np.sort(few[np.isin(runs.examples[few], [64e6, 128e6])]))
    with pytest.raises(FitError, match="the arms have 18 rows, the law 19 parameters"):
        fit_star(short)


def test_arguments_that_make_no_sense() -> None:
    with pytest.raises(ArgumentError, match="did you mean 'star'"):
        fit(sweep(), law="sta")
    with pytest.raises(ArgumentError, match=r"a level of 1\.5 is out of range"):
        fit_star(sweep(), level=1.5)
    with pytest.raises(ArgumentError, match="-1 replicates is out of range"):
        fit_star(sweep(), replicates=-1)
    with pytest.raises(ArgumentError, match="the start lacks depth, mlp_dim"):
        fit_star(sweep(), start=Start({"width": 608}, 1e18, "test"))


def test_a_given_start_overrides_the_grid() -> None:
    start = Start({"width": 608, "depth": 10, "mlp_dim": 928}, 3.5e18, "test")
    found = fit_star(sweep(), start=start, replicates=0)
    assert found.start == start
    assert "grid-one-duration" not in codes(found)


def test_predictions_are_the_law_and_its_residuals() -> None:
    runs = sweep(0.003, 1)
    found = fit_star(runs, replicates=100)
    predictions = predict(found, runs)
    assert predictions.residual is not None
    assert predictions.lower is not None
    assert predictions.upper is not None
    star = find_star(runs, runs.dims)
    arms = np.concatenate(list(star.arms.values()))
    assert found.quality is not None
    assert np.sqrt(np.mean(predictions.residual[arms] ** 2)) == pytest.approx(found.quality.relative_rmse, rel=1e-9)
    center = [found.star.shape[dim] for dim in runs.dims]
    beside = (runs.shape != center).sum(axis=1) > 1
    assert np.all(predictions.lower[arms] <= predictions.upper[arms])
    assert not found.predicts_loss
    assert np.isnan(predictions.lower[beside]).all(), "the rows there refute the law"
    training = replace(runs, flops=3 * runs.flops, flops_convention="training")
    np.testing.assert_allclose(predict(found, training).predicted, predictions.predicted, rtol=1e-12)
    with pytest.raises(FitError, match="the law is in mlp_dim; the rows have width, depth: add the column"):
        predict(found, replace(runs, dims=("width", "depth"), shape=runs.shape[:, :2]))


def test_nanogpt_star(shared: Path) -> None:
    """A real star: width and depth arms within 0.75%, MLP tied to width, heads ignored and said so."""
    runs = read_runs(shared / "sweeps" / "nanogpt_star.csv")
    assert any("heads vary (4 to 32)" in note and "ignored" in note for note in runs.notes)
    found = fit_star(runs, replicates=100)
    assert found.dimensions.free == ("width", "depth")
    assert found.dimensions.tied["mlp_dim"].ratio == pytest.approx(4.0)
    assert found.arms["width"].relative_rmse <= 0.0075
    assert found.arms["depth"].relative_rmse <= 0.0075
    assert {"too-few-runs", "center-bottleneck", "no-start", "tied"} <= codes(found)
    assert found.center_error is not None
    assert found.center_error.rmse < 0.02


def test_morph_is_no_star_and_supports_the_joint_laws(shared: Path) -> None:
    runs = read_runs(shared / "sweeps" / "morph.csv")
    found = check(runs)
    assert found.star is None
    assert found.no_star is not None
    assert found.no_star.startswith("the log is no star")
    assert {law.law: law.supported for law in found.laws} == {
        "star": False,
        "additive": True,
        "product": True,
        "interaction": True,
        "separable": True,
        "chinchilla": True,
        "kaplan": True,
        "compute": False,
        "outer-power": True,
    }
    assert found.dimensions.tied["mlp_dim"].to == "width"
    with pytest.raises(FitError, match="the log is no star"):
        fit_star(runs)


def test_check_says_what_is_missing() -> None:
    runs = replace(sweep().take(np.arange(57)), examples=None, params=None)
    found = check(runs)
    reasons = {law.law: law.reason for law in found.laws}
    assert reasons["star"] is None
    assert reasons["separable"] == "needs examples (or tokens), or an architecture"
    assert reasons["chinchilla"] is not None
    assert "params" in reasons["chinchilla"]
    assert {caution.code for caution in found.cautions} == {"no-start"}


def test_a_star_of_one_duration_is_no_grid() -> None:
    """Eq. 2 cannot be fitted to it, but its shapes are no candidates for x0: check and fit agree."""
    runs = sweep()
    star = find_star(runs, runs.dims)
    assert runs.examples is not None
    last = runs.examples >= runs.examples[star.rows].max()
    one = runs.take(np.union1d(star.beside(runs), star.rows[last[star.rows]]))
    # Two durations do not identify a law whose durations are known.
    one = replace(one, examples=None, params=None, architecture=None)
    checked, found = check(one), fit(one, law="additive", replicates=0)
    assert not next(law for law in checked.laws if law.law == "star").supported
    assert checked.start == found.start
    assert checked.start is not None
    assert "grid" in checked.start.source


@pytest.mark.parametrize("factor", [1e-280, 1e280])
def test_tiny_and_huge_metrics(factor: float) -> None:
    runs = sweep()
    found = fit_star(replace(runs, loss=runs.observed() * factor), replicates=10)
    assert found.scaling_exponents["width"].value == pytest.approx(
        fit_star(runs, replicates=0).scaling_exponents["width"].value, rel=1e-4
    )


def test_a_metric_that_never_changes_is_refused() -> None:
    with pytest.raises(FitError, match="is the same in every row"):
        fit_star(replace(sweep(), loss=np.full(121, 0.2)))


def test_a_single_dimension_is_a_ladder_and_no_star() -> None:
    runs = sweep(0.001, law=additive_law()).take(np.arange(21))
    with pytest.raises(FitError, match="it is a ladder: width alone varies"):
        fit_star(replace(runs, dims=("width",), shape=runs.shape[:, :1]), replicates=10)


def test_many_distinct_shapes_are_looked_through_quickly() -> None:
    runs = sweep()
    rng = np.random.default_rng(0)
    shape = rng.integers(1, 10_000, (20_000, 3)).astype(float)
    big = replace(runs, shape=shape, flops=np.ones(20_000), loss=np.ones(20_000), run=np.arange(20_000))
    with pytest.raises(FitError, match="the log is no star"):
        find_star(big, DIMS)


@pytest.mark.parametrize("command", ["check", "fit", "compare"])
def test_a_centre_that_is_not_in_the_log_is_an_error(program: Program, command: str) -> None:
    done = program(command, SAMPLES / "vit_sweep.csv", "--center", "width=1")
    assert done.returncode == 1
    assert "the centre has no depth, mlp_dim" in done.stderr
    done = program(command, SAMPLES / "vit_sweep.csv", "--center", "width=1968,depth=40,mlp_dim=7")
    assert done.returncode == 1
    assert done.stdout == ""
    said = "the centre that was named (width 1968, depth 40, mlp_dim 7) has arms with 0 of width, 0 of depth"
    assert said in done.stderr


def test_a_centre_that_the_log_names_may_not_be_there_yet(program: Program, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("star: {center: {width: 1968, depth: 40, mlp_dim: 7}}\n")
    done = program("check", SAMPLES / "vit_sweep.csv", "--config", config)
    assert done.returncode == 0
    assert "warning: the log is no star: the centre that was named (width 1968" in done.stderr
