"""How columns that are missing, or meant twice, may be mended, by what the table holds and not by names alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from shapeplan.errors import ErrorDetail
from shapeplan.readers.columns import quoted
from shapeplan.readers.durations import hint_of_durations
from shapeplan.readers.metric_names import LOSS_WORD
from shapeplan.readers.names import claim_of, listed
from shapeplan.readers.spelling import normal
from shapeplan.readers.table import Table

_SIZE = re.compile(r"~?\d+(\.\d+)?\s?[MB]", re.IGNORECASE)
"""How tables of papers name models: 125M, 1.3B."""
_SHAPE = re.compile(r"\d+(?:\s?[x\u00d7*]\s?\d+)+", re.IGNORECASE)
"""A shape in one word: 512x8x2048."""
_SIZE_IN_NAME = re.compile(r"(?<![A-Za-z0-9])(?P<of>[A-Za-z]{1,9})=?(?P<size>\d+)(?![A-Za-z0-9.])")
"""A size in the name of a run, as in w512_d8."""
_NUMBER = re.compile(r"\d+(?:[._]\d+)?")
_FEWEST = 3
"""Columns that differ in a number alone from which a table may be pivoted."""


def with_hints(details: Sequence[ErrorDetail], table: Table, *, several_files: bool) -> list[ErrorDetail]:
    """Return errors about columns with what else may mend them."""
    return [_with_hint(detail, table, several_files) for detail in details]


def hint_of_sizes(table: Table) -> str:
    """Return how to take a column of sizes for the parameters, or nothing where there is none.

    Unasked they are not taken: they are nominal, and may be of anything.
    """
    for column, words in _words(table):
        if all(map(_SIZE.fullmatch, words)):
            name = quoted(column)
            return f"column {column!r} holds sizes such as {words[0]}: if of parameters, `columns=params={name}`; "
    return ""


def _hint_of_shapes(table: Table) -> str:
    for column, words in _words(table):
        if all(map(_SHAPE.fullmatch, words)) or _sizes_in(words) > 1:
            return f"column {column!r} holds several sizes, such as {words[0]}: split it into a column for each; "
    return ""


def _sizes_in(words: Sequence[str]) -> int:
    """Return how many sizes differ among words that all of them tell, as w512_d8 and w256_d8 do one."""
    told = [{match["of"]: match["size"] for match in _SIZE_IN_NAME.finditer(word)} for word in words]
    common = set.intersection(*map(set, told))
    return sum(len({sizes[name] for sizes in told}) > 1 for name in common)


def _words(table: Table) -> Iterator[tuple[str, list[str]]]:
    """Yield the columns that are of nothing else than names, with their distinct words, where these differ."""
    for column in table.columns:
        claim = claim_of(column)
        if claim is None or claim.role == "run":
            words = list(dict.fromkeys(str(cell).strip() for cell in table.cells[column]))
            if len(words) > 1:
                yield column, words


def pivoted(columns: Sequence[str]) -> list[str]:
    """Return columns that differ in a number alone, as those of a table that is pivoted do; none where they are few.

    Their names are numbers, or those of a loss with one: ``4, 8, 12``, ``loss_w256, loss_w384, loss_w512``.
    """
    alike: dict[str, list[str]] = {}
    for column in columns:
        pattern = _NUMBER.sub("#", normal(column))
        if pattern == "#" or ("#" in pattern and LOSS_WORD.search(pattern)):
            alike.setdefault(pattern, []).append(column)
    return next((names for names in alike.values() if len(names) >= _FEWEST), [])


def _with_hint(detail: ErrorDetail, table: Table, several_files: bool) -> ErrorDetail:
    hint = detail.hint or ""
    if detail.code == "ambiguous-column" and several_files:
        hint += "; if files name one thing differently, rename it in one of them"
    elif detail.code == "missing-column" and detail.column == "width":
        hint = hint_of_sizes(table) + _hint_of_shapes(table) + hint
    elif detail.code == "missing-column" and detail.column == "loss":
        hint = hint_of_durations(table.columns) + _hint_of_pivot(table.columns) + hint
    return replace(detail, hint=hint)


def _hint_of_pivot(columns: Sequence[str]) -> str:
    spread = pivoted(columns)
    return f"if {listed(spread)} are runs, give each a row (pandas: frame.melt); " if spread else ""
