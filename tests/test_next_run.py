"""The next run: what is suggested tells what it is said to tell, and what cannot be judged is refused."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from changed import changed
from conftest import SAMPLES, Program, fit, fit_star, on_terminal, sweep
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shapeplan.design.candidates import AROUND, LEAST_SPENT, candidates_for, examples_range
from shapeplan.design.layout import joined
from shapeplan.design.next_run import next_runs
from shapeplan.design.posterior import Posterior
from shapeplan.design.simulate import simulate
from shapeplan.design.sovit_protocol import paper_architecture, rehearsal_law
from shapeplan.design.star import design_star
from shapeplan.documents.files import published_law
from shapeplan.documents.law import LawDocument, fit_of, law_document
from shapeplan.errors import ArgumentError, PlanError
from shapeplan.fitting.result import Fit, Rival
from shapeplan.optimum.best_shape import best_shape
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs

VIT = paper_architecture()
STAR = design_star({"width": 1248, "depth": 24, "mlp_dim": 3840}, VIT, (32e6, 64e6, 128e6), points=4).runs
TARGET = 100 * float(STAR.flops.max())
BUDGET = float(STAR.flops.sum()) / 2


def log_of(seed: int) -> Runs:
    return simulate(rehearsal_law(), STAR, noise=0.003, seed=seed)


@pytest.fixture(scope="module")
def found() -> Fit:
    return fit(log_of(0), law="separable", replicates=400)


def test_every_run_shrinks_the_expected_regret(found: Fit) -> None:
    said = next_runs(found, TARGET, BUDGET)
    assert len(said.suggestions) == 5
    assert said.flops <= BUDGET
    regrets = [said.regret, *(one.regret_after for one in said.suggestions)]
    assert all(np.diff(regrets) < 0)
    assert [one.regret_before for one in said.suggestions] == regrets[:-1]
    gains = [one.gain_per_flop for one in said.suggestions]
    assert gains == sorted(gains, reverse=True)
    assert len({tuple(one.shape.values()) for one in said.suggestions}) == 5


def test_candidates_cost_their_share_and_stay_near_the_log(found: Fit) -> None:
    runs = candidates_for(found, BUDGET / 5)
    fewest, most = examples_range(found)
    assert (fewest, most) == (32e6, 128e6)
    assert ((runs.examples >= fewest) & (runs.examples <= AROUND * most)).all()
    assert (runs.flops <= BUDGET / 5).all()
    assert (runs.flops >= LEAST_SPENT * runs.flops.max()).all()
    for dim, sizes in runs.shape.items():
        low, high = found.shape_range[dim]
        assert low / AROUND / 1.1 <= sizes.min() < sizes.max() <= high * AROUND * 1.1
    assert (runs.shape["width"] % 16 == 0).all()
    exact = VIT.flops_per_example(runs.shape) * runs.examples
    assert runs.flops == pytest.approx(exact, rel=1e-12)


def test_a_run_that_is_done_is_not_suggested(found: Fit) -> None:
    first = next_runs(found, TARGET, BUDGET).suggestions[0]
    assert found.rows is not None
    assert found.rows.examples is not None
    rows = replace(
        found.rows,
        shape={dim: np.append(sizes, first.shape[dim]) for dim, sizes in found.rows.shape.items()},
        examples=np.append(found.rows.examples, first.examples),
    )
    again = next_runs(changed(found, rows=rows), TARGET, BUDGET)
    assert again.considered == next_runs(found, TARGET, BUDGET).considered - 1
    assert first.name not in [one.name for one in again.suggestions]


@pytest.mark.study
def test_expected_regrets_are_those_of_simulations(found: Fit) -> None:
    """The delta method against fresh sweeps, with the suggested runs and without: within a factor of two."""
    law, place = rehearsal_law(), np.array([TARGET])
    best = best_shape(law.form, law.units, law.arrays(), place, found.cost_model, found.bounds)

    def mean_regret(design: Runs) -> float:
        losses = []
        for seed in range(100, 116):
            one = fit(simulate(law, design, noise=0.003, seed=seed), law="separable", replicates=0)
            mine = one.best_shapes(one.law.arrays(), place)
            losses.append(float(law.loss(**one.variables(mine, place))[0]))
        return float(np.mean(losses)) / float(law.loss(**found.variables(best, place))[0]) - 1

    said = next_runs(found, TARGET, BUDGET, noise=0.003)
    told = (said.regret, said.suggestions[-1].regret_after)
    seen = (mean_regret(STAR), mean_regret(joined([STAR, said.runs()])))
    assert seen[1] < seen[0] / 2
    for expected, actual in zip(told, seen, strict=True):
        assert actual / 2 < expected < actual * 2


@given(st.integers(0, 2**31), st.integers(0, 7), st.floats(1e-4, 1.0))
def test_seeing_a_run_is_a_kalman_update(seed: int, chosen: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    both = rng.standard_normal((50, 11)) @ rng.standard_normal((11, 11))
    both -= both.mean(axis=0)
    before = Posterior(both[:, :3], both[:, 3:], np.diag([1.0, 2.0, 0.5]), noise)
    after = before.after(chosen)
    covariance = both.T @ both / 49
    column = covariance[:, 3 + chosen]
    expected = covariance - np.outer(column, column) / (column[3 + chosen] + noise**2)
    moved = np.concatenate([after.shape, after.runs], axis=1)
    assert moved.T @ moved / 49 == pytest.approx(expected, rel=1e-6, abs=1e-8 * np.abs(covariance).max())
    assert before.regret - after.regret == pytest.approx(before.gains()[chosen], rel=1e-6, abs=1e-9)


def test_the_reason_names_what_is_least_certain(found: Fit) -> None:
    one = next_runs(found, TARGET, BUDGET).suggestions[0]
    about = max(one.narrowing, key=lambda dim: one.narrowing[dim])
    assert about in one.reason
    assert f"by {one.narrowing[about]:.0%}" in one.reason
    logs = {dim: np.log(sizes) for dim, sizes in found.best_shapes(found.bootstrap.draws, np.array([TARGET])).items()}
    least = max(logs, key=lambda dim: np.std(logs[dim]))
    assert (f"{about} is the least certain" in one.reason) == (about == least)


@pytest.mark.long
def test_what_cannot_be_judged_is_refused(found: Fit) -> None:
    for options, message in (
        ({"target": 0.0}, "a target of 0 FLOPs is out of range"),
        ({"budget": float("nan")}, "a budget of nan FLOPs is out of range"),
        ({"candidates": 0}, "0 candidates is out of range"),
        ({"noise": 0.9}, "a noise of 0.9 is out of range"),
    ):
        given_: dict[str, Any] = {"target": TARGET, "budget": BUDGET, **options}
        with pytest.raises(ArgumentError, match=message):
            next_runs(found, **given_)
    no_draws = changed(found, bootstrap=replace(found.bootstrap, draws={}))
    for one, budget, message in (
        (found, 1e9, "FLOPs a run pay for none that is as long as those of the log"),
        (no_draws, BUDGET, "the law has no draws"),
        (changed(found, rows=None), BUDGET, "does not hold its rows"),
        (changed(found, cost=None), BUDGET, "what a shape costs is not known"),
        (published_law(), BUDGET, "predicts no loss of shapes"),
        (fit_star(sweep(), replicates=30), 1e20, "misses the rows beside the star"),
        (fit(log_of(0), law="chinchilla", replicates=30), BUDGET, "predicts no loss of shapes"),
    ):
        with pytest.raises(PlanError, match=message):
            next_runs(one, TARGET, budget)
    with pytest.raises(PlanError, match="optimum under every draw is at the search bound"):
        next_runs(found, 1e38, BUDGET)


def test_doubts_are_told(found: Fit) -> None:
    def codes(target: float, budget: float) -> set[str]:
        return {caution.code for caution in next_runs(found, target, budget).cautions}

    assert codes(TARGET, BUDGET) == {"extrapolation"}
    assert "budget-left-over" in codes(TARGET, 1e25)
    sure = next_runs(fit(sweep(noise=5e-4), law="separable", replicates=50), 1e22, 1e20)
    assert "little-to-gain" in {caution.code for caution in sure.cautions}
    rivals = next_runs(changed(found, rivals=(Rival(found.law, found.bootstrap.draws),)), TARGET, BUDGET)
    assert "one-law" in {caution.code for caution in rivals.cautions}


def test_a_law_without_noise_leaves_nothing_to_learn() -> None:
    said = next_runs(fit(sweep(noise=0.0), law="separable", replicates=30), 1e22, 1e20)
    assert said.regret < 1e-12
    assert "little-to-gain" in {caution.code for caution in said.cautions}


def test_the_document_of_a_law_holds_its_rows(found: Fit) -> None:
    again = fit_of(law_document(found)).rows
    assert again is not None
    assert found.rows is not None
    assert again.runs == found.rows.runs
    assert again.parts == found.rows.parts
    assert np.array_equal(again.predicted, found.rows.predicted)
    assert float(np.sqrt(np.mean(again.residuals**2))) == pytest.approx(found.quality.relative_rmse)
    star = fit_star(sweep(), replicates=0)
    assert star.rows is not None
    center = [part == "center" for part in star.rows.parts]
    assert star.rows.predicted[center] == pytest.approx([row.predicted for row in star.center], rel=1e-12)
    assert not star.rows.fitted[center].any()
    assert {part for part, seen in zip(star.rows.parts, star.rows.fitted, strict=True) if seen} == set(star.dims)


@pytest.mark.long
def test_dimensions_that_are_no_whole_numbers_stay_so() -> None:
    """A ratio that varies is rounded to two digits; one that never varies stays what it is, in runs and in plans."""
    runs = sweep()
    ratio = np.select([runs.values("mlp_dim") < 1e3, runs.values("mlp_dim") < 3e3], [0.25, 0.5], 0.75)
    shape = np.column_stack([runs.values("width"), runs.values("depth"), ratio])
    free = replace(runs, dims=("width", "depth", "ratio"), shape=shape, architecture=None, heads=None)
    fixed = replace(free, shape=np.column_stack([shape[:, :2], np.full(len(runs), 0.4)]))
    for log, values in ((free, None), (fixed, {0.4})):
        one = fit(log, law="separable", replicates=30)
        found = next_runs(one, 1e21, 1e20)
        seen = {suggestion.shape["ratio"] for suggestion in found.suggestions}
        assert seen == values if values else all(0 < size < 1.2 and round(size, 2) == size for size in seen)
        plan = recommend(one, 1e21, force=True).budgets[0]
        assert 0 < plan.rounded["ratio"] < 4
        assert not values or plan.rounded["ratio"] == 0.4
        assert found.runs().shape.min() > 0


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("flops", [], "rows are of different lengths"),
        ("observed", [-1.0], "greater than or equal to"),
        ("flops", [1e300], "less than or equal to"),
        ("line", [2**70], "less than or equal to"),
        ("shape", {"width": [1.0]}, "rows are of different lengths"),
    ],
)
def test_rows_that_no_fit_wrote_are_refused(found: Fit, field: str, value: object, message: str) -> None:
    document = law_document(found).model_dump(mode="json")
    whole = document["rows"]
    document["rows"] = {**whole, field: value * len(whole["line"]) if isinstance(value, list) else value}
    with pytest.raises(ValidationError, match=message):
        LawDocument.model_validate_json(json.dumps(document))


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_the_table_fits_the_terminal(tmp_path: Path, columns: int) -> None:
    law = tmp_path / "law.json"
    law.write_text(law_document(fit(sweep(), law="separable", replicates=30)).dumps())
    arguments = ["design", "next", "--law", law, "--budget", "1e20", "--target", "1e22", "--candidates", "12"]
    shown, status = on_terminal(columns, *arguments, results=True, NO_COLOR="1")
    assert status == 0
    assert max(len(line) for line in shown.split("\n")) <= columns
    # No number is broken.
    assert all(re.search(rf"(?<!\d){size}(?!\d)", shown) for size in ("171M", "regret left"))


def test_the_command_ranks_and_writes_a_log(program: Program, tmp_path: Path) -> None:
    assert (
        program(
            "fit", SAMPLES / "vit_sweep.yaml", "--law", "separable", "--replicates", "100", "-o", "law.json"
        ).returncode
        == 0
    )
    arguments = ("design", "next", "--law", "law.json", "--budget", "1e20", "--target", "1e22")
    done = program(*arguments, "--candidates", "3", "-o", "more.csv")
    assert done.returncode == 0, done.stderr
    assert "The next runs, for a plan at 1e22 forward FLOPs" in done.stdout
    assert "note: wrote more.csv" in done.stderr
    with (tmp_path / "more.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3
    again = read_runs(tmp_path / "more.csv", require_metric=False, architecture=VIT)
    assert again.cautions == ()
    document = json.loads(program(*arguments, "--candidates", "3", "--json").stdout)
    assert document["kind"] == "shapeplan.next"
    assert [one["name"] for one in document["suggestions"]] == [row["run"] for row in rows]
    assert program(*arguments, "-o", "all.json", "--launch", "jsonl").returncode == 0
    suggested = json.loads((tmp_path / "all.json").read_text())
    assert suggested["kind"] == "shapeplan.next"
    started = [json.loads(line)["run"] for line in (tmp_path / "all.runs.jsonl").read_text().splitlines()]
    assert started == [one["name"] for one in (*suggested["completing"], *suggested["suggestions"])]
    assert program(*arguments[:-1], "much").returncode == 2
    refused = program(*arguments[:5], "1e10", *arguments[6:], "-o", "no.csv")
    assert refused.returncode == 1
    assert not (tmp_path / "no.csv").exists()
