"""Tables drawn in text to delimited text: Markdown, what psql and MySQL print, and columns aligned by blanks.

Lines keep their numbers: what is left out becomes a blank line.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from shapeplan.errors import ErrorDetail, InputError

_RULE = re.compile(
    r"^[ \t]*(?=[^\n]*[|+])(?=[^\n]*-)[|+]?[ \t]*:?[-=]+:?[ \t]*(?:[|+][ \t]*:?[-=]+:?[ \t]*)*[|+]?[ \t]*$", re.M
)
_COUNT = re.compile(r"^\[\d+ rows x \d+ columns\]\s*$", re.M)
"""What pandas prints below a frame."""
_LATEX = re.compile(r"^[^\n&]+(?:&[^\n&]+){2,}\\\\", re.M)
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


def is_ruled(body: str) -> bool:
    """Return whether a text has a table with bars between its columns and a rule below its header."""
    head = body[:_HEAD]
    return "|" in head and any("|" in head[: rule.start()] or "+" in rule[0] for rule in _RULE.finditer(head))


def undrawn(body: str, name: str) -> Undrawn | None:
    """Return a drawn table as delimited text, or None where nothing is drawn.

    Raises
    ------
    InputError
        If the text is a page of HTML.
    """
    if is_ruled(body):
        return _of_bars(body)
    if body[:_HEAD].lstrip().startswith("<"):
        hint = "save it as CSV: pandas.read_html(FILE)[0].to_csv(...)"
        raise InputError(ErrorDetail("not-a-table", "is HTML or XML, not a log", hint, name))
    if _LATEX.search(body[:_HEAD]):
        lines = [re.sub(r"\\\\.*$", "", line).replace("\\_", "_") for line in body.split("\n")]
        return Undrawn(
            "\n".join(line.replace("&", "|") if "&" in line else "" for line in lines), "|", "a table in LaTeX"
        )
    return _of_blanks(body)


def _of_bars(body: str) -> Undrawn:
    lines = [line.strip() for line in _RULE.sub("", body).split("\n")]
    rows = [line for line in lines if "|" in line]
    framed = all(line.startswith("|") and line.endswith("|") for line in rows)
    others = sum(bool(line) for line in lines) - len(rows)
    text = "\n".join((line[1:-1] if framed else line) if "|" in line else "" for line in lines)
    around = f" ({others} line{'s' if others > 1 else ''} around it left out)" if others else ""
    return Undrawn(text, "|", f"a table drawn with bars{around}")


def _of_blanks(body: str) -> Undrawn | None:
    first = [line.strip() for line in islice((line for line in body[:_HEAD].split("\n") if line.strip()), _LOOK)]
    if len(first) < _LEAST or any(_DELIMITERS.search(line) for line in first):
        return None
    body = _COUNT.sub("", body)
    if len(first[1].split()) == 1:
        # Pandas prints the name of an index below the names of the columns.
        names = re.compile(r"^(\n*)([^\n]+)\n[ \t]*(\S+)[ \t]*$", re.M)
        body = names.sub(r"\1\3  \2\n", body, count=1)
        first = [f"{first[1]}  {first[0]}", *first[2:]]
    for blanks in _BLANKS:
        widths = [len(blanks.split(line)) for line in first]
        # Pandas prints the index of rows without a name.
        numbered = widths[0] == widths[1] - 1 and all(line.split()[0].isdecimal() for line in first[1:])
        if len(set(widths[1:])) == 1 and widths[0] >= _LEAST and (numbered or widths[0] == widths[1]):
            text = "\n".join(blanks.sub("\t", line.strip()) for line in body.split("\n"))
            return Undrawn(re.sub(r"^(\n*)", r"\1\t", text) if numbered else text, "\t", "columns that blanks separate")
    return None
