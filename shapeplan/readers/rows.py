"""Cells to numbers: every row is validated by a pydantic model made for the log's columns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic_core import PydanticCustomError

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.table import Record

_LONGEST_SHOWN = 60


def number(cell: object) -> float:
    """Return a cell as a finite number; the error says what is wrong with it and how to write it."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        raise _mistake("empty-cell", "the cell is empty", "fill it in, or remove the row")
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise _mistake("not-a-number", f"{_shown(cell)} is not a number", "write a plain number such as 0.51")
    try:
        value = float(_dotted(cell) if isinstance(cell, str) else cell)
    except ValueError:
        hint = f"write {_guess(str(cell))}"
        raise _mistake("not-a-number", f"{_shown(cell)} is not a number", hint) from None
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise _mistake(
            "not-finite", f"{_shown(cell)} is not finite", "remove the row: a run that diverged cannot be fitted"
        )
    return value


def positive(cell: object) -> float:
    """Return a cell as a number above zero."""
    value = number(cell)
    if value <= 0:
        raise _mistake("not-positive", f"{_shown(cell)} is not above zero", "check the row")
    return value


def label(cell: object) -> str:
    """Return a cell as text that is not empty."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        raise _mistake("empty-cell", "the cell is empty", "name the run, or drop the column")
    if not isinstance(cell, str | int | float) or (isinstance(cell, float) and not math.isfinite(cell)):
        raise _mistake("not-a-name", f"{_shown(cell)} is no name", "write text or a whole number")
    return str(cell)


Number = Annotated[float, BeforeValidator(number)]
Positive = Annotated[float, BeforeValidator(positive)]
Label = Annotated[str, BeforeValidator(label)]


def validate_rows(
    records: tuple[Record, ...], fields: Mapping[str, Any], name: str
) -> dict[str, list[float] | list[str]]:
    """Validate the chosen columns of every record.

    Parameters
    ----------
    records : tuple of Record
        The rows.
    fields : mapping of str to annotated type
        `Number`, `Positive` or `Label` by column.
    name : str
        The input, for complaints.

    Returns
    -------
    dict of str to list
        The values by column, in input order.

    Raises
    ------
    InputError
        With one complaint a bad cell, in input order.
    """
    # Columns may be called anything, so the model's fields are numbered and aliased.
    definitions: dict[str, Any] = {
        f"field_{i}": (kind, Field(alias=column)) for i, (column, kind) in enumerate(fields.items())
    }
    row: type[BaseModel] = create_model("Row", __config__=ConfigDict(extra="ignore"), **definitions)
    values: dict[str, list[Any]] = {column: [] for column in fields}
    details: list[ErrorDetail] = []
    for record in records:
        cells = {column: record.cells.get(column) for column in fields}
        try:
            checked = row.model_validate(cells)
        except ValidationError as error:
            details += [_error_detail(problem, record, name) for problem in error.errors(include_url=False)]
            continue
        for i, column in enumerate(fields):
            values[column].append(getattr(checked, f"field_{i}"))
    if details:
        raise InputError(*details)
    return values


def _error_detail(problem: Any, record: Record, name: str) -> ErrorDetail:
    column = str(problem["loc"][0])
    found = record.cells.get(column)
    hint = problem.get("ctx", {}).get("hint")
    value = "" if found is None else _text(found)
    message = problem["msg"]
    if column not in record.cells:
        message, hint = "the entry lacks it", "add it, or remove the entry"
    return ErrorDetail(problem["type"], message, hint, name, record.line_of(column), column, value)


def _mistake(code: str, message: str, hint: str) -> PydanticCustomError:
    # The message travels as a value: braces in a user's cell must not be read as a template.
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint})


def _dotted(text: str) -> str:
    """Return YAML's spellings of the non-finite as Python's, anything else unchanged."""
    return re.sub(r"^([+-]?)\.(nan|inf)$", r"\1\2", text.strip(), flags=re.IGNORECASE)


def _text(cell: object) -> str:
    """Return a cell as it stands in the input, cut if it is long."""
    if not isinstance(cell, str | int | float):
        return "a mapping" if isinstance(cell, dict) else "a list"
    text = str(cell)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


def _shown(cell: object) -> str:
    return repr(_text(cell))


def _guess(text: str) -> str:
    """Return what a user may have meant by text that is not a number."""
    body = text.strip()
    scales = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
    tries: list[Callable[[], str | None]] = [
        lambda: body.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", body) else None,
        lambda: body.replace(",", ".") if re.fullmatch(r"[+-]?\d+,\d+", body) else None,
        lambda: (
            f"{float(body[:-1]) * scales[body[-1].lower()]:.10g}"
            if re.fullmatch(r"\d+(\.\d+)?[kKmMbBgGtT]", body)
            else None
        ),
        lambda: match[0] + " if that is meant" if (match := re.match(r"[+-]?\d+(\.\d+)?", body)) else None,
    ]
    return next((guess for attempt in tries if (guess := attempt())), "a plain number such as 0.51")
