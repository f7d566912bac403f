"""Choosing rows: conditions, rows without a metric, last points; what is left out is counted and listed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Program
from hypothesis import given
from hypothesis import strategies as st
from test_logs import LOGS, rows, write

import shapeplan as sp
from shapeplan.errors import ArgumentError, InputError
from shapeplan.readers.numbers import DECIMAL_COMMA, SUFFIXES, THOUSANDS, read_numbers
from shapeplan.readers.table import Record, Table


def kept(path: Path, *where: str) -> list[str]:
    runs = sp.read_runs(path, selection=sp.Selection(where=where))
    return [runs.run_names[i] for i in runs.run]


@pytest.mark.parametrize(
    ("where", "keeps"),
    [
        ("width=320", lambda row: row["width"] == 320),
        ("width != 320", lambda row: row["width"] != 320),
        ("depth<6", lambda row: row["depth"] < 6),
        ("depth >= 6", lambda row: row["depth"] >= 6),
        ("width in 192, 512", lambda row: row["width"] in (192, 512)),
        ("width not in 192, 512", lambda row: row["width"] not in (192, 512)),
        ("run=s001", lambda row: row["run"] == "s001"),
    ],
)
def test_conditions(where: str, keeps: Any) -> None:
    assert kept(LOGS / "plain.csv", where) == [row["run"] for row in rows() if keeps(row)]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("width", "is no condition; write e.g."),
        ("wide=3", "`where` names 'wide', which is no column"),
        ("width<big", "'big' is not a number"),
    ],
)
def test_conditions_that_cannot_be(where: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        kept(LOGS / "plain.csv", where)
    with pytest.raises(InputError, match="no row has width=7; width is 192, 320, 512"):
        kept(LOGS / "plain.csv", "width=7")


def test_rows_without_a_finite_metric_are_left_out_on_demand(tmp_path: Path) -> None:
    table = rows()
    table[3]["loss"], table[7]["loss"], table[9]["loss"] = "nan", "", "inf"
    path = write(tmp_path, table)
    with pytest.raises(InputError, match="`drop_nonfinite`"):
        sp.read_runs(path)
    runs = sp.read_runs(path, selection=sp.Selection(drop_nonfinite=True))
    assert [row.line for row in runs.dropped] == [5, 9, 11]
    assert len(runs) == len(table) - 3


def test_the_last_point_of_every_run(tmp_path: Path) -> None:
    table = [{**row, "run": f"r{i // 3}"} for i, row in enumerate(rows())]
    runs = sp.read_runs(write(tmp_path, table), selection=sp.Selection(last_point=True))
    assert len(runs) == len(runs.run_names) == len(table) // 3
    assert set(runs.examples.tolist() if runs.examples is not None else ()) == {320e6}


def test_rows_left_out_are_counted_and_listed(program: Program, tmp_path: Path) -> None:
    done = program(
        "fit", LOGS / "wandb_crashed.csv", "--where", "State=finished", "--replicates", "0", "-o", "law.json"
    )
    assert done.returncode == 0, done.stderr
    assert "note: left out 2 rows: not State=finished" in done.stderr
    law = json.loads((tmp_path / "law.json").read_text())
    assert [row["reason"] for row in law["dropped"]] == ["not State=finished"] * 2
    assert law["command"].endswith("--where State=finished --replicates 0")
    again = program("recommend", "--law", "law.json", "--flops", "1e19")
    assert again.returncode == 0, again.stderr


def numbers(cells: list[str], *, semicolons: bool = False, metric: bool = False) -> tuple[list[float], str | None, int]:
    table = replace(Table.of_records([Record(i, {"x": cell}) for i, cell in enumerate(cells)]), semicolons=semicolons)
    values, notation, details = read_numbers(table, "x", "log", positive=not metric)
    return values.tolist(), notation, len(details)


@given(st.lists(st.integers(1, 10**12), min_size=1).filter(lambda found: max(found) > 999))
def test_thousands_separators_are_read(found: list[int]) -> None:
    assert numbers([f"{value:,}" for value in found]) == ([float(value) for value in found], THOUSANDS.name, 0)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1))
def test_decimal_commas_are_read_between_semicolons(found: list[float]) -> None:
    cells = [repr(value).replace(".", ",") for value in found]
    values, notation, mistakes = numbers(cells, semicolons=True)
    assert (values, mistakes) == (found, 0)
    assert notation == (DECIMAL_COMMA.name if any("," in cell for cell in cells) else None)


def test_suffixes_and_percents_are_read() -> None:
    assert numbers(["18.5B", "370M", "1.2T", "64k", "7"]) == ([18.5e9, 370e6, 1.2e12, 64e3, 7.0], SUFFIXES.name, 0)
    values, notation, mistakes = numbers(["77.05%", "3 %"])
    np.testing.assert_allclose(values, [0.7705, 0.03])
    assert notation is not None
    assert mistakes == 0


@pytest.mark.parametrize("cells", [["1,024", "2.5e3", "1,02"], ["3,1", "2.9"], ["5%", "0.5"], ["1.2B", "big"]])
def test_cells_that_disagree_are_errors(cells: list[str]) -> None:
    assert numbers(cells)[2] > 0


def test_frames_and_records_are_logs() -> None:
    plain = sp.read_runs(LOGS / "plain.csv")

    class Polars:
        def to_dicts(self) -> list[dict[str, Any]]:
            return rows()

    class Pandas:
        def to_dict(self, orient: str) -> list[dict[str, Any]]:
            assert orient == "records"
            return [{name: np.float64(cell) if name != "run" else cell for name, cell in row.items()} for row in rows()]

    class Arrow:
        def to_pylist(self) -> list[dict[str, Any]]:
            return rows()

    for frame in (rows(), Polars(), Pandas(), Arrow()):
        runs = sp.read_runs(frame)
        np.testing.assert_array_equal(runs.shape, plain.shape)
        np.testing.assert_array_equal(runs.observed(), plain.observed())
    with pytest.raises(InputError, match="<records>:2: column 'width': 'wide' is not a number"):
        sp.read_runs([rows()[0], {**rows()[1], "width": "wide"}])
    with pytest.raises(ArgumentError, match="there is no log to read"):
        sp.read_runs([])


@pytest.mark.parametrize(
    ("cells", "semicolons", "metric", "value", "notation"),
    [
        # A comma with three digits after it: thousands in a size, a fraction in a metric.
        (["1,024", "2,048"], False, False, 1024.0, "thousands separators"),
        (["3,547", "2,048"], False, True, 3.547, "decimal commas"),
        (["3.547", "2.048"], True, True, 3.547, None),
        (["0,300B", "5,001B"], True, False, 3e8, "decimal commas and suffixes (K, M, B, T)"),
        (["0,300B", "5,001B"], False, False, 3e8, "decimal commas and suffixes (K, M, B, T)"),
        (["3,449E+16", "7,100E+16"], False, False, 3.449e16, "decimal commas"),
        (["1,300M", "2,048M"], False, False, 1.3e9, "suffixes (K, M, B, T)"),
    ],
)
def test_commas_are_read_as_the_column_needs(
    cells: list[str], semicolons: bool, metric: bool, value: float, notation: str | None
) -> None:
    values, said, mistakes = numbers(cells, semicolons=semicolons, metric=metric)
    assert (values[0], said, mistakes) == (pytest.approx(value), notation, 0)


def test_other_columns_tell_whether_a_comma_is_decimal() -> None:
    cells = {"x": ["1,500B", "2,250B"], "loss": ["3,44", "2,5"]}
    table = Table.of_records([Record(i, {name: found[i] for name, found in cells.items()}) for i in range(2)])
    assert read_numbers(table, "x", "log", positive=True)[0].tolist() == [1.5e9, 2.25e9]


@pytest.mark.parametrize("odd", ["-", "", "K", "e5", "1,5,0M"])
def test_an_odd_cell_among_suffixes_is_an_error_with_its_place(odd: str) -> None:
    values, _, mistakes = numbers(["1M", odd, "2,000K"])
    assert mistakes >= 1
    assert np.isnan(values[1])


@pytest.mark.parametrize("text", ["width=>512", "width=<512", "width<nan", "width>x"])
def test_conditions_that_cannot_be_meant_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        sp.read_runs(write(tmp_path, rows()), selection=sp.Selection(where=(text,)))
    assert caught.value.details[0].code == "bad-condition"


def test_quotes_around_a_value_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, rows())
    assert kept(path, 'width="192"') == kept(path, "width=192")
