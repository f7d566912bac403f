"""Plain numbers as people write them: ASCII digits, underscores between thousands only."""

from __future__ import annotations

import re

_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:_\d{3})+(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)


def as_float(text: str) -> float:
    """Read a number.

    Python's `float` takes digits of other scripts and underscores anywhere: ``0_2434`` would be 2434.

    Raises
    ------
    ValueError
        If it is no number, has other digits than 0 to 9, or underscores that are not between thousands.
    """
    body = text.strip()
    if not body.isascii() or ("_" in body and not _GROUPED.fullmatch(body)):
        raise ValueError(f"{text!r} is not a plain number")
    return float(body)
