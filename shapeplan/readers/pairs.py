"""Texts of ``key=value`` or ``key: value``: a run or a point of training a line (logfmt), or a block of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from shapeplan.errors import ErrorDetail, InputError, details_at
from shapeplan.readers.names import SIZES, claim_of
from shapeplan.readers.table import Record, Table

_KEY = r"(?<![\w./=-])(?P<key>[A-Za-z_][\w./-]{0,99})"
_VALUE = r"(?P<value>\"[^\"\n]*\"|'[^'\n]*'|(?:[^\s,;|\"'=:{}\[\]]|,(?=\d{3})|:(?=\S))+)(?!\s*[=:]|\w)"
_EQUAL = re.compile(rf"{_KEY}\s*=\s*{_VALUE}")
_COLON = re.compile(rf"{_KEY}(?::[ \t]+|:(?=[\d.+-])){_VALUE}")
_LINE = re.compile(
    r"(?P<key>[A-Za-z_][\w./()-]{0,60}(?: [\w./()-]{1,60}){0,5})\s*(?::(?=\s)|=)\s*(?P<value>[^\s=:{}\[\]][^{}\[\]\n]*)"
)
"""A pair that has a line of its own."""
_AFTER_NAME = ":|,;"
"""What may stand behind the name of a run."""
_FEWEST, _LOOK = 3, 5
"""Pairs that a line or a block has at least, and how many of them are looked at."""
_HEAD = 2**16


def are_pairs(body: str) -> bool:
    """Return whether the first lines or blocks of a text hold a few pairs each, of which some say a model's size."""
    start = body[:_HEAD]
    return _pattern(start) is not None or _is_in_blocks(start)


def parse_pairs(body: str, name: str) -> Table:
    """Parse such a text; one word before the pairs of a line names the run where none of them does.

    Raises
    ------
    InputError
        If a line or a block has a key twice.
    """
    pattern = _pattern(body[:_HEAD])
    return _of_blocks(body, name) if pattern is None else _of_lines(body, name, pattern)


def _pattern(start: str) -> re.Pattern[str] | None:
    """Return what the pairs of lines look like, or None where lines hold none."""
    lines = list(islice((line for line in start.split("\n") if line.strip()), _LOOK))
    for pattern in (_EQUAL, _COLON):
        found = [[match["key"] for match in pattern.finditer(line)] for line in lines]
        # Mappings in braces are YAML.
        mappings = pattern is _COLON and any(mark in line for line in lines for mark in "{[")
        if found and not mappings and all(len(keys) >= _FEWEST for keys in found) and _say_a_size(found[0]):
            return pattern
    return None


def _say_a_size(keys: Sequence[str]) -> bool:
    return any(claim is not None and claim.role in SIZES for claim in map(claim_of, keys))


def _of_lines(body: str, name: str, pattern: re.Pattern[str]) -> Table:
    records: list[Record] = []
    before: list[str | None] = []
    twice: list[tuple[int, str]] = []
    others = 0
    for number, line in enumerate(body.split("\n"), 1):
        pairs = list(pattern.finditer(line))
        if len(pairs) < _FEWEST:
            others += bool(line.strip())
            continue
        twice += [(number, key) for key in _repeated([match["key"] for match in pairs])]
        before.append(_name_in(line[: pairs[0].start()]))
        records.append(Record(number, {match["key"]: match["value"].strip("\"'") for match in pairs}))
    _refuse_repeated(twice, "line", name)
    notes = [f"{name} is read as lines of pairs such as width=256, a row each"]
    if others:
        notes.append(f"{others} line{'s' if others > 1 else ''} with fewer than {_FEWEST} such pairs left out")
    keys = dict.fromkeys(key for record in records for key in record.cells)
    if not any(getattr(claim_of(key), "role", "") == "run" for key in keys) and None not in before:
        records = [
            Record(record.line, {"run": word, **record.cells}) for record, word in zip(records, before, strict=True)
        ]
        notes.append("the word before the pairs of a line is the name of its run")
    return Table.of_records(records, notes)


def _name_in(before: str) -> str | None:
    """Return the one word that stands before the pairs of a line, or None where there is none, or more."""
    words = [word for part in before.split() if (word := part.rstrip(_AFTER_NAME))]
    return words[0] if len(words) == 1 else None


def _is_in_blocks(start: str) -> bool:
    """Return whether a text is blocks of such lines with a blank line between, which begin with the same key."""
    blocks = list(islice(_blocks(start), _LOOK))
    found = [[match["key"] for _, match in block if match] for block in blocks[:-1]]
    whole = all(match for block in blocks[:-1] for _, match in block)
    alike = len({tuple(keys[:1]) for keys in found}) == 1
    return whole and alike and len(found) > 1 and all(len(keys) >= _FEWEST for keys in found) and _say_a_size(found[0])


def _blocks(body: str) -> Iterator[list[tuple[int, re.Match[str] | None]]]:
    """Yield the lines of every block with their numbers and pairs."""
    block: list[tuple[int, re.Match[str] | None]] = []
    for number, line in enumerate([*body.split("\n"), ""], 1):
        if line.strip():
            block.append((number, _LINE.fullmatch(line.strip())))
        elif block:
            yield block
            block = []


def _of_blocks(body: str, name: str) -> Table:
    records: list[Record] = []
    twice: list[tuple[int, str]] = []
    others = 0
    for block in _blocks(body):
        pairs = [(number, match) for number, match in block if match]
        others += len(block) - len(pairs)
        if len(pairs) < _FEWEST:
            others += len(pairs)
            continue
        repeated = _repeated([match["key"] for _, match in pairs])
        twice += [(pairs[-1][0], key) for key in repeated]
        lines = {match["key"]: number for number, match in pairs}
        records.append(Record(pairs[0][0], {match["key"]: match["value"].strip("\"'") for _, match in pairs}, lines))
    _refuse_repeated(twice, "block", name)
    notes = [f"{name} is read as blocks of lines such as width: 256, a row each"]
    if others:
        notes.append(f"{others} other line{'s' if others > 1 else ''} left out")
    return Table.of_records(records, notes)


def _repeated(keys: Sequence[str]) -> list[str]:
    return [key for key in dict.fromkeys(keys) if keys.count(key) > 1]


def _refuse_repeated(twice: Sequence[tuple[int, str]], what: str, name: str) -> None:
    if twice:
        raise InputError(
            *details_at(
                range(len(twice)),
                lambda i: ErrorDetail(
                    "duplicate-key", f"the {what} has it twice", "rename or remove one", name, *twice[i]
                ),
            )
        )
