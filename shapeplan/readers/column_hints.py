"""How columns that are missing, or meant twice, may be mended, by what the table holds and not by names alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from shapeplan.errors import ErrorDetail
from shapeplan.readers.columns import quoted
from shapeplan.readers.durations import hint_of_durations
from shapeplan.readers.names import claim_of
from shapeplan.readers.table import Table

_SIZE = re.compile(r"~?\d+(\.\d+)?\s?[MB]", re.IGNORECASE)
"""How tables of papers name models: 125M, 1.3B."""


def with_hints(details: Sequence[ErrorDetail], table: Table, *, several_files: bool) -> list[ErrorDetail]:
    """Return errors about columns with what else may mend them."""
    return [_with_hint(detail, table, several_files) for detail in details]


def hint_of_sizes(table: Table) -> str:
    """Return how to take a column of sizes for the parameters, or nothing where there is none.

    Unasked they are not taken: they are nominal, and may be of anything.
    """
    for column in table.columns:
        claim = claim_of(column)
        if claim is not None and claim.role != "run":
            continue
        words = list(dict.fromkeys(str(cell).strip() for cell in table.cells[column]))
        if len(words) > 1 and all(map(_SIZE.fullmatch, words)):
            name = quoted(column)
            return f"column {column!r} holds sizes such as {words[0]}: if of parameters, `columns=params={name}`; "
    return ""


def _with_hint(detail: ErrorDetail, table: Table, several_files: bool) -> ErrorDetail:
    hint = detail.hint or ""
    if detail.code == "ambiguous-column" and several_files:
        hint += "; if files name one thing differently, rename it in one of them"
    elif detail.code == "missing-column" and detail.column == "width":
        hint = hint_of_sizes(table) + hint
    elif detail.code == "missing-column" and detail.column == "loss":
        hint = hint_of_durations(table.columns) + hint
    return replace(detail, hint=hint)
