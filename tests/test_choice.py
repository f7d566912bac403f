from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, additive_law, sweep

from shapeplan.errors import ArgumentError, FitError
from shapeplan.fitting.compare import compare
from shapeplan.fitting.fit import fit
from shapeplan.fitting.predict import predict
from shapeplan.fitting.selection import choice
from shapeplan.fitting.selection.backtest import Backtest, Fold, backtest
from shapeplan.fitting.selection.candidate import Candidate, fit_candidate
from shapeplan.fitting.selection.choice import STRONG, _Table
from shapeplan.fitting.selection.identifiability import survey
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
    assert scores.keys() == FORMS.keys() - {"outer-power", "compute"}, (
        "its power is not told from 1, and it is no ladder"
    )
    best = min(score.rollout_rmse for score in scores.values() if score.rollout_rmse is not None)
    assert scores["separable"].rollout_rmse == pytest.approx(best, rel=0.1)
    assert scores["separable"].parameters < scores["interaction"].parameters
    assert found.arms.keys() == {"width", "depth", "mlp_dim"}, "the star's s_k are told whichever law is chosen"


def test_a_law_that_is_asked_for_is_not_scored() -> None:
    found = fit(sweep(), law="product", replicates=0)
    assert found.law.form.name == "product"
    assert [(score.law, score.rollout_rmse) for score in found.selection] == [("product", None)]


@pytest.mark.long
def test_the_additive_truth_is_told_from_the_product() -> None:
    assert fit(sweep(0.003, 1, additive_law()), replicates=0).law.form.name in ("additive", "star")


@pytest.mark.long
@pytest.mark.parametrize(
    ("excess", "chosen", "rival"), [(STRONG + 1, "separable", False), (STRONG - 1, "interaction", True)]
)
def test_constants_that_bic_is_strongly_against_are_dropped(
    monkeypatch: pytest.MonkeyPatch, excess: float, chosen: str, *, rival: bool
) -> None:
    """Both laws hold here; what BIC says of them is made up."""
    runs = read_runs(SAMPLES / "vit_sweep.yaml")
    found = dict.fromkeys(FORMS, 100.0) | {"interaction": excess, "separable": 0.0}
    monkeypatch.setattr(Candidate, "bic", lambda self, runs: found[self.name])
    monkeypatch.setattr(choice, "PREFERRED", ("interaction",))
    fitted = fit(runs, replicates=0)
    assert fitted.law.form.name == chosen
    other = {"separable": "interaction", "interaction": "separable"}[chosen]
    assert (other in {one.law.form.name for one in fitted.rivals}) is rival, "what was dropped is no rival"


def test_a_law_that_is_wrong_far_away_is_not_chosen_for_being_right_near_by() -> None:
    """Wrong on the farthest folds by far more than it is better on the next rows."""
    candidates = [candidate(name) for name in ("interaction", "separable")]
    near, far = {"interaction": 0.01, "separable": 0.005}, {"interaction": 0.01, "separable": 0.1}
    tests = {one.name: backtest_of(one, near[one.name], far[one.name]) for one in candidates}
    table = _Table({one.name: one for one in candidates}, tests, {"interaction": 0.0, "separable": 0.0})
    assert table.best("interaction") == "interaction"
    tests["separable"] = backtest_of(candidates[1], 0.005, 0.005)
    assert table.best("interaction") == "separable"
    assert table.simplest("interaction") == "interaction", "BIC is even"


def candidate(name: str) -> Candidate:
    runs = sweep(0.003, 3)
    contents = survey(runs)
    return fit_candidate(name, runs, contents.dimensions, contents.star)


def backtest_of(one: Candidate, near: float, far: float) -> Backtest:
    """Return a backtest of two folds with such errors."""
    rows = len(sweep())
    folds = []
    for kept, error in ((rows - 10, near), (rows - 40, far)):
        train = np.arange(rows) < kept
        test = np.flatnonzero(~train)
        folds.append(Fold(train, test, np.full(len(test), 2.0), np.full(len(test), error), one.found.best))
    return Backtest(one, tuple(folds))


@pytest.mark.long
def test_eq_2_is_not_chosen_where_the_grid_refutes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = read_runs(SAMPLES / "vit_sweep.yaml")
    monkeypatch.setattr(choice, "PREFERRED", ("star",))
    monkeypatch.setattr(choice, "backtest", lambda candidate, runs: Backtest(candidate, (), "not asked"))
    monkeypatch.setattr(choice, "STRONG", np.inf)
    assert fit(runs, replicates=0).law.form.name != "star"
    star = runs.take(np.arange(len(runs)) < 57)
    assert fit(star, replicates=0).law.form.name == "star", "nothing is beside it"


def test_folds_reach_from_the_next_rows_to_as_far_as_the_log_goes() -> None:
    runs = read_runs(SAMPLES / "vit_sweep.yaml")
    found = backtest(candidate("separable"), runs)
    reach = [float(fold.distance.max()) for fold in found.folds]
    assert reach == sorted(reach)
    assert reach[0] < 2
    assert reach[-1] > 4
    for fold in found.folds:
        assert runs.flops[fold.train].max() < runs.flops[fold.test].min()
        assert found.candidate.lacking(runs, fold.train) is None, "a fold that cannot identify the law is none"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_power_that_the_rows_do_not_tell_from_one_is_one(seed: int) -> None:
    """The truth has none."""
    runs = sweep(0.003, seed)
    contents = survey(runs)
    found = fit_candidate("outer-power", runs, contents.dimensions, contents.star)
    plain = fit_candidate("interaction", runs, contents.dimensions, contents.star)
    assert found.name == "interaction"
    assert found.found.best.objective == plain.found.best.objective


@pytest.mark.long
def test_a_law_without_shape_is_chosen_only_where_it_is_better() -> None:
    runs = sweep(0.003, 3)
    units = {"params": float(np.median(runs.params)), "examples": float(np.median(runs.examples))}
    constants = {"alpha": 0.1, "a": 0.4, "beta": 0.1, "c": 0.4, "eps": 0.1}
    blind = sweep(0.003, 3, Law(Chinchilla(()), constants, units))
    found = fit(blind, replicates=0)
    scores = {score.law: score.rollout_rmse for score in found.selection}
    chosen = found.law.form.name
    assert chosen in ("chinchilla", "kaplan") or scores[chosen] < 1.2 * scores["chinchilla"]
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
    assert [law.law for law in found.refused] == ["compute"]
    short = compare(replace(sweep(), examples=None, params=None, architecture=None))
    refused = {"interaction", "outer-power", "separable", "chinchilla", "kaplan", "compute"}
    assert {law.law for law in short.refused} == refused


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


@pytest.mark.long
def test_exact_data_choose_the_simplest_law() -> None:
    exact = fit(sweep(0.0), replicates=0)
    assert exact.law.form.name == "separable"
    huber = fit(sweep(0.0), law="separable", objective="log-huber", replicates=50)
    assert all(np.isfinite(one.strength) and one.strength <= 1e6 for one in huber.influences.alone)


def test_real_routing_of_experts(shared: Path) -> None:
    """Five pairs of width and depth do not identify six constants: the law with four is left, and within 4%."""
    runs = read_runs(shared / "sweeps" / "routing_moe.csv", dims=("width", "depth", "num_experts"))
    below = runs.flops <= runs.flops.max() / 10
    reasons = {law.law: law.reason for law in survey(runs.take(below)).laws}
    assert reasons["product"] == "needs 6 combinations or more of width and depth (has 5)"
    assert rmse(runs, below, "auto") <= 0.04


def test_a_power_that_is_not_identified_is_said(shared: Path) -> None:
    """Sixteen rows: the power runs to its bound, and gains next to nothing."""
    runs = read_runs(shared / "sweeps" / "overtrain_c4.csv")
    few = runs.take(runs.flops <= runs.flops.max() / 10)
    found = fit(few, law="outer-power", replicates=0)
    assert found.law.form.name == "interaction"
    assert (
        sum("the law 'outer-power' is left out: its outer power is not told from 1" in note for note in found.notes)
        == 1
    )
    assert [score.law for score in compare(few).scores].count("interaction") == 1
