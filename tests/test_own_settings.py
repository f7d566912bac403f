"""Rows that say a setting of their architecture: they are counted by it, and the law that is saved is read back."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import SAMPLES, Program

import shapeplan as sp

LM = SAMPLES / "stdlib_lm"
COLUMNS = ("run", "width", "depth", "mlp_dim", "tokens", "loss")
SETTINGS: dict[str, Callable[[dict[str, str]], int]] = {
    "seq": lambda row: 128 if int(row["depth"]) % 2 else 4096,
    "heads": lambda row: int(row["width"]) // (16 if int(row["depth"]) % 2 else 8),
}


@pytest.mark.long
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_law_of_such_rows_is_read_back(program: Program, tmp_path: Path, setting: str) -> None:
    log, law = tmp_path / "log.csv", tmp_path / "law.json"
    with (LM / "runs.csv").open() as source, log.open("w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow((*COLUMNS, setting))
        for row in csv.DictReader(source):
            writer.writerow([*(row[name] for name in COLUMNS), SETTINGS[setting](row)])
    config = ("--config", LM / "config.yaml")
    fitted = program("fit", log, *config, "--law", "separable", "--replicates", "20", "-q", "-o", law)
    assert fitted.returncode == 0, fitted.stderr
    assert json.loads(law.read_text())["own_settings"] == [setting]
    for command in (("recommend", "--law", law, "--flops", "1e15", "--force"), ("predict", law, log)):
        done = program(*command)
        assert done.returncode == 0, done.stderr
    edited = json.loads(law.read_text())
    edited["architecture"]["vocab"] *= 1000
    law.write_text(json.dumps(edited))
    done = program("recommend", "--law", law, "--flops", "1e15", "--force")
    # A law of rows of other lengths holds not how long each is; heads change little of what a row costs.
    assert ("the architecture gives rows another compute" in done.stderr) is (setting == "heads"), done.stderr


def rows_with(tmp_path: Path, column: str, cell: Callable[[dict[str, str]], str]) -> Path:
    log = tmp_path / "log.csv"
    with (LM / "runs.csv").open() as source, log.open("w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow((*COLUMNS, column))
        for row in csv.DictReader(source):
            writer.writerow([*(row[name] for name in COLUMNS), cell(row)])
    return log


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("seq_len", "4096", "seq is 4096 in every row, and 128 in the architecture"),
        ("context", "4k", "seq is 4096 in every row, and 128 in the architecture"),
        ("block_size", "long", "the column 'block_size' is not understood ('long')"),
        ("seq_len", "128", None),
    ],
)
def test_a_setting_that_no_row_shares_is_told(tmp_path: Path, column: str, cell: str, said: str | None) -> None:
    runs = sp.read_runs(rows_with(tmp_path, column, lambda row: cell), config=LM / "config.yaml")
    found = [one.message for one in runs.cautions if one.code == "architecture-mismatch"]
    assert len(found) == (said is not None)
    if said is not None:
        assert found[0].startswith(said)


@pytest.mark.parametrize(("size", "told"), [(8, True), (64, False)])
def test_heads_of_another_width_than_the_architecture_has_are_told(tmp_path: Path, size: int, told: bool) -> None:
    log = rows_with(tmp_path, "heads", lambda row: str(max(int(row["width"]) // size, 1)))
    runs = sp.read_runs(log, config=config_with(tmp_path, "head_dim: 64"))
    found = [one.message for one in runs.cautions if one.code == "architecture-mismatch"]
    assert any("are together" in message for message in found) is told


def config_with(tmp_path: Path, setting: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"architecture: {{family: decoder, vocab: 256, seq: 64, {setting}}}\n")
    return path


@pytest.mark.parametrize("cell", ["32x32", "/32", "32px", "(32, 32)", "[32, 32]"])
def test_squares_are_read_as_people_write_them(tmp_path: Path, cell: str) -> None:
    rows = [dict(row) for row in csv.DictReader((SAMPLES / "vit_sweep.csv").read_text().splitlines())]
    log = tmp_path / "log.csv"
    with log.open("w", newline="") as target:
        writer = csv.DictWriter(target, [*rows[0], "patch"])
        writer.writeheader()
        writer.writerows({**row, "patch": cell} for row in rows)
    config = tmp_path / "vit.yaml"
    config.write_text("architecture: {family: vit, patch: 14, image: 224, heads: 16}\n")
    runs = sp.read_runs(log, config=config)
    assert any(one.message.startswith("patch is 32 in every row, and 14 in") for one in runs.cautions)


def test_rows_of_several_settings_are_told_together(tmp_path: Path) -> None:
    """Of compute that rows log otherwise than they are counted there is one warning, whatever settings they say."""
    rows = [dict(row) for row in csv.DictReader((LM / "runs.csv").read_text().splitlines())]
    table = [
        {**row, "heads": 2 + 2 * (number % 3), "training_flops": 6e7 * float(row["tokens"])}
        for number, row in enumerate(rows)
    ]
    runs = sp.read_runs(table, config=LM / "config.yaml")
    found = [one.message for one in runs.cautions if "logged flops" in one.message]
    assert len(found) == 1
    assert f"of {len(rows)} rows" in found[0] or "every row" in found[0]


@pytest.mark.parametrize("column", ["teacher.seq_len", "attn.block_size"])
def test_settings_of_another_model_or_of_a_part_are_not_those_of_rows(tmp_path: Path, column: str) -> None:
    runs = sp.read_runs(rows_with(tmp_path, column, lambda row: "4096"), config=LM / "config.yaml")
    assert runs.own_settings == ()
    assert not [one for one in runs.cautions if one.code == "architecture-mismatch"]


def test_a_setting_that_some_rows_do_not_say_is_told(tmp_path: Path) -> None:
    log = rows_with(tmp_path, "seq_len", lambda row: "128" if int(row["depth"]) % 4 else "")
    runs = sp.read_runs(log, config=LM / "config.yaml")
    (found,) = [one.message for one in runs.cautions if one.code == "architecture-mismatch"]
    assert found.startswith("the column 'seq_len' is empty in ")
