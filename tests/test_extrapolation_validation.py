from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, additive_law, sweep
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.errors import ArgumentError, FitError
from shapeplan.fitting.compare import compare
from shapeplan.fitting.fit import fit
from shapeplan.fitting.predict import predict
from shapeplan.fitting.selection import extrapolation_validation as rollout
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.selection.extrapolation_validation import Fold, standard_error
from shapeplan.laws import FORMS, Chinchilla, Law
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs


def rmse(runs: Runs, below: np.ndarray, law: str) -> float:
    """Return the error on the other rows of a law fitted to some."""
    residual = predict(fit(runs.take(below), law=law, replicates=0), runs.take(~below)).residual
    assert residual is not None
    return float(np.sqrt(np.mean(residual**2)))


def test_the_law_behind_the_sample_is_chosen() -> None:
    found = fit(read_runs(SAMPLES / "vit_sweep.csv"), replicates=0)
    assert found.law.form.name == "separable"
    scores = {score.law: score for score in found.selection}
    assert scores.keys() == FORMS.keys()
    best = min(score.rollout_rmse for score in scores.values() if score.rollout_rmse is not None)
    assert scores["separable"].rollout_rmse == pytest.approx(best, rel=0.15)
    assert scores["separable"].parameters < scores["interaction"].parameters
    assert found.arms.keys() == {"width", "depth", "mlp_dim"}, "the star's s_k are told whichever law is chosen"


def test_a_law_that_is_asked_for_is_not_scored() -> None:
    found = fit(sweep(), law="product", replicates=0)
    assert found.law.form.name == "product"
    assert [(score.law, score.rollout_rmse) for score in found.selection] == [("product", None)]


def test_the_additive_truth_is_told_from_the_product() -> None:
    assert fit(sweep(0.003, 1, additive_law()), replicates=0).law.form.name in ("additive", "star")


@pytest.mark.parametrize(("excess", "chosen"), [(1.5, "separable"), (2.5, "interaction")])
def test_the_simpler_law_is_taken_where_bic_hardly_differs(
    monkeypatch: pytest.MonkeyPatch, excess: float, chosen: str
) -> None:
    """Both laws hold here; what BIC says of them is made up."""
    runs = read_runs(SAMPLES / "vit_sweep.yaml")
    found = dict.fromkeys(FORMS, 100.0) | {"interaction": 0.0, "separable": excess}
    monkeypatch.setattr(rollout, "bic", lambda candidate, runs: found[candidate.name])
    monkeypatch.setattr(rollout, "standard_error", lambda values, cluster: 1.0)
    assert fit(runs, replicates=0).law.form.name == chosen


def test_eq_2_is_not_chosen_where_the_grid_refutes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where it is the best on the rows ahead, which are the star's own."""
    runs = read_runs(SAMPLES / "vit_sweep.yaml")
    real = rollout._errors

    def flattering(candidate: Candidate, folds: Sequence[Fold], runs: Runs) -> list[list[np.ndarray]]:
        found = real(candidate, folds, runs)
        return [[0.01 * errors for errors in fold] for fold in found] if candidate.name == "star" else found

    monkeypatch.setattr(rollout, "_errors", flattering)
    # Its arms are too short below the cuts; let them pass.
    monkeypatch.setattr(Candidate, "lacking", lambda self, runs, keep: None)
    whole = fit(runs, replicates=0)
    assert min(whole.selection, key=lambda score: score.rollout_rmse or np.inf).law == "star"
    assert whole.law.form.name == "separable"
    star = runs.take(np.arange(len(runs)) < 57)
    assert fit(star, replicates=0).law.form.name == "star", "nothing is beside it"


def test_a_law_without_shape_is_chosen_only_where_it_is_better() -> None:
    runs = sweep(0.003, 3)
    units = {"params": float(np.median(runs.params)), "examples": float(np.median(runs.examples))}
    constants = {"alpha": 0.1, "a": 0.4, "beta": 0.1, "c": 0.4, "eps": 0.1}
    blind = sweep(0.003, 3, Law(Chinchilla(()), constants, units))
    found = fit(blind, replicates=0)
    scores = {score.law: score.rollout_rmse for score in found.selection}
    chosen = found.law.form.name
    assert chosen == "chinchilla" or scores[chosen] < 1.2 * scores["chinchilla"]
    assert fit(runs, replicates=0).law.form.name != "chinchilla"


@pytest.mark.parametrize(
    ("law", "message"),
    [
        ("separable", r"'separable': it needs examples \(or tokens\), or an architecture; it can identify"),
        ("chinchilla", "'chinchilla': it needs params and examples"),
        ("stra", "there is no law 'stra'; did you mean 'star'"),
        ("quadratic", "there is no law 'quadratic'; choose one of auto, "),
    ],
)
def test_a_law_that_cannot_be_fitted_says_why(law: str, message: str) -> None:
    bare = replace(sweep(), examples=None, params=None, architecture=None)
    with pytest.raises((FitError, ArgumentError), match=message):
        fit(bare, law=law, replicates=0)


def test_a_log_that_supports_nothing_says_why() -> None:
    with pytest.raises(
        FitError, match=r"cannot identify any law \(additive, product, .*: needs 3 values or more of width"
    ):
        fit(sweep().take(np.array([3, 4, 6, 7])), replicates=0)


@pytest.mark.long
def test_the_comparison_scores_every_law_on_unseen_rows() -> None:
    found = compare(sweep(0.003, 4))
    assert found.chosen == fit(sweep(0.003, 4), replicates=0).law.form.name
    scores = {score.law: score for score in found.scores}
    assert scores["separable"].unseen_shapes is not None
    assert scores["separable"].unseen_shapes.rmse < 0.006
    assert scores["chinchilla"].unseen_shapes.rmse > 0.01
    assert all(score.top_decade is None for score in found.scores), "two durations below it identify no law"
    assert "examples (has 2)" in scores["chinchilla"].reasons["top_decade"]
    assert found.refused == ()
    short = compare(replace(sweep(), examples=None, params=None, architecture=None))
    assert {law.law for law in short.refused} == {"interaction", "separable", "chinchilla"}


@given(st.integers(0, 100), st.integers(2, 8))
def test_rows_that_repeat_each_other_are_worth_one(seed: int, copies: int) -> None:
    values = np.random.default_rng(seed).standard_normal(12)
    alone = standard_error(values, np.arange(12))
    repeated = standard_error(np.repeat(values, copies), np.repeat(np.arange(12), copies))
    assert repeated == pytest.approx(alone)
    assert standard_error(np.repeat(values, copies), np.arange(12 * copies)) < alone


def test_real_morph(shared: Path) -> None:
    """In sample within 0.25%; the four shapes above 9e8 parameters, unseen, within 1.0% and half of chinchilla's."""
    runs = read_runs(shared / "sweeps" / "morph.csv")
    found = fit(runs, replicates=0)
    assert found.quality is not None
    assert found.quality.relative_rmse <= 0.0025
    small = runs.params < 9e8
    assert small.sum() == 72
    error = rmse(runs, small, "auto")
    assert error <= 0.010
    assert error < rmse(runs, small, "chinchilla") / 2


def test_real_routing(shared: Path) -> None:
    """Six shapes with checkpoints: the top decade of compute, unseen, is predicted better than by chinchilla."""
    runs = read_runs(shared / "sweeps" / "routing_dense.csv")
    below = runs.flops < runs.flops.max() / 10
    assert rmse(runs, below, "auto") < rmse(runs, below, "chinchilla")
    assert fit(runs, replicates=0).law.form.name != "chinchilla"


@pytest.mark.long
def test_a_comparison_of_noise_says_that_nothing_fits() -> None:
    rng = np.random.default_rng(0)
    found = compare(replace(sweep(), loss=rng.uniform(0.5, 2.0, 121)))
    assert "lack-of-fit" in {caution.code for caution in found.cautions}
    assert "lack-of-fit" not in {caution.code for caution in compare(sweep()).cautions}


def test_exact_data_choose_the_simplest_law() -> None:
    exact = fit(sweep(0.0), replicates=0)
    assert exact.law.form.name == "separable"
    huber = fit(sweep(0.0), law="separable", objective="log-huber", replicates=50)
    assert all(np.isfinite(one.strength) and one.strength <= 1e6 for one in huber.influences.alone)
