"""Snippets of Python."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def call(title: str, name: str, arguments: Mapping[str, Any]) -> str:
    """Return a call with an argument a line, under a comment."""
    lines = "".join(f"    {argument}={value!r},\n" for argument, value in arguments.items())
    return f"# {title}\n{name}(\n{lines})\n"


def assignments(values: Mapping[str, Any]) -> str:
    """Return an assignment a line."""
    return "".join(f"{name} = {value!r}\n" for name, value in values.items())


def ratio_to(size: int, of: int) -> float:
    """Return the ratio from which ``int(of * ratio)`` gives a size back, as a quotient rounded down would not."""
    ratio = size / of
    while int(of * ratio) < size:
        ratio = math.nextafter(ratio, math.inf)
    return ratio
