"""One file a mistake, named for it, and the exact message that it earns (golden/bad_files.json)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shapeplan.cli.app import run

FOLDER = Path(__file__).parent / "bad_files"

MESSAGES: dict[str, list[str]] = json.loads((FOLDER.parent / "golden" / "bad_files.json").read_text())

DOUBTED = {
    "never_varies.csv": ["depth is 2 in every row"],
    "one_shape.csv": ["width is 64 in every row", "depth is 2 in every row"],
}
"""Logs that are sound but cannot be fitted: `check` answers, with these warnings."""


def test_every_bad_file_has_its_message_and_every_message_its_file() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(MESSAGES)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_messages(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER)
    for command in ("check", "fit"):
        if command == "check" and name in DOUBTED:
            continue
        assert run([command, name]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.rstrip("\n").split("\n") == MESSAGES[name]


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_the_same_as_json(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(["fit", name, "--json", "-o", "law.json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert not (FOLDER / "law.json").exists()
    error = json.loads(captured.err)["error"]
    assert {"code", "message", "file", "line", "column", "value", "hint"} <= error.keys()
    assert error["file"] == name
    assert error["hint"]
    # One mistake is a line, several are a table with a row each.
    told = [line for line in MESSAGES[name] if line.removeprefix("error: ").startswith(name)]
    assert len(told) == 1 + len(error.get("others", []))
    for one, line in zip([error, *error.get("others", [])], told, strict=True):
        assert one["message"] in line
        assert one["hint"] in line


def test_all_complaints_are_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(["check", "forty_seven_mistakes.csv", "--json"]) == 1
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["total"] == 47


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "studies",
            "error: studies: is a folder without a log: neither runs of a known tool (Hugging Face Trainer, "
            "MLflow, Weights & Biases, metrics in JSON Lines, tables beside a config, printed logs, TensorBoard) "
            "nor CSV, JSON or YAML files; name the file",
        ),
        ("nowhere/runs.csv", "error: nowhere/runs.csv: there is no such file; check the path"),
        ("test_bad_file.py", "error: test_bad_file.py: there is no such file; did you mean 'test_bad_files.py'?"),
    ],
)
def test_paths_that_are_no_logs(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER.parent)
    assert run(["check", name]) == 1
    assert capsys.readouterr().err.strip() == message


@pytest.mark.parametrize("name", sorted(DOUBTED))
def test_doubts(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(["check", name]) == 0
    warnings = [line for line in capsys.readouterr().err.split("\n") if line.endswith(" [not-varied]")]
    assert len(warnings) == len(DOUBTED[name])
    assert all(said in line for said, line in zip(DOUBTED[name], warnings, strict=True))


def test_annotations_for_workflows(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(["check", "not_a_number.csv", "--output-format", "github"]) == 1
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith(
        "::error file=not_a_number.csv,line=3,title=not-a-number::column 'loss': '0.5l' is not"
    )
    assert run(["check", "never_varies.csv", "--output-format=github"]) == 0
    assert "::warning title=not-varied::depth is 2 in every row; " in capsys.readouterr().out


def test_warnings_may_be_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(["check", "never_varies.csv", "--strict"]) == 1
    captured = capsys.readouterr()
    assert "Dimensions" in captured.out
    assert (
        captured.err.rstrip()
        .split("\n")[-1]
        .startswith("error: never_varies.csv: the log has warnings, which --strict refuses: not-varied")
    )
    assert run(["check", "nan.csv", "--output-format", "json"]) == 1
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "not-finite"
