"""Tables of millions of rows: what is read all at once is what is read row by row."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import shapeplan as sp
from shapeplan.cells import ABSENT, Cells
from shapeplan.errors import InputError
from shapeplan.numerals import as_float
from shapeplan.numerics.grouping import first_alike, first_of_group, group_alike, is_function
from shapeplan.readers import delimited
from shapeplan.readers.plain_text import split_plain
from shapeplan.readers.table import Record, Table

CELL = st.text('019.e-abA# "\téλ', max_size=4)


def parsed(text: str) -> list[object] | str:
    try:
        table = delimited.parse_delimited(text, "log", ",")
    except InputError as error:
        return str(error)
    cells = {name: list(column) for name, column in table.cells.items()}
    return [cells, table.lines.tolist(), table.header_line, table.notes, table.faults, table.semicolons]


@given(st.lists(st.lists(CELL, min_size=1, max_size=3), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
@example([["a", "b"], ["", ""], ["1", "2"]], "\n")
@example([["a", "b"], ["1", "2"], ["", "2"]], "\n")
@example([["a"], [""], ["1"]], "\n")
@example([["#a", "b"], ["#1", "2"]], "\n")
def test_plain_text_is_read_as_any_other(rows: list[list[str]], end: str) -> None:
    text = end.join(",".join(row) for row in rows) + end
    at_once = parsed(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "split_plain", lambda body, delimiter: None)
        assert parsed(text) == at_once


@given(st.lists(st.lists(st.text("01x", min_size=1, max_size=9), min_size=3, max_size=3), min_size=1, max_size=40))
def test_blocks_of_lines_are_joined(rows: list[list[str]]) -> None:
    text = "\n".join(",".join(row) for row in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shapeplan.readers.plain_text._BLOCK", 7)
        columns = split_plain(text, ",")
    assert columns is not None
    assert [list(column) for column in columns] == [list(column) for column in zip(*rows, strict=True)]


NUMBER = st.one_of(
    st.integers(0, 10**17).map(str),
    st.floats(allow_nan=False).map(repr),
    st.sampled_from(["007", "+5", "1e3", ".5", "5.", "inf", "", "x", "1_000", "1_0", "0", "000000000000000"]),
)


@given(st.lists(NUMBER, min_size=1, max_size=8))
def test_texts_are_the_numbers_that_one_by_one_are_read(texts: list[str]) -> None:
    def number(text: str) -> float | None:
        try:
            return as_float(text)
        except ValueError:
            return None

    expected = [number(text) for text in texts]
    for cells in (Cells.of_texts(texts), Cells(texts)):
        found = cells.numbers()
        assert (found is None) == (None in expected)
        if found is not None:
            assert found.tolist() == expected


@given(st.lists(st.text("abé", max_size=70), min_size=1, max_size=9), st.data())
def test_an_array_of_texts_is_a_list_of_them(texts: list[str], data: st.DataObject) -> None:
    cells, plain = Cells.of_texts(texts), Cells(texts)
    rows = np.array(data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=5)), dtype=int)
    assert list(cells) == texts
    assert [cells[i] for i in range(len(cells))] == texts
    assert list(cells.take(rows)) == [texts[i] for i in rows]
    assert list(Cells.joined([cells, plain])) == texts + texts
    for kind in (cells, plain):
        group, names = kind.groups()
        assert names == tuple(dict.fromkeys(texts))
        assert [names[i] for i in group] == texts


@given(st.lists(st.tuples(*[st.sampled_from([0.1, 1.0, 2.0, 1e300, -5.0])] * 3), min_size=1, max_size=30))
def test_rows_that_are_alike_are_found(rows: list[tuple[float, ...]]) -> None:
    columns = np.array(rows).T
    assert first_alike(*columns).tolist() == [rows.index(row) for row in rows]
    assert group_alike(*columns).tolist() == [list(dict.fromkeys(rows)).index(row) for row in rows]
    assert first_of_group(group_alike(*columns)).tolist() == first_alike(*columns).tolist()
    firsts = {row[:2]: row[2] for row in reversed(rows)}
    assert is_function(columns[2], group_alike(*columns[:2])) == all(firsts[row[:2]] == row[2] for row in rows)


def test_cells_that_rows_lack_are_told_from_empty_ones() -> None:
    table = Table.of_records([Record(1, {"a": 1}), Record(2, {"b": None})])
    assert list(table.cells["a"]) == [1, ABSENT]
    assert list(table.cells["b"]) == [ABSENT, None]
    assert [record.cells for record in table.records] == [{"a": 1}, {"b": None}]


def test_a_fault_far_down_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["run", "width", "depth", "flops", "tokens", "loss"])
    for i in range(50_000):
        writer.writerow([f"r{i % 100}", 64 * (1 + i % 4), 2 + i % 5 // 4, f"{1e15 * (1 + i):g}", 10**6 * (i + 1), 3.0])
    lines = out.getvalue().splitlines()
    lines[40_000] = lines[40_000].replace(",3.0", ",3.O")
    lines[45_000] += ",9"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError) as caught:
        sp.read_runs(path)
    told = [(detail.line, detail.column, detail.value) for detail in caught.value.details]
    assert told[0] == (40_001, "loss", "3.O")
    assert told[1][0] == 45_001


def read_text(folder: Path, text: str) -> sp.Runs:
    path = folder / "log.csv"
    path.write_text(text)
    return sp.read_runs(path)


HEADER = "run,width,depth,flops,tokens,loss"
BODY = "a,64,2,1e17,1e9,3\nb,128,2,4e17,1e9,2\nc,256,4,9e17,1e9,1.5\n"


def test_titles_above_the_header_are_left_out(tmp_path: Path) -> None:
    runs = read_text(tmp_path, f"Scaling sweep of May,,,,,\n,,,,,\n{HEADER}\n{BODY}")
    assert runs.run_names == ("a", "b", "c")
    assert "line 1 above the header is a title: left out" in runs.notes


def test_a_header_may_be_a_comment(tmp_path: Path) -> None:
    assert read_text(tmp_path, f"# made by hand\n# {HEADER}\n{BODY}").run_names == ("a", "b", "c")


def test_a_comma_in_a_name_separates_nothing(tmp_path: Path) -> None:
    body = BODY.replace(",", ";")
    runs = read_text(
        tmp_path, HEADER.replace(",", ";").replace("loss", "loss;note, by whom") + "\n" + body.replace("\n", ";x\n")
    )
    assert runs.observed().tolist() == [3, 2, 1.5]


def test_a_first_row_that_failed_is_no_row_of_units(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"log\.csv:2: column 'width': 'n/a' is not a number"):
        read_text(tmp_path, f"{HEADER}\nz,n/a,n/a,n/a,n/a,diverged\n{BODY}")


def test_values_that_rounding_alone_tells_apart_are_counted_at_any_length() -> None:
    from shapeplan.fitting.selection.identifiability import _values_apart

    close = 1e15 * (1 + 1e-9 * np.arange(50_000))
    assert _values_apart(close) == 1
    assert _values_apart(np.concatenate([close, [2e15, 3e15]])) >= 3
