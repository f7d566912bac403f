from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SAMPLES, fit, fit_star
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import shapeplan as sp
from shapeplan.documents.log import log_csv, log_yaml
from shapeplan.errors import ArgumentError, InputError
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs

HEADER = "run,width,depth,mlp_dim,forward_flops,loss\n"


def read(tmp_path: Path, text: str, name: str = "runs.csv", **options: Any) -> Runs:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return read_runs(path, **options)


def same(one: Runs, other: Runs) -> bool:
    return (
        one.dims == other.dims
        and np.array_equal(one.shape, other.shape)
        and np.array_equal(one.flops, other.flops)
        and np.array_equal(one.observed(), other.observed())
        and one.run_names == other.run_names
        and np.array_equal(one.run, other.run)
        and one.flops_convention == other.flops_convention
    )


ROWS = [
    {"run": "a", "width": 64, "depth": 2, "mlp_dim": 256, "forward_flops": 1e15, "loss": 3.5},
    {"run": "b", "width": 128, "depth": 4, "mlp_dim": 512, "forward_flops": 4e15, "loss": 3.25},
]


def as_text(style: str) -> str:
    lines = [HEADER.strip()] + [",".join(str(value) for value in row.values()) for row in ROWS]
    return {
        "csv": "\n".join(lines) + "\n",
        "tsv": "\n".join(lines).replace(",", "\t"),
        "json": json.dumps(ROWS),
        "wrapped": json.dumps({"runs": ROWS, "flops_convention": "forward"}, indent=2),
        "jsonl": "\n".join(json.dumps(row) for row in ROWS) + "\n",
        "yaml": "runs:\n" + "".join(f"  - {json.dumps(row)}\n" for row in ROWS),
        "list": "".join(f"- {json.dumps(row)}\n" for row in ROWS),
    }[style]


@pytest.mark.parametrize(
    ("style", "name"),
    [
        ("tsv", "a.tsv"),
        ("json", "a.json"),
        ("wrapped", "b.json"),
        ("jsonl", "a.jsonl"),
        ("jsonl", "a.ndjson"),
        ("yaml", "a.yaml"),
        ("list", "a.yml"),
        ("csv", "a.log"),
        ("tsv", "b.log"),
        ("json", "c.log"),
        ("wrapped", "d.log"),
        ("jsonl", "e.log"),
        ("yaml", "f.log"),
        ("list", "g.log"),
    ],
)
def test_all_formats_give_the_same_runs(tmp_path: Path, style: str, name: str) -> None:
    """By suffix, and by a look at the text where the suffix does not tell."""
    assert same(read(tmp_path, as_text("csv")), read(tmp_path, as_text(style), name))


def test_bom_crlf_blank_lines_and_spaces_are_harmless(tmp_path: Path) -> None:
    plain = read(tmp_path, as_text("csv"))
    dressed = "\ufeff" + as_text("csv").replace("\n", "\r\n").replace("a,64", "\r\n a , 64 ")
    runs = read(tmp_path, dressed, "dressed.csv")
    assert same(plain, runs)
    assert runs.lines.tolist() == [3, 4]


def test_yaml_numbers_and_anchors(tmp_path: Path) -> None:
    runs = read(
        tmp_path,
        "base: &base {width: 64, depth: 2}\nruns:\n"
        "  - {<<: *base, mlp_dim: 256, forward_flops: 1e15, loss: 3.5, run: a}\n"
        "  - {<<: *base, width: 128, mlp_dim: 1_024, forward_flops: 4.0e+15, loss: 325e-2, run: b}\n",
        "a.yaml",
    )
    assert runs.shape.tolist() == [[64, 2, 256], [128, 2, 1024]]
    assert runs.flops.tolist() == [1e15, 4e15]
    assert runs.lines.tolist() == [3, 4]
    assert any("base" in note for note in runs.notes)


@pytest.mark.parametrize(
    ("header", "note"),
    [
        ("d_model,n_layer,d_ff", "width = 'd_model', depth = 'n_layer', mlp_dim = 'd_ff'"),
        ("hidden_size,num_hidden_layers,intermediate_size", "mlp_dim = 'intermediate_size'"),
        ("n_embd,num_layers,ffn_dim", "depth = 'num_layers'"),
        ("Embed Dim,N-Layers,MLP_dim", "width = 'Embed Dim', depth = 'N-Layers'"),
    ],
)
def test_synonyms_are_understood_and_said(tmp_path: Path, header: str, note: str) -> None:
    runs = read(tmp_path, f"{header},forward_flops,loss\n64,2,256,1e15,3.5\n")
    assert runs.dims == ("width", "depth", "mlp_dim")
    assert any(one.startswith("columns are read as: ") and note in one for one in runs.notes)


@pytest.mark.parametrize(
    ("column", "flops", "convention"),
    [
        ("flops", 1e15, "training"),
        ("forward_flops", 1e15, "forward"),
        ("training_flops", 1e15, "training"),
        ("gflops", 1e24, "training"),
        ("forward_pflops", 1e30, "forward"),
        ("Train FLOPs", 1e15, "training"),
        ("flops_forward", 1e15, "forward"),
        ("compute", 1e15, "training"),
    ],
)
def test_units_and_conventions_of_the_compute_column(
    tmp_path: Path, column: str, flops: float, convention: str
) -> None:
    runs = read(tmp_path, f"width,{column},loss\n64,1e15,3.5\n")
    assert runs.flops[0] == pytest.approx(flops)
    assert runs.flops_convention == convention
    assert any("names no convention" in note for note in runs.notes) == (column in ("flops", "gflops", "compute"))


def test_the_convention_can_be_given(tmp_path: Path) -> None:
    text = "width,flops,loss\n64,1e15,3.5\n"
    assert read(tmp_path, text, flops_convention="forward").flops_convention == "forward"
    said = read(tmp_path, "flops_convention: forward\nruns:\n  - {width: 64, flops: 1e15, loss: 3}\n", "a.yaml")
    assert said.flops_convention == "forward"


def test_ignored_columns_are_listed(tmp_path: Path) -> None:
    runs = read(tmp_path, "width,flops,loss,lr,host\n64,1e15,3.5,0.1,a\n")
    assert "columns without a role in the law: lr, host" in runs.notes


def test_compute_and_params_follow_from_an_architecture(tmp_path: Path) -> None:
    config = tmp_path / "vit.yaml"
    config.write_text(
        "architecture: {family: vit, patch: 14, image: 224, pool: map, heads: 16}\nflops_convention: forward\n"
    )
    text = "width,depth,mlp_dim,examples,loss\n1152,27,4304,1e6,0.5\n"
    runs = read(tmp_path, text, config=config)
    assert runs.flops[0] == pytest.approx(2 * 110176.9e6 * 1e6, rel=1e-6)
    assert runs.params is not None
    assert runs.params[0] == 427680704
    training = read(tmp_path, text, config=config, flops_convention="training")
    assert training.flops[0] == pytest.approx(3 * runs.flops[0])
    steps = read(tmp_path, "width,depth,mlp_dim,step,batch,loss\n1152,27,4304,1000,1000,0.5\n", config=config)
    assert steps.flops[0] == runs.flops[0]


def test_sequences_of_a_decoder_become_tokens(tmp_path: Path) -> None:
    settings_ = "architecture: {family: decoder, vocab: 256, seq: 128, head_dim: 16}\n"
    rows = "runs:\n  - {width: 64, depth: 2, mlp_dim: 256, sequences: 1000, loss: 3}\n"
    runs = read(tmp_path, settings_ + rows, "a.yaml")
    assert runs.examples is not None
    assert (runs.examples[0], runs.examples_unit) == (128_000, "tokens")
    tokens = read(tmp_path, settings_ + rows.replace("sequences: 1000", "tokens: 128e3"), "b.yaml")
    assert tokens.flops[0] == runs.flops[0]


def test_impossible_magnitudes_are_questioned(tmp_path: Path) -> None:
    runs = read(tmp_path, "width,forward_flops,loss\n64,1e15,3.5\n128,1e3,3.5\n")
    assert [caution.code for caution in runs.cautions] == ["implausible-magnitude"]
    assert "line 3" in runs.cautions[0].message


def test_without_a_run_column_shapes_are_runs_and_repeats_are_others(tmp_path: Path) -> None:
    runs = read(tmp_path, "width,forward_flops,loss\n64,1e15,3.5\n64,2e15,3.4\n64,1e15,3.6\n128,1e15,3\n")
    assert runs.run.tolist() == [0, 0, 1, 2]
    assert runs.run_names == ("64", "64 #2", "128")


def test_accuracies_become_errors(tmp_path: Path) -> None:
    share = read(tmp_path, "width,forward_flops,acc\n64,1e15,0.75\n", metric="acc", higher_is_better=True)
    percent = read(tmp_path, "width,forward_flops,acc\n64,1e15,75\n", metric="acc", higher_is_better=True)
    assert share.observed()[0] == pytest.approx(0.25)
    assert percent.observed()[0] == pytest.approx(25)
    assert percent.metric == "100 - acc"
    with pytest.raises(InputError, match="175 is no accuracy"):
        read(tmp_path, "width,forward_flops,acc\n64,1e15,175\n", metric="acc", higher_is_better=True)


def test_any_positive_column_can_be_a_dimension(tmp_path: Path) -> None:
    runs = read(tmp_path, "width,n_experts,forward_flops,loss\n64,8,1e15,3.5\n", dims=("width", "n_experts"))
    assert runs.dims == ("width", "n_experts")
    assert runs.values("n_experts").tolist() == [8]
    with pytest.raises(InputError, match="did you mean 'n_experts'"):
        read(tmp_path, "width,n_experts,forward_flops,loss\n64,8,1e15,3.5\n", dims=("width", "n_expert"))


def test_the_two_samples_are_the_same_log() -> None:
    assert same(read_runs(SAMPLES / "vit_sweep.csv"), read_runs(SAMPLES / "vit_sweep.yaml"))


names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Cf"), exclude_characters="#"),
    min_size=1,
)
numbers = st.floats(min_value=1e-3, max_value=1e6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.tuples(names, numbers, numbers, st.floats(1e23, 1e30), numbers), min_size=1, max_size=8))
def test_logs_that_we_write_are_read_back(tmp_path: Path, rows: list[tuple[str, float, float, float, float]]) -> None:
    """Whatever the names of runs and the numbers: CSV and YAML give back what was written."""
    rows = list({row[0].strip(): row for row in rows}.values())
    runs = Runs(
        dims=("width", "depth"),
        shape=np.array([row[1:3] for row in rows]),
        flops=np.array([row[3] for row in rows]),
        flops_convention="forward",
        run=np.arange(len(rows)),
        run_names=tuple(row[0] for row in rows),
        lines=np.arange(2, len(rows) + 2),
        loss=np.array([row[4] for row in rows]),
    )
    assert same(read(tmp_path, log_csv(runs)), runs)
    assert same(read(tmp_path, log_yaml(runs), "a.yaml"), runs)


junk = st.one_of(
    st.text(max_size=60),
    st.binary(max_size=60),
    st.lists(
        st.sampled_from(["run", "width", "flops", "loss", ",", "\n", "1e5", "-", '"', "{", "}", "[", ":", " "])
    ).map("".join),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(junk, st.sampled_from(["a.csv", "a.tsv", "a.yaml", "a.json", "a.jsonl", "a"]))
def test_junk_is_read_or_refused_never_crashed_on(tmp_path: Path, text: str | bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    outcome: Runs | InputError
    try:
        outcome = read_runs(path)
    except InputError as error:
        outcome = error
    if isinstance(outcome, InputError):
        assert all(detail.file and detail.hint for detail in outcome.details)
    else:
        assert len(outcome) > 0


@pytest.mark.parametrize(
    ("body", "name", "message"),
    [
        ('[{"width": ' + "9" * 5000 + ', "flops": 1e15, "loss": 3}]', "a.json", "thousands of digits"),
        ("[" * 100_000, "a.json", "nested too deeply"),
        ("&a [*a]", "a.yaml", "refers to itself"),
        ("runs: !!python/object:os.system x\n", "a.yaml", "has the tag"),
        ("runs:\n  - {<<: 3, width: 64, flops: 1e15, loss: 3}\n", "a.yaml", "<< merges mappings"),
        ("runs:\n  - {run: [1], width: 64, flops: 1e15, loss: 3}\n", "a.yaml", "is no name"),
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
    with pytest.raises(InputError, match=r"a\.yaml:6: its aliases \(\*a4 \.\.\.\) repeat more than 1,000,000 values"):
        read(tmp_path, "\n".join(levels) + "\nruns:\n  - {width: 64, flops: 1e15, loss: 3}\n", "a.yaml")


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


def test_training_that_is_measured_twice_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("width,examples,tokens,steps,flops,loss\n64,1e6,1e9,10,1e15,3\n")
    assert "training is measured in tokens; not used: examples, steps" in read_runs(path).notes


def test_a_frame_and_a_saved_fit_come_back(tmp_path: Path) -> None:
    frames = pytest.importorskip("pandas")
    runs = sp.read_runs(SAMPLES / "vit_sweep.csv")
    frame = runs.to_frame()
    assert isinstance(frame, frames.DataFrame)
    again = sp.read_runs(frame, architecture=runs.architecture)
    assert again.dims == runs.dims
    assert again.flops_convention == runs.flops_convention
    np.testing.assert_array_equal(again.shape, runs.shape)
    np.testing.assert_array_equal(again.flops, runs.flops)
    np.testing.assert_array_equal(again.observed(), runs.observed())
    assert again.run_names == runs.run_names


def test_a_frame_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = sp.read_runs(SAMPLES / "vit_sweep.csv")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ArgumentError, match="needs polars, which is not installed; pip install polars"):
        runs.to_frame("polars")


def test_a_fit_is_saved_and_loaded(tmp_path: Path) -> None:
    found = fit(sp.read_runs(SAMPLES / "vit_sweep.csv"), law="additive", replicates=5)
    found.save(tmp_path / "law.json")
    assert sp.load(tmp_path / "law.json").law == found.law
    assert (tmp_path / "law.json").read_text() == sp.law_document(found).dumps()
