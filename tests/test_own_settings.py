"""Rows that say a setting of their architecture: they are counted by it, and the law that is saved is read back."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import SAMPLES, Program

LM = SAMPLES / "stdlib_lm"
COLUMNS = ("run", "width", "depth", "mlp_dim", "tokens", "loss")
SETTINGS: dict[str, Callable[[dict[str, str]], int]] = {
    "seq": lambda row: 128 if int(row["depth"]) % 2 else 4096,
    "heads": lambda row: int(row["width"]) // (16 if int(row["depth"]) % 2 else 8),
}


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
