"""One file a mistake, named for it, and the exact message that it earns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shapeplan.cli.app import run

FOLDER = Path(__file__).parent / "bad_files"

MESSAGES: dict[str, list[str]] = {
    "a_number.json": [
        "error: a_number.json:1: the runs are a number, not a list; write a list of runs, or a mapping with a list under 'runs:'",
    ],
    "ambiguous_column.csv": [
        "error: ambiguous_column.csv:1: column 'n_embd': 'd_model' and 'n_embd' both mean width; keep one",
    ],
    "bad_architecture.yaml": [
        "error: bad_architecture.yaml:2: column 'patch': architecture setting 'patch' = 300 is larger than the image (224); give a smaller patch",
    ],
    "bad_center.yaml": [
        "error: bad_center.yaml:1: column 'star.center': field required; write e.g. star: {center: {width: 1968, depth: 40, mlp_dim: 6144}}",
        "error: bad_center.yaml:1: column 'star.centre': extra inputs are not permitted; write e.g. star: {center: {width: 1968, depth: 40, mlp_dim: 6144}}",
    ],
    "bad_convention.yaml": [
        "error: bad_convention.yaml:1: column 'flops_convention': input should be 'forward' or 'training'; write forward or training",
    ],
    "bad_syntax.yaml": [
        "error: bad_syntax.yaml:3: is not YAML: did not find expected ',' or '}'; mend the syntax here",
    ],
    "binary_junk.csv": [
        "error: binary_junk.csv:1: is not text: it holds NUL bytes; save it as UTF-8 text",
    ],
    "blank.csv": [
        "error: blank.csv: is empty; a log has a header and rows, or a list of runs",
    ],
    "broken_line.jsonl": [
        "error: broken_line.jsonl:2: is not JSON: expecting property name enclosed in double quotes; mend the syntax here",
    ],
    "decimal_comma.tsv": [
        "error: decimal_comma.tsv:2: column 'loss': '3,1' is not a number; write 3.1",
    ],
    "duplicate_header.csv": [
        "error: duplicate_header.csv:1: column 'loss': the header has it 2 times; rename or remove one",
    ],
    "duplicate_key.yaml": [
        "error: duplicate_key.yaml:2: column 'width': the entry has it twice; keep one",
    ],
    "duplicate_row.csv": [
        "error: duplicate_row.csv:4: the row is the same as line 2 in every cell; remove one",
    ],
    "empty.csv": [
        "error: empty.csv: is empty; a log has a header and rows, or a list of runs",
    ],
    "empty_cell.csv": [
        "error: empty_cell.csv:3: column 'depth': the cell is empty; fill it in, or remove the row",
    ],
    "empty_header.csv": [
        "error: empty_header.csv:1: the header's cell 3 is empty; name the column",
    ],
    "entry_is_a_list.yaml": [
        "error: entry_is_a_list.yaml:2: entry 1 of the runs is a list, not a mapping; write column: value pairs",
    ],
    "forty_seven_mistakes.csv": [
        "error: forty_seven_mistakes.csv:2: column 'loss': 'bad0' is not a number; write a plain number such as 0.51",
        "error: forty_seven_mistakes.csv:3: column 'loss': 'bad1' is not a number; write a plain number such as 0.51",
        "error: forty_seven_mistakes.csv:4: column 'loss': 'bad2' is not a number; write a plain number such as 0.51",
        "error: forty_seven_mistakes.csv:5: column 'loss': 'bad3' is not a number; write a plain number such as 0.51",
        "error: forty_seven_mistakes.csv:6: column 'loss': 'bad4' is not a number; write a plain number such as 0.51",
        "error: forty_seven_mistakes.csv:7: column 'loss': 'bad5' is not a number; write a plain number such as 0.51",
        "error: forty_seven_mistakes.csv:8: column 'loss': 'bad6' is not a number; write a plain number such as 0.51",
        "error: forty_seven_mistakes.csv:9: column 'loss': 'bad7' is not a number; write a plain number such as 0.51",
        "error: forty_seven_mistakes.csv:10: column 'loss': 'bad8' is not a number; write a plain number such as 0.51",
        "error: forty_seven_mistakes.csv:11: column 'loss': 'bad9' is not a number; write a plain number such as 0.51",
        "and 37 more",
    ],
    "header_only.csv": [
        "error: header_only.csv:1: has a header but no rows; add a row a point of training",
    ],
    "inf.csv": [
        "error: inf.csv:2: column 'loss': '-inf' is not finite; remove the row: a run that diverged cannot be fitted",
    ],
    "missing_compute.csv": [
        "error: missing_compute.csv:1: column 'flops': the rows say no compute; add flops, or examples and an architecture; the columns are: run, width, depth, examples, loss",
    ],
    "missing_metric.csv": [
        "error: missing_metric.csv:1: column 'loss': there is no such column; did you mean 'los'? the columns are: run, width, depth, mlp_dim, flops, los; name the column with --metric",
    ],
    "missing_setting.yaml": [
        "error: missing_setting.yaml:1: column 'patch': architecture setting 'patch' is missing; the family 'vit' needs it",
    ],
    "missing_shape.csv": [
        "error: missing_shape.csv:1: column 'width': there is no column of shape: width, depth or mlp_dim; did you mean 'width' by 'widht'? the columns are: run, widht, flops, loss; name others with --dims",
    ],
    "misspelt_setting.yaml": [
        "error: misspelt_setting.yaml:1: column 'architecure': is no setting; did you mean 'architecture'?",
    ],
    "nan.csv": [
        "error: nan.csv:2: column 'loss': 'nan' is not finite; remove the row: a run that diverged cannot be fitted",
    ],
    "negative_compute.csv": [
        "error: negative_compute.csv:2: column 'flops': '-1e15' is not above zero; check the row",
    ],
    "nested.json": [
        "error: nested.json:1: column 'width': \"{'value': 64}\" is not a number; write a plain number such as 0.51",
    ],
    "no_runs.yaml": [
        "error: no_runs.yaml:1: the mapping has no 'runs' (its keys: architecture); write a list of runs, or a mapping with a list under 'runs:'",
    ],
    "not_a_number.csv": [
        "error: not_a_number.csv:3: column 'loss': '0.5l' is not a number; write 0.5 if that is meant",
    ],
    "not_utf8.csv": [
        "error: not_utf8.csv:2: is not UTF-8 (byte \\xe9); save it as UTF-8",
    ],
    "null_and_bool.json": [
        "error: null_and_bool.json:2: column 'depth': 'True' is not a number; write a plain number such as 0.51",
        "error: null_and_bool.json:2: column 'loss': the cell is empty; fill it in, or remove the row",
    ],
    "open_quote.csv": [
        "error: open_quote.csv:2: cannot be split into cells: unexpected end of data; check the quotes",
    ],
    "ragged.yaml": [
        "error: ragged.yaml:3: column 'loss': the entry lacks it; add it, or remove the entry",
        "error: ragged.yaml:4: column 'depth': the entry lacks it; add it, or remove the entry",
    ],
    "repeated_point.csv": [
        "error: repeated_point.csv:3: column 'run': run 'a' is at 1e15 FLOPs already on line 2 with another loss; keep one, or give repeated runs different names",
    ],
    "runs_is_a_mapping.yaml": [
        "error: runs_is_a_mapping.yaml:1: the runs are a mapping, not a list; write a list of runs, or a mapping with a list under 'runs:'",
    ],
    "semicolons.csv": [
        "error: semicolons.csv:1: the header is one cell, split by ';'; separate cells by commas (.csv) or tabs (.tsv)",
    ],
    "suffix.csv": [
        "error: suffix.csv:2: column 'flops': '64M' is not a number; write 64000000",
    ],
    "text_for_a_number.json": [
        "error: text_for_a_number.json:3: column 'loss': 'n/a' is not a number; write a plain number such as 0.51",
    ],
    "thousands_separator.csv": [
        "error: thousands_separator.csv:2: column 'width': '1,024' is not a number; write 1024",
    ],
    "tokens_of_a_vit.yaml": [
        "error: tokens_of_a_vit.yaml:1: column 'tokens': a vit sees examples, not tokens; name the column examples (images)",
    ],
    "too_few_cells.csv": [
        "error: too_few_cells.csv:3: the row has 5 cells, the header 6; fill in the missing cells",
    ],
    "too_many_cells.csv": [
        "error: too_many_cells.csv:3: the row has 7 cells, the header 6; quote cells that hold the delimiter",
    ],
    "trailing_comma.json": [
        "error: trailing_comma.json:1: is not JSON: expecting value; mend the syntax here",
    ],
    "two_compute_columns.csv": [
        "error: two_compute_columns.csv:1: column 'total_flops': 'gflops' and 'total_flops' both mean compute; keep one",
    ],
    "two_shapes_in_a_run.csv": [
        "error: two_shapes_in_a_run.csv:3: column 'run': run 'a' has another shape than on line 2; a run trains one shape: give the runs different names",
    ],
    "unknown_family.yaml": [
        "error: unknown_family.yaml:1: column 'family': architecture setting 'family' = cnn is no family; choose one of vit, decoder",
    ],
    "utf16.csv": [
        "error: utf16.csv:1: is not text: it holds NUL bytes; save it as UTF-8 text",
    ],
    "wrong_top_level.yaml": [
        "error: wrong_top_level.yaml:1: the runs are text, not a list; write a list of runs, or a mapping with a list under 'runs:'",
    ],
    "zero_depth.csv": [
        "error: zero_depth.csv:2: column 'depth': '0' is not above zero; check the row",
    ],
    "zero_loss.csv": [
        "error: zero_loss.csv:2: column 'loss': 0 is not above zero; relative errors need a positive metric: give a loss or an error rate",
    ],
}


def test_every_bad_file_has_its_message_and_every_message_its_file() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(MESSAGES)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_messages(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER)
    for command in ("check", "fit"):
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
    assert error["message"] in MESSAGES[name][0]
    assert 1 + len(error.get("others", [])) == min(len(MESSAGES[name]), 10)


def test_all_complaints_are_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(["check", "forty_seven_mistakes.csv", "--json"]) == 1
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["total"] == 47


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bad_files", "error: bad_files: is a directory; name a file inside it"),
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
