"""Rows of a log of several files are named with their file, in warnings, tables and documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import SAMPLES, Program

import shapeplan as sp
from shapeplan.documents.files import read_law
from shapeplan.documents.law import law_document

HEAD, *LINES = [line for line in (SAMPLES / "vit_sweep.csv").read_text().splitlines() if not line.startswith("#")]
MIDDLE = len(LINES) // 2
LINE = 12
"""A line of both files; the cell is wrong in the second."""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    first, second = LINES[:MIDDLE], LINES[MIDDLE:]
    *cells, loss = second[LINE - 2].split(",")
    second[LINE - 2] = ",".join([*cells, str(1.5 * float(loss))])
    for name, lines in (("a.csv", first), ("b.csv", second)):
        (tmp_path / name).write_text("\n".join([HEAD, *lines]) + "\n")
    return tmp_path / "a.csv", tmp_path / "b.csv"


def test_an_outlier_has_its_file(files: tuple[Path, Path]) -> None:
    fitted = sp.fit(sp.read_runs(list(files)), law="additive", replicates=0)
    found = max(fitted.outliers, key=lambda outlier: abs(outlier.residual))
    assert (found.line, found.file) == (LINE, str(files[1]))
    (caution,) = [one for one in fitted.cautions if one.code == "outlier"]
    assert f"(line {LINE} of {files[1]}, " in caution.message
    assert fitted.rows is not None
    assert list(fitted.rows.files) == sorted(fitted.rows.files)
    one = sp.fit(sp.read_runs(files[0]), law="additive", replicates=0)
    assert one.rows is not None
    assert one.rows.files == ()


def test_documents_and_tables_say_it_too(files: tuple[Path, Path], program: Program) -> None:
    done = program("fit", "a.csv", "b.csv", "-o", "law.json", "--law", "additive", "--replicates", "20")
    assert f"line {LINE} of b.csv" in done.stdout
    path = files[0].with_name("law.json")
    data = json.loads(path.read_text())
    assert data["outliers"][0]["file"] == "b.csv"
    assert set(data["rows"]["file"]) == {"a.csv", "b.csv"}
    assert data["influences"]["alone"][0]["files"] == ["b.csv"]
    again = json.loads(law_document(read_law(path)).dumps())
    assert {**again, "inputs": data["inputs"]} == data
    data["outliers"][0]["file"] = "a.csv"
    path.write_text(json.dumps(data))
    assert "has no row of line 12 of a.csv" in program("recommend", "--law", "law.json", "--flops", "1e21").stderr


def test_a_file_of_another_study_is_told(tmp_path: Path) -> None:
    first, second = LINES[::2], LINES[1::2]
    for name, lines, factor in (("a.csv", first, 1.0), ("b.csv", second, 1.02), ("same.csv", second, 1.0)):
        cells = [line.split(",") for line in lines]
        body = [",".join([*row[:-1], f"{factor * float(row[-1]):.6f}"]) for row in cells]
        (tmp_path / name).write_text("\n".join([HEAD, *body]) + "\n")

    def messages(*names: str) -> list[str]:
        runs = sp.read_runs([tmp_path / name for name in names])
        return [
            one.message for one in sp.fit(runs, law="separable", replicates=0).cautions if one.code == "column-explains"
        ]

    (found,) = messages("a.csv", "b.csv")
    assert found.startswith("which file a row is from explains ")
    assert messages("a.csv", "same.csv") == []


def test_files_that_name_one_thing_differently_are_told_how_to_mend_it(
    files: tuple[Path, Path], program: Program
) -> None:
    files[1].write_text(files[1].read_text().replace(",loss", ",val_loss", 1))
    done = program("check", "a.csv", "b.csv")
    assert "--metric val_loss; if files name one thing differently, rename it in one of them" in done.stderr


def test_a_column_that_a_file_lacks_is_one_mistake(files: tuple[Path, Path], program: Program) -> None:
    header, *lines = (line.split(",") for line in files[1].read_text().splitlines())
    width, mlp = header.index("width"), header.index("mlp_dim")
    header[mlp] = "mlp_ratio"
    for cells in lines:
        cells[mlp] = str(float(cells[mlp]) / float(cells[width]))
    files[1].write_text("\n".join(map(",".join, [header, *lines])) + "\n")
    done = program("check", "a.csv", "b.csv", COLUMNS="200")
    assert done.returncode == 1
    assert "a.csv   mlp_ratio   the file has no such column, and b.csv has" in done.stderr
    assert "b.csv   mlp_dim     the file has no such column, and a.csv has" in done.stderr
    assert "2 mistakes: 1 in a.csv, 1 in b.csv" in done.stderr


def test_rows_of_a_folder_of_runs_are_in_the_files_of_these() -> None:
    runs = sp.read_runs(Path(__file__).parent / "logs" / "trainer")
    assert {runs.place(row).split("/")[-1] for row in range(len(runs))} == {"trainer_state.json"}
    assert len({runs.place(row) for row in range(len(runs))}) == len(runs)
