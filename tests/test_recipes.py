"""Recipes as a factor: logs of several share one law, and tell what each is worth in compute."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Program

import shapeplan as sp
from shapeplan.errors import ArgumentError
from shapeplan.fitting.recipes.one_recipe import as_one_recipe
from shapeplan.fitting.selection.candidate import Candidate, fit_candidate
from shapeplan.fitting.selection.identifiability import survey
from shapeplan.fitting.solver import RELATIVE
from shapeplan.runs import Runs

FACTOR, DIFFERENCE = 0.97, -0.08
WORTH = {"old": 1.0, "new": 1.1, "worse": 0.8, "third": 1.3}


def recipes(
    path: Path, names: tuple[str, ...] = ("old", "new"), seed: int = 0, runs: int = 60, level: str = "compute"
) -> Path:
    """Write runs of many shapes at three durations, of a recipe each; the first has the most rows."""
    rng = np.random.default_rng(seed)
    lines = ["run,width,depth,corpus,tokens,flops,loss"]
    for i in range(runs + 1):
        width, depth = int(rng.choice([256, 384, 512, 768, 1024, 1536])), int(rng.choice([4, 6, 8, 12, 16, 24]))
        name = names[i % len(names)]
        for tokens in (1e9, 4e9, 1.6e10):
            worth = WORTH[name] if level == "compute" else 1.0
            loss = 1.7 + 60 * width**-0.8 + 3 * depth**-1.1 + 300 * (tokens * worth) ** -0.3
            if name != names[0]:
                loss = {"loss": FACTOR * loss, "eps": loss + DIFFERENCE}.get(level, loss)
            loss *= np.exp(0.003 * rng.standard_normal())
            lines.append(f"r{i},{width},{depth},{name},{tokens:.6g},{72 * width**2 * depth * tokens:.6g},{loss:.6g}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return sp.read_runs(recipes(tmp_path_factory.mktemp("recipes") / "log.csv"))


def test_a_recipe_is_worth_what_it_is_worth(log: Runs) -> None:
    fit = sp.fit(log, law="separable", replicates=0, group="corpus")
    reference, new = fit.log.recipes
    assert (reference.name, reference.compute.value, reference.compute.ci) == ("old", 1.0, None)
    assert new.name == "new"
    assert new.compute.ci is not None
    assert new.compute.ci[0] < WORTH["new"] < new.compute.ci[1]
    assert new.compute.value == pytest.approx(WORTH["new"], rel=0.04)
    assert 1 < new.compute.ci[1] / new.compute.ci[0] < 1.1
    assert reference.rows + new.rows == len(log)
    assert any("compute counts as that of the recipe 'old' of 'corpus': times 1.1" in note for note in fit.notes)


@pytest.mark.long
def test_the_law_is_that_of_the_reference_and_fits_as_one_recipe_would(log: Runs) -> None:
    together = sp.fit(log, law="separable", replicates=0, group="corpus")
    ignored = sp.fit(log, law="separable", replicates=0)
    assert together.quality is not None
    assert ignored.quality is not None
    assert together.quality.relative_rmse < 0.0035 < ignored.quality.relative_rmse
    exact = 1.7 + 60 * 512**-0.8 + 3 * 8**-1.1 + 300 * 4e9**-0.3
    told = together.law.loss(width=512.0, depth=8.0, examples=4e9)
    assert float(np.ravel(told)[0]) == pytest.approx(exact, rel=0.002)


@pytest.mark.long
def test_exponents_are_told_better_than_by_either_half(log: Runs) -> None:
    names = np.array([log.row(i)["corpus"] for i in range(len(log))])
    fits = [sp.fit(log.take(names == name), law="separable", replicates=200) for name in ("old", "new")]
    together = sp.fit(log, law="separable", replicates=200, group="corpus")
    for name in ("a_width", "a_depth", "c"):
        widths = [np.diff(fit.parameters[name].ci or ())[0] for fit in (together, *fits)]
        assert widths[0] < min(widths[1:]), name


@pytest.mark.long
def test_a_recipe_with_a_level_is_not_taken_for_noise(tmp_path: Path) -> None:
    """What differs within a recipe is; what the recipe explains is not."""
    rng = np.random.default_rng(1)
    lines = ["run,width,depth,corpus,batch_size,optimizer,tokens,flops,loss"]
    for i, (width, depth, corpus, batch) in enumerate(
        (w, d, c, b) for w in (256, 512, 768, 1024) for d in (4, 8, 12, 16) for c in ("old", "new") for b in (256, 512)
    ):
        for tokens in (1e9, 4e9, 1.6e10):
            loss = 1.7 + 60 * width**-0.8 + 3 * depth**-1.1 + 300 * (tokens * WORTH[corpus]) ** -0.3
            loss *= np.exp(0.003 * rng.standard_normal())
            optimizer = {"old": "adam", "new": "muon"}[corpus]
            size = f"{tokens:.6g},{72 * width**2 * depth * tokens:.6g}"
            lines.append(f"r{i},{width},{depth},{corpus},{batch},{optimizer},{size},{loss:.6g}")
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    runs = sp.read_runs(tmp_path / "log.csv")

    def said(group: str | None) -> list[str]:
        cautions = sp.fit(runs, law="separable", replicates=0, group=group).cautions
        return [one.message.split(":")[0] for one in cautions if one.code == "recipe-varies"]

    differ = "runs of one shape and compute differ in "
    assert said(None) == [f"{differ}batch_size, optimizer, corpus"]
    assert said("corpus") == [f"{differ}batch_size"]
    assert said("batch_size") == [f"{differ}optimizer, corpus"]


@pytest.mark.long
def test_four_recipes_each_have_a_factor(tmp_path: Path) -> None:
    runs = sp.read_runs(recipes(tmp_path / "four.csv", ("old", "new", "worse", "third"), runs=90))
    factors = {one.name: one.compute for one in sp.fit(runs, law="separable", replicates=0, group="corpus").log.recipes}
    for name in ("new", "worse", "third"):
        ci = factors[name].ci
        assert ci is not None
        assert ci[0] * 0.98 < WORTH[name] < ci[1] * 1.02
        assert factors[name].value == pytest.approx(WORTH[name], rel=0.05)


@pytest.mark.long
@pytest.mark.parametrize(("level", "truth"), [("loss", FACTOR), ("eps", DIFFERENCE)])
def test_a_level_of_the_loss_is_told_from_one_of_compute(tmp_path: Path, level: str, truth: float) -> None:
    runs = sp.read_runs(recipes(tmp_path / "log.csv", seed=1, level=level))
    fit = sp.fit(runs, law="separable", replicates=0, group="corpus")
    new = fit.log.recipes[1]
    assert new.form == level
    assert new.level is not None
    assert new.level.ci is not None
    assert new.level.ci[0] < truth < new.level.ci[1]
    assert fit.quality is not None
    assert fit.quality.relative_rmse < 0.0035
    # The reference reaches the loss of a run of the recipe with so many times the compute.
    shape = {"width": 768.0, "depth": 12.0}
    plain = float(np.ravel(fit.law.loss(**shape, examples=1.6e10))[0])
    goal = plain * FACTOR if level == "loss" else plain + DIFFERENCE
    longer = float(np.ravel(fit.law.loss(**shape, examples=1.6e10 * new.compute.value))[0])
    assert longer == pytest.approx(goal, rel=0.02)
    assert new.compute.ci is not None
    assert 1 < new.compute.ci[0] < new.compute.value < new.compute.ci[1]
    assert any("backtest errors: a factor of compute" in note for note in fit.notes)


@pytest.mark.long
def test_replicates_know_that_levels_were_estimated(log: Runs) -> None:
    def separable(rows: Runs) -> Candidate:
        return fit_candidate("separable", rows, survey(rows, None).dimensions, None, RELATIVE)

    shared, _ = as_one_recipe(log, "corpus", separable, 0.9)
    assert shared.level_errors is not None
    new = np.array([log.row(i)["corpus"] for i in range(len(log))]) == "new"
    assert (shared.level_errors[~new] == 0).all()
    # A factor of compute that is 1% off moves a loss by c = 0.3 of that, times the share of the data term, 0.08 to 0.3.
    moved = shared.level_errors[new] / (0.01 * 0.3)
    assert 0.05 < moved.min() < moved.max() < 0.5
    wide, narrow = (
        np.diff(sp.fit(runs, law="separable", replicates=400).parameters["beta"].ci or ())[0]
        for runs in (shared, replace(shared, level_errors=None))
    )
    assert narrow < wide < 1.5 * narrow


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("optimizer", "there is no column 'optimizer'; the columns are: run, corpus"),
        ("run", "the column 'run' has 61 values; a factor has 2 to 12"),
    ],
)
def test_columns_that_tell_no_recipes_are_named(log: Runs, column: str, said: str) -> None:
    with pytest.raises(ArgumentError, match="column") as caught:
        sp.fit(log, law="separable", replicates=0, group=column)
    assert said in str(caught.value)


def test_empty_cells_are_no_recipe(tmp_path: Path) -> None:
    lines = recipes(tmp_path / "log.csv").read_text().split("\n")
    lines[5:9] = [line.replace(",old,", ",,").replace(",new,", ",,") for line in lines[5:9]]
    (tmp_path / "log.csv").write_text("\n".join(lines))
    with pytest.raises(ArgumentError, match="the column 'corpus' is empty in 4 rows"):
        sp.fit(sp.read_runs(tmp_path / "log.csv"), law="separable", replicates=0, group="corpus")


def test_the_factor_is_printed_and_in_the_document(program: Program, tmp_path: Path) -> None:
    path = recipes(tmp_path / "log.csv")
    options = ("--law", "separable", "--replicates", "20", "--group", "corpus")
    done = program("fit", path, *options, "-o", "law.json")
    assert done.returncode == 0, done.stderr
    assert "Recipes by corpus: what compute of each is worth in that of old, in its largest runs" in done.stdout
    reference, new = json.loads((tmp_path / "law.json").read_text())["recipes"]
    assert reference["compute"] == {"value": 1.0, "ci": None}
    assert new["compute"]["ci"][0] < 1.1 < new["compute"]["ci"][1]
    assert [one.compute.value for one in sp.load(tmp_path / "law.json").log.recipes] == [1.0, new["compute"]["value"]]
    wrong = program("fit", path, "--group", "nothing")
    assert wrong.returncode in (1, 2)
    assert "there is no column 'nothing'" in wrong.stderr
    assert wrong.stdout == ""


@pytest.mark.long
def test_another_level_is_a_column_of_the_table(program: Program, tmp_path: Path) -> None:
    path = recipes(tmp_path / "log.csv", seed=1, level="eps")
    done = program("fit", path, "--law", "separable", "--replicates", "20", "--group", "corpus", "-o", "law.json")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    heading, old, new = (next(line for line in lines if line.startswith(word)) for word in ("recipe ", "old ", "new "))
    assert heading.split() == ["recipe", "rows", "worth", "90%", "interval", "eps", "plus", "interval"]
    assert old.split() == ["old", "93", "1", "-", "0", "-"]
    assert new.split()[6].startswith("-0.07")
    document = json.loads((tmp_path / "law.json").read_text())
    assert [one["form"] for one in document["recipes"]] == ["eps", "eps"]
    assert document["recipes"][0]["level"] is None
    assert document["recipes"][1]["level"]["ci"][0] < DIFFERENCE < document["recipes"][1]["level"]["ci"][1]
    assert sp.load(tmp_path / "law.json").log.recipes[1].form == "eps"


@pytest.mark.long
@pytest.mark.parametrize("level", ["compute", "loss", "eps"])
def test_rows_are_predicted_as_of_their_recipe(tmp_path: Path, level: str) -> None:
    runs = sp.read_runs(recipes(tmp_path / "log.csv", seed=1, level=level))
    fit = sp.fit(runs, law="separable", replicates=50, group="corpus")
    assert fit.log.recipes[1].form == level
    seen = sp.predict(fit, runs)
    assert seen.residual is not None
    assert seen.lower is not None
    assert seen.upper is not None
    assert float(np.sqrt(np.mean(seen.residual**2))) < 0.0035
    assert np.mean((seen.lower <= runs.observed()) & (runs.observed() <= seen.upper)) > 0.8
    assert (seen.flops == runs.flops).all()
    assert seen.notes[0] == "rows are predicted as of their recipe by 'corpus', with the levels of the fit"
    renamed = sp.read_runs(recipes(tmp_path / "other.csv", names=("old", "third"), seed=1))
    (caution,) = [one for one in sp.predict(fit, renamed).cautions if one.code == "recipe-varies"]
    assert "the law never saw the recipe 'third'" in caution.message
    plan = sp.recommend(fit, 1e21, force=True)
    assert any("the plan is for the recipe 'old' of 'corpus'" in note for note in plan.notes)


@pytest.mark.long
def test_what_no_compute_buys_is_said_to_be_at_the_bound(tmp_path: Path) -> None:
    path = recipes(tmp_path / "log.csv", seed=1)
    lines = [line.split(",") for line in path.read_text().splitlines()]
    lines[1:] = [[*line[:-1], f"{0.8 * float(line[-1]):.6g}" if "new" in line else line[-1]] for line in lines[1:]]
    path.write_text("\n".join(",".join(line) for line in lines) + "\n")
    fit = sp.fit(sp.read_runs(path), law="separable", replicates=0, group="corpus")
    assert fit.log.recipes[1].form == "loss"
    (caution,) = [one for one in fit.cautions if one.code == "at-bound" and "'new'" in one.message]
    assert "with no compute from 0.033 to 30 times as much" in caution.message


@pytest.mark.study
def test_the_interval_of_a_factor_covers_it(tmp_path: Path) -> None:
    held = []
    for seed in range(60):
        runs = sp.read_runs(recipes(tmp_path / "log.csv", seed=seed))
        ci = sp.fit(runs, law="separable", replicates=0, group="corpus").log.recipes[1].compute.ci
        assert ci is not None
        held.append(ci[0] <= WORTH["new"] <= ci[1])
    assert 0.82 <= np.mean(held) <= 0.98
