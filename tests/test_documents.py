from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from changed import changed
from conftest import SAMPLES, fit, fit_anew, fit_star, sweep

from shapeplan.counting.compare import flops
from shapeplan.design.campaign import campaign, outlook
from shapeplan.design.next_run import next_runs
from shapeplan.design.pool import next_from_pool
from shapeplan.design.power import power
from shapeplan.documents.base import Document
from shapeplan.documents.check import check_document
from shapeplan.documents.comparison import comparison_document
from shapeplan.documents.figure import figure_document
from shapeplan.documents.files import published_law, read_law
from shapeplan.documents.flops import flops_document
from shapeplan.documents.law import LawDocument, fit_of, law_document
from shapeplan.documents.metrics import metrics_document
from shapeplan.documents.next_run import next_document
from shapeplan.documents.plan import plan_document
from shapeplan.documents.pool import pool_document
from shapeplan.documents.power import power_document
from shapeplan.documents.predictions import predictions_csv, predictions_document
from shapeplan.documents.schema import KINDS, json_schema
from shapeplan.documents.status import status_document
from shapeplan.documents.writing import write_file
from shapeplan.errors import InputError, OutputError
from shapeplan.figures.catalogue import figure
from shapeplan.fitting.check import check
from shapeplan.fitting.compare import compare
from shapeplan.fitting.metrics import fit_metrics
from shapeplan.fitting.predict import predict
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit_star(read_runs(SAMPLES / "vit_sweep.csv"), replicates=20)


@pytest.fixture(scope="module")
def documents(fitted: Fit) -> dict[str, Document]:
    runs = read_runs(SAMPLES / "vit_sweep.csv")
    rehearsal = {"noise": 0.003, "sweeps": 2, "replicates": 20, "shares": (1,)}
    started = campaign(runs, None)
    made = [
        check_document(check(runs)),
        comparison_document(compare(runs)),
        metrics_document(fit_metrics({"one": runs, "other": runs}, law="star", replicates=10)),
        figure_document(figure("residuals", fitted), (fitted,)),
        flops_document(flops(["ViT-g/14@518", "llama-3-8b"], budget=1e23, gpus="64xH100")),
        law_document(fitted),
        plan_document(recommend(fitted, [1e20, 1e21])),
        predictions_document(fitted, predict(fitted, runs)),
        next_document(next_runs(fit(runs, law="separable", replicates=30), 1e22, 1e20)),
        pool_document(next_from_pool(runs, 1e22)),
        status_document(started, outlook(started, 1e22, None)),
        power_document(power(runs, fit(runs, law="separable", replicates=0), 1e21, law="separable", **rehearsal)),
    ]
    return {document.kind: document for document in made}


def test_every_document_is_valid_under_its_exported_schema(documents: dict[str, Document]) -> None:
    assert documents.keys() == KINDS.keys()
    for kind, document in documents.items():
        schema = json_schema(kind)
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(json.loads(document.dumps()), schema)
        broken = json.loads(document.dumps())
        broken["schema_version"] = "one"
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


def test_a_law_comes_back_as_it_was(fitted: Fit, tmp_path: Path) -> None:
    text = law_document(fitted).dumps()
    path = tmp_path / "law.json"
    path.write_text(text)
    again = read_law(path)
    assert law_document(changed(again, sources=fitted.sources)).dumps() == text
    point = {"width": 700.0, "depth": 12.0, "mlp_dim": 2000.0, "flops": 1e21}
    assert again.law.loss(**point) == fitted.law.loss(**point)
    assert recommend(again, 1e21).budgets == recommend(fitted, 1e21).budgets
    assert again.sources[0].name == str(path)


def test_the_same_input_gives_the_same_bytes(fitted: Fit) -> None:
    again = fit_anew(read_runs(SAMPLES / "vit_sweep.csv"), law="star", replicates=20)
    assert law_document(again).dumps() == law_document(fitted).dumps()


def test_numbers_are_unrounded_and_finite(documents: dict[str, Document]) -> None:
    law = documents["shapeplan.law"]
    assert isinstance(law, LawDocument)
    stored = json.loads(law.dumps())["parameters"]["c"]["value"]
    assert stored == law.parameters["c"].value
    for document in documents.values():
        assert "NaN" not in document.dumps()
        assert "Infinity" not in document.dumps()


def test_an_undefined_exponent_is_null_and_comes_back(fitted: Fit) -> None:
    undefined = {**fitted.scaling_exponents, "depth": replace(fitted.scaling_exponents["depth"], value=math.nan)}
    document = law_document(changed(fitted, scaling_exponents=undefined))
    assert json.loads(document.dumps())["scaling_exponents"]["depth"]["value"] is None
    assert math.isnan(fit_of(document).scaling_exponents["depth"].value)


def test_the_published_law_is_the_papers() -> None:
    law = published_law()
    assert {dim: s.value for dim, s in law.scaling_exponents.items()} == {"width": 0.22, "depth": 0.45, "mlp_dim": 0.60}
    assert law.start is not None
    assert (dict(law.start.shape), law.start.flops) == ({"width": 608, "depth": 10, "mlp_dim": 928}, 3.5e18)
    assert "calibrated" in law.start.source
    assert [caution.code for caution in law.cautions] == ["calibrated-start"]
    assert law.flops_convention == "forward"


def test_fields_of_a_newer_version_are_ignored(fitted: Fit, tmp_path: Path) -> None:
    data = json.loads(law_document(fitted).dumps())
    data["novelty"] = {"anything": 1}
    data["fit"]["novelty"] = 2
    path = tmp_path / "law.json"
    path.write_text(json.dumps(data))
    assert read_law(path).law.constants == fitted.law.constants


def spoil(fitted: Fit, where: str, value: object) -> str:
    """Return a law document, a line a field, with one field replaced, or removed for a value of None."""
    data = json.loads(law_document(fitted).dumps())
    place = data
    *path, last = where.split("/")
    for step in path:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return "{" + ",\n".join(f"{json.dumps(name)}: {json.dumps(part)}" for name, part in data.items()) + "}"


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("kind", "shapeplan.plan", "is a shapeplan.plan, not a law"),
        ("kind", None, "is no shapeplan document, not a law"),
        ("schema_version", 2, "has schema_version 2, this shapeplan reads 1 and older; install a newer shapeplan"),
        ("schema_version", "x", "column 'schema_version': input should be a valid integer"),
        ("law", "star2", "column 'law': is no law; the laws are additive, chinchilla"),
        ("schema_version", True, "column 'schema_version': input should be a valid integer (found true)"),
        ("schema_version", "2", "column 'schema_version': input should be a valid integer (found \"2\")"),
        ("schema_version", 1.0, "column 'schema_version': input should be a valid integer (found 1.0)"),
        ("schema_version", 0, "column 'schema_version': input should be greater than or equal to 1 (found 0)"),
        ("law", None, "column 'law': field required"),
        ("parameters/c/value", "0.3", "column 'parameters.c.value': input should be a valid number"),
        ("parameters/c/ci", [0.5, 0.1], "column 'parameters.c.ci': the ends of the interval are the wrong way round"),
        ("arms/width/values", [], "the arm of width has no values"),
        ("parameters/c/value", "fast", "column 'parameters.c.value': input should be a valid number"),
        ("parameters/c", None, "parameters lacks c"),
        ("units/flops", None, "units lacks flops"),
        ("units/flops", -1.0, "column 'units.flops': is not positive (found -1.0)"),
        ("units/flops", 0, "column 'units.flops': is not positive (found 0)"),
        ("star", {"center": {"width": 5}}, "star.center lacks depth, mlp_dim"),
        ("start/shape/depth", 0, "column 'start.shape.depth': is not positive (found 0)"),
        ("start/flops", 0, "column 'start.flops': is not positive (found 0)"),
        ("scaling_exponents/depth", None, "scaling_exponents lacks depth"),
        ("bootstrap/draws/c", [0.5], "bootstrap.draws of c are 1, and 20 replicates are stated"),
        ("bootstrap/draws/c", None, "bootstrap.draws lacks c"),
        ("architecture", {"family": "cnn"}, "'family' = cnn is no family"),
        ("flops_convention", "backward", "column 'flops_convention': input should be 'forward' or 'training'"),
    ],
)
def test_spoiled_documents_are_refused_with_the_field(
    fitted: Fit, tmp_path: Path, where: str, value: object, message: str
) -> None:
    path = tmp_path / "law.json"
    path.write_text(spoil(fitted, where, value))
    with pytest.raises(InputError) as error:
        read_law(path)
    assert message in str(error.value)
    column = where.split("/")[0]
    line = next(
        (
            number
            for number, text in enumerate(path.read_text().split("\n"), 1)
            if text.lstrip("{").startswith(f'"{column}":')
        ),
        1,
    )
    assert {(detail.file, detail.line) for detail in error.value.details} == {(str(path), line)}


@pytest.mark.parametrize(
    "text", ["", "{", "[1, 2]", "42", '{"kind": "shapeplan.law"', '{"a": NaN}', "width,depth\n1,2\n"]
)
def test_what_is_no_document_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "law.json"
    path.write_text(text)
    with pytest.raises(InputError):
        read_law(path)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_number_has_its_line(tmp_path: Path, constant: str) -> None:
    path = tmp_path / "law.json"
    path.write_text(f'{{"kind": "a \\"NaN",\n "law": "Infinity",\n "level": {constant}}}')
    with pytest.raises(InputError, match=f"is not JSON: {constant} is no JSON number") as error:
        read_law(path)
    assert error.value.details[0].line == 3


def test_predictions_keep_every_column_and_the_order(fitted: Fit, tmp_path: Path) -> None:
    log = tmp_path / "rows.csv"
    log.write_text(
        'name,width,depth,mlp_dim,forward_flops,loss,comment\nb,608,40,6144,1e20,0.2,"a, b"\n'
        "a,1968,40,6144,1e20,0.2,nan\n"
    )
    runs = read_runs(log, require_metric=False)
    predictions = predict(fitted, runs)
    rows = json.loads(predictions_document(fitted, predictions).dumps())["rows"]
    assert [row["name"] for row in rows] == ["b", "a"]
    assert rows[0]["comment"] == "a, b"
    assert rows[1]["comment"] == "nan"
    assert rows[0]["width"] == 608
    assert rows[0]["residual"] == pytest.approx(rows[0]["predicted"] / 0.2 - 1)
    table = predictions_csv(predictions).splitlines()
    assert (
        table[0]
        == "name,width,depth,mlp_dim,forward_flops,loss,comment,predicted,lower,upper,law_lower,law_upper,residual"
    )
    assert table[1].startswith('b,608,40,6144,1e20,0.2,"a, b",')
    assert float(table[1].split(",")[8]) == rows[0]["predicted"]


def test_predictions_without_metric_or_draws_are_null(tmp_path: Path) -> None:
    bare = fit_star(sweep(), replicates=0)
    log = tmp_path / "rows.csv"
    log.write_text("width,depth,mlp_dim,forward_flops\n608,40,6144,1e20\n")
    document = json.loads(predictions_document(bare, predict(bare, read_runs(log, require_metric=False))).dumps())
    row = document["rows"][0]
    assert (row["lower"], row["upper"], row["residual"]) == (None, None, None)


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    write_file(target, "one")
    write_file(target, "two")
    assert target.read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    with pytest.raises(OutputError, match="is an input, and would be overwritten"):
        write_file(target, "three", (str(target),))
    with pytest.raises(OutputError, match="cannot be written: is a directory"):
        write_file(tmp_path, "x")
    with pytest.raises(OutputError, match="cannot be written: no such file or directory"):
        write_file(tmp_path / "nowhere" / "x", "x")
    assert target.read_text() == "two"
    assert np.all([path.name == "out.json" for path in tmp_path.iterdir()])


@pytest.mark.parametrize(
    ("folder", "law"),
    [
        pytest.param("stdlib_lm", "star", id="losses below zero, beside the star"),
        pytest.param("vit_glyphs", "kaplan", id="parameters that the fitted cost knows within a few percent"),
    ],
)
def test_what_a_fit_of_a_real_log_wrote_is_read(folder: str, law: str, tmp_path: Path) -> None:
    found = fit_anew(read_runs(SAMPLES / folder / "runs.csv", metric="loss"), law=law, replicates=5)
    assert found.rows is not None
    if law == "star":
        assert (found.rows.predicted < 0).any()
    found.save(tmp_path / "law.json")
    again = read_law(tmp_path / "law.json")
    assert again.rows is not None
    np.testing.assert_allclose(again.rows.predicted, found.rows.predicted)
