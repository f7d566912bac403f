"""The console: the one owner of stdout and stderr."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TextIO

from shapeplan.errors import MOST_KEPT, SHOWN, Caution, ErrorDetail, InputError, OutputError, ShapeplanError, count_of
from shapeplan.render.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

PIPE_WIDTH = 100_000
"""Width of a pipe: tables there are as wide as they need, never cut, never wrapped."""


EXCERPTS = 3
"""Mistakes whose line is shown."""
PATIENCE = 0.5
"""Seconds after which long work shows how far it is."""


class ClosedPipe(Exception):  # noqa: N818 - not an error: the reader has seen enough
    """Whoever read stdout has gone. No OSError, since Typer would end the program with status 1 on that."""


def _unwritten(error: OSError) -> Exception:
    """Return what is raised where a result cannot be written; what is left of it goes nowhere."""
    # Python would complain once more at exit, when it flushes what is left.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return ClosedPipe()
    why = (error.strerror or str(error)).lower()
    return OutputError(ErrorDetail("unwritable", f"cannot be written: {why}", "free it, or use -o", "<stdout>"))


class Console:
    """Results on stdout; notes, warnings and errors on stderr.

    Parameters
    ----------
    quiet : bool
        Whether to hide notes; warnings, errors and results are never hidden.
    as_json : bool
        Whether errors are JSON objects.
    github : bool
        Whether errors and warnings are annotations of GitHub's workflows, on stdout.
    wording : callable
        How messages are worded here: what becomes of the arguments that they name.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        as_json: bool = False,
        github: bool = False,
        wording: Callable[[str], str] = lambda text: text,
    ):
        self.quiet = quiet
        self.as_json = as_json
        self.github = github
        self._worded = wording
        self._held: list[tuple[str, str]] = []
        self._answered = False
        # A stream that was closed before we started is None; what would go there goes nowhere.
        sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as we do
        sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as we do
        for stream in (sys.stdout, sys.stderr):
            # A character that the stream's encoding lacks is written as an escape instead of ending in a traceback.
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure:
                reconfigure(errors="backslashreplace")

    @property
    def width(self) -> int:
        """Columns that a result may take."""
        return _width(sys.stdout)

    def text(self, text: str) -> None:
        """Write a result as it is; on a terminal with control characters escaped, as everything else there.

        Raises
        ------
        ClosedPipe
            If nobody reads it any more.
        OutputError
            If it cannot be written, e.g. to a full disk.
        """
        self._write("\n".join(map(_shown, text.split("\n"))) if sys.stdout.isatty() else text)

    def _write(self, text: str) -> None:
        """Write what is safe to show, or goes to no terminal; errors as of `text`."""
        self._release()
        self._answered = True
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            raise _unwritten(error) from None

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Raise for what a library writes the errors of `text`."""
        try:
            yield
        except SystemExit as left:
            if isinstance(left.__context__, BrokenPipeError):
                raise _unwritten(left.__context__) from None
            raise
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ENOSPC):
                raise
            raise _unwritten(error) from None

    def show(self, *renderables: RenderableType) -> None:
        """Write tables and text for people."""
        self._write(self._drawn(renderables, sys.stdout))

    def _drawn(self, renderables: Iterable[RenderableType], stream: TextIO) -> str:
        """Return what is drawn for a stream, as wide as it is; written by others, so that one place may fail."""
        from rich.console import Console as RichConsole
        from rich.measure import Measurement
        from rich.table import Table

        from shapeplan.render.parts import narrowed

        colour, width = _wants_colour(stream), _width(stream)
        drawn = io.StringIO()
        rich = RichConsole(
            file=drawn,
            width=width,
            force_terminal=colour,
            color_system="auto" if colour else None,
            no_color=not colour,
            highlight=False,
            markup=False,
            emoji=False,
        )
        unlimited = rich.options.update(max_width=PIPE_WIDTH)

        def parts(made: Table) -> list[Table]:
            # As wide as a pipe nothing need be narrowed, and to measure takes as long as to print.
            if width >= PIPE_WIDTH:
                return [made]
            return narrowed(made, width, lambda table: Measurement.get(rich, unlimited, table).maximum)

        for renderable in renderables:
            if isinstance(renderable, Table):
                for part in parts(renderable):
                    rich.print(part)
                    rich.print()
            else:
                rich.print(printable(self._worded(renderable)) if isinstance(renderable, str) else renderable)
        lines = drawn.getvalue().rstrip().split("\n")
        return "\n".join(line.rstrip() for line in lines) + "\n"

    @contextlib.contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Show how far long work is, with the time left, on a terminal's stderr; nothing anywhere else.

        Yields a function that is told how much is done, and of how much.
        """
        if self.quiet or self.as_json or not sys.stderr.isatty():
            yield lambda done, total: None
            return
        with _LateBar(what) as bar:
            yield bar.advance

    def note(self, text: str) -> None:
        """Say what was understood or done."""
        if not self.quiet:
            self._hold(f"note: {self._worded(text)}")

    def warn(self, cautions: Iterable[Caution]) -> None:
        """Say what is doubtful."""
        for caution in dict.fromkeys(cautions):
            if self.github:
                message = self._worded(f"{caution.message}; {caution.hint}")
                self.text(annotation("warning", caution.code, message))
                continue
            self._hold(f"warning: {self._worded(str(caution))}", "33")

    def error(self, error: ShapeplanError) -> None:
        """Say what is wrong: one mistake in a line, several as a table of the first ten; or as JSON."""
        if self.as_json:
            import json

            first, *others = (_as_json(self._worded_detail(detail)) for detail in error.details[:SHOWN])
            body: dict[str, Any] = first
            if others:
                body["others"] = others
                body["total"] = error.total
            self._say(json.dumps({"error": body}))
            return
        if self.github:
            for detail in error.details[:MOST_KEPT]:
                place = {"file": detail.file, "line": detail.line}
                message = str(replace(self._worded_detail(detail), file=None, line=None))
                self.text(annotation("error", detail.code, message, **place))
            return
        if len(error.details) == 1:
            self._say(f"error: {self._worded_detail(error.details[0])}", "31")
        else:
            self._say(f"error: {_count_of(error.details, error.noun)}", "31")
            self._say_table([self._worded_detail(detail) for detail in error.details[:SHOWN]])
            if error.total > SHOWN:
                self._say(f"and {error.total - SHOWN} more")
            self._say("")
        for line in self._lines_of(error):
            self._say(line)

    def _worded_detail(self, detail: ErrorDetail) -> ErrorDetail:
        hint = detail.hint and self._worded(detail.hint)
        return replace(detail, message=self._worded(detail.message), hint=hint)

    def _say_table(self, details: Sequence[ErrorDetail]) -> None:
        from shapeplan.render.faults import render_faults

        with contextlib.suppress(OSError):
            sys.stderr.write(self._drawn([render_faults(details)], sys.stderr))
            sys.stderr.flush()

    @staticmethod
    def _lines_of(error: ShapeplanError) -> list[str]:
        """Return the line of the input in which each of the first mistakes is, with a caret under it."""
        if not isinstance(error, InputError) or not any(detail.line for detail in error.details):
            return []
        from shapeplan.readers.excerpt import excerpts

        lines: list[str] = []
        for found in filter(None, excerpts(list(error.details[:EXCERPTS]))):
            number = f"{found.number:>6}"
            caret = " " * found.start + "^" * max(found.length, 1)
            lines += [f"{number} | {found.line}", f"{' ' * len(number)} | {caret}"]
        return lines

    def _hold(self, text: str, colour: str = "") -> None:
        """Say it now; or, where errors are JSON, once there is a result, so that an error stands alone on stderr."""
        if self.as_json and not self._answered:
            self._held.append((text, colour))
        else:
            self._say(text, colour)

    def _release(self) -> None:
        held, self._held = self._held, []
        for text, colour in held:
            self._say(text, colour)

    def _say(self, text: str, colour: str = "") -> None:
        clean = printable(text)
        if colour and _wants_colour(sys.stderr):
            clean = f"\x1b[{colour}m{clean}\x1b[0m"
        # Where stderr itself cannot be written there is nobody left to tell, and the result still counts.
        with contextlib.suppress(OSError):
            sys.stderr.write(clean + "\n")
            sys.stderr.flush()


class _LateBar:
    """A bar that starts by itself once work has gone on for a while: what is over at once has none.

    A timer starts it, since long work may have nothing to tell for long.
    """

    def __init__(self, what: str):
        self._what = what
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()
        self._tell: Callable[[int, int], None] | None = None
        self._latest = (0, 0)
        self._timer = threading.Timer(PATIENCE, self._start)
        self._timer.daemon = True

    def __enter__(self) -> _LateBar:
        self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._what = ""
            self._stack.close()

    def advance(self, done: int, total: int) -> None:
        """Tell how much is done, and of how much."""
        with self._lock:
            self._latest = (done, total)
            if self._tell:
                self._tell(done, total)

    def _start(self) -> None:
        with self._lock:
            # The work may have ended while the timer was about to go off.
            if self._what:
                self._tell = self._stack.enter_context(_bar(self._what))
                if self._latest[1]:
                    self._tell(*self._latest)


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console as RichConsole
    from rich.progress import Progress

    with Progress(console=RichConsole(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _shown(line: str) -> str:
    """Return a line of a result as a terminal may show it; tabs are between cells."""
    return "\t".join(map(printable, line.split("\t")))


_KEPT = "%\r\n"
"""What the syntax of annotations keeps for itself."""


def annotation(kind: str, title: str, message: str, **place: object) -> str:
    """Return a line that GitHub's workflows show at its place in a file."""

    def escaped(text: object, marks: str) -> str:
        return "".join(f"%{ord(mark):02X}" if mark in marks else printable(mark) for mark in str(text))

    told = {**{name: value for name, value in place.items() if value is not None}, "title": title}
    properties = ",".join(f"{name}={escaped(value, _KEPT + ':,')}" for name, value in told.items())
    return f"::{kind} {properties}::{escaped(message, _KEPT)}\n"


def _as_json(detail: ErrorDetail) -> dict[str, Any]:
    """Return a detail without how many are alike, which the total has."""
    return {name: value for name, value in asdict(detail).items() if name != "more"}


def _count_of(details: Sequence[ErrorDetail], noun: str) -> str:
    """Return how many mistakes, or whatever they are, there are in which inputs."""
    files: Counter[str] = Counter()
    for detail in details:
        files.update({detail.file: 1 + detail.more} if detail.file else {})
    where = ", ".join(f"{count} in {file}" for file, count in files.items())
    return f"{count_of(details)} {noun}" + (f": {where}" if len(files) > 1 else f" in {next(iter(files), 'all')}")


def _width(stream: TextIO) -> int:
    if not stream.isatty():
        return PIPE_WIDTH
    import shutil

    return shutil.get_terminal_size().columns


def _wants_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
