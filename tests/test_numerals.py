"""Plain numbers: digits 0 to 9, underscores between thousands; anything else is refused, not read as another."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SAMPLES, Program
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.numerals import as_float

DIGITS = {"full width": "０１２３４５６７８９", "Arabic": "٠١٢٣٤٥٦٧٨٩", "Devanagari": "०१२३४५६७८९"}  # noqa: RUF001


@given(st.floats(allow_nan=False))
def test_a_number_is_read_as_python_writes_it(value: float) -> None:
    assert as_float(repr(value)) == value
    assert as_float(f" {value!r}\n") == value


@given(st.integers(1000, 10**15), st.sampled_from("+- "))
def test_underscores_between_thousands_are_read(value: int, sign: str) -> None:
    assert as_float(f"{sign}{value:_}") == float(f"{sign}{value}")


@pytest.mark.parametrize(
    "text", ["0_2434", "0.24_34", "1_0", "1_00_000", "1__000", "1e1_0", "_1", "1_", "٣", "\uff11", "½"]
)
def test_other_spellings_are_no_numbers(text: str) -> None:
    with pytest.raises(ValueError, match=r"plain number|convert"):
        as_float(text)


@pytest.mark.parametrize("script", DIGITS)
@pytest.mark.parametrize(("column", "old"), [(1, "608"), (6, "64000000")])
def test_digits_of_other_scripts_are_refused_with_the_number_they_are(
    program: Program, tmp_path: Path, script: str, column: int, old: str
) -> None:
    lines = (SAMPLES / "vit_sweep.csv").read_text().split("\n")
    cells = lines[4].split(",")
    assert cells[column] == old
    cells[column] = old.translate(str.maketrans("0123456789", DIGITS[script]))
    lines[4] = ",".join(cells)
    (tmp_path / "log.csv").write_text("\n".join(lines))
    done = program("check", "log.csv")
    assert done.returncode == 1
    name = lines[0].split(",")[column]
    said = f"error: log.csv:5: column '{name}': '{cells[column]}' is not a number; write {old} in ASCII digits\n"
    assert done.stderr.startswith(said)


def test_an_underscore_inside_a_loss_is_refused(program: Program, tmp_path: Path) -> None:
    """0_2434 was once read as 2434."""
    lines = (SAMPLES / "vit_sweep.csv").read_text().split("\n")
    lines[4] = lines[4].replace("0.2434", "0_2434")
    (tmp_path / "log.csv").write_text("\n".join(lines))
    done = program("check", "log.csv")
    assert done.returncode == 1
    assert done.stderr.startswith("error: log.csv:5: column 'loss': '0_24340994040025885' is not a number")
