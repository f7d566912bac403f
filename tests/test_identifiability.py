"""One rule of identifiability, of a log and of every fold of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program, fit, sweep
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.errors import FitError
from shapeplan.fitting.check import check
from shapeplan.fitting.selection.candidate import fit_candidate
from shapeplan.fitting.selection.identifiability import lacking, survey
from shapeplan.laws import FORMS
from shapeplan.numerics.collinearity import LogProducts
from shapeplan.readers.read import read_runs
from shapeplan.render.fit import render_fit
from shapeplan.runs import Runs

DIMS = ("width", "depth")


def columns(durations: int, shapes: int = 6, seed: int = 0) -> dict[str, np.ndarray]:
    """Return rows of some shapes, each at some durations, whose compute is no exact power law of the shape."""
    rng = np.random.default_rng(seed)
    width, depth = rng.uniform(100, 1000, shapes), rng.uniform(2, 20, shapes)
    examples = np.geomspace(1e6, 1e8, durations)
    table = [np.repeat(column, durations) for column in (width, depth)]
    each = 24 * table[0] ** 2 * table[1] + 1e6 * table[0]
    seen = np.tile(examples, shapes)
    return {"width": table[0], "depth": table[1], "examples": seen, "flops": each * seen, "params": each / 2}


@given(st.sampled_from(["additive", "product", "interaction", "separable", "chinchilla"]), st.integers(1, 4))
def test_laws_need_three_durations(law: str, durations: int) -> None:
    reason = lacking(FORMS[law].over(DIMS), columns(durations, shapes=30))
    if durations < 3:
        assert reason is not None
        assert f"examples (has {durations})" in reason
    else:
        assert reason is None


def test_durations_that_only_rounding_tells_apart_are_one() -> None:
    rows = columns(2, shapes=30)
    rows["examples"] = rows["examples"] * (1 + 1e-9 * np.random.default_rng(0).standard_normal(60))
    assert "examples (has 2)" in str(lacking(FORMS["separable"].over(DIMS), rows))


def test_a_law_needs_more_rows_than_parameters() -> None:
    assert "9 parameters for" not in str(lacking(FORMS["separable"].over(DIMS), columns(3, shapes=30)))
    few = {name: values[:7] for name, values in columns(3, shapes=30).items()}
    assert lacking(FORMS["product"].over(DIMS), few) is not None


@pytest.mark.parametrize(
    ("sample", "few"),
    [
        pytest.param("vit_sweep.csv", "examples (has 2)", marks=pytest.mark.long),
        pytest.param("stdlib_lm/runs.csv", "tokens (has 1)", marks=pytest.mark.long),
    ],
)
def test_the_top_decade_of_the_samples_is_not_scored(program: Program, sample: str, few: str) -> None:
    """Below it are too few durations for any law: the table has a dash, the document null and the reason."""
    config = () if sample.startswith("vit") else ("--config", SAMPLES / "stdlib_lm" / "config.yaml")
    done = program("compare", SAMPLES / sample, *config, "--json")
    for score in json.loads(done.stdout)["selection"]:
        assert score["top_decade"] is None
        if score["law"] != "star":
            assert few in score["reasons"]["top_decade"]
    table = program("compare", SAMPLES / sample, *config).stdout.splitlines()
    start = next(line for line in table if "top decade" in line).index("top decade")
    rows = [line for line in table if line.startswith(("separable", "interaction"))]
    assert [line[start : start + len("top decade")].strip() for line in rows] == ["-", "-"]


def test_a_fold_of_a_star_asks_what_a_log_is_asked() -> None:
    runs = sweep()
    contents = survey(runs)
    star = fit_candidate("star", runs, contents.dimensions, contents.star)
    assert star.lacking(runs, np.ones(len(runs), dtype=bool)) is None
    few = runs.values("depth") == np.max(runs.values("depth"))
    assert "on the arm of depth" in str(star.lacking(runs, few))


def test_runs_without_which_nothing_is_identified_are_named() -> None:
    """Three sizes of every dimension, a run each: without one of them two sizes are left."""
    runs = read_runs(SAMPLES / "vit_sweep.csv")
    star = survey(runs).star
    assert star is not None
    rows = [row for arm in star.arms.values() for row in arm]
    sizes = {dim: star.values(runs, dim)[[0, 2, 4]] for dim in star.arms}
    kept = [i for i in rows if all(runs.values(d)[i] in (*sizes[d], star.center[d]) for d in sizes)]
    few = runs.take(np.array(sorted(kept)))
    _, run = np.unique(few.shape, axis=0, return_inverse=True)
    few = replace(few, run=run.ravel(), run_names=tuple(f"run {i}" for i in range(int(run.max()) + 1)))
    found = fit(few, law="star", replicates=20)
    assert found.influences.alone == ()
    assert set(found.influences.reasons) == set(few.run_names)
    assert all("star needs 3 values" in reason for reason in found.influences.reasons.values())
    assert any(title == "Runs without which the fit is not known" for title in map(str, render_fit(found)))


def ladder(tmp_path: Path, spread: float, rows: int = 24) -> Runs:
    """Models of growing size, each trained for about twenty tokens a parameter."""
    rng = np.random.default_rng(0)
    lines = ["params,flops,loss"]
    for params in np.geomspace(1e7, 1e10, rows):
        tokens = 20 * params * np.exp(spread * rng.standard_normal())
        loss = (1.7 + 400 * params**-0.28 + 40000 * tokens**-0.5) * np.exp(3e-4 * rng.standard_normal())
        lines.append(f"{params:.17g},{6 * params * tokens:.17g},{loss:.17g}")
    path = tmp_path / "ladder.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_runs(path)


def test_a_ladder_cannot_tell_size_from_training(tmp_path: Path) -> None:
    exact = ladder(tmp_path, 0.0)
    reasons = {law.law: law.reason for law in check(exact).laws}
    assert reasons["chinchilla"] == "size and training never move apart: 20 tokens per parameter in every row"
    with pytest.raises(FitError, match="cannot identify the law 'chinchilla'"):
        fit(exact, law="chinchilla", replicates=0)
    assert fit(exact, replicates=0).law.form.name == "compute"
    loose = fit(ladder(tmp_path, 0.05), replicates=50)
    assert loose.status == "untrusted"
    assert any("hardly move apart" in c.message for c in loose.cautions if c.code == "unidentified")
    free = fit(ladder(tmp_path, 1.0), replicates=50)
    assert not any("hardly move apart" in c.message for c in free.cautions)


def test_check_says_before_the_fit_which_laws_would_not_be_trusted(tmp_path: Path) -> None:
    loose = check(ladder(tmp_path, 0.05))
    said = [caution.message for caution in loose.cautions if caution.code == "unidentified"]
    assert len(said) == 1
    assert said[0].startswith("chinchilla, kaplan: ")
    assert "hardly move apart" in said[0]
    assert not [caution for caution in check(ladder(tmp_path, 1.0)).cautions if caution.code == "unidentified"]


def test_dimensions_that_move_against_each_other_are_no_two() -> None:
    runs = sweep(0.0)
    shape = runs.shape.copy()
    shape[:, 1] = 1e4 / shape[:, 0]
    anti = replace(runs, dims=("width", "depth"), shape=shape[:, :2], architecture=None)
    laws = {law.law: law for law in check(anti).laws}
    for name in ("additive", "product", "interaction", "separable"):
        assert not laws[name].supported
        assert "does not follow from the others" in (laws[name].reason or "")


def test_what_explains_a_column_is_told_of_the_columns_asked_for() -> None:
    rng = np.random.default_rng(0)
    width, depth, other = np.exp(rng.standard_normal((3, 200)))
    products = LogProducts({"width": width, "depth": depth, "flops": width**2 * depth, "other": other})
    assert products.explained(("width", "depth", "flops"))["flops"] == pytest.approx(1)
    assert products.explained(("flops", "width"))["flops"] == pytest.approx(0.8, abs=0.05)
    assert products.explained(("width", "depth", "other"))["other"] == pytest.approx(0, abs=0.05)
