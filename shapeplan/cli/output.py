"""Where a result goes: the table, the whole document, or a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shapeplan.errors import ArgumentError, Complaint
from shapeplan.render.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

    from shapeplan.documents.base import Document


def emit(
    console: Console,
    document: Callable[[], Document],
    tables: Callable[[], Sequence[RenderableType]],
    *,
    as_json: bool,
    output: Path | None,
    inputs: Sequence[str | Path | None],
) -> None:
    """Write the document to the file if one is given, and show the result: as JSON if asked, else as tables."""
    text = document().dumps() if output is not None or as_json else ""
    if output is not None:
        write(console, output, text, inputs)
    if as_json:
        console.text(text)
    else:
        console.show(*tables())


def check_output(output: Path) -> None:
    """Raise `ArgumentError` if what should name a file names stdout."""
    if str(output) == "-":
        message = "-o names a file, and '-' is none"
        raise ArgumentError(Complaint("output-is-stdout", message, "leave -o out", value="-"))


def write(console: Console, output: Path, content: str | bytes, inputs: Sequence[str | Path | None]) -> None:
    """Write a file, never over an input, and say so."""
    from shapeplan.documents.files import write_file

    check_output(output)
    write_file(output, content, tuple(str(name) for name in inputs if name))
    console.note(f"wrote {output}")


def emit_text(console: Console, text: str, *, output: Path | None, inputs: Sequence[str | Path | None]) -> None:
    """Write text to the file if one is given, else show it."""
    if output is not None:
        write(console, output, text, inputs)
    else:
        console.text(text)
