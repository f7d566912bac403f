"""Pages of explanation, and lists of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import RenderableType
from rich.markdown import Markdown
from rich.padding import Padding

from shapeplan.explain.pages import Page
from shapeplan.render.parts import table, title

_WIDEST = 100
"""Columns beyond which prose is hard to read."""


def render_page(page: Page, width: int) -> RenderableType:
    """Return a page for a terminal of so many columns."""
    return Padding(Markdown(page.text, code_theme="ansi_dark", hyperlinks=False), (0, max(0, width - _WIDEST), 0, 0))


def render_list(groups: Mapping[str, Sequence[Page]]) -> list[RenderableType]:
    """Return the words of every kind, with what they are in a sentence."""
    parts: list[RenderableType] = []
    for kind, pages in groups.items():
        parts += [title(kind), table(["word", "what it is"], [[page.word, page.summary] for page in pages], left=2)]
    return [*parts, "shapeplan explain WORD shows a page; `search=TEXT` looks through all of them."]


def render_found(pages: Sequence[Page], text: str) -> list[RenderableType]:
    """Return the pages that hold a text, each with the first line that does."""
    rows = [[page.word, page.lines_with(text)[0].lstrip("#*- ")] for page in pages]
    return [title(f"Pages with {text!r}"), table(["word", "first line with it"], rows, left=2)]
