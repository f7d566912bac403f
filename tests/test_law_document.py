"""Law documents that were edited, or hold little."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SAMPLES, Program, fit, fit_star, sweep

from shapeplan.documents.figure import figure_document
from shapeplan.documents.files import read_law
from shapeplan.documents.law import law_document
from shapeplan.documents.plan import plan_document
from shapeplan.documents.predictions import predictions_document
from shapeplan.errors import ShapeplanError
from shapeplan.figures.catalogue import figure
from shapeplan.fitting.predict import predict
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("scaling_exponents", "width", "value"), 1e60),
        (("scaling_exponents", "width", "ci"), [9.0, -9.0]),
        (("range", "flops"), [True, 1e20]),
    ],
)
def test_documents_that_contradict_themselves_are_refused(
    program: Program, fitted: Fit, tmp_path: Path, where: tuple[str, ...], value: object
) -> None:
    law = tmp_path / "law.json"
    fitted.save(law)
    data = json.loads(law.read_text())
    place = data
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = value
    law.write_text(json.dumps(data))
    done = program("recommend", "--law", law, "--flops", "1e18", "--method", "scale")
    assert done.returncode == 1
    assert "law.json" in done.stderr
    assert "went wrong" not in done.stderr


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit_star(read_runs(SAMPLES / "vit_sweep.yaml"), replicates=20)


@pytest.fixture(scope="module")
def text(fitted: Fit) -> str:
    return law_document(fitted).dumps()


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
def rivals_text(rivalled: Fit) -> str:
    """The document of a fit with a rival."""
    return law_document(rivalled).dumps()


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


@pytest.mark.parametrize("edit", sorted(RIVALS))
def test_edited_rivals_are_refused(rivals_text: str, tmp_path: Path, edit: str) -> None:
    data = json.loads(rivals_text)
    assert data["rivals"]
    data["rivals"][0] |= RIVALS[edit]
    file = tmp_path / "law.json"
    file.write_text(json.dumps(data))
    with pytest.raises(ShapeplanError, match="rivals"):
        read_law(file)


@pytest.mark.parametrize("law", ["additive", "separable", "chinchilla"])
def test_laws_without_exponents_predict_but_have_no_recipe(tmp_path: Path, text: str, law: str) -> None:
    data = json.loads(text)
    # What is left says nothing that the constants below would contradict.
    data |= dict.fromkeys(("star", "center_error", "grid_error", "rows"))
    data |= {"center": [], "selection": [], "front": [], "arms": {}, "scaling_exponents": {}, "influences": {}}
    data |= {"law": law, "bootstrap": {**data["bootstrap"], "replicates": 0, "draws": {}, "exponents": {}}}
    from shapeplan.laws import FORMS

    form = FORMS[law](tuple(data["dims"]))
    data["parameters"] = {
        name: {"value": 0.3, "ci": None, "at_bound": False} for name in (*form.coefficients, *form.exponents)
    }
    data["units"] = dict.fromkeys(form.variables, 1000.0)
    file = tmp_path / "law.json"
    file.write_text(json.dumps(data))
    with pytest.raises(ShapeplanError, match=r"gives no scaling exponents|has none"):
        recommend(read_law(file), 1e21, method="scale")
    assert np.isfinite(predict(read_law(file), sweep()).predicted).all()


def test_an_empty_law_is_not_the_published_one(program: Program) -> None:
    done = program("recommend", "--law", "", "--flops", "1e21")
    assert done.returncode == 1
    assert done.stdout == ""


def test_a_law_without_shape_comes_back_from_a_log_with_a_star(tmp_path: Path) -> None:
    """The document holds the centre of the star beside the law, of which the law has no units."""
    fitted = fit(sweep(), law="chinchilla", replicates=20)
    (tmp_path / "law.json").write_text(law_document(fitted).dumps())
    again = read_law(tmp_path / "law.json")
    assert again.law.constants == fitted.law.constants
    assert "no-shape-law" in {caution.code for caution in recommend(again, 1e21).budgets[0].cautions}


NONSENSE: tuple[object, ...] = (0, -1, 1e308, 1e-308, None, "x", True, [], {})
HARMLESS = (
    "warnings",
    "inputs",
    "shapeplan_version",
    "reference",
    "metric",
    "command",
    "optimum",
    "influences",
    "trends",
)
"""Parts that no plan and no loss rests on."""


def leaves(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of every value of a document, of long lists the first."""
    if path:
        yield path
    for key in data if isinstance(data, dict) else range(min(len(data), 1)) if isinstance(data, list) else ():
        yield from leaves(data[key], (*path, key))


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """Yield documents with one value that is another, ten times as large, or not there, with their names."""
    data = json.loads(text)
    for path in list(leaves(data)):
        if path[0] in HARMLESS:
            continue
        place = data
        for step in path[:-1]:
            place = place[step]
        kept = place[path[-1]]
        for value in (*NONSENSE, kept * 10 if isinstance(kept, int | float) else kept):
            place[path[-1]] = value
            yield f"{'.'.join(map(str, path))} = {value}", json.dumps(data)
        place[path[-1]] = kept
        if isinstance(path[-1], str):
            place[f"{path[-1]}_"] = place.pop(path[-1])
            yield f"{'.'.join(map(str, path))} renamed", json.dumps(data)
            place[path[-1]] = place.pop(f"{path[-1]}_")


def outcome(text: str, file: Path, rows: Runs) -> str:
    """Return what a document comes to: the plan and the predictions that it gives, or the errors of its reading."""
    file.write_text(text)
    problem = None
    try:
        law = read_law(file)
    except ShapeplanError as error:
        problem = error
    if problem is not None:
        assert all(detail.file == str(file) and detail.line and detail.message for detail in problem.details)
        return ""
    made = []
    for give in (
        lambda: plan_document(recommend(law, 1e21)).dumps(),
        lambda: predictions_document(law, predict(law, rows)).dumps(),
        lambda: figure_document(figure("valley", law), (law,)).dumps(),
    ):
        with contextlib.suppress(ShapeplanError):
            made.append(give())
    return "".join(made)


def test_a_mutated_document_is_refused_in_its_place_or_answers(tmp_path: Path, text: str) -> None:
    """No error but a placed one, and no number that is none: the documents refuse to write one."""
    rows = sweep()
    found = list(mutants(text))
    for name, mutant in found[:: len(found) // 60]:
        try:
            outcome(mutant, tmp_path / "law.json", rows)
        except Exception as error:
            raise AssertionError(name) from error


@pytest.mark.long
@pytest.mark.parametrize("law", ["additive", "chinchilla", "product", "interaction", "kaplan", "separable", "star"])
def test_every_mutation_of_a_document_is_refused_or_answered(tmp_path: Path, law: str) -> None:
    rows = sweep()
    whole = law_document(fit(read_runs(SAMPLES / "vit_sweep.yaml"), law=law, replicates=20)).dumps()
    for name, mutant in list(mutants(whole))[::7]:
        try:
            outcome(mutant, tmp_path / "law.json", rows)
        except Exception as error:
            raise AssertionError(name) from error


@pytest.mark.parametrize("name", ["isoflop_rw", "morph", "overtrain_c4"])
def test_a_fit_of_loosely_tied_dimensions_agrees_with_its_own_rows(shared: Path, tmp_path: Path, name: str) -> None:
    """What a shape costs is fitted in all dimensions of the log, the tied ones too."""
    found = fit(read_runs(shared / "sweeps" / f"{name}.csv"), law="separable", replicates=0)
    found.save(tmp_path / "law.json")
    assert read_law(tmp_path / "law.json").law.constants == found.law.constants
