"""Logs that know parameters but no shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from changed import changed
from conftest import Program, fit

from shapeplan.documents.files import read_law
from shapeplan.errors import ArgumentError, FitError, InputError, PlanError
from shapeplan.fitting.check import check
from shapeplan.fitting.predict import predict
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs

TRUTH = {"E": 1.7, "A": 400.0, "B": 2000.0, "a": 0.34, "b": 0.37}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "points.csv"
    lines = ["params,flops,loss"]
    for params in np.geomspace(5e7, 5e9, 8):
        for tokens in params * np.array([5.0, 20.0, 80.0]):
            loss = TRUTH["E"] + TRUTH["A"] * params ** -TRUTH["a"] + TRUTH["B"] * tokens ** -TRUTH["b"]
            loss *= np.exp(0.002 * rng.standard_normal())
            lines.append(f"{params:.17g},{6 * params * tokens:.17g},{loss:.17g}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_chinchilla_is_fitted_with_six_n_d(log: Path) -> None:
    runs = read_runs(log)
    assert runs.dims == ()
    assert [caution.code for caution in runs.cautions] == ["tokens-derived"]
    assert any("no column of shape" in note for note in runs.notes)
    assert {law.law for law in check(runs).laws if law.supported} == {"chinchilla", "kaplan"}
    found = fit(runs, law="chinchilla", replicates=200)
    for name, truth in (("a", TRUTH["a"]), ("c", TRUTH["b"]), ("eps", TRUTH["E"])):
        parameter = found.parameters[name]
        assert parameter.ci is not None
        assert parameter.ci[0] < parameter.value < parameter.ci[1]
        assert parameter.value == pytest.approx(truth, rel=0.05)
    growth = found.growth_exponents["params"]
    assert growth.value == pytest.approx(TRUTH["b"] / (TRUTH["a"] + TRUTH["b"]), abs=0.05)
    assert predict(found, runs).residual is not None
    assert recommend(found, 1e21).budgets[0].rounded.keys() == {"params"}
    with pytest.raises(PlanError, match="was fitted to a log without shapes"):
        recommend(changed(found, shape_range={}), 1e21)


@pytest.mark.parametrize("constant", ["a", "c", "alpha", "beta", "eps"])
def test_an_edited_constant_is_not_what_the_rows_were_predicted_by(log: Path, tmp_path: Path, constant: str) -> None:
    fit(read_runs(log), law="chinchilla", replicates=0).save(tmp_path / "law.json")
    data = json.loads((tmp_path / "law.json").read_text())
    data["parameters"][constant]["value"] *= 1.02
    (tmp_path / "law.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match="is not what the law predicts there"):
        read_law(tmp_path / "law.json")


@pytest.mark.parametrize("option", ["heads", "head_dim", "tensor_parallel", "pipeline_parallel"])
def test_parts_of_a_shape_are_refused(log: Path, option: str) -> None:
    found = fit(read_runs(log), replicates=0)
    with pytest.raises(ArgumentError, match=f"`{option}` is of a shape, and this law knows models by their parameters"):
        recommend(found, 1e21, **{option: 8})


def test_forward_flops_are_a_third(log: Path) -> None:
    named = log.with_name("forward.csv")
    named.write_text(log.read_text().replace("flops", "forward_flops"))
    np.testing.assert_allclose(read_runs(named).examples, 3 * read_runs(log).examples)


def test_the_laws_of_shape_say_what_they_lack(log: Path) -> None:
    with pytest.raises(FitError, match="'star': it needs columns of a shape, such as width and depth"):
        fit(read_runs(log), law="star")


def test_a_misspelt_shape_is_not_taken_for_none(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("widht,params,flops,loss\n64,1e8,1e18,3.0\n")
    with pytest.raises(InputError, match=r"did you mean 'width' by 'widht'\?"):
        read_runs(path)


def test_the_round_trip_as_a_process(program: Program, log: Path, tmp_path: Path) -> None:
    done = program("fit", log, "--law", "chinchilla", "-o", tmp_path / "law.json", "--replicates", "100")
    assert done.returncode == 0, done.stderr
    assert "Law chinchilla for loss (Hoffmann et al. 2022, Eq. 10)" in done.stdout
    shown = program("predict", tmp_path / "law.json", log)
    assert shown.returncode == 0, shown.stderr
    planned = program("recommend", "--law", tmp_path / "law.json", "--flops", "1e21", "--trust", "20", "--json")
    assert planned.returncode == 0, planned.stderr
    assert "the plan is parameters and examples" in planned.stderr
    budget = json.loads(planned.stdout)["budgets"][0]
    law = json.loads((tmp_path / "law.json").read_text())
    a, c = (law["parameters"][name]["value"] for name in ("a", "c"))
    alpha, beta = (law["parameters"][name]["value"] for name in ("alpha", "beta"))
    units = law["units"]
    # Hoffmann et al. 2022, Eq. 4, with 6 N D = t.
    best = (a * alpha / (c * beta)) ** (1 / (a + c)) * (1e21 / 6 / units["params"] / units["examples"]) ** (c / (a + c))
    assert budget["shape"]["params"] == pytest.approx(best * units["params"], rel=1e-6)
    assert 6 * budget["params"] * budget["examples"] == pytest.approx(1e21, rel=1e-6)
    assert program("check", log).returncode == 0
    assert program("compare", log).returncode == 0


def test_a_log_that_says_what_a_parameter_costs_is_believed(log: Path) -> None:
    """Tokens are half as many as 6 N D would have: 12 FLOPs a parameter and token."""
    rows = [line.split(",") for line in log.read_text().splitlines()]
    named = [[*rows[0], "tokens"]] + [[p, t, loss, f"{float(t) / 12 / float(p):.17g}"] for p, t, loss in rows[1:]]
    log.write_text("\n".join(",".join(row) for row in named) + "\n")
    plan = recommend(fit(read_runs(log), replicates=0), 1e21)
    assert "at 12 training FLOPs a parameter and example" in plan.notes[0]
    budget = plan.budgets[0]
    assert budget.params is not None
    assert budget.examples is not None
    assert 12 * budget.params * budget.examples == pytest.approx(1e21, rel=1e-6)


def test_parameters_beyond_the_log_are_told(log: Path, tmp_path: Path) -> None:
    runs = read_runs(log)
    found = fit(runs, replicates=0)
    assert predict(found, runs).cautions == ()
    far = tmp_path / "far.csv"
    far.write_text("params,tokens,flops\n5e11,3.3e8,1e21\n")
    (caution,) = predict(found, read_runs(far, require_metric=False)).cautions
    assert caution.code == "extrapolation"
    assert "params up to 100x above" in caution.message


SIZES = {"125M": (768, 12), "350M": (1024, 24), "1.3B": (2048, 24)}


@pytest.mark.parametrize(("header", "named"), [("Model", "Model"), ("Size", "Size"), ("model scale", "'model scale'")])
def test_a_column_that_names_models_by_their_size_is_told(tmp_path: Path, header: str, named: str) -> None:
    path = tmp_path / "table.csv"
    rows = [f"{size},{tokens},{3 - i / 10}" for i, size in enumerate(SIZES) for tokens in ("2.5B", "10B")]
    path.write_text("\n".join([f"{header},Tokens,Loss", *rows]) + "\n")
    with pytest.raises(InputError) as raised:
        read_runs(path)
    (detail,) = raised.value.details
    hint = f"column '{header}' holds sizes such as 125M: if of parameters, `columns=params={named}`; "
    assert detail.message == "there is no column of shape: width, depth or mlp_dim"
    assert hint in (detail.hint or "")
    runs = read_runs(path, columns={"params": header, "flops": "6ND"})
    assert runs.params is not None
    assert np.unique(runs.params).tolist() == [125e6, 350e6, 1.3e9]


def test_beside_a_shape_without_compute_such_a_column_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = [f"{size},{width},{depth},5B,3.0" for size, (width, depth) in SIZES.items()]
    path.write_text("\n".join(["Model,width,depth,tokens,loss", *rows]) + "\n")
    with pytest.raises(InputError, match=r"holds sizes such as 125M: if of parameters, `columns=params=Model`"):
        read_runs(path)


@pytest.mark.parametrize("names", [("512x8x2048", "768x12x3072"), ("d512_L8", "d768_L12"), ("w=512,d=8", "w=768,d=12")])
def test_shapes_in_one_word_are_to_be_split(tmp_path: Path, names: tuple[str, str]) -> None:
    path = tmp_path / "table.csv"
    path.write_text("name,tokens,loss\n" + "".join(f'"{name}",{t},3.2\n' for name in names for t in ("1e9", "2e9")))
    with pytest.raises(InputError) as raised:
        read_runs(path)
    hint = f"column 'name' holds several sizes, such as {names[0]}: split it into a column for each; "
    assert hint in (raised.value.details[0].hint or "")


def test_a_column_of_names_is_no_size(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("Model,Tokens,Loss\n125M,2.5B,3.2\nlarge,2.5B,3.0\n")
    with pytest.raises(InputError) as raised:
        read_runs(path)
    assert "holds sizes" not in str(raised.value)
