"""Plain numbers as people write them: ASCII digits, underscores between thousands only."""

from __future__ import annotations

import re

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:_\d{3})+(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)


def as_float(value: str | float) -> float:
    """Return a number, or read one.

    Python's `float` takes digits of other scripts and underscores anywhere: ``0_2434`` would be 2434.

    Raises
    ------
    ValueError
        If a text is no number, has other digits than 0 to 9, or underscores that are not between thousands.
    OverflowError
        If an integer is too large.
    """
    if isinstance(value, str):
        body = value.strip()
        if not body.isascii() or ("_" in body and not _GROUPED.fullmatch(body)):
            raise ValueError(f"{value!r} is not a plain number")
    return float(value)
