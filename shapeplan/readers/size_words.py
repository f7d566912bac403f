"""Sizes of models in words, as tables of papers name models by them: 125M, 1.3B."""

from __future__ import annotations

import re

from shapeplan.readers.columns import quoted
from shapeplan.readers.names import claim_of
from shapeplan.readers.table import Table

_SIZE = re.compile(r"~?\d+(\.\d+)?\s?[MB]", re.IGNORECASE)


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
            least = min(words, key=len)
            return (
                f"column {column!r} holds sizes such as {least}: if of parameters, `columns=params={quoted(column)}`; "
            )
    return ""
