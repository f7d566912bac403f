"""The settings of a family: each declared once with what it may be, and checked in one place."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, field
from typing import TYPE_CHECKING, Any

from shapeplan.bounds import BOUNDS
from shapeplan.errors import ErrorDetail, InputError

if TYPE_CHECKING:
    import numpy as np
else:
    from shapeplan.numerics.lazy import np

LARGEST = int(BOUNDS["width"].most)
"""No dimension and no setting is above this."""
_LARGEST_TEXT = "1e9"
_OF_PYTHON = (int, float, str, list, tuple, dict, type(None))
_LONGEST_SHOWN = 60
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_SPELLINGS = {
    **{"token": "tok", "cls": "tok", "avg": "gap", "mean": "gap"},
    **{"ln": "layernorm", "layer_norm": "layernorm", "rms": "rmsnorm", "rms_norm": "rmsnorm"},
}
"""Choices as other libraries write them."""


def dimension(default: Any = MISSING) -> Any:
    """Declare a dimension of the shape: a positive int, an array of them, or floats in between (to minimize over)."""
    return field(default=default, metadata={"kind": "dimension"})


def count(default: Any = MISSING, *, least: int = 1) -> Any:
    """Declare a whole number of at least `least`."""
    return field(default=default, metadata={"kind": "count", "least": least})


def image_size() -> Any:
    """Declare the side of a square image, or its height and width."""
    return field(metadata={"kind": "image", "least": 1})


def flag(default: bool | None) -> Any:
    """Declare a yes or no; a default of None follows from other settings."""
    return field(default=default, metadata={"kind": "flag"})


def choice(default: str, options: Sequence[str]) -> Any:
    """Declare one of several words."""
    return field(default=default, metadata={"kind": "choice", "options": tuple(options)})


def checked(setting: Field[Any], value: Any) -> Any:
    """Return the value of a setting as it is counted with: whole numbers as int, sequences as arrays.

    Raises
    ------
    InputError
        If the value cannot be; ``column`` names the setting.
    """
    if value is None and setting.default is None:
        return None
    name, rule = setting.name, setting.metadata
    match rule["kind"]:
        case "dimension":
            return _dimension(name, value)
        case "count":
            return whole(name, value, rule["least"])
        case "image":
            return _image(name, value)
        case "flag":
            return _flag(name, value)
        case _:
            return _choice(name, value, rule["options"])


def parse(setting: Field[Any], text: str) -> Any:
    """Read the value of a setting as people write it: ``768``, ``224x384``, ``yes``, ``rms``.

    Raises
    ------
    InputError
        If the text is no such value; ``column`` names the setting.
    """
    body = text.strip()
    match setting.metadata["kind"]:
        case "dimension" | "count":
            return _number(setting.name, body)
        case "image":
            height, times, width = body.lower().partition("x")
            return (_number("image", height), _number("image", width)) if times else _number("image", body)
        case "flag":
            if body.lower() not in _WORDS:
                raise bad_setting(setting.name, text, "is neither true nor false", "write true or false")
            return _WORDS[body.lower()]
        case _:
            return _SPELLINGS.get(body.lower(), body.lower())


def whole(name: str, value: Any, least: int = 1) -> int:
    """Return `value` as an int from `least` to `LARGEST`; raise `InputError` naming the setting if it is none."""
    number = _scalar(name, value)
    if number < least:
        why, hint = ("is not positive", "give a positive number") if least else ("is negative", "give 0 or more")
        raise bad_setting(name, value, why, hint)
    if number != math.floor(number):
        raise bad_setting(name, value, "is not a whole number", "give a whole number")
    return int(number)


def bad_setting(name: str, value: object, why: str, hint: str) -> InputError:
    """Return the error for one setting of an architecture."""
    shown = None if value is None else _shown(value)
    said = f"architecture setting {name!r} " + (f"= {shown} " if shown is not None else "") + why
    return InputError(ErrorDetail("bad-architecture", said, hint, column=name, value=shown))


def _shown(value: object) -> str:
    try:
        text = str(value)
    except ValueError:  # Python writes no integer of more than 4300 digits.
        return "an integer of thousands of digits"
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


def is_array(value: Any) -> bool:
    """Return whether a value is an array; what Python has of its own is told without NumPy."""
    return not isinstance(value, _OF_PYTHON) and isinstance(value, np.ndarray)


def is_whole(value: Any) -> bool:
    """Return whether a value is an int or an array of ints, and so counted exactly."""
    if isinstance(value, _OF_PYTHON):
        return isinstance(value, int)
    return isinstance(value, np.integer) or (isinstance(value, np.ndarray) and value.dtype.kind in "iuO")


def must_divide(values: Mapping[str, Any], part: str, whole_name: str) -> None:
    """Raise `InputError` where ints of `part` do not divide those of `whole_name`; floats may lie in between."""
    top, bottom = values[whole_name], values[part]
    if not (is_whole(top) and is_whole(bottom)):
        return
    rest = top % bottom
    if not (rest.any() if is_array(rest) else rest):
        return
    if is_array(rest):
        place = int(np.flatnonzero(rest)[0])
        top, bottom = (np.broadcast_to(value, rest.shape).reshape(-1)[place] for value in (top, bottom))
    near = max(bottom, round(top / bottom) * bottom)
    raise bad_setting(
        whole_name, top, f"is no multiple of {part} = {bottom}", f"give e.g. {whole_name} = {near}, or other {part}"
    )


def _number(name: str, text: str) -> int | float:
    for kind in (int, float):
        try:
            number: int | float = as_int(kind(text))
        except ValueError:
            continue
        return number
    raise bad_setting(name, text, "is not a number", "give a plain number such as 768")


def as_int(value: Any) -> Any:
    """Return a float that is whole as the int it is, anything else unchanged."""
    return int(value) if isinstance(value, float) and abs(value) <= LARGEST and value == int(value) else value


def _scalar(name: str, value: Any) -> int | float:
    """Return an int as it is, anything else that is a number as float."""
    plain = isinstance(value, int | float)
    if isinstance(value, bool | str | list | tuple | dict) or not (plain or _is_scalar(value)):
        raise bad_setting(name, value, "is not a number", "give a number")
    try:
        number: int | float = operator.index(value)
    except TypeError:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise bad_setting(name, value, "is not a number", "give a number") from None
    if number != number:
        raise bad_setting(name, value, "is not a number", "give a number")
    if number > LARGEST:
        raise bad_setting(name, value, f"is above {_LARGEST_TEXT}", "no model is that large: check its zeros")
    return number


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, np.bool_) and np.ndim(value) == 0


def _dimension(name: str, value: Any) -> Any:
    """Return an int, a float, or an array of either, all positive."""
    if is_array(value) and (value.ndim or value.dtype.kind == "f"):
        return _dimensions(name, value)
    if isinstance(value, list | tuple):
        try:
            array = np.asarray(value)
        except (ValueError, OverflowError):
            raise bad_setting(name, value, "is no array of numbers", "give lists of equal length") from None
        if any(isinstance(item, bool) for item in value):
            raise bad_setting(name, value, "holds truth values", "give ints or floats")
        return _dimensions(name, array)
    number = _scalar(name, value)
    if not number > 0:
        raise bad_setting(name, value, "is not positive", "give a positive number")
    return number


def _dimensions(name: str, values: Any) -> Any:
    """Return positive ints as int64, positive floats as float64; both are copies, since models are frozen."""
    if isinstance(values, np.ma.MaskedArray):
        raise bad_setting(name, "masked array", "is masked", "fill it, or leave masked shapes out")
    if values.dtype.kind == "O" and all(isinstance(item, int) and item <= LARGEST for item in values.flat):
        values = values.astype(np.int64)
    if values.dtype.kind == "f":
        # Floats are what a search tries, so they have no upper end but infinity.
        wrong, why = ~((values > 0) & np.isfinite(values)), "is not positive and finite"
    elif values.dtype.kind in "iu":
        wrong, why = (values < 1) | (values > LARGEST), f"is not a whole number from 1 to {_LARGEST_TEXT}"
    else:
        raise bad_setting(name, values.dtype, "is no type of numbers", "give ints or floats")
    if wrong.any():
        raise bad_setting(name, values[wrong].flat[0], why, "check the array")
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)


def _flag(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, _OF_PYTHON) or not isinstance(value, np.bool_):
        raise bad_setting(name, value, "is neither true nor false", "write true or false")
    return bool(value)


def _choice(name: str, value: Any, options: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in options:
        raise bad_setting(name, value, "is unknown", f"choose one of {', '.join(options)}")
    return value


def _image(name: str, value: Any) -> int | tuple[int, int]:
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise bad_setting(name, value, "is no pair", "give one side in pixels, or [height, width]")
        return whole(name, value[0]), whole(name, value[1])
    return whole(name, value)
