"""A file that ends inside its last cell is questioned; one that only lacks its last newline is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SAMPLES, Program

import shapeplan as sp
from shapeplan.errors import InputError

SIZES = list(enumerate(range(256, 1280, 64)))
TEXT = (SAMPLES / "vit_sweep.csv").read_text()


def codes_of(path: Path) -> list[str]:
    return [caution.code for caution in sp.read_runs(path).cautions]


@pytest.mark.parametrize("cut", range(5, 18, 2))
def test_a_cut_loss_is_named_with_line_column_and_value(program: Program, tmp_path: Path, cut: int) -> None:
    (tmp_path / "log.csv").write_text(TEXT[:-cut])
    value = TEXT[:-cut].rsplit(",", 1)[1]
    done = program("check", "log.csv")
    line = TEXT.count("\n")
    assert (
        f"warning: log.csv:{line}: column 'loss': the file ends inside a line, without a newline, at {value!r}, which "
        "is shorter than all other cells of its column (17 characters or more); copy the file again, or remove the "
        "line [cut-line]\n"
    ) in done.stderr
    assert program("check", "log.csv", "--strict").returncode != 0


def test_the_cell_may_be_compute_and_the_separator_a_tab(tmp_path: Path) -> None:
    lines = [",".join([*cells[:-2], cells[-1], cells[-2]]) for line in TEXT.splitlines() if (cells := line.split(","))]
    (tmp_path / "log.csv").write_text("\n".join(lines)[:-10])
    assert "cut-line" in codes_of(tmp_path / "log.csv")
    (tmp_path / "log.tsv").write_text("\n".join(lines).replace(",", "\t")[:-10])
    assert "cut-line" in codes_of(tmp_path / "log.tsv")


def test_of_several_files_the_one_that_is_cut_is_named(tmp_path: Path) -> None:
    head, *rows = TEXT.splitlines()
    (tmp_path / "a.csv").write_text("\n".join([head, *rows[:60]])[:-9])
    (tmp_path / "b.csv").write_text("\n".join([head, *rows[60:]]) + "\n")
    runs = sp.read_runs([tmp_path / "a.csv", tmp_path / "b.csv"])
    (found,) = [caution for caution in runs.cautions if caution.code == "cut-line"]
    assert f"{tmp_path / 'a.csv'}:61: column 'loss'" in found.message


@pytest.mark.parametrize("text", [TEXT, TEXT.rstrip("\n"), TEXT[:-5] + "\n", TEXT.replace("\n", "\r\n")])
def test_a_whole_line_and_a_short_cell_with_an_end_are_not(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.csv").write_bytes(text.encode())
    assert "cut-line" not in codes_of(tmp_path / "log.csv")


def test_a_column_that_nothing_reads_may_end_anyhow(tmp_path: Path) -> None:
    head, *rows = TEXT.splitlines()
    lines = [f"{head},remark", *(f"{row},remark {i:03}" for i, row in enumerate(rows))]
    (tmp_path / "log.csv").write_text("\n".join(lines)[:-4])
    assert "cut-line" not in codes_of(tmp_path / "log.csv")


@pytest.mark.parametrize("cut", [0, 4, 8, 12])
def test_block_yaml_may_end_inside_its_last_cell(tmp_path: Path, cut: int) -> None:
    rows = [
        f"  - run: r{i}\n    width: {w}\n    depth: 8\n    flops: {w}e14\n    loss: {2 + 100 / w:.12f}"
        for i, w in SIZES
    ]
    text = "runs:\n" + "\n".join(rows)
    (tmp_path / "log.yaml").write_text(text[: len(text) - cut])
    runs = sp.read_runs(tmp_path / "log.yaml")
    found = [caution.message for caution in runs.cautions if caution.code == "cut-line"]
    assert len(found) == (cut > 0)
    assert all(f"log.yaml:{text.count(chr(10)) + 1}: column 'loss'" in one for one in found)


def test_an_empty_last_record_has_no_last_cell(tmp_path: Path) -> None:
    for text in ("- {}", "- run: a\n- {}"):
        (tmp_path / "log.yaml").write_text(text)
        with pytest.raises(InputError, match="there is no such column"):
            sp.read_runs(tmp_path / "log.yaml")
