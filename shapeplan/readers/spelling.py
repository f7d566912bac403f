"""One spelling of words, whoever wrote them."""

from __future__ import annotations

import re


def normal(column: str) -> str:
    """Return a column's name as the tables of words have it: lower case, with underscores."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", column.strip().lstrip("# "))
    return re.sub(r"[\s\-./:@_]+", "_", words.lower())
