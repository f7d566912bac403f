"""First lines that are no header, headers that lack columns, and tables that are turned or pivoted."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Program

import shapeplan as sp
from shapeplan.errors import InputError

HEADER = "run,width,depth,mlp_dim,tokens,flops,loss"
ROWS = [
    f"r{i},{width},{depth},{4 * width},{tokens:g},{6 * depth * 12 * width**2 * tokens:g},{3 - i / 50}"
    for i, (width, depth, tokens) in enumerate(
        (width, depth, tokens) for width in (256, 512, 768) for depth in (4, 8) for tokens in (2e9, 4e9)
    )
]


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def mistake(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as raised:
        sp.read_runs(path, **options)  # type: ignore[arg-type]
    return str(raised.value)


def test_a_file_without_a_header_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "runs.csv", *ROWS)
    assert (
        mistake(path) == f"{path}:1: the first line holds numbers; write a line with the names of the columns above it"
    )


@pytest.mark.parametrize("mark", ["...", "\u2026"])
def test_columns_that_a_print_leaves_out_are_told(tmp_path: Path, mark: str) -> None:
    path = write(tmp_path / "runs.csv", f"width,{mark},flops,loss", f"256,{mark},1e18,3.1", f"512,{mark},2e18,3.0")
    assert f"column '{mark}': columns are left out here; write all of them" in mistake(path)


@pytest.mark.parametrize("groups", [",model,,,training,,result", "run,size,size,size,training,training,result"])
def test_a_line_that_groups_columns_is_left_out(tmp_path: Path, groups: str) -> None:
    runs = sp.read_runs(write(tmp_path / "runs.csv", groups, HEADER, *ROWS))
    assert len(runs) == len(ROWS)
    assert runs.dims == ("width", "depth", "mlp_dim")
    assert runs.lines[0] == 3
    assert "line 1 groups the columns whose names stand in line 2: left out" in runs.notes


def test_a_table_with_a_column_a_width_is_told(tmp_path: Path) -> None:
    header = "depth,tokens,flops,loss_w256,loss_w384,loss_w512"
    path = write(
        tmp_path / "runs.csv", header, "4,1e9,1e18,3.2,3.1,3.0", "8,1e9,2e18,3.1,3.0,2.9", "12,1e9,3e18,3,2.9,2.8"
    )
    spread = "loss_w256, loss_w384, loss_w512"
    assert f"if {spread} are runs, give each a row (pandas: frame.melt); " in mistake(path)
    chosen = sp.read_runs(path, metric="loss_w256")
    message = "'loss_w256' is read, and loss_w384, loss_w512, which differ in a number alone, are not"
    assert message in [caution.message for caution in chosen.cautions]


def test_a_table_below_the_first_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "runs.csv", HEADER, *ROWS[:6], "run,depth,width,mlp_dim,tokens,flops,loss", *ROWS[6:])
    assert "column 'width': 'depth' is the name of a column; does another table begin here?" in mistake(path)


def test_a_document_a_run_is_read(tmp_path: Path) -> None:
    columns = HEADER.split(",")
    documents = ["\n".join(f"{c}: {v}" for c, v in zip(columns, row.split(","), strict=True)) for row in ROWS]
    path = write(tmp_path / "runs.yaml", "---", "\n---\n".join(documents), "---")
    runs, plain = sp.read_runs(path), sp.read_runs(write(tmp_path / "runs.csv", HEADER, *ROWS))
    assert runs.observed().tolist() == plain.observed().tolist()
    assert runs.lines.tolist() == [2 + 8 * i for i in range(len(ROWS))]


@pytest.mark.parametrize(
    "label",
    [
        *("Mean:", "Totals", "Average (n=12)", "mean of all", "overall", "stdev", "geomean", "mean\u00b1std", "25%"),
        *("Mittelwert", "Summe", "Moyenne", "avg_all", "All runs"),
    ],
)
def test_a_row_of_statistics_is_told(tmp_path: Path, label: str) -> None:
    path = write(tmp_path / "runs.csv", HEADER, *ROWS, f"{label},512,6,2048,3e9,1e20,2.9")
    assert "the row seems to be computed over others" in mistake(path)


def test_rows_that_describe_a_frame_are_told(tmp_path: Path) -> None:
    labels = ["count", "mean", "std", "min", "25%", "50%"]
    path = write(tmp_path / "runs.csv", HEADER, *ROWS, *(f"{label},512,6,2048,3e9,1e20,2.9" for label in labels))
    assert mistake(path).count("the row seems to be computed over others") == len(labels)


def test_what_a_shell_would_not_take_is_quoted(tmp_path: Path, program: Program) -> None:
    path = write(tmp_path / "runs.csv", HEADER, *ROWS, "r99,512,8,2048,4e9,1e20,don't know")
    result = program("check", path.name, cwd=tmp_path)
    assert """--where 'loss!=don'"'"'t know'""" in result.stderr
