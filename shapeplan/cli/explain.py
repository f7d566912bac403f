"""``shapeplan explain``: what a warning, a law or a word means."""

import sys
from typing import Annotated

import typer

from shapeplan.cli.output import open_console
from shapeplan.errors import ArgumentError, ErrorDetail


def explain(
    word: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]", help="A warning's code, a law, a term; none for the list.")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="TEXT", help="Find the pages that hold a text.")
    ] = None,
) -> None:
    """Explain a word: what a warning's code, a law, a convention or a term means, why it appears, and what to do.

    Example: shapeplan explain extrapolation
    """
    from shapeplan.explain import pages
    from shapeplan.render.explain import render_found, render_list, render_page

    console = open_console()
    if word and search is not None:
        raise ArgumentError(ErrorDetail("two-questions", "a word and --search are two questions", "give one of them"))
    if search is not None:
        console.show(*render_found(pages.search(search), search))
    elif not word:
        console.show(*render_list(pages.by_kind(pages.pages())))
    elif sys.stdout.isatty():
        console.show(render_page(pages.page(" ".join(word)), console.width))
    else:
        console.text(pages.page(" ".join(word)).text)
