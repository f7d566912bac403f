"""A column that is wrong from the start is told without reading a million rows; one that is wrong in places, whole."""

from __future__ import annotations

from pathlib import Path

import pytest

import shapeplan as sp
from shapeplan.errors import InputError
from shapeplan.readers import values

ROWS = 60_000


def written(path: Path, wrong: range | tuple[int, ...], rows: int = ROWS) -> Path:
    """A log of so many rows, some of which have a word for a loss."""
    bad = set(wrong)
    lines = [
        f"r{i},{256 + 64 * (i % 7)},4,{1e18 * (1 + i):.6g},{f'oops{i}' if i in bad else f'{3 - 1e-5 * i:.6f}'}"
        for i in range(rows)
    ]
    path.write_text("\n".join(["run,width,depth,flops,loss", *lines]) + "\n")
    return path


@pytest.mark.parametrize("wrong", [range(ROWS), range(0, ROWS, 2), range(500)])
def test_the_rest_is_not_read_where_most_of_the_first_cells_are_wrong(tmp_path: Path, wrong: range) -> None:
    path = written(tmp_path / "log.csv", wrong)
    with pytest.raises(InputError) as caught:
        sp.read_runs(path)
    first, *others = caught.value.details
    some = len([i for i in wrong if i < 1000])
    assert caught.value.total == 1 + some
    assert first.code == "wrong-column"
    assert first.message == (
        f"{some} of the first 1000 cells of 'loss' are wrong, and the {ROWS - 1000} rows below them are not read"
    )
    assert (first.file, first.line, first.column) == (str(path), 1, "loss")
    assert others[0].line == 2
    assert others[0].message == "'oops0' is not a number"


@pytest.mark.long
@pytest.mark.parametrize("wrong", [range(0, ROWS, 3), range(5000, ROWS), (17, 40_000)])
def test_all_mistakes_are_counted_where_the_first_cells_are_mostly_sound(
    tmp_path: Path, wrong: range | tuple[int, ...]
) -> None:
    with pytest.raises(InputError) as caught:
        sp.read_runs(written(tmp_path / "log.csv", wrong))
    assert caught.value.total == len(wrong)
    assert {detail.code for detail in caught.value.details} == {"not-a-number"}


def test_a_column_that_is_not_there_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        sp.read_runs(written(tmp_path / "log.csv", range(ROWS)), dims=["nope"])
    assert [detail.column for detail in caught.value.details[:2]] == ["nope", "loss"]
    assert caught.value.total == 1002


def test_a_small_table_is_read_whole(tmp_path: Path) -> None:
    rows = values._LARGE - 1
    with pytest.raises(InputError) as caught:
        sp.read_runs(written(tmp_path / "log.csv", range(rows), rows))
    assert caught.value.total == rows
