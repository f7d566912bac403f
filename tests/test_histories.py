"""Runs that list their points of training, in the forms of home-made and framework logs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
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


def test_the_line_of_a_point_is_that_of_its_run(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    entries = [with_points(0), with_points(1)]
    entries[1]["history"][1]["eval"]["val_loss"] = "x"
    path.write_text(json.dumps(entries, indent=1))
    with pytest.raises(InputError) as caught:
        sp.read_runs(path)
    (detail,) = caught.value.details
    lines = path.read_text().splitlines()
    assert detail.line == 1 + max(line for line, text in enumerate(lines) if text == " {")


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
    with pytest.raises(InputError, match=r"column 'val_loss': the entry lacks it"):
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


def read(entries: list[dict[str, Any]], **options: Any) -> sp.Runs:
    return sp.read_runs(entries, **options)


def test_totals_of_a_run_are_divided_by_the_steps_of_its_points() -> None:
    entries = [with_lists(number) for number in range(3)]
    totals = [entry["history"].pop("flops")[-1] for entry in entries]
    for entry, total in zip(entries, totals, strict=True):
        entry["history"]["step"] = list(STEPS)
        entry["total_flops"] = total
    runs = read(entries)
    assert runs.flops.tolist() == pytest.approx([total * step / STEPS[-1] for total in totals for step in STEPS])
    assert "'total_flops' of a run are those of its points in proportion to their steps" in runs.notes


def test_what_points_tell_is_not_taken_from_the_run() -> None:
    plain = read([with_lists(number) for number in range(3)])
    entries = [{**with_lists(number), "val_loss": 1.0, "total_flops": 1e30} for number in range(3)]
    runs = read(entries)
    assert runs.flops.tolist() == plain.flops.tolist()
    assert runs.observed().tolist() == plain.observed().tolist()


@pytest.mark.parametrize("nothing", [None, float("nan"), ""])
def test_tables_of_points_may_be_padded(nothing: object) -> None:
    """As `DataFrame.to_dict` pads what was not logged at a step."""
    entries = [with_lists(number) for number in range(3)]
    plain = read([with_lists(number) for number in range(3)])
    for entry in entries:
        flops, losses = entry["history"].values()
        entry["history"] = {
            "flops": [cell for one in flops for cell in (one, nothing)],
            "val_loss": [cell for one in losses for cell in (nothing, one)],
            "train_loss": [cell for one in losses for cell in (one + 1, nothing)],
        }
    runs = read(entries)
    assert runs.flops.tolist() == plain.flops.tolist()
    assert runs.observed().tolist() == plain.observed().tolist()


def test_points_of_training_and_of_evaluation_are_told_apart_by_a_word() -> None:
    plain = read([with_lists(number) for number in range(3)])
    entries = [with_lists(number) for number in range(3)]
    for entry in entries:
        points = zip(*entry["history"].values(), strict=True)
        entry["history"] = [
            {"flops": flops, "loss": loss + more, "split": split}
            for flops, loss in points
            for split, more in (("train", -1.0), ("val", 0.0))
        ]
    assert read(entries).observed().tolist() == plain.observed().tolist()


def test_lists_of_one_length_in_two_places_are_two() -> None:
    plain = read([with_lists(number) for number in range(3)])
    entries = [with_lists(number) for number in range(3)]
    for entry in entries:
        flops, losses = entry.pop("history").values()
        entry["val"] = {"flops": flops, "loss": losses}
        entry["train"] = {"flops": [one / 9 for one in flops], "loss": [one - 2 for one in losses]}
    runs = read(entries)
    assert (runs.flops.tolist(), runs.observed().tolist()) == (plain.flops.tolist(), plain.observed().tolist())


def test_what_was_counted_long_before_an_evaluation_is_in_proportion_to_the_steps() -> None:
    entries = [with_lists(number) for number in range(3)]
    wanted = [entry["history"]["flops"][-1] for entry in entries]
    for entry in entries:
        flops, losses = entry["history"].values()
        entry["history"] = [{"step": 100, "flops": flops[0]}, {"step": 400, "val_loss": losses[-1]}]
    assert read(entries).flops.tolist() == pytest.approx(wanted)


def test_arrays_tuples_and_numbers_of_numpy_are_lists() -> None:
    plain = read([with_lists(number) for number in range(3)])
    for kind in (np.array, tuple, lambda cells: [np.float64(cell) for cell in cells]):
        entries = [with_lists(number) for number in range(3)]
        for entry in entries:
            entry["config"]["betas"] = kind(entry["config"]["betas"])
            entry["config"]["rates"] = {0: 1e-3, 1000: 1e-4}
            entry["history"] = {name: kind(cells) for name, cells in entry["history"].items()}
        assert read(entries).flops.tolist() == plain.flops.tolist()


def test_runs_with_and_without_a_list_are_read_together() -> None:
    entries = [with_lists(number) for number in range(3)]
    flops, losses = entries[1].pop("history").values()
    entries[1] |= {"flops": flops[-1], "val_loss": losses[-1]}
    assert np.bincount(read(entries).run).tolist() == [3, 1, 3]


def test_a_history_of_an_accuracy_is_read() -> None:
    entries = [with_lists(number) for number in range(3)]
    for entry in entries:
        entry["history"]["val_accuracy"] = [1 / loss for loss in entry["history"].pop("val_loss")]
    assert len(read(entries, metric="val_accuracy", higher_is_better=True)) == 9
