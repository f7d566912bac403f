"""The duels of sample_runs: contenders of equal compute, predictions before outcomes, and outcomes beside them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from campaigns import modules_of
from conftest import SAMPLES

import shapeplan as sp

DIMS = ("width", "depth", "mlp_dim")


@pytest.fixture(scope="module")
def code() -> Iterator[SimpleNamespace]:
    with modules_of("stdlib_lm", "duel", "harness.duel", "harness.contenders") as found:
        yield SimpleNamespace(
            folder=found.duel, duel=getattr(found, "harness.duel"), contenders=getattr(found, "harness.contenders")
        )


@pytest.fixture(scope="module")
def fitted(code: SimpleNamespace) -> tuple[Any, sp.Runs, sp.Fit]:
    duel = code.folder.DUEL
    runs = duel.read("loss")
    return duel, runs, sp.fit(runs, replicates=40)


@pytest.fixture(scope="module")
def found(fitted: tuple[Any, sp.Runs, sp.Fit]) -> list[Any]:
    duel, runs, fit = fitted
    return list(duel.contenders(runs, fit))


@pytest.mark.long
def test_contenders_cost_the_budget_to_a_step(fitted: tuple[Any, sp.Runs, sp.Fit], found: list[Any]) -> None:
    duel = fitted[0]
    for one in found:
        model = duel.campaign.architecture.model(one.shape)
        each = model.flops("training") // duel.campaign.example_units
        assert one.units % duel.campaign.step_units == 0
        assert one.units * each <= duel.budget
        short = one.units + duel.campaign.step_units > duel.units
        assert short or (one.units + duel.campaign.step_units) * each > duel.budget


@pytest.mark.long
def test_contenders_are_what_their_names_say(fitted: tuple[Any, sp.Runs, sp.Fit], found: list[Any]) -> None:
    duel, _, fit = fitted
    by_name = {one.name: one.shape for one in found}
    assert len({tuple(shape.values()) for shape in by_name.values()}) == len(found) >= 4
    plan = sp.recommend(fit, flops=duel.budget, head_dim=16, max_examples=duel.units, force=True).budgets[0]
    assert by_name["plan"] == {dim: int(plan.rounded[dim]) for dim in DIMS}
    assert by_name["GPT-2"]["mlp_dim"] == 4 * by_name["GPT-2"]["width"]
    assert by_name["GPT-2"]["depth"] == round(by_name["GPT-2"]["width"] / 64)
    params = {name: duel.campaign.architecture.model(shape).params for name, shape in by_name.items()}
    for name, times in (("deep and narrow", 2), ("shallow and wide", 0.5)):
        if name in by_name:
            assert by_name[name]["depth"] == int(by_name["plan"]["depth"] * times)
            assert params[name] == pytest.approx(params["plan"], rel=0.25)
    assert by_name["18 blocks"]["depth"] == 18
    assert params["18 blocks"] == pytest.approx(params["plan"], rel=0.25)
    ahead = sp.fit(fitted[1], law="interaction", replicates=0)
    further = sp.recommend(ahead, flops=10 * duel.budget, head_dim=16, force=True).budgets[0]
    assert by_name["interaction at 10x"] == {dim: int(further.rounded[dim]) for dim in DIMS}


@pytest.mark.long
def test_a_model_in_proportion_is_the_best_of_its_family(
    fitted: tuple[Any, sp.Runs, sp.Fit], found: list[Any], code: SimpleNamespace
) -> None:
    duel, _, fit = fitted
    best = next(one for one in found if one.name == "GPT-2")
    sizes = [width for width in (best.shape["width"] - 16, best.shape["width"] + 16) if width]
    others = [
        code.contenders.Contender("", "", shape, duel.trained(shape))
        for shape in ({"width": w, "depth": max(1, round(w / 64)), "mlp_dim": 4 * w} for w in sizes)
    ]
    predicted = duel.predict(fit, [best, *others], "law").predicted
    assert predicted.argmin() == 0


def prediction_of(outcomes: dict[str, float]) -> dict[str, Any]:
    """A prediction of contenders a hundred wide and more, of loss 1, 2, 3 give or take a tenth."""
    return {
        "budget": 1e14,
        "unit": "tokens",
        "laws": {"loss": "separable"},
        "contenders": [
            {
                "name": name,
                **dict(zip(DIMS, (100 + i, 2, 64), strict=True)),
                "tokens": 1024,
                "predictions": {"loss": {"predicted": value, "lower": value - 0.1, "upper": value + 0.1}},
            }
            for i, (name, value) in enumerate(outcomes.items())
        ],
    }


def test_outcomes_are_found_by_shape_and_summed_up(code: SimpleNamespace, tmp_path: Path) -> None:
    prediction = prediction_of({"plan": 1.0, "wide": 2.0, "deep": 3.0})
    assert code.duel.summary(code.duel.outcomes(tmp_path, prediction, "loss"), "loss") == "loss: nothing is trained yet"
    rows = ["width,depth,mlp_dim,loss", "100,2,64,1.05", "100,2,64,1.15", "101,2,64,2.5", "102,2,64,2.0", "103,2,64,9"]
    (tmp_path / "duel.csv").write_text("\n".join(rows) + "\n")
    found = code.duel.outcomes(tmp_path, prediction, "loss")
    assert [one.observed for one in found] == [(1.05, 1.15), (2.5,), (2.0,)]
    assert [one.inside for one in found] == [1, 0, 0]
    said = code.duel.summary(found, "loss")
    assert said == (
        "loss: 1 of 4 runs are inside their 90% intervals; rank correlation of predicted and observed 0.50; "
        "the plan is the best"
    )


def test_the_plan_and_its_best_rival_are_trained_twice(code: SimpleNamespace) -> None:
    runs = code.duel.runs(prediction_of({"plan": 1.0, "deep and narrow": 2.0, "wide": 1.5}))
    assert [run.name for run in runs] == [
        *("plan-seed10", "deep-and-narrow-seed10", "wide-seed10", "plan-seed11", "wide-seed11"),
    ]
    assert all(run.durations == (1024,) for run in runs)


def test_without_a_prediction_nothing_is_shown(
    code: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    duel = code.folder.DUEL
    duel = replace(duel, campaign=replace(duel.campaign, folder=tmp_path))
    monkeypatch.setattr("sys.argv", ["duel.py"])
    with pytest.raises(SystemExit, match=r"there is no prediction\.json yet: python duel\.py --predict"):
        code.duel.main(duel, "")


@pytest.mark.long
def test_contenders_that_are_not_trained_are_added_to_a_prediction(
    code: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    duel = code.folder.DUEL
    duel = replace(duel, campaign=replace(duel.campaign, folder=tmp_path))
    early, late = prediction_of({"plan": 1.0, "wide": 2.0}), prediction_of({"plan": 1.5, "wide": 2.5, "deep": 3.0})
    early["log_sha256"] = late["log_sha256"] = "0"
    monkeypatch.setattr(code.duel, "predict", lambda _: late)
    monkeypatch.setattr(code.duel, "show", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["duel.py", "--predict"])
    outcomes, written = tmp_path / "duel.csv", tmp_path / "prediction.json"
    outcomes.write_text("run,width,depth,mlp_dim,loss\na,100,2,64,1.1\n")
    written.write_text(json.dumps(early))
    code.duel.main(duel, "")
    found = json.loads(written.read_text())["contenders"]
    assert found == [*early["contenders"], late["contenders"][-1]], "those predicted before keep their prediction"
    with pytest.raises(SystemExit, match="a prediction made now would be none"):
        code.duel.main(duel, "")
    for stale in ({**early, "log_sha256": "1"}, None):
        written.write_text(json.dumps(stale)) if stale else written.unlink()
        with pytest.raises(SystemExit, match="a prediction made now would be none"):
            code.duel.main(duel, "")
    written.write_text(json.dumps(early))
    outcomes.write_text("run,width,depth,mlp_dim,loss\nd,102,2,64,1.1\n")
    with pytest.raises(SystemExit, match="a prediction made now would be none"):
        code.duel.main(duel, "")
    assert json.loads(written.read_text()) == early


@pytest.mark.long
def test_a_prediction_is_written_and_shown_with_a_picture(
    code: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("altair", reason="drawing needs the extra `plots`")
    pytest.importorskip("vl_convert", reason="drawing needs the extra `plots`")
    for name in ("runs.csv", "config.yaml"):
        (tmp_path / name).write_bytes((SAMPLES / "stdlib_lm" / name).read_bytes())
    duel = code.folder.DUEL
    duel = replace(duel, campaign=replace(duel.campaign, folder=tmp_path))
    real = sp.fit
    monkeypatch.setattr(sp, "fit", lambda runs, **options: real(runs, **{"replicates": 20, **options}))
    monkeypatch.setattr("sys.argv", ["duel.py", "--predict"])
    code.duel.main(duel, "")
    written = json.loads((tmp_path / "prediction.json").read_text())
    for one in written["contenders"]:
        loss = one["predictions"]["loss"]
        assert loss["lower"] <= loss["law_lower"] <= loss["predicted"] <= loss["law_upper"] <= loss["upper"]
    assert "plan" in capsys.readouterr().out
    assert (tmp_path / "duel.svg").read_text().startswith("<svg")


@pytest.mark.long
@pytest.mark.parametrize("folder", ["stdlib_lm", "vit_glyphs"])
def test_the_picture_is_drawn_again_without_what_trains(folder: str, tmp_path: Path) -> None:
    pytest.importorskip("altair", reason="drawing needs the extra `plots`")
    pytest.importorskip("vl_convert", reason="drawing needs the extra `plots`")
    samples, missing = tmp_path / "samples", tmp_path / "missing"
    shutil.copytree(SAMPLES, samples, ignore=shutil.ignore_patterns("states", "__pycache__", "duel.svg"))
    missing.mkdir()
    for name in ("torch", "fontTools"):
        (missing / f"{name}.py").write_text(f"raise ModuleNotFoundError('no module {name}', name='{name}')\n")

    def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, samples / folder / "duel.py", *arguments]
        paths = {"PYTHONPATH": f"{missing}:{Path(sp.__file__).parents[1]}"}
        return subprocess.run(command, capture_output=True, text=True, env=os.environ | paths)

    drawn = ran()
    assert drawn.returncode == 0, drawn.stderr
    assert "64x1x208" in drawn.stdout or folder == "stdlib_lm"
    assert (samples / folder / "duel.svg").read_text().startswith("<svg")
    refused = ran("--train", "--jobs", "1")
    assert refused.returncode == 1
    assert refused.stderr.endswith(": pip install '.[train]' at the top of the project\n")
    assert refused.stderr.startswith("training needs ")
