"""Tables drawn in text to delimited text: Markdown, what psql and MySQL print, and columns aligned by blanks.

Lines keep their numbers: what is left out becomes a blank line.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

_RULE = re.compile(r"^\s*(?=[^\n]*[|+])(?=[^\n]*-)[|+]?\s*:?[-=]+:?\s*(?:[|+]\s*:?[-=]+:?\s*)*[|+]?\s*$", re.M)
_COUNT = re.compile(r"^\(\d+ rows?\)\s*$|^\d+ rows? in set.*$", re.M)
_HEAD = 4096
"""Characters that show whether a table is drawn."""
_LOOK, _LEAST = 5, 3
"""Lines that show what separates cells, and the fewest columns of a table that blanks align."""
_DELIMITERS = re.compile(r"[,;\t|\"#]")
_BLANKS = (re.compile(r"[ \t]{2,}"), re.compile(r"[ \t]+"))


class Undrawn(NamedTuple):
    """A text whose cells are delimited, by what, and what was drawn."""

    body: str
    delimiter: str
    drawn: str


def undrawn(body: str) -> Undrawn | None:
    """Return a drawn table as delimited text, or None where nothing is drawn."""
    if _RULE.search(body[:_HEAD]) and "|" in body[:_HEAD]:
        lines = [line.strip() for line in _COUNT.sub("", _RULE.sub("", body)).split("\n")]
        framed = all(line.startswith("|") and line.endswith("|") for line in lines if line)
        text = "\n".join(line[1:-1] if framed and line else line for line in lines)
        return Undrawn(text, "|", "a table drawn with bars")
    first = [line.strip() for line in islice((line for line in body[:_HEAD].split("\n") if line.strip()), _LOOK)]
    if len(first) < 2 or any(_DELIMITERS.search(line) for line in first):
        return None
    for blanks in _BLANKS:
        widths = [len(blanks.split(line)) for line in first]
        # Pandas prints the index of rows without a name.
        numbered = widths[0] == widths[1] - 1 and all(line.split()[0].isdecimal() for line in first[1:])
        if len(set(widths[1:])) == 1 and widths[0] >= _LEAST and (numbered or widths[0] == widths[1]):
            text = "\n".join(blanks.sub("\t", line.strip()) for line in body.split("\n"))
            return Undrawn(re.sub(r"^(\n*)", r"\1\t", text) if numbered else text, "\t", "columns that blanks separate")
    return None
