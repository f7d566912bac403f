"""A key that comes twice: YAML and JSON take the last and say nothing; every reader refuses it with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import SAMPLES, Program

SETTINGS = "architecture: {family: vit, patch: 14, image: 224, heads: 16, pool: map}\nmetric: loss\nmetric: error\n"
NESTED = "architecture:\n  family: vit\n  patch: 14\n  image: 224\n  patch: 16\n  heads: 16\n"


@pytest.mark.parametrize(("text", "line", "key"), [(SETTINGS, 3, "metric"), (NESTED, 5, "patch")])
def test_of_settings(program: Program, tmp_path: Path, text: str, line: int, key: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    done = program("check", SAMPLES / "vit_sweep.csv", "--config", "settings.yaml")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: settings.yaml:{line}: column '{key}': the entry has it twice; keep one\n")


@pytest.mark.parametrize(
    "text",
    [
        '[{"width": 64, "config": {"depth": 2,\n"depth": 3}, "loss": 1.0}]',
        '{"runs": [{"width": 64, "loss": 1.0, "config":\n {"depth": 2, "depth": 3}}]}',
        "- width: 64\n  loss: 1.0\n  config: {depth: 1, depth: 3}\n",
    ],
)
def test_inside_the_rows_of_a_log(program: Program, tmp_path: Path, text: str) -> None:
    name = "log.yaml" if text.startswith("-") else "log.json"
    (tmp_path / name).write_text(text)
    done = program("check", name)
    assert done.returncode == 1
    line = text[: text.rindex("depth")].count("\n") + 1
    assert done.stderr.startswith(f"error: {name}:{line}: column 'depth': the entry has it twice; keep one\n")


def test_all_are_named_in_order(program: Program, tmp_path: Path) -> None:
    (tmp_path / "log.yaml").write_text("- {width: 64, width: 65}\n- {loss: 1, loss: 2}\n")
    found = json.loads(program("check", "log.yaml", "--json").stderr)["error"]
    places = [(one["code"], one["line"], one["column"]) for one in (found, *found["others"])]
    assert places == [("duplicate-key", 1, "width"), ("duplicate-key", 2, "loss")]


def test_an_anchor_that_is_used_twice_is_no_duplicate(program: Program, tmp_path: Path) -> None:
    text = "defaults: &d {depth: 2, mlp_dim: 64}\nruns:\n"
    text += "".join(
        f"- {{<<: *d, width: {w}, examples: 1e6, flops: {w}e12, loss: {2 - w / 99}}}\n" for w in (32, 48, 64)
    )
    (tmp_path / "log.yaml").write_text(text)
    assert "twice" not in program("check", "log.yaml").stderr


def test_of_a_law_document(program: Program, tmp_path: Path) -> None:
    done = program("fit", SAMPLES / "vit_sweep.csv", "--law", "separable", "--replicates", "20", "-o", "law.json", "-q")
    assert done.returncode == 0
    lines = (tmp_path / "law.json").read_text().split("\n")
    place = next(i for i, line in enumerate(lines) if '"seed"' in line)
    lines[place] = lines[place].replace('"seed"', '"seed": 7, "seed"')
    (tmp_path / "law.json").write_text("\n".join(lines))
    for command in (("recommend", "--law", "law.json", "--flops", "1e20"), ("predict", "law.json", "law.json")):
        done = program(*command)
        assert done.returncode == 1
        place_said = f"error: law.json:{place + 1}: column 'seed': the entry has it twice; keep one\n"
        assert done.stderr.startswith(place_said)
