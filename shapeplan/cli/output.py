"""Where a result goes: the table, the whole document, or a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shapeplan.render.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

    from shapeplan.documents.base import Document


def emit(
    console: Console,
    document: Document,
    tables: Callable[[], Sequence[RenderableType]],
    *,
    as_json: bool,
    output: Path | None,
) -> None:
    """Write the document to the file if one is given, and show the result: as JSON if asked, else as tables."""
    if output is not None:
        write(console, output, document.dumps(), document)
    if as_json:
        console.text(document.dumps())
    else:
        console.show(*tables())


def write(console: Console, output: Path, text: str, document: Document) -> None:
    """Write text to a file, never over an input, and say so."""
    from shapeplan.documents.files import write_text

    write_text(output, text, tuple(record.name for record in document.inputs))
    console.note(f"wrote {output}")
