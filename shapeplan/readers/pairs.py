"""Lines of ``key=value``, a run or a point of training a line, as loggers print them (logfmt)."""

from __future__ import annotations

import re
from itertools import islice

from shapeplan.errors import ErrorDetail, InputError, details_at
from shapeplan.readers.names import SIZES, claim_of
from shapeplan.readers.table import Record, Table

_PAIR = re.compile(
    r"(?<![\w./=-])(?P<key>[A-Za-z_][\w./-]{0,99})=(?P<value>\"[^\"\n]*\"|'[^'\n]*'|(?:[^\s,;|\"'=]|,(?=\d{3}))+)"
)
_NAME = re.compile(r"\s*(?P<name>\S*[^\s:])\s*:?\s+")
"""One word that stands before the pairs of a line."""
_FEWEST, _LOOK = 3, 5
"""Pairs that a line has at least, and lines that are looked at."""
_HEAD = 2**16


def are_pairs(body: str) -> bool:
    """Return whether the first lines of a text hold a few pairs each, of which some say the size of a model."""
    lines = list(islice((line for line in body[:_HEAD].split("\n") if line.strip()), _LOOK))
    found = [[match["key"] for match in _PAIR.finditer(line)] for line in lines]
    if not found or any(len(keys) < _FEWEST for keys in found):
        return False
    return any(claim is not None and claim.role in SIZES for claim in map(claim_of, found[0]))


def parse_pairs(body: str, name: str) -> Table:
    """Parse such lines; one word before the pairs names the run where none of them does.

    Raises
    ------
    InputError
        If a line has a key twice.
    """
    records: list[Record] = []
    before: list[str | None] = []
    twice: list[tuple[int, str]] = []
    others = 0
    for number, line in enumerate(body.split("\n"), 1):
        pairs = list(_PAIR.finditer(line))
        if len(pairs) < _FEWEST:
            others += bool(line.strip())
            continue
        cells = {match["key"]: match["value"].strip("\"'") for match in pairs}
        if len(cells) < len(pairs):
            of_line = [match["key"] for match in pairs]
            twice.append((number, next(key for key in of_line if of_line.count(key) > 1)))
        named = _NAME.fullmatch(line[: pairs[0].start()])
        before.append(named["name"] if named else None)
        records.append(Record(number, cells))
    if twice:
        hint = "rename or remove one"
        raise InputError(
            *details_at(
                range(len(twice)),
                lambda i: ErrorDetail("duplicate-key", "the line has it twice", hint, name, twice[i][0], twice[i][1]),
            )
        )
    notes = [f"{name} is read as lines of key=value, a row each"]
    if others:
        notes.append(f"{others} line{'s' if others > 1 else ''} with fewer than {_FEWEST} such pairs left out")
    keys = dict.fromkeys(key for record in records for key in record.cells)
    if not any(getattr(claim_of(key), "role", "") == "run" for key in keys) and None not in before:
        records = [
            Record(record.line, {"run": word, **record.cells}) for record, word in zip(records, before, strict=True)
        ]
        notes.append("the word before the pairs of a line is the name of its run")
    return Table.of_records(records, notes)
