"""Cells to numbers, a column at a time.

A column of plain numbers is converted at once. One that is not is read in the first notation that all of its cells
are in, else in one that most of them are in, which is said in a note; a cell in another one is an error.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeGuard

import numpy as np

from shapeplan.cells import ABSENT, Cells
from shapeplan.errors import ErrorDetail, details_at
from shapeplan.numerals import as_float
from shapeplan.numerics.arrays import Floats
from shapeplan.readers.notations import (
    COMMA_SUFFIXES,
    DECIMAL_COMMA,
    DOTTED,
    OTHERS,
    PERCENT,
    SPACED,
    SUFFIXES,
    THOUSANDS,
    Notation,
)
from shapeplan.readers.table import Table

A_LIST, A_MAPPING = "a list", "a mapping"
"""What cells are called that are no text."""
_LONGEST_SHOWN = 60
_MISSING = frozenset(
    {
        *("none", "null", "nil", "na", "n/a", "#n/a", "<na>", "missing", "-", "--", "\u2013", "\u2014", "?"),
        *("#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"),
    }
)
"""Words for a cell that holds nothing, in small letters."""
_MOST = 0.8
"""Share of the cells of a column that show its notation, where others are mistakes."""
_LOOK = 100
"""Rows that show how a table writes its numbers."""
_LIKE_A_NUMBER = re.compile(r"[\s\d+._eE-]*\Z")
"""What every finite number matches."""


class _CellError(Exception):
    """What is wrong with a cell, and how to write it."""

    def __init__(self, code: str, message: str, hint: str):
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def read_numbers(
    table: Table, column: str, name: str, *, positive: bool, european: bool | None = None
) -> tuple[Floats, str | None, list[ErrorDetail]]:
    """Return the numbers of a column.

    Parameters
    ----------
    table : Table
        The rows: what other columns are written in tells what commas and dots are.
    column : str
        Whose cells are read.
    name : str
        The input, for errors.
    positive : bool
        Whether the numbers must be above zero; of a metric, which is a fraction, they need not.
    european : bool, optional
        What `decimal_commas` says of the table; for many columns it is asked once.

    Returns
    -------
    values : ndarray, shape (rows,)
        The numbers, NaN where there are errors.
    notation : str or None
        What they were read in, if not plain numbers.
    details : list of ErrorDetail
        One for every cell that is no number, or not finite, or not above zero.
    """
    plain = table.cells[column].numbers()
    european = decimal_commas(table) if european is None else european
    sound = plain is not None and np.isfinite(plain).all() and not (positive and (plain <= 0).any())
    # Where commas are decimal, dots in all cells of a column are between thousands.
    if plain is not None and sound and not (european and _in(_counted(table.cells[column]), DOTTED)):
        return plain, None, []
    cells = list(table.cells[column])
    texts = _counted(cells)
    orders = _orders(texts, table.semicolons or european, positive=positive)
    notation = None if plain is not None and not european else next((one for one in orders if _in(texts, one)), None)
    if notation is None and plain is None:
        # Few cells that are in no notation are mistakes of their own, not of the others.
        written = texts or Counter(cell.strip() for cell in cells if isinstance(cell, str) and cell.strip())
        notation = next((one for one in orders if _mostly_in(written, len(cells), one)), None)
    if notation is not None:
        cells = [notation.value(cell.strip()) if _fits(cell, notation) else cell for cell in cells]
    # Cells that are no numbers are often one word.
    texts_as = {text: _sound(text, positive=positive) for text in {cell for cell in cells if isinstance(cell, str)}}
    values = np.array(
        [texts_as[cell] if isinstance(cell, str) else _sound(cell, positive=positive) for cell in cells], dtype=float
    )
    check = _positive if positive else _number
    details = details_at(
        np.flatnonzero(np.isnan(values)).tolist(),
        lambda i: _detail(_mistake(check, cells[i]), table, i, column, name),
    )
    return values, notation.name if notation else None, details


def written_numbers(cells: Cells) -> Floats | None:
    """Return a column as finite numbers, plain or all in one notation, shape (rows,); None where they are not."""
    plain = cells.numbers()
    if plain is not None:
        return plain if np.isfinite(plain).all() else None
    texts = _counted(cells)
    notation = next((one for one in _orders(texts, commas=False, positive=True) if _in(texts, one)), None)
    if texts is None or notation is None or texts.total() < len(cells):
        return None
    numbers = {text: notation.value(text) for text in texts}
    return np.array([numbers[cell.strip()] for cell in cells if isinstance(cell, str)])


def label_faults(table: Table, column: str, name: str) -> list[ErrorDetail]:
    """Return an error for every cell of a column that is empty or no name."""
    texts = table.cells[column].texts()
    if texts is not None and (texts != b"").all():
        return []
    cells = list(table.cells[column])
    wrong = [i for i, cell in enumerate(cells) if not _is_label(cell)]
    return details_at(wrong, lambda i: _detail(_mistake(_check_label, cells[i]), table, i, column, name))


def as_number(cell: object) -> float | None:
    """Return a cell as a number if it is a plain one, else None; non-finite numbers are numbers."""
    if cell is None or isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return None
    try:
        return as_float(_dotted(cell) if isinstance(cell, str) else cell)
    except (ValueError, OverflowError):
        return None


def is_blank(cell: object) -> bool:
    """Return whether a cell holds nothing."""
    return cell is None or cell is ABSENT or (isinstance(cell, str) and not cell.strip())


def is_missing(cell: object) -> bool:
    """Return whether a cell holds nothing, or a word that programs write for that."""
    return is_blank(cell) or (isinstance(cell, str) and cell.strip().lower() in _MISSING)


def _counted(cells: Iterable[object]) -> Counter[str] | None:
    """Return how often each text comes among the cells that hold anything; None where one is no text."""
    filled = [cell for cell in cells if not is_blank(cell)]
    texts = [cell.strip() for cell in filled if isinstance(cell, str)]
    return Counter(texts) if len(texts) == len(filled) else None


def _in(texts: Counter[str] | None, notation: Notation) -> bool:
    """Return whether every cell that holds anything is in a notation, and some show it."""
    if not texts or not all(notation.pattern.fullmatch(text) and text[-1:] != "." for text in texts):
        return False
    least = _MOST * texts.total() if notation.throughout else 1
    return sum(count for text, count in texts.items() if notation.telling.fullmatch(text)) >= max(least, 1)


def _fits(cell: object, notation: Notation) -> TypeGuard[str]:
    return isinstance(cell, str) and bool(cell.strip()) and notation.pattern.fullmatch(cell.strip()) is not None


def _mostly_in(texts: Counter[str], cells: int, notation: Notation) -> bool:
    """Return whether most of so many cells are in a notation, and some show it; given how often each text comes."""
    fitting: Counter[str] = Counter()
    spare = texts.total() - _MOST * cells
    for text, count in texts.items():
        if notation.pattern.fullmatch(text):
            fitting[text] = count
        else:
            spare -= count
        if spare < 0:
            return False
    return _in(fitting, notation)


def _orders(texts: Counter[str] | None, commas: bool, *, positive: bool) -> tuple[Notation, ...]:
    """Return the notations in the order in which a column is asked for them.

    A comma before three digits may be either: it is decimal where other columns have decimal commas, and in a metric.
    """
    if commas or (not positive and _in(texts, DECIMAL_COMMA)):
        return (DECIMAL_COMMA, COMMA_SUFFIXES, DOTTED, SUFFIXES, PERCENT, SPACED, THOUSANDS)
    return (THOUSANDS, SUFFIXES, PERCENT, SPACED, DECIMAL_COMMA, COMMA_SUFFIXES, *OTHERS)


def decimal_commas(table: Table) -> bool:
    """Return whether some column of the first rows has commas that can only be decimal."""
    for cells in table.cells.values():
        some = _counted(cells[row] for row in range(min(len(table), _LOOK)))
        if _in(some, DECIMAL_COMMA) and not _in(some, THOUSANDS):
            return True
        if _in(some, COMMA_SUFFIXES) and not _in(some, SUFFIXES):
            return True
    return False


def _sound(cell: object, *, positive: bool) -> float:
    """Return a cell as `_number` or `_positive` does, NaN where they raise, which a million cells may make them."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return math.nan
    # To raise and catch takes eight times as long as to look.
    if isinstance(cell, str) and not _LIKE_A_NUMBER.match(cell):
        return math.nan
    try:
        value = as_float(cell)
    except (ValueError, OverflowError):
        return math.nan
    return value if math.isfinite(value) and (value > 0 or not positive) else math.nan


def _mistake(check: Callable[[object], object], cell: object) -> _CellError:
    """Return what is wrong with a cell that a check refuses."""
    try:
        check(cell)
    except _CellError as error:
        return error
    raise AssertionError(f"{cell!r} is sound")


def _number(cell: object) -> float:
    """Return a cell as a finite number; the error says what is wrong with it and how to write it."""
    if is_blank(cell):
        raise _CellError("empty-cell", "the cell is empty", "fill it in, or remove the row")
    if isinstance(cell, list):
        hint = "write a row a point of training, or lists of one length with the loss and the flops, tokens or steps"
        raise _CellError("not-a-number", f"{A_LIST} is not a number", hint)
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise _CellError("not-a-number", f"{_shown(cell)} is not a number", "write a plain number such as 0.51")
    try:
        value = as_float(_dotted(cell) if isinstance(cell, str) else cell)
    except ValueError:
        hint = f"write {_guess(str(cell))}"
        raise _CellError("not-a-number", f"{_shown(cell)} is not a number", hint) from None
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        hint = "remove the row, or `drop_nonfinite`: a run that diverged cannot be fitted"
        if isinstance(cell, int) or re.search(r"\d", str(cell)):
            raise _CellError("not-finite", f"{_shown(cell)} is beyond what a number holds", "check the cell")
        raise _CellError("not-finite", f"{_shown(cell)} is not finite", hint)
    return value


def _positive(cell: object) -> float:
    """Return a cell as a number above zero."""
    value = _number(cell)
    if value <= 0:
        raise _CellError("not-positive", f"{_shown(cell)} is not above zero", "check the row")
    return value


def _is_label(cell: object) -> bool:
    return not is_blank(cell) and (isinstance(cell, str | int) or (isinstance(cell, float) and math.isfinite(cell)))


def _check_label(cell: object) -> None:
    """Raise an error for a cell that is empty, or neither text nor a number."""
    if is_blank(cell):
        raise _CellError("empty-cell", "the cell is empty", "name the run, or drop the column")
    if not isinstance(cell, str | int | float) or (isinstance(cell, float) and not math.isfinite(cell)):
        raise _CellError("not-a-name", f"{_shown(cell)} is no name", "write text or a whole number")


def _detail(error: _CellError, table: Table, row: int, column: str, name: str) -> ErrorDetail:
    found = table.cells[column][row]
    value = "" if found is None or found is ABSENT else _text(found)
    place = (table.file_of(row, name), table.line_of(row, column), column, value)
    if found is ABSENT:
        return ErrorDetail("empty-cell", "the entry lacks it", "add it, or remove the entry", *place)
    if error.code == "not-a-number" and value in table.cells:
        hint = "does another table begin here? save it as a file of its own"
        return ErrorDetail(error.code, f"{value!r} is the name of a column", hint, *place)
    return ErrorDetail(error.code, error.message, error.hint, *place)


def _latin(text: str) -> str | None:
    """Return a number in full-width or other digits in ASCII ones, if it is one then."""
    if any(c.isdigit() and not c.isdecimal() for c in text):
        return None  # A superscript is the mark of a note, or a power.
    spelled = unicodedata.normalize("NFKC", text)
    digits = "".join(str(unicodedata.digit(c, -1)) if c.isdigit() else c for c in spelled).replace("\u066b", ".")
    try:
        as_float(digits)
    except ValueError:
        return None
    return digits


def _dotted(text: str) -> str:
    """Return YAML's spellings of the non-finite as Python's, anything else unchanged."""
    return re.sub(r"^([+-]?)\.(nan|inf)$", r"\1\2", text.strip(), flags=re.IGNORECASE)


def _text(cell: object) -> str:
    """Return a cell as it stands in the input, cut if it is long."""
    if not isinstance(cell, str | int | float):
        return A_MAPPING if isinstance(cell, dict) else A_LIST
    text = str(cell)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


def _shown(cell: object) -> str:
    return repr(_text(cell))


def _guess(text: str) -> str:
    """Return what a user may have meant by text that is not a number."""
    body = text.strip()
    if not body.isascii() and (latin := _latin(body)) is not None:
        return f"{latin} in ASCII digits"
    for notation in (THOUSANDS, DECIMAL_COMMA, SUFFIXES, COMMA_SUFFIXES, *OTHERS):
        if notation.telling.fullmatch(body) and notation.pattern.fullmatch(body):
            return f"{notation.value(body):.10g}"
    match = re.fullmatch(r"([+-]?\d+(?:\.\d+)?)[^\d,A-Z]*", body)
    return match[1] + " if that is meant" if match and len(body) < len(match[1]) + 2 else "a plain number such as 0.51"
