"""Rows to predict are read as the log of the law was: its columns, its accuracy, its convention."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program

import shapeplan as sp
from shapeplan.errors import ArgumentError
from shapeplan.provenance import ReadAs

LOG = SAMPLES / "vit_sweep.csv"
RENAMED = {
    "swapped": {"width": "depth", "depth": "width"},
    "of another tool": {"width": "size.a", "depth": "size.b", "mlp_dim": "size.c", "loss": "score"},
}


def renamed(path: Path, names: Mapping[str, str], **changed: object) -> Path:
    with LOG.open() as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [names.get(column, column) for column in rows[0]])
        writer.writeheader()
        for row in rows:
            cells = {column: changed[column](cell) if column in changed else cell for column, cell in row.items()}
            writer.writerow({names.get(column, column): cell for column, cell in cells.items()})
    return path


def saved_law(program: Program, log: Path, *options: str) -> Path:
    law = log.with_suffix(".law.json")
    done = program("fit", log, *options, "--replicates", "0", "--law", "separable", "-q", "-o", law)
    assert done.returncode == 0, done.stderr
    return law


def predicted(program: Program, law: Path, rows: Path, *options: str) -> list[dict[str, str]]:
    done = program("predict", law, rows, *options, "-o", law.with_suffix(".csv"))
    assert done.returncode == 0, done.stderr
    with law.with_suffix(".csv").open() as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("kind", RENAMED)
def test_columns_named_for_the_fit_are_those_of_predictions(program: Program, tmp_path: Path, kind: str) -> None:
    names = RENAMED[kind]
    log = renamed(tmp_path / "log.csv", names)
    options = [f"--column={role}={name}" for role, name in names.items() if role != "loss"]
    options += ["--metric", names["loss"]] if "loss" in names else []
    law = saved_law(program, log, *options)
    plain = saved_law(program, renamed(tmp_path / "plain.csv", {}))
    rows = predicted(program, law, log)
    assert [row["predicted"] for row in rows] == [row["predicted"] for row in predicted(program, plain, LOG)]
    assert max(abs(float(row["residual"])) for row in rows) < 0.05
    if kind != "swapped":
        usual = predicted(program, law, renamed(tmp_path / "usual.csv", {}))
        assert [row["predicted"] for row in usual] == [row["predicted"] for row in rows]


def test_columns_of_the_options_win_and_what_was_read_is_said(program: Program, tmp_path: Path) -> None:
    names = RENAMED["swapped"]
    log = renamed(tmp_path / "log.csv", names)
    law = saved_law(program, log, "--column=width=depth", "--column=depth=width")
    done = program("predict", law, log)
    assert "note: read as the log of the law was: width from 'depth', depth from 'width'" in done.stderr
    rows = predicted(program, law, LOG, "--column=width=width", "--column=depth=depth")
    assert max(abs(float(row["residual"])) for row in rows) < 0.05


def test_an_accuracy_is_one_again(program: Program, tmp_path: Path) -> None:
    log = renamed(tmp_path / "log.csv", {"loss": "accuracy"}, loss=lambda cell: f"{1 - float(cell) / 10:.6f}")
    law = saved_law(program, log, "--metric", "accuracy", "--higher-is-better")
    assert json.loads(law.read_text())["metric"] == "1 - accuracy"
    rows = predicted(program, law, log)
    assert max(abs(float(row["residual"])) for row in rows) < 0.05


def test_what_flops_count_is_what_was_said_of_the_log(program: Program, tmp_path: Path) -> None:
    column = next(name for name in LOG.read_text().split("\n", 1)[0].split(",") if "flops" in name)
    log = renamed(tmp_path / "log.csv", {column: "flops"})
    law = saved_law(program, log, "--flops-convention", "forward")
    rows = predicted(program, law, log)
    assert max(abs(float(row["residual"])) for row in rows) < 0.05
    other = renamed(
        tmp_path / "other.csv", {column: "training_flops"}, **{column: lambda cell: f"{3 * float(cell):.17g}"}
    )
    again = predicted(program, law, other)
    assert np.allclose([float(row["predicted"]) for row in again], [float(row["predicted"]) for row in rows])


def test_rows_are_selected_for_predictions(program: Program, tmp_path: Path) -> None:
    law = saved_law(program, renamed(tmp_path / "log.csv", {}))
    rows = predicted(program, law, LOG, "--where", "width>1000")
    assert rows
    assert all(float(row["width"]) > 1000 for row in rows)
    assert len(rows) < len(LOG.read_text().splitlines()) - 1


def test_a_log_in_memory_is_read_as_that_of_a_law() -> None:
    with LOG.open() as stream:
        records = [{f"model.{column}": cell for column, cell in row.items()} for row in csv.DictReader(stream)]
    columns = {"width": "model.width", "depth": "model.depth", "mlp_dim": "model.mlp_dim"}
    runs = sp.read_runs(records, columns=columns, metric="model.loss")
    assert runs.read_as == ReadAs("model.loss", columns=columns)
    fit = sp.fit(runs, law="separable", replicates=0)
    assert fit.log.read_as == runs.read_as
    again = sp.read_runs(records, like=fit.log.read_as)
    assert again.dims == runs.dims
    assert np.array_equal(again.shape, runs.shape)
    assert np.array_equal(again.observed(), runs.observed())


def test_what_a_log_is_read_like_is_how_one_was_read(planned: sp.Fit) -> None:
    with pytest.raises(ArgumentError, match="how another log was read is a Fit, not a ReadAs"):
        sp.read_runs(LOG, like=planned)  # type: ignore[arg-type]
