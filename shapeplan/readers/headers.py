"""Names of columns in text: what is wrong with them, and what stands in their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shapeplan.errors import ErrorDetail, InputError, details_at
from shapeplan.readers.metric_names import is_loss
from shapeplan.readers.names import claim_of
from shapeplan.readers.numbers import as_number

_LEFT_OUT = ("...", "\u2026", "..")
_FEWEST = 2


def refuse_no_header(header: Sequence[str], line: int, name: str) -> None:
    """Raise `InputError` if the first line names no columns, or not all of them."""
    numbers = sum(as_number(cell) is not None for cell in header)
    if numbers >= _FEWEST and 2 * numbers > len(header) and not any(map(_is_known, header)):
        message, hint = "the first line holds numbers", "write a line with the names of the columns above it"
        raise InputError(ErrorDetail("no-header", message, hint, name, line))
    if left_out := [column for column in header if column in _LEFT_OUT]:
        message, hint = "columns are left out here", "write all of them, such as with frame.to_csv of pandas"
        raise InputError(ErrorDetail("columns-left-out", message, hint, name, line, left_out[0]))


def header_mistakes(header: Sequence[str], line: int, name: str) -> list[ErrorDetail]:
    """Return an error for every name that is empty or comes twice."""
    twice = [(column, count) for column, count in Counter(header).items() if count > 1 and column]
    empty = [i for i, column in enumerate(header, 1) if not column]
    return details_at(
        range(len(twice)),
        lambda i: ErrorDetail(
            "duplicate-header",
            f"the header has it {twice[i][1]} times",
            "rename or remove one",
            name,
            line,
            twice[i][0],
        ),
    ) + details_at(
        empty,
        lambda i: ErrorDetail(
            "empty-header", f"the header's cell {i} is empty", "name the column", name, line, value=""
        ),
    )


def groups_names(header: Sequence[str], below: Sequence[str]) -> bool:
    """Return whether a header groups columns whose names stand below it, as merged cells of spreadsheets do."""
    if len(set(header)) == len(header) or len(set(below)) < len(below) or not all(below):
        return False
    # A group may be called a model, as columns of names of runs are.
    known = [column for column in header if _is_known(column) and getattr(claim_of(column), "role", "") != "run"]
    return not known and sum(map(_is_known, below)) >= _FEWEST


def _is_known(column: str) -> bool:
    return is_loss(column) or claim_of(column) is not None
