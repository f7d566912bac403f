"""The pages of `shapeplan explain`: read from the package, listed, searched."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from importlib import resources

from shapeplan.codes import WARNINGS
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen
from shapeplan.laws import FORMS

WARNING, LAW, OTHER = "Warnings", "Laws", "Conventions and concepts"
_LONGEST = 60
_ALL = "shapeplan explain lists all words"
KINDS = (WARNING, LAW, OTHER)
"""What a page may be about, in the order of the list."""


@frozen
class Page:
    """A word and its explanation.

    Attributes
    ----------
    word : str
        What is typed after `shapeplan explain`.
    text : str
        The page, in Markdown.
    """

    word: str
    text: str

    @property
    def kind(self) -> str:
        """Which of `KINDS` it is."""
        return WARNING if self.word in WARNINGS else LAW if self.word in FORMS else OTHER

    @property
    def summary(self) -> str:
        """The first sentence, below the title."""
        return self.text.split("\n\n")[1].replace("\n", " ").strip()

    def lines_with(self, text: str) -> tuple[str, ...]:
        """Return the lines that hold a text, in any case of letters."""
        return tuple(line.strip() for line in self.text.splitlines() if text.casefold() in line.casefold())


def pages() -> tuple[Page, ...]:
    """Return every page, in alphabetical order of its word."""
    folder = resources.files("shapeplan.explain") / "pages"
    files = (file for file in folder.iterdir() if file.name.endswith(".md"))
    found = [Page(file.name.removesuffix(".md"), file.read_text(encoding="utf-8")) for file in files]
    return tuple(sorted(found, key=lambda page: page.word.casefold()))


def page(word: str) -> Page:
    """Return the page of a word, whatever its case, and with spaces or underscores for hyphens.

    Raises
    ------
    ArgumentError
        If there is none; the message names the nearest words.
    """
    known = {_plain(one.word): one for one in pages()}
    if _plain(word) in known:
        return known[_plain(word)]
    close = difflib.get_close_matches(_plain(word), known, n=3)
    hint = f"did you mean {' or '.join(known[one].word for one in close)}?" if close else _ALL
    raise ArgumentError(ErrorDetail("unknown-word", f"there is no page {_shortened(word)!r}", hint, value=word))


def search(text: str) -> tuple[Page, ...]:
    """Return the pages that hold a text, those with it in their word or summary first.

    Raises
    ------
    ArgumentError
        If no page does.
    """
    found = [one for one in pages() if one.lines_with(text)]
    if not text.strip() or not found:
        raise ArgumentError(ErrorDetail("no-page", f"no page has the text {_shortened(text)!r}", _ALL))
    return tuple(sorted(found, key=lambda one: not _in(text, one.word, one.summary)))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _in(text: str, *places: str) -> bool:
    return any(text.casefold() in place.casefold() for place in places)


def _plain(word: str) -> str:
    return re.sub(r"[\s_]+", "-", word.strip().strip("[]").casefold())


def by_kind(found: Sequence[Page]) -> dict[str, tuple[Page, ...]]:
    """Return pages by what they are about; kinds without pages are left out."""
    groups = {kind: tuple(one for one in found if one.kind == kind) for kind in KINDS}
    return {kind: group for kind, group in groups.items() if group}
