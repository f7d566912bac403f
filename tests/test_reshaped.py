"""Tables whose rows are no points of training: measurements, turned tables, lists in cells, a loss a duration."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from test_layouts import HEADER, ROWS, SWEEP, same

import shapeplan as sp
from shapeplan.errors import InputError


def melted() -> list[dict[str, object]]:
    """Return a row a measurement of the sweep."""
    sizes = ("run", "width", "depth", "mlp_dim", "heads")
    return [
        {**{size: record[size] for size in sizes}, "metric": name, "value": float(cell)}
        for record in (dict(zip(HEADER, row, strict=True)) for row in ROWS)
        for name, cell in record.items()
        if name not in sizes
    ]


def test_measurements_and_runs_in_columns_are_read_from_memory() -> None:
    assert same(sp.read_runs(melted()))
    turned = [
        {"index": name, **{str(row[0]): row[i] for row in ROWS}} for i, name in enumerate(HEADER) if name != "run"
    ]
    assert same(sp.read_runs(turned))


def test_a_frame_whose_index_names_what_is_in_the_rows_is_turned() -> None:
    frame = pytest.importorskip("pandas").read_csv(SWEEP).set_index("run").T
    assert same(sp.read_runs(frame))


def test_measurements_are_read_from_workbooks_and_parquet(tmp_path: Path) -> None:
    openpyxl, pyarrow = pytest.importorskip("openpyxl"), pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = melted()
    book = openpyxl.Workbook()
    for row in ([*rows[0]], *(list(row.values()) for row in rows)):
        book.active.append(row)
    book.save(tmp_path / "runs.xlsx")
    numbered = [{**row, "__index_level_0__": 7 * i} for i, row in enumerate(rows)]
    parquet.write_table(pyarrow.Table.from_pylist(numbered), tmp_path / "runs.parquet")
    assert same(sp.read_runs(tmp_path / "runs.xlsx"))
    assert same(sp.read_runs(tmp_path / "runs.parquet"))


@pytest.mark.parametrize(
    "write", [json.dumps, str, lambda cells: f"[{', '.join(f'np.float64({cell!r})' for cell in cells)}]"]
)
def test_lists_in_cells_are_points_of_training(tmp_path: Path, write: Callable[[list[float]], str]) -> None:
    path = tmp_path / "runs.csv"
    shapes = [(w, d, 4 * w) for w in (64, 128, 256) for d in (2, 4)]
    tokens = [1e6, 2e6, 4e6]
    points = {
        shape: [(6.0 * shape[0] ** 2 * shape[1] * t, t, 2 + 1 / shape[1] + t**-0.1) for t in tokens] for shape in shapes
    }
    with path.open("w") as file:
        table = csv.writer(file)
        table.writerow(["width", "depth", "mlp_dim", "flops", "tokens", "val_loss"])
        table.writerows(
            [*shape, *(write(list(column)) for column in zip(*rows, strict=True))] for shape, rows in points.items()
        )
    runs = sp.read_runs(path)
    expected = [(*shape, *row) for shape, rows in points.items() for row in rows]
    np.testing.assert_array_equal(np.column_stack([runs.shape, runs.flops, runs.examples, runs.loss]), expected)
    assert len(runs.run_names) == len(shapes)
    assert "points of training listed in 'flops', 'tokens', 'val_loss' are rows" in runs.notes


def measurements(*, timed: bool) -> list[list[str]]:
    """Return a row a measurement: of everything, or of what is logged in the course of a run."""
    logged = ("examples", "forward_flops", "loss")
    of_run = [column for column in HEADER if column not in (*logged, "run")] if timed else []
    rows = [["run", *of_run, "key", "value", *(["timestamp"] if timed else [])]]
    for number, row in enumerate(ROWS):
        cells = dict(zip(HEADER, row, strict=True))
        for place, name in enumerate(column for column in HEADER if column not in (*of_run, "run")):
            time = [f"{number}.{place}"] if timed else []
            rows.append([cells["run"], *(cells[column] for column in of_run), name, cells[name], *time])
    return rows


@pytest.mark.parametrize("layout", ["melted", "melted with sizes", "turned"])
def test_tables_whose_rows_are_no_runs_are_reshaped(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "runs.csv"
    unique = [[f"{row[0]} {i}", *row[1:]] for i, row in enumerate(ROWS)]
    turned = [
        ["", *(row[0] for row in unique)],
        *(list(column) for column in list(zip(HEADER, *ROWS, strict=True))[1:]),
    ]
    table = turned if layout == "turned" else measurements(timed="sizes" in layout)
    with path.open("w") as file:
        csv.writer(file).writerows(table)
    assert same(sp.read_runs(path))


WIDE = [(width, depth) for width in (256, 384, 512, 768) for depth in (4, 8, 12)]


def by_duration(names: list[str], lost: str = "") -> str:
    """Return a table with a column for the loss at every duration, of which the last has no last run."""
    lines = [",".join(["d_model", "n_layers", "params", *names])]
    for width, depth in WIDE:
        losses = [f"{2 + 1 / depth + 9 / width + 1 / (1 + i):.4f}" for i in range(len(names))]
        if (width, depth) == WIDE[-1]:
            losses[-1] = lost
        lines.append(",".join([str(width), str(depth), str(12 * width**2 * depth), *losses]))
    return "\n".join(lines)


@pytest.mark.parametrize(
    "names",
    [
        ["loss@1B", "loss@2B", "loss@4B"],
        ["val_loss_1e9_tokens", "val_loss_2e9_tokens", "val_loss_4e9_tokens"],
        ["eval loss (1B tok)", "eval loss (2B tok)", "eval loss (4B tok)"],
        ["loss after 1000M tokens", "loss after 2000M tokens", "loss after 4000M tokens"],
        ["loss at 1.0B", "loss at 2.0B", "loss at 4.0B"],
    ],
)
def test_a_loss_a_duration_is_a_point_of_a_run(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(by_duration(names))
    runs = sp.read_runs(path, columns={"flops": "6ND"})
    shapes = [shape for shape in WIDE for _ in names][:-1]
    assert [tuple(row) for row in runs.shape] == shapes
    np.testing.assert_array_equal(runs.examples, np.tile([1e9, 2e9, 4e9], len(WIDE))[:-1])
    assert len(runs.run_names) == len(WIDE)
    assert "durations without a loss are left out: 1" in runs.notes
    assert any("are the losses of a run at so many" in note for note in runs.notes)


def test_a_loss_at_a_duration_may_be_asked_for_by_name_and_come_in_a_frame() -> None:
    frame = pytest.importorskip("pandas").read_csv(io.StringIO(by_duration(["loss@1B", "loss@2B"])))
    assert len(sp.read_runs(frame, columns={"flops": "6ND"})) == 2 * len(WIDE) - 1
    assert len(sp.read_runs(frame.assign(flops=frame["params"] * 6e9), metric="loss@1B")) == len(WIDE)


def test_a_wrong_loss_at_a_duration_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(by_duration(["loss@1B", "loss@2B"], lost="NaN%"))
    with pytest.raises(InputError, match=rf"runs\.csv:{len(WIDE) + 1}: column 'loss': 'NaN%'"):
        sp.read_runs(path, columns={"flops": "6ND"})


@pytest.mark.parametrize(
    "header",
    [
        "tokens,loss_100M,loss_300M",  # losses of two sizes
        "d_model,n_layers,params,loss_1,loss_2",  # losses of two seeds
        "d_model,n_layers,tokens,loss@1B,loss@2B",  # what the tokens are then is not said
        "d_model,n_layers,params,loss@1B tokens,loss@2k steps",
        "d_model,n_layers,params,loss@10k,loss@20k",  # tokens or steps
        "d_model,n_layers,params,loss@1B,loss_1B,loss_2B",  # two at one duration
        "d_model,n_layers,params,loss,loss@1B,loss@2B",  # the last is a column of its own
    ],
)
def test_losses_that_are_not_surely_of_durations_stay_columns(tmp_path: Path, header: str) -> None:
    path = tmp_path / "runs.csv"
    count = header.count(",") + 1
    path.write_text("\n".join([header, *(",".join(str(i + j + 2) for j in range(count)) for i in range(6))]))
    with pytest.raises(InputError, match=r"column '(loss|tokens)"):
        sp.read_runs(path, columns={"flops": "6ND"})


def test_a_mistake_in_a_measurement_is_placed(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    table = measurements(timed=False)
    table[8][2] = "lost"
    path.write_text("\n".join(map(",".join, table)))
    with pytest.raises(InputError, match=r"runs\.csv:9: column 'loss': 'lost' is not a number"):
        sp.read_runs(path)


def test_a_measurement_that_comes_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    table = measurements(timed=False)
    path.write_text("\n".join(map(",".join, [*table, table[-1]])))
    last = len(table)
    with pytest.raises(InputError, match=rf"runs\.csv:{last + 1}: .* 'loss' is measured in line {last} already"):
        sp.read_runs(path)


def test_sizes_that_are_measured_once_a_run_are_those_of_its_points(tmp_path: Path) -> None:
    shapes = {f"r{w}-{d}": (w, d) for w in (64, 128, 256) for d in (2, 4)}
    lines = ["run,key,value,timestamp,step"]
    for run, (w, d) in shapes.items():
        lines += [f"{run},width,{w},1,0", f"{run},depth,{d},1,0"]
        for step in (100, 200):
            measured = {"tokens": step * 1e4, "flops": 72.0 * w**2 * d * step * 1e4, "val_loss": 2 + 1 / d + 1 / step}
            lines += [f"{run},{key},{value!r},{step},{step}" for key, value in measured.items()]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines))
    runs = sp.read_runs(path)
    assert [tuple(row) for row in runs.shape] == [shape for shape in shapes.values() for _ in range(2)]
    assert f"points at which no loss was measured are left out: {len(shapes)}" in runs.notes
    keys, *rows = [line.split(",") for line in lines]
    listed = [{**dict(zip(keys, row, strict=True)), "tags": ["sweep", row[0]]} for row in rows]
    (tmp_path / "runs.json").write_text(json.dumps(listed))
    np.testing.assert_array_equal(sp.read_runs(tmp_path / "runs.json").shape, runs.shape)
    twice = [*lines, "r64-2,width,96,1,50"]
    path.write_text("\n".join(twice))
    with pytest.raises(InputError, match=r"column 'width': (the cell is empty|the entry lacks it)"):
        sp.read_runs(path)


def test_what_listed_points_lack_is_told(tmp_path: Path) -> None:
    flops = [[72.0 * w**2 * d * t for t in (1e6, 2e6, 4e6)] for w in (64, 128) for d in (2, 4)]
    made = [
        {"width": w, "depth": d, "flops": flops.pop(0), "tokens": [1e6, None, 4e6], "val_loss": [3.5, 3.4, 3.3 - 1 / d]}
        for w in (64, 128)
        for d in (2, 4)
    ]
    made[0]["val_loss"][1] = None
    (tmp_path / "runs.json").write_text(json.dumps(made))
    notes = sp.read_runs(tmp_path / "runs.json").notes
    assert "listed points without a metric are left out: 1" in notes
    assert "listed points that lack 'tokens' take it from the point before" in notes


def test_points_by_step_are_rows(tmp_path: Path) -> None:
    steps = (100, 200, 400)

    def point(w: int, d: int, s: int) -> dict[str, float]:
        return {"tokens": s * 1e4, "flops": 72.0 * w**2 * d * s * 1e4, "loss": 2 + 1 / d + 1 / s}

    made = {
        f"run {w} {d}": {
            "config": {"width": w, "depth": d, "mlp_dim": 4 * w},
            "metrics": {
                str(s): {"tokens": s * 1e4, "flops": 72.0 * w**2 * d * s * 1e4, "loss": 2 + 1 / d + 1 / s}
                for s in steps
            },
        }
        for w in (64, 128)
        for d in (2, 4)
    }
    path = tmp_path / "runs.json"
    path.write_text(json.dumps(made))
    runs = sp.read_runs(path)
    assert list(runs.examples) == [s * 1e4 for s in steps] * 4
    assert runs.run_names == tuple(made)


def test_durations_without_the_name_of_a_loss_are_told(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("width,depth,params,1B tokens,5B tokens\n512,8,5e7,3.4,3.1\n768,12,1.2e8,3.3,2.95\n")
    with pytest.raises(
        InputError, match="if 1B tokens, 5B tokens are losses at so much training, call them 'loss@1B t"
    ):
        sp.read_runs(path)
    path.write_text(path.read_text().replace("1B", "loss@1B").replace("5B", "loss@5B"))
    assert sp.read_runs(path, columns={"flops": "6ND"}).observed().tolist() == [3.4, 3.1, 3.3, 2.95]
