"""Tables drawn in text to delimited text: Markdown, what psql and MySQL print, and columns aligned by blanks.

Lines keep their numbers: what is left out becomes a blank line.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from shapeplan.readers.spelling import without_formulas, without_markup

_RULE = re.compile(
    r"^[ \t]*(?=[^\n]*[|+])(?=[^\n]*-)[|+]?[ \t]*:?[-=]+:?[ \t]*(?:[|+][ \t]*:?[-=]+:?[ \t]*)*[|+]?[ \t]*$", re.M
)
_COUNT = re.compile(r"^\[\d+ rows x \d+ columns\]\s*$", re.M)
"""What pandas prints below a frame."""
_LATEX = re.compile(r"^[^\n&]+(?:&[^\n&]+){2,}\\\\", re.M)
_DRAWN = str.maketrans(
    {
        **dict.fromkeys("\u2502\u2503\u2506\u2507\u250a\u250b\u2551\u254e\u254f", "|"),
        **dict.fromkeys("\u2500\u2501\u2504\u2505\u2508\u2509\u2550\u254c\u254d", "-"),
        **dict.fromkeys(map(chr, [*range(0x250C, 0x254C), *range(0x2552, 0x2574)]), "+"),
    }
)
"""Lines and corners of frames, as ASCII draws them."""
_POLARS = re.compile(r"^shape: \(([\d_]+), [\d_]+\)", re.M)
_TYPES = re.compile(r"\|?(?:[ \t]*(?:[iuf]\d{1,3}|str|bool|cat|enum|date|datetime\[[^\]|]*\])[ \t]*\|?)+")
"""What Polars prints below the names of the columns."""
_EMPHASIS = re.compile(r"(\*\*|`)([^|*`\n]+)\1")
"""Cells that Markdown sets in bold or as code: the best values, and names."""
_HEAD = 4096
"""Characters that show whether a table is drawn."""
_LOOK, _LEAST = 5, 3
"""Lines that show what separates cells, and the fewest columns of a table that blanks align."""
_DELIMITERS = re.compile(r"[,;\t|\"#]")
_BORDER = re.compile(r"^[ \t]*=+(?:[ \t]+=+)+[ \t]*$", re.M)
"""Lines of reStructuredText around a table and below its header."""
_NUMPY = re.compile(r"\A\s*#[ \t]*(?P<names>[A-Za-z][^\n,;|:]*\n)(?=[\d \t.eE+-]+\n)")
"""Names of columns above numbers, which NumPy writes as a comment."""
_R = re.compile(r"\A\s*\"[^\"\n,;|]*\"(?:[ \t]+\"[^\"\n,;|]*\")+[ \t]*\n")
"""Names of columns as R writes them: in quotes, with blanks between."""
_QUOTED = re.compile(r"\"([^\"\n]*)\"")
_BLANKS = (re.compile(r"[ \t]{2,}"), re.compile(r"[ \t]+"))


class Undrawn(NamedTuple):
    """A text whose cells are delimited, by what, and what was drawn."""

    body: str
    delimiter: str
    drawn: str


def is_ruled(body: str) -> bool:
    """Return whether a text has a table with bars between its columns and a rule below its header."""
    head = body[:_HEAD].translate(_DRAWN)
    return "|" in head and any("|" in head[: rule.start()] or "+" in rule[0] for rule in _RULE.finditer(head))


def undrawn(body: str) -> Undrawn | None:
    """Return a drawn table as delimited text, or None where nothing is drawn."""
    if is_ruled(body):
        return _of_bars(body)
    if _LATEX.search(body[:_HEAD]):
        lines = [without_markup(re.sub(r"\\\\.*$", "", line)) for line in body.split("\n")]
        return Undrawn(
            "\n".join(line.replace("&", "|") if "&" in line else "" for line in lines), "|", "a table in LaTeX"
        )
    return _of_blanks(body)


def _of_bars(body: str) -> Undrawn:
    lines = [line.strip() for line in _RULE.sub("", body.translate(_DRAWN)).split("\n")]
    lines = ["" if _TYPES.fullmatch(line) else line for line in lines]
    rows = [line for line in lines if "|" in line]
    framed = all(line.startswith("|") and line.endswith("|") for line in rows)
    others = sum(bool(line) for line in lines) - len(rows)
    text = "\n".join((line[1:-1] if framed else line) if "|" in line else "" for line in lines)
    text = without_formulas(_EMPHASIS.sub(r"\2", text))
    shown = len(rows) - 1
    if (said := _POLARS.search(body)) and int(said[1].replace("_", "")) > shown:
        return Undrawn(text, "|", f"a table drawn with bars, which shows {shown} of {said[1]} rows: print all of them")
    around = f" ({others} line{'s' if others > 1 else ''} around it left out)" if others else ""
    return Undrawn(text, "|", f"a table drawn with bars{around}")


def _of_blanks(body: str) -> Undrawn | None:
    body = _NUMPY.sub(r"\g<names>", _BORDER.sub("", body), count=1)
    if _R.match(body):
        body = _QUOTED.sub(lambda found: re.sub(r"\s", "_", found[1]), body)
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
