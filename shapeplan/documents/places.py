"""Faults of documents, and where in their text they stand."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from shapeplan.errors import ErrorDetail

Path = tuple[str | int, ...]
"""Keys and indices from the outermost object of a document inwards."""
_BLANKS = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()

_LONGEST = 60
"""Characters of a value that are told."""


class Fault(NamedTuple):
    """What is wrong in a document, and where."""

    path: Path
    message: str


def placed(fault: Fault, body: str, data: Any, name: str) -> ErrorDetail:
    """Return a fault of a document as an error tells it: with its line, its place and the value there.

    Parameters
    ----------
    fault : Fault
        The fault.
    body : str
        The text of the document, sound JSON.
    data : object
        What the text holds.
    name : str
        The file.
    """
    value = _value_at(data, fault.path)
    shown = None if value is None or isinstance(value, dict | list) else json.dumps(value)[:_LONGEST]
    message = fault.message if shown is None else f"{fault.message} (found {shown})"
    column = ".".join(map(str, fault.path)) or None
    line = line_of(body, fault.path)
    return ErrorDetail("bad-document", message, "fit again, or undo the edit", name, line, column, shown)


def _value_at(data: Any, path: Path) -> Any:
    """Return what a document has at a path; None where it has nothing."""
    for step in path:
        try:
            data = data[step]
        except (LookupError, TypeError):
            return None
    return data


def line_of(body: str, path: Path) -> int:
    """Return the line of a JSON text, from 1, on which the value at a path begins, or the innermost that has no such.

    Parameters
    ----------
    body : str
        The text, sound JSON.
    path : tuple of str or int
        The path.
    """
    place = _skip(body, 0)
    for step in path:
        found = _step(body, place, step)
        if found is None:
            break
        place = found
    return body.count("\n", 0, place) + 1


def _step(body: str, place: int, step: str | int) -> int | None:
    """Return where the value of a key or an index begins, in the object or array at a place."""
    opening = body[place]
    if opening not in "{[":
        return None
    place = _skip(body, place + 1)
    index = 0
    while body[place] not in "}]":
        key: Any = index
        if opening == "{":
            key, place = _DECODER.raw_decode(body, place)
            place = _skip(body, _skip(body, place) + 1)
        if key == step:
            return place
        _, place = _DECODER.raw_decode(body, place)
        place = _skip(body, place)
        place = _skip(body, place + 1) if body[place] == "," else place
        index += 1
    return None


def _skip(body: str, place: int) -> int:
    found = _BLANKS.match(body, place)
    return found.end() if found else place
