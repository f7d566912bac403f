"""One rule of identifiability, of a log and of every fold of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import SAMPLES, Program, fit, sweep
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.fitting.selection.candidate import fit_candidate
from shapeplan.fitting.selection.identifiability import lacking, survey
from shapeplan.laws import FORMS
from shapeplan.readers.read import read_runs
from shapeplan.render.fit import render_fit

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
    ("sample", "few"), [("vit_sweep.csv", "examples (has 2)"), ("stdlib_lm/runs.csv", "tokens (has 1)")]
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
