"""What an attacker found once must not come back."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program, additive_law, fit, fit_star, sweep

from shapeplan.cli.app import run
from shapeplan.design.simulate import simulate
from shapeplan.documents.files import read_law, write_file
from shapeplan.documents.law import law_document
from shapeplan.errors import ArgumentError, FitError, InputError, ShapeplanError
from shapeplan.fitting.predict import predict
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend
from shapeplan.quantities import parse_flops
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs
from shapeplan.sweeps.grid import Start
from shapeplan.sweeps.star import find_star

DIMS = ("width", "depth", "mlp_dim")


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit_star(read_runs(SAMPLES / "vit_sweep.yaml"), replicates=20)


@pytest.fixture(scope="module")
def text(fitted: Fit) -> str:
    return law_document(fitted).dumps()


def read(tmp_path: Path, body: str, name: str) -> Runs:
    path = tmp_path / name
    path.write_text(body)
    return read_runs(path)


def test_simulate_and_predict_agree_about_conventions(fitted: Fit) -> None:
    design = replace(sweep(), flops=3 * sweep().flops, flops_convention="training", loss=None)
    drawn = simulate(fitted.law, design, flops_convention=fitted.flops_convention)
    np.testing.assert_allclose(drawn.observed(), predict(fitted, design).predicted, rtol=1e-12)


def test_noise_that_makes_losses_negative_is_refused() -> None:
    with pytest.raises(FitError, match="which is no loss"):
        sweep(noise=0.9)


def test_predictions_far_away_or_of_another_metric_are_doubted(fitted: Fit) -> None:
    runs = sweep()
    assert "extrapolation" in [c.code for c in predict(fitted, replace(runs, flops=runs.flops * 100)).cautions]
    star = find_star(runs, DIMS)
    inside = runs.take(np.concatenate(list(star.arms.values())))
    assert predict(fitted, inside).cautions == ()
    assert "metric-differs" in [c.code for c in predict(fitted, replace(inside, metric="acc")).cautions]
    negative = predict(fitted, replace(inside, flops=inside.flops * 1e-9, shape=inside.shape * 1e-2))
    assert {"extrapolation"} <= {c.code for c in negative.cautions}


def test_predictions_off_a_tie_are_doubted() -> None:
    design = sweep().take(np.arange(39))
    shape = design.shape.copy()
    shape[:, 2] = 4 * shape[:, 0]
    tied = fit_star(replace(design, shape=shape, architecture=None), replicates=0)
    on = replace(design, shape=shape)
    assert "tied" not in [c.code for c in predict(tied, on).cautions]
    shape = shape.copy()
    shape[3, 2] = 9.0
    assert "1 rows have a mlp_dim" in predict(tied, replace(on, shape=shape)).cautions[0].message


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.study) for seed in (1, 2, 3))])
def test_a_fit_whose_every_exponent_is_vague_is_not_to_be_trusted(seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal(121)
    found = fit_star(replace(sweep(), loss=0.5 + 0.01 * noise), replicates=20)
    assert [caution.code for caution in found.cautions].count("unidentified") == 3
    assert found.status == "untrusted"


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


def test_a_single_dimension_is_a_star_too() -> None:
    runs = sweep(0.001, law=additive_law()).take(np.arange(21))
    found = fit_star(replace(runs, dims=("width",), shape=runs.shape[:, :1]), replicates=10)
    assert found.dimensions.free == ("width",)
    assert found.quality is not None
    assert found.quality.relative_rmse < 0.002


def test_many_distinct_shapes_are_looked_through_quickly() -> None:
    runs = sweep()
    rng = np.random.default_rng(0)
    shape = rng.integers(1, 10_000, (20_000, 3)).astype(float)
    big = replace(runs, shape=shape, flops=np.ones(20_000), loss=np.ones(20_000), run=np.arange(20_000))
    with pytest.raises(FitError, match="the log is no star"):
        find_star(big, DIMS)


def test_quantities_of_absurd_length_are_refused_at_once() -> None:
    with pytest.raises(ArgumentError) as error:
        parse_flops("1" * 200_000 + "x")
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("start", [(1e300, 1e18), (608.0, 1e-300), (608.0, 1e300), (-5.0, 1e18)])
def test_starts_that_cannot_be(fitted: Fit, start: tuple[float, float]) -> None:
    shape = {"width": start[0], "depth": 10.0, "mlp_dim": 928.0}
    with pytest.raises(ArgumentError, match="cannot be"):
        recommend(fitted, 1e21, start=Start(shape, start[1], "test"))
    with pytest.raises(ArgumentError, match="cannot be"):
        fit_star(sweep(), start=Start(shape, start[1], "test"), replicates=0)


def test_devices_pipes_and_links_are_written_to_not_replaced(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE)
    write_file(fifo, "through")
    assert reader.communicate(timeout=10)[0] == b"through"
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    write_file(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    write_file(tmp_path / ("n" * 250), "long")
    write_file(tmp_path / "half", "\ud800")
    assert not list(tmp_path.glob(".*"))


def test_a_config_is_never_overwritten(program: Program, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("metric: loss\n")
    done = program("check", SAMPLES / "vit_sweep.csv", "--config", "c.yaml", "-o", "c.yaml")
    assert done.returncode == 1
    assert (tmp_path / "c.yaml").read_text() == "metric: loss\n"
    dash = program("recommend", "--flops", "1e21", "-o", "-")
    assert dash.returncode == 2
    assert not (tmp_path / "-").exists()


def test_streams_that_are_closed_or_full(tmp_path: Path) -> None:
    base = f"{sys.executable} -m shapeplan recommend --flops 1e21"

    def shell(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)

    assert shell(f"{base} >&-").returncode == 0
    assert "Recommended shape" in shell(f"{base} 2>&-").stdout
    assert "Recommended shape" in shell(f"{base} 2>/dev/full").stdout
    full = shell(f"{base} --json >/dev/full")
    assert full.returncode == 1
    assert json.loads(full.stderr.strip().split("\n")[-1])["error"]["code"] == "unwritable"
    closed = shell(f"{sys.executable} -m shapeplan fit - <&-")
    assert closed.returncode == 2
    assert "stdin is closed" in closed.stderr


def test_errors_are_json_whatever_they_quote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "z.csv"
    log.write_text("width,depth,forward_flops,loss\n1\u00a0024\u200b\x7f,8,1e20,1\n")
    assert run(["check", str(log), "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["error"]["value"].startswith("1\u00a0024")


def test_documents_are_json_on_ascii_streams(program: Program, tmp_path: Path) -> None:
    rows = (SAMPLES / "vit_sweep.csv").read_text().replace("grid-416-6-768-600M", "rün")
    (tmp_path / "u.csv").write_text(rows)
    done = program("check", "u.csv", "--json", PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout)["rows"] == 121


@pytest.mark.parametrize(
    ("body", "name", "message"),
    [
        ('[{"width": ' + "9" * 5000 + ', "flops": 1e15, "loss": 3}]', "a.json", "thousands of digits"),
        ("[" * 100_000, "a.json", "nested too deeply"),
        ("&a [*a]", "a.yaml", "refers to itself"),
        ("runs: !!python/object:os.system x\n", "a.yaml", "has the tag"),
        ("runs:\n  - {<<: 3, width: 64, flops: 1e15, loss: 3}\n", "a.yaml", "<< merges mappings"),
        ("runs:\n  - {run: {a: 1}, width: 64, flops: 1e15, loss: 3}\n", "a.yaml", "is no name"),
        ("star: {center: {width: -5}}\nruns:\n  - {width: 64, flops: 1e15, loss: 3}\n", "a.yaml", "greater than 0"),
        ("metric: ''\nruns:\n  - {width: 64, flops: 1e15, loss: 3}\n", "a.yaml", "there is no such column"),
        ("architecture: {family: [1]}\nruns:\n  - {width: 64, flops: 1e15, loss: 3}\n", "a.yaml", "is no family"),
        ("width,Width,flops,loss\n64,64,1e15,3\n", "a.csv", "'width' and 'Width' both mean width"),
    ],
)
def test_logs_that_broke_something(tmp_path: Path, body: str, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, body, name)


def test_yaml_aliases_cannot_explode(tmp_path: Path) -> None:
    levels = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    runs = read(tmp_path, "\n".join(levels) + "\nruns:\n  - {width: 64, flops: 1e15, loss: 3}\n", "a.yaml")
    assert len(runs) == 1


@pytest.mark.parametrize("dims", [("width", "loss"), ("width", "run"), ("width", "examples")])
def test_dimensions_that_are_none(dims: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="it is no dimension of a shape"):
        read_runs(SAMPLES / "vit_sweep.csv", dims=dims)


def test_a_dimension_may_be_called_self(tmp_path: Path) -> None:
    path = tmp_path / "self.csv"
    path.write_text((SAMPLES / "vit_sweep.csv").read_text().replace("mlp_dim,", "self,", 1))
    found = fit_star(read_runs(path, dims=("width", "depth", "self")), replicates=5)
    assert recommend(found, 1e21).budgets[0].rounded["self"] > 0


@pytest.mark.parametrize("setting", ["image: nan", "image: 1e400", "image: 1e200", "patch: .inf", "heads: nan"])
def test_settings_of_an_architecture_that_cannot_be(tmp_path: Path, setting: str) -> None:
    settings = {"patch": "14", "image": "224", "heads": "16", "mlp_ratio": "4"}
    name, value = setting.split(": ")
    flow = ", ".join(f"{key}: {word}" for key, word in {**settings, name: value}.items())
    log = f"architecture: {{family: vit, {flow}}}\nruns:\n  - {{width: 64, depth: 2, flops: 1e15, loss: 3}}\n"
    with pytest.raises(InputError, match="architecture setting"):
        read(tmp_path, log, "a.yaml")


SPOILERS: dict[str, object] = {
    "bootstrap/level": -3,
    "bootstrap/draws": {},
    "dims": ["width", "width"],
    "range/flops": [0, 0],
    "range/shape": {},
    "heads": {"heads": 0},
    "range/shape/width": [0, 0],
    "fixed": {"width": 5},
    "tied": {"depth": {"to": "nowhere", "ratio": 2.0}},
    "cost": {"forward_flops": {"coefficient": 0, "exponents": {}, "max_relative_error": 0}, "params": None},
    "fit": None,
    "parameters/c/value": -1.0,
    "parameters/a_width/value": 1e308,
    "units/width": 1e308,
    "start/shape/width": 1e300,
    "scaling_exponents/width/value": 1e308,
}


@pytest.mark.parametrize("where", sorted(SPOILERS))
def test_edited_laws_are_refused_or_answered_never_crashed_on(tmp_path: Path, text: str, where: str) -> None:
    data = json.loads(text)
    place = data
    *path, last = where.split("/")
    for step in path:
        place = place[step]
    place[last] = SPOILERS[where]
    file = tmp_path / "law.json"
    file.write_text(json.dumps(data))
    problem: ShapeplanError | None = None
    try:
        law = read_law(file)
        recommend(law, 1e21)
        predict(law, sweep())
    except ShapeplanError as error:
        problem = error
    if where != "bootstrap/draws":
        assert problem is not None


RIVALS: dict[str, dict[str, object]] = {
    "lacks constants": {"parameters": {}},
    "of other dims": {"dims": ["width"]},
    "of no law": {"law": "quadratic"},
    "without units": {"units": {}},
    "tiny units": {"units": {"width": 1e-300, "depth": 1, "mlp_dim": 1, "examples": 1}},
    "empty draws": {"draws": {name: [] for name in ("alpha_width", "a_width", "c")}},
    "uneven draws": {"draws": {"c": [1.0], "eps": [1.0, 2.0]}},
}


@pytest.fixture(scope="module")
def rivalled() -> str:
    """The document of a fit whose rollout cannot tell two laws apart."""
    return law_document(fit(sweep(0.003, 0), replicates=20)).dumps()


@pytest.mark.parametrize("edit", sorted(RIVALS))
def test_edited_rivals_are_refused(rivalled: str, tmp_path: Path, edit: str) -> None:
    data = json.loads(rivalled)
    assert data["rivals"]
    data["rivals"][0] |= RIVALS[edit]
    file = tmp_path / "law.json"
    file.write_text(json.dumps(data))
    with pytest.raises(ShapeplanError, match="rivals"):
        read_law(file)


def test_a_full_disk_is_told(program: Program) -> None:
    command = f"{sys.executable} -m shapeplan recommend --flops 1e21 > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "<stdout>: cannot be written: no space left on device" in done.stderr


@pytest.mark.parametrize("law", ["additive", "separable", "chinchilla"])
def test_laws_without_exponents_predict_but_have_no_recipe(tmp_path: Path, text: str, law: str) -> None:
    data = json.loads(text)
    data |= {"law": law, "scaling_exponents": {}, "bootstrap": {**data["bootstrap"], "draws": {}}, "star": None}
    data["dims"] = [] if law == "chinchilla" else data["dims"]
    data["start"] = None if law == "chinchilla" else data["start"]
    from shapeplan.laws import FORMS

    form = FORMS[law](tuple(data["dims"]))
    data["parameters"] = {
        name: {"value": 0.3, "ci": None, "at_bound": False} for name in (*form.coefficients, *form.exponents)
    }
    data["units"] = dict.fromkeys(form.variables, 1000.0)
    file = tmp_path / "law.json"
    file.write_text(json.dumps(data))
    with pytest.raises(ShapeplanError, match=r"gives no scaling exponents|knows none"):
        recommend(read_law(file), 1e21, method="scale")
    assert np.isfinite(predict(read_law(file), sweep()).predicted).all()


def test_an_empty_law_is_not_the_published_one(program: Program) -> None:
    done = program("recommend", "--law", "", "--flops", "1e21")
    assert done.returncode == 1
    assert done.stdout == ""


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


def test_training_that_is_measured_twice_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("width,examples,tokens,steps,flops,loss\n64,1e6,1e9,10,1e15,3\n")
    assert "training is measured in tokens; not used: examples, steps" in read_runs(path).notes
