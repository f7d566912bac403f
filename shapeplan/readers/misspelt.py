"""Columns whose names are nearly a dimension's: a slip of the keyboard, or letters of another script."""

from __future__ import annotations

import difflib
import unicodedata

from shapeplan.errors import ErrorDetail
from shapeplan.readers.columns import Columns
from shapeplan.readers.metric_names import may_be_factor
from shapeplan.readers.names import LATER, SHAPE, SYNONYMS, word_of
from shapeplan.runs import Runs

_LOOKALIKES = str.maketrans(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456"
    "\u0458\u0455\u0501\u04bb\u04cf\u0432\u043c\u043d"
    "\u043a\u0442\u0433\u03b1\u03b5\u03b9\u03bf\u03ba"
    "\u03bd\u03c1\u03c4\u03c5\u03c7\u03c9\u0131\u2113"
    "0",
    "aceopxyijsdhlbmhktraeiokvptuxwilo",
)
"""Cyrillic, Greek and other letters, and the Latin ones that they look like."""
_NEAR = 0.8
"""Ratio of Ratcliff and Obershelp from which on two names are nearly one."""
_SHORTEST = 4
"""Length of a name below which a single letter makes another word."""


def misspelt(runs: Runs, columns: Columns) -> list[ErrorDetail]:
    """Return an error where a column without a role varies and is named nearly like a dimension that no column is.

    Parameters
    ----------
    runs : Runs
        The rows.
    columns : Columns
        Which columns have which role.
    """
    words = {word: role for role in SHAPE if role not in (*columns.dims, *columns.none) for word in _words(role)}
    details = []
    for column in columns.ignored:
        name = _looks_like(word_of(column))
        if len(name) < _SHORTEST or runs.cells[column].is_constant() or not may_be_factor(column):
            continue
        # A letter too many or too few is a slip; more is another word.
        alike = [word for word in words if abs(len(word) - len(name)) <= 1]
        near = [name] if name in words else difflib.get_close_matches(name, alike, 1, _NEAR)
        values = runs.cells[column].numbers() if near else None
        if values is None or not (values > 0).all():
            continue
        message = f"the column is nearly {near[0]!r}, and no column is the {words[near[0]]}"
        hint = f"rename it, or `columns={words[near[0]]}='{column}'`; if it is something else, rename it too"
        details.append(ErrorDetail("misspelt-column", message, hint, runs.file_of(0), column=column))
    return details


def _words(role: str) -> tuple[str, ...]:
    return tuple(word for word in (role, *SYNONYMS[role], *LATER[role]) if len(word) >= _SHORTEST)


def _looks_like(name: str) -> str:
    """Return a name in Latin letters, without accents, as it looks."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_LOOKALIKES)
