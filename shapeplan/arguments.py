"""Arguments as people pass them: numbers of any kind, one or several."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

from shapeplan.errors import ArgumentError, ErrorDetail

_LONGEST = 60


def _code(name: str) -> str:
    return f"bad-{name.replace('_', '-')}"


def number(name: str, value: Any) -> float:
    """Return an argument as a float; anything that `float` takes but text and truth values.

    Raises
    ------
    ArgumentError
        If it is no number; the message names the argument as the option it is.
    """
    if not isinstance(value, str | bytes | bool):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    message = f"`{name}` is no number: {str(value)[:_LONGEST]}"
    raise ArgumentError(ErrorDetail(_code(name), message, "give a plain number", value=str(value)[:_LONGEST]))


def number_or_none(name: str, value: Any) -> float | None:
    """Return an argument as a float, if it is given."""
    return None if value is None else number(name, value)


def whole(name: str, value: Any) -> int:
    """Return an argument as an int; floats that are whole are fine."""
    try:
        return operator.index(value)
    except TypeError:
        size = number(name, value)
    if size != size or not size.is_integer():
        raise ArgumentError(ErrorDetail(_code(name), f"`{name}` is not whole: {size:g}", "give a whole number"))
    return int(size)


def seed_of(value: Any) -> int:
    """Return a seed, a whole number from 0 on."""
    seed = whole("seed", value)
    if seed < 0:
        raise ArgumentError(ErrorDetail("bad-seed", f"`seed` cannot be {seed}", "give 0 or more", value=str(seed)))
    return seed


def whole_or_none(name: str, value: Any) -> int | None:
    """Return an argument as an int, if it is given."""
    return None if value is None else whole(name, value)


def numbers_by_name(name: str, values: Any) -> dict[str, float]:
    """Return a mapping of names to numbers, empty where it is not given."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ArgumentError(ErrorDetail(_code(name), f"`{name}` is no mapping of dimensions to numbers", "give a dict"))
    return {str(key): number(name, value) for key, value in values.items()}


def several(name: str, values: Any) -> list[Any]:
    """Return one or several values as a list.

    Raises
    ------
    ArgumentError
        If there are none.
    """
    if isinstance(values, str) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        return [values]
    listed = [] if isinstance(values, bytes) else list(values)
    if not listed:
        raise ArgumentError(ErrorDetail(_code(name), f"`{name}` is empty", "give one value or several"))
    return listed
