"""DataFrames, records and columns that are in memory."""

from __future__ import annotations

import io

import numpy as np
import pytest
from test_layouts import HEADER, ROWS, SWEEP, same

import shapeplan as sp
from shapeplan.errors import ShapeplanError


def test_rows_in_memory_may_come_one_after_another() -> None:
    records = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    assert same(sp.read_runs(record for record in records))  # type: ignore[arg-type]
    assert same(sp.read_runs({name: [record[name] for record in records] for name in HEADER}))


def test_an_index_that_is_a_column_too_is_read_once() -> None:
    frame = pytest.importorskip("pandas").read_csv(SWEEP)
    assert same(sp.read_runs(frame.set_index("run", drop=False)))
    assert same(sp.read_runs(frame.set_index(["run", "width"])))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "a log cannot be read from NoneType"),
        (3, "a log cannot be read from int"),
        (b"runs.csv", "a log cannot be read from bytes"),
        (io.StringIO("width,loss\n1,2\n"), "a log cannot be read from StringIO"),
        (np.ones((2, 3)), "a log cannot be read from ndarray"),
        ([[1, 2], [3, 4]], "a log cannot be read from list"),
        ({"width": [1, 2], "loss": [1]}, "column 'loss': has 1 values, the first column 2"),
        ({"width": 1}, "column 'width': is no list"),
        ({"width": "ab"}, "column 'width': is no list"),
    ],
)
def test_what_is_no_log_in_memory_is_named(given: object, message: str) -> None:
    with pytest.raises(ShapeplanError, match=message):
        sp.read_runs(given)  # type: ignore[arg-type]


def test_several_frames_are_to_be_one() -> None:
    frame = pytest.importorskip("pandas").read_csv(SWEEP)
    with pytest.raises(ShapeplanError, match=r"give one DataFrame \(`pandas.concat`\)"):
        sp.read_runs([frame, frame])
