"""Several metrics of one log, side by side."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program, additive_law, sweep

from shapeplan.documents.metrics import metrics_document
from shapeplan.errors import ArgumentError, FitError
from shapeplan.fitting.metrics import fit_metrics
from shapeplan.readers.read import read_metrics


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The sample with a second metric that is the first with other luck, and a third of another truth."""
    with open(SAMPLES / "vit_sweep.csv") as file:
        rows = list(csv.DictReader(file))
    again, other = sweep(0.003, 99).observed(), sweep(0.001, 7, additive_law()).observed()
    path = tmp_path / "metrics.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*rows[0], "again", "ocr"])
        columns = zip(rows, again.tolist(), other.tolist(), strict=True)
        writer.writerows([*row.values(), one, two] for row, one, two in columns)
    return path


@pytest.mark.long
def test_the_same_truth_agrees_and_another_does_not(log: Path) -> None:
    logs = read_metrics(log, ["loss", "again", "ocr"])
    assert list(logs) == ["loss", "again", "ocr"]
    found = fit_metrics(logs, law="star", replicates=99)
    assert [fit.metric for fit in found.fits.values()] == ["loss", "again", "ocr"]
    assert {"s_width", "s_depth", "s_mlp_dim"} <= found.exponents.keys()
    alike = fit_metrics({name: logs[name] for name in ("loss", "again")}, law="star", replicates=99)
    for agreement in alike.agreement.values():
        assert agreement.common is not None
        assert agreement.apart == ()
    assert ("loss", "ocr") in found.agreement["s_width"].apart
    assert found.agreement["s_width"].common is None


def test_warnings_name_the_metric_unless_all_have_them(log: Path) -> None:
    found = fit_metrics(read_metrics(log, ["loss", "ocr"]), law="star", replicates=50)
    messages = {caution.code: caution.message for caution in found.cautions}
    assert messages["off-star-misfit"].startswith("loss: ")
    assert messages["grid-one-duration"].startswith("every shape")


@pytest.mark.long
def test_processes_give_the_same_fits_and_errors(log: Path) -> None:
    logs, seen = read_metrics(log, ["loss", "ocr"]), []
    options = {"law": "star", "replicates": 20}
    alone = fit_metrics(logs, **options, done=lambda done, total: seen.append((done, total)))
    beside = fit_metrics(logs, jobs=2, **options)
    assert metrics_document(alone).model_dump_json() == metrics_document(beside).model_dump_json()
    assert seen == [(1, 2), (2, 2)]
    flat = {**logs, "ocr": replace(logs["ocr"], loss=np.full(121, 1.0))}
    with pytest.raises(FitError, match=r"ocr: .*the metric 'ocr' is the same in every row"):
        fit_metrics(flat, jobs=2, **options)


def test_one_metric_and_bad_ones_are_refused(log: Path) -> None:
    with pytest.raises(ArgumentError, match="nothing to compare with one metric"):
        fit_metrics(read_metrics(log, ["loss"]))
    flat = read_metrics(log, ["loss", "ocr"])
    flat["ocr"] = replace(flat["ocr"], loss=np.full(121, 1.0))
    with pytest.raises(FitError, match="ocr: the metric 'ocr' is the same in every row"):
        fit_metrics(flat, replicates=0)


@pytest.mark.long
def test_the_command_shows_them_side_by_side(program: Program, log: Path) -> None:
    arguments = ("fit", "-", "--metric", "loss", "--metric", "ocr", "--law", "star", "--replicates", "99")
    shown = program(*arguments, stdin=log.read_text())
    assert shown.returncode == 0, shown.stderr
    assert "metric  law   status  misfit" in shown.stdout
    assert "Scaling exponents s: alone, a dimension grows as compute^s (90% intervals)" in shown.stdout
    assert "width    differ: loss and ocr" in shown.stdout
    assert "agree on 0." in shown.stdout
    document = json.loads(program(*arguments, "--json", stdin=log.read_text()).stdout)
    assert document["kind"] == "shapeplan.metrics"
    assert document["exponents"]["s_width"].keys() == {"loss", "ocr"}
    assert document["agreement"]["s_width"]["apart"] == [["loss", "ocr"]]
    missing = program("fit", log, "--metric", "loss", "--metric", "okr")
    assert missing.returncode == 1
    assert "column 'okr': there is no such column; did you mean 'ocr'?" in missing.stderr
