"""Results and sizes of models in tables of their own, joined by the names of runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import shapeplan as sp
from shapeplan.errors import InputError

SHAPES = [(w, d, 4 * w) for w in (64, 128, 256) for d in (2, 4)]
TOKENS = (1e6, 2e6, 4e6)


def results() -> list[str]:
    lines = ["run_id,step,tokens,flops,val_loss"]
    for run, (w, d, _) in enumerate(SHAPES):
        lines += [f"r{run},{t / 1e3:g},{t:g},{6.0 * w**2 * d * t:g},{2 + 1 / d + t**-0.1:.6f}" for t in TOKENS]
    return lines


def sizes(names: str = "r{}") -> list[str]:
    rows = [",".join([names.format(run), *map(str, shape), "7"]) for run, shape in enumerate(SHAPES)]
    return ["run_id,d_model,n_layers,d_ff,seed", *reversed(rows)]


def written(folder: Path, *tables: list[str]) -> list[Path]:
    paths = [folder / f"{'abc'[i]}.csv" for i in range(len(tables))]
    for path, lines in zip(paths, tables, strict=True):
        path.write_text("\n".join(lines) + "\n")
    return paths


@pytest.mark.parametrize("first", ["results", "sizes"])
def test_sizes_are_joined_to_results_by_run(tmp_path: Path, first: str) -> None:
    tables = (results(), sizes()) if first == "results" else (sizes(), results())
    runs = sp.read_runs(written(tmp_path, *tables))
    expected = [(*shape, t) for shape in SHAPES for t in TOKENS]
    np.testing.assert_array_equal(np.column_stack([runs.shape, runs.examples]), expected)
    assert runs.run_names == tuple(f"r{run}" for run in range(len(SHAPES)))
    of_results, of_sizes = (
        tmp_path / name for name in (("a.csv", "b.csv") if first == "results" else ("b.csv", "a.csv"))
    )
    assert f"the sizes of {of_results} are those of its runs in {of_sizes}, by 'run_id'" in runs.notes


def test_results_and_sizes_may_be_in_several_tables(tmp_path: Path) -> None:
    head, *rows = results()
    runs = sp.read_runs(written(tmp_path, [head, *rows[:5]], sizes(), [head, *rows[5:]]))
    assert len(runs) == len(rows)
    numbered = [
        line.replace("r", "", 1) if line.startswith("r") and not line.startswith("run") else line for line in results()
    ]
    assert len(sp.read_runs(written(tmp_path, numbered, sizes("{}.0")))) == len(rows)


UNKNOWN = r"a\.csv:11: column 'run_id': no table of sizes has the run 'r3'"
TWICE = r"b\.csv:8: column 'run_id': the run 'r5' has its sizes twice"
NO_NUMBER = r"b\.csv:5: column 'd_model': 'wide' is not a number"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [line for line in lines if not line.startswith("r3,")], UNKNOWN),
        (lambda lines: [*lines, lines[1]], TWICE),
        (lambda lines: [line.replace("r2,128", "r2,wide") for line in lines], NO_NUMBER),
    ],
)
def test_what_cannot_be_joined_is_told(tmp_path: Path, change: object, message: str) -> None:
    assert callable(change)
    with pytest.raises(InputError, match=message):
        sp.read_runs(written(tmp_path, results(), change(sizes())))


def test_whole_logs_are_not_joined(tmp_path: Path) -> None:
    whole = ["run_id,width,depth,mlp_dim,tokens,flops,val_loss", "a,64,2,256,1e6,1e10,3", "b,128,2,512,1e6,4e10,2.9"]
    more = [whole[0], "c,64,4,256,1e6,2e10,2.8", "d,128,4,512,1e6,8e10,2.7"]
    assert len(sp.read_runs(written(tmp_path, whole, more))) == 4


def test_what_both_tables_have_is_told(tmp_path: Path) -> None:
    more = [f"{line},{'flops' if i == 0 else '1e15'}" for i, line in enumerate(sizes())]
    runs = sp.read_runs(written(tmp_path, results(), more))
    assert any(note.endswith("has it too: 'flops'") for note in runs.notes)
    assert runs.flops[0] == 6.0 * 64**2 * 2 * 1e6


def test_names_of_runs_are_no_numbers(tmp_path: Path) -> None:
    names = ["10", "1e1", "007", "7", "0x1", "1"]
    table = [
        line.replace(f"r{i},", f"{name},", 1)
        for i, name in enumerate(names)
        for line in results()
        if line.startswith(f"r{i},")
    ]
    of_sizes = [
        line.replace(f"r{i},", f"{name},", 1)
        for i, name in enumerate(names)
        for line in sizes()
        if line.startswith(f"r{i},")
    ]
    runs = sp.read_runs(written(tmp_path, [results()[0], *table], [sizes()[0], *of_sizes]))
    assert [tuple(row) for row in runs.shape] == [shape for shape in SHAPES for _ in TOKENS]


def test_a_mistake_in_the_results_has_their_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"b\.csv:20: column 'run': run 'r0' is at .* already on line 2 of .*b\.csv"):
        sp.read_runs(written(tmp_path, sizes(), [*results(), results()[1]]))
    with pytest.raises(InputError, match=r"b\.csv:2: column 'run_id': the cell is empty"):
        sp.read_runs(written(tmp_path, sizes(), [line.replace("r0,1000,", ",1000,") for line in results()]))
