"""JSON to mappings and lists that know their lines."""

from __future__ import annotations

import json
import re
from typing import Any

from shapeplan.errors import InputError
from shapeplan.readers.tree import MOST_NESTED, LinedMapping, bad_syntax, check_tree, too_deep

_BLANKS = re.compile(r"[ \t\n\r]*")
_SPREAD = re.compile(r"\{[ \t\r]*\n")
"""How an object begins that has a line a value."""


def load_json(body: str, name: str) -> object:
    """Load JSON into mappings that know their lines.

    Raises
    ------
    json.JSONDecodeError
        If the text is no JSON.
    InputError
        If it is nested too deeply, or an integer has too many digits.
    """
    try:
        # Objects are forgotten as soon as they are read: this is for the mistakes alone.
        json.loads(body, object_pairs_hook=lambda pairs: None)
        return _Decoder(body, name).root()
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise refused(error, name, 1) from None


def load_line(line: str, name: str, number: int) -> object:
    """Load JSON that stands on one line of an input; errors as of `load_json`."""
    try:
        return json.loads(line, object_pairs_hook=_OneLine(number))
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise refused(error, name, number) from None


def loads_once(body: str, name: str, **options: Any) -> Any:
    """Load JSON as `json.loads` does, with its options and errors; a key that comes twice is an `InputError`."""
    try:
        return json.loads(body, object_pairs_hook=_once, **options)
    except _TwiceError:
        check_tree(load_json(body, name), name)
        raise


def mistake(error: json.JSONDecodeError) -> tuple[str, int]:
    """Return what is wrong and the line; Python's versions differ in their words for a trailing comma."""
    before = error.doc[: error.pos + 1].rstrip("]} \t\r\n")
    after = error.doc[len(before) :].lstrip()
    if before.endswith(",") and after[:1] in ("]", "}"):
        return "a comma with nothing after it", before.count("\n") + 1
    return error.msg, error.lineno


def refused(error: ValueError | RecursionError, name: str, line: int) -> InputError:
    """Return the error of text that is grammatical and cannot be loaded; Python limits the digits of an integer."""
    if isinstance(error, RecursionError):
        return too_deep(name, line)
    return bad_syntax("bad-json", "an integer has thousands of digits", name, line)


class _TwiceError(Exception):
    """A key comes twice in an object."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError
    return found


class _OneLine:
    """What makes mappings of the objects on one line."""

    def __init__(self, line: int):
        self.line = line

    def __call__(self, pairs: list[tuple[str, object]]) -> LinedMapping:
        mapping = LinedMapping(self.line)
        mapping.update(pairs)
        if len(mapping) < len(pairs):
            mapping.clear()
            for key, value in pairs:
                mapping.add(key, value, self.line)
        return mapping


class _Decoder:
    """Text that is sound JSON; objects on one line, which rows often are, are decoded at once."""

    def __init__(self, body: str, name: str):
        self._body = body
        self._name = name
        self._made = _OneLine(1)
        self._at_once = json.JSONDecoder(object_pairs_hook=self._made).raw_decode
        self._counted = 0

    def root(self) -> object:
        """Return what the text holds."""
        return self._value(self._skip(0), 1)[0]

    def _skip(self, place: int) -> int:
        found = _BLANKS.match(self._body, place)
        return found.end() if found else place

    def _line(self, place: int) -> int:
        """Return the line of a place; places come in order."""
        self._made.line += self._body.count("\n", self._counted, place)
        self._counted = place
        return self._made.line

    def _value(self, place: int, depth: int) -> tuple[object, int]:
        """Return the value that begins at a place, and where it ends."""
        if depth > MOST_NESTED:
            raise too_deep(self._name, self._line(place))
        if self._body[place] == "[":
            return self._list(place, depth)
        if self._body[place] != "{":
            return self._at_once(self._body, place)
        line = self._line(place)
        if not _SPREAD.match(self._body, place):
            value, end = self._at_once(self._body, place)
            if self._body.find("\n", place, end) < 0:
                return value, end
        return self._mapping(place, line, depth)

    def _list(self, place: int, depth: int) -> tuple[object, int]:
        items = []
        place = self._skip(place + 1)
        while self._body[place] != "]":
            item, place = self._value(place, depth + 1)
            items.append(item)
            place = self._next(place)
        return items, place + 1

    def _mapping(self, place: int, line: int, depth: int) -> tuple[object, int]:
        mapping = LinedMapping(line)
        place = self._skip(place + 1)
        while self._body[place] != "}":
            key, place = self._at_once(self._body, place)
            start = self._skip(self._skip(place) + 1)
            place_of = self._line(start)
            value, place = self._value(start, depth + 1)
            mapping.add(key, value, place_of)
            place = self._next(place)
        return mapping, place + 1

    def _next(self, place: int) -> int:
        """Return where the next value begins, or what holds them ends."""
        place = self._skip(place)
        return self._skip(place + 1) if self._body[place] == "," else place
