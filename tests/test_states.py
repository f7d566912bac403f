"""Runs that did not finish, by states, flags and exit codes; and columns that only look like them."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_layouts import HEADER, ROWS, same

import shapeplan as sp
from shapeplan.errors import ShapeplanError


def beside(tmp_path: Path, column: str, usual: str, odd: str) -> Path:
    path = tmp_path / "runs.csv"
    cells = [column, *([usual] * 4), odd, *([usual] * (len(ROWS) - 5))]
    path.write_text("\n".join(",".join([*row, cell]) for row, cell in zip([HEADER, *ROWS], cells, strict=True)))
    return path


@pytest.mark.parametrize(
    ("column", "usual", "odd"),
    [
        ("State", "finished", "timed out"),
        ("sys/status", "COMPLETED", "OUT_OF_MEMORY"),
        ("outcome", "ok", "diverged"),
        ("crashed", "False", "True"),
        ("hasCrashed", "false", "true"),
        ("is_complete", "TRUE", "FALSE"),
        ("success", "yes", "no"),
        ("had_nan", "0", "1"),
        ("exit_code", "0", "137"),
    ],
)
def test_runs_that_did_not_finish_are_named(tmp_path: Path, column: str, usual: str, odd: str) -> None:
    path = beside(tmp_path, column, usual, odd)
    with pytest.raises(
        ShapeplanError, match=rf"runs\.csv:6: column '{column}': the run .*{odd}: its loss is not final"
    ):
        sp.read_runs(path)
    kept = sp.read_runs(path, selection=sp.Selection(where=(f"{column}={usual}",)))
    assert len(kept.loss) == len(ROWS) - 1
    assert same(sp.read_runs(path, selection=sp.Selection(where=(f"{column}!=",))))


@pytest.mark.parametrize(
    ("column", "usual", "odd"),
    [
        ("gpu.state", "running", "idle"),
        ("review_status", "failed", "failed"),
        ("status", "", "error bars large"),
        ("done", "False", "True"),
        ("state", "Ohio", "Texas"),
        ("status", "1", "2"),
        ("error", "0", "1"),
        ("exit_code", "", ""),
    ],
)
def test_what_says_no_end_is_no_state(tmp_path: Path, column: str, usual: str, odd: str) -> None:
    assert same(sp.read_runs(beside(tmp_path, column, usual, odd)))
