"""Runs that list their points of training, in the forms of home-made and framework logs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import shapeplan as sp
from shapeplan.errors import InputError
from shapeplan.readers.histories import points_in
from shapeplan.readers.table import Record

SHAPES = ((256, 4, 1024), (512, 8, 2048), (768, 12, 3072))
STEPS = (100, 200, 400)


def run(number: int) -> dict[str, Any]:
    width, depth, mlp_dim = SHAPES[number]
    flops = [6.0 * 12 * width * width * depth * 5e5 * step for step in STEPS]
    return {
        "name": f"run-{number}",
        "config": {"width": width, "depth": depth, "mlp_dim": mlp_dim, "betas": [0.9, 0.95]},
        "params": 12 * width * width * depth,
        "flops": flops,
        "val_loss": [4 - 0.1 * number - 0.01 * point for point in range(len(flops))],
    }


def with_lists(number: int) -> dict[str, Any]:
    entry = run(number)
    entry["history"] = {name: entry.pop(name) for name in ("flops", "val_loss")}
    return entry


def with_points(number: int) -> dict[str, Any]:
    entry = run(number)
    points = zip(entry.pop("flops"), entry.pop("val_loss"), strict=True)
    entry["history"] = [{"flops": flops, "eval": {"val_loss": loss}} for flops, loss in points]
    return entry


def with_both(number: int) -> dict[str, Any]:
    entry = with_lists(number)
    entry["train"] = {"flops": [1e6, 2e6, 3e6, 4e6], "loss": [9.0, 8.0, 7.0, 6.0]}
    return entry


def with_training_between(number: int) -> dict[str, Any]:
    """Return a run whose evaluations are told without what was counted, which the points of training tell."""
    entry = with_lists(number)
    points: list[dict[str, Any]] = []
    for flops, loss in zip(*entry["history"].values(), strict=True):
        points += [{"flops": flops / 2, "loss": 9.0}, {"flops": flops, "loss": 8.0, "lr": 1e-3}, {"eval_loss": loss}]
    return {**entry, "history": points}


@pytest.mark.parametrize("entry", [run, with_lists, with_points, with_both, with_training_between])
def test_every_point_is_a_row(tmp_path: Path, entry: Callable[[int], dict[str, Any]]) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps([entry(number) for number in range(3)]))
    runs = sp.read_runs(path)
    assert len(runs) == 9
    assert list(runs.run_names) == ["run-0", "run-1", "run-2"]
    assert runs.loss is not None
    assert runs.loss[:3] == pytest.approx([4, 3.99, 3.98])
    assert runs.shape[:, 0].tolist() == [256] * 3 + [512] * 3 + [768] * 3
    assert any("are rows" in note for note in runs.notes)
    assert any("left out: they are of training" in note for note in runs.notes) == (entry is with_both)


def test_lines_are_those_of_the_points(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    entry = with_points(0)
    entry["history"][1]["eval"]["val_loss"] = "x"
    path.write_text(json.dumps([entry], indent=1))
    with pytest.raises(InputError) as caught:
        sp.read_runs(path)
    (detail,) = caught.value.details
    assert detail.line is not None
    wrong = next(line for line, text in enumerate(path.read_text().splitlines(), 1) if '"x"' in text)
    assert wrong - 3 <= detail.line <= wrong


def test_runs_without_names_are_named_by_their_files(tmp_path: Path) -> None:
    for number in range(3):
        entry = with_lists(number)
        del entry["name"]
        (tmp_path / f"{number}.json").write_text(json.dumps(entry))
    runs = sp.read_runs(tmp_path)
    assert [Path(name).name for name in runs.run_names] == ["0.json", "1.json", "2.json"]
    assert len(runs) == 9


def test_a_run_that_was_never_evaluated_is_complained_of(tmp_path: Path) -> None:
    entries = [with_lists(number) for number in range(3)]
    entries[1]["history"]["val_loss"] = [None] * len(STEPS)
    (tmp_path / "log.json").write_text(json.dumps(entries, indent=1))
    with pytest.raises(InputError, match=r"column 'history\.val_loss': the entry lacks it"):
        sp.read_runs(tmp_path / "log.json")


def test_records_in_memory_are_read_alike(tmp_path: Path) -> None:
    entries = [with_lists(number) for number in range(3)]
    (tmp_path / "log.json").write_text(json.dumps(entries))
    filed = sp.read_runs(tmp_path / "log.json")
    assert sp.read_runs(entries).flops.tolist() == filed.flops.tolist()


@pytest.mark.parametrize(
    "cells",
    [
        {"width": 8, "loss": 3.0, "betas": [0.9, 0.95]},
        {"width": 8, "loss": [3.0, 2.9]},
        {"width": 8, "loss": [3.0, 2.9], "flops": [1e9]},
        {"loss": [3.0, 2.9], "flops": [1e9, 2e9]},
        {"width": 8, "loss": [], "flops": []},
        {"width": 8, "a": {"loss": [3.0], "flops": [1e9]}, "loss": [3.0, 2.9], "flops": [1e9, 2e9]},
    ],
)
def test_other_lists_are_left_as_they_are(cells: dict[str, Any]) -> None:
    flat = {**cells, **{f"a.{name}": cell for name, cell in cells.get("a", {}).items()}}
    flat.pop("a", None)
    assert points_in(Record(1, flat)) is None
