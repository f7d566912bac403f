"""Where a result goes: the table, the whole document, or a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shapeplan.cli.flags import with_flags
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen
from shapeplan.render.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType

    from shapeplan.documents.base import Document

LOG_FORMATS = ("csv", "tsv", "yaml", "json", "jsonl")


@frozen
class Target:
    """The file that a result goes to.

    Attributes
    ----------
    path : Path
        As the user wrote it.
    format : str
        What its name asks for: one of ``csv``, ``json`` ...
    inputs : tuple of str
        Names of the inputs, which are never overwritten.
    """

    path: Path
    format: str
    inputs: tuple[str, ...]

    def write(self, console: Console, content: str | bytes) -> None:
        """Write the file, and say so."""
        from shapeplan.documents.writing import write_file

        write_file(self.path, content, self.inputs)
        console.note(f"wrote {self.path}")


def open_console(*, quiet: bool = False, as_json: bool = False, github: bool = False) -> Console:
    """Return the console of a command; its messages name options."""
    return Console(quiet=quiet, as_json=as_json, github=github, wording=with_flags)


def output_target(
    output: Path | None, inputs: Sequence[str | Path | None], formats: Sequence[str] = ("json",)
) -> Target | None:
    """Return the file that a result goes to, None for stdout: checked before the work whose result it is to hold.

    Parameters
    ----------
    output : Path or None
        What ``-o`` says.
    inputs : sequence of str, Path or None
        The inputs of the command.
    formats : sequence of str
        What the command can write; the first is for names that ask for nothing, as those without a suffix, or with one
        that begins with a digit, do. Empty where the text may have any name.

    Raises
    ------
    ArgumentError
        If it names stdout, or its name asks for a format that the command does not write.
    OutputError
        If it is an input or a directory, or cannot be written.
    """
    if output is None:
        return None
    from shapeplan.documents.writing import check_target
    from shapeplan.readers.formats import SUFFIXES

    if str(output) == "-":
        message = "-o names a file, and '-' is none"
        raise ArgumentError(ErrorDetail("output-is-stdout", message, "leave -o out", value="-"))
    names = tuple(str(name) for name in inputs if name)
    check_target(output, names)
    suffix = output.suffix.lower()
    asked = SUFFIXES.get(suffix, suffix[1:]) if suffix[1:2].isalpha() else next(iter(formats), "")
    if formats and asked not in formats:
        message = f"the name {output.name!r} asks for {asked}, and this is written as {' or '.join(formats)}"
        raise ArgumentError(
            ErrorDetail("bad-format", message, f"give -o {output.stem}.{formats[0]}", value=str(output))
        )
    return Target(output, asked, names)


def emit(
    console: Console,
    document: Callable[[], Document],
    tables: Callable[[], Sequence[RenderableType]],
    *,
    as_json: bool,
    output: Target | None,
) -> None:
    """Write the document to the file if one is given, and show the result: as JSON if asked, else as tables."""
    text = document().dumps() if output is not None or as_json else ""
    if output is not None:
        output.write(console, text)
    if as_json:
        console.text(text)
    else:
        console.show(*tables())


def emit_text(console: Console, text: str, output: Target | None) -> None:
    """Write text to the file if one is given, else show it."""
    if output is not None:
        output.write(console, text)
    else:
        console.text(text)
