"""Bytes to text: files and stdin, with every way that can go wrong."""

from __future__ import annotations

import difflib
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shapeplan.errors import ArgumentError, ErrorDetail, InputError
from shapeplan.runs import Source

Format = Literal["csv", "tsv", "yaml", "json", "jsonl"]
STDIN = "<stdin>"
LARGEST = 512 * 2**20
"""Bytes; a log of a million rows takes a fifth of it."""
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


@dataclass(frozen=True)
class Text:
    """The text of an input, and where it came from."""

    source: Source
    body: str
    suffix: str

    @property
    def name(self) -> str:
        """The name that messages call it by."""
        return self.source.name

    @property
    def format(self) -> Format:
        """The format by suffix, or by a look at the text where there is no telling suffix."""
        return SUFFIXES.get(self.suffix) or _sniff(self.body)


def read_text(path: str | Path) -> Text:
    """Read a file, or stdin for ``-``.

    Raises
    ------
    InputError
        If there is no such file, it is a directory, empty, binary or not UTF-8.
    ArgumentError
        If stdin is asked for and is a terminal.
    """
    name = STDIN if str(path) == "-" else str(path)
    raw = _read_stdin() if name == STDIN else _read_file(Path(path), name)
    if len(raw) > LARGEST:
        message = f"is larger than {LARGEST // 2**20} MiB"
        raise InputError(ErrorDetail("too-large", message, "a log has a row a point of training, not a step", name))
    digest = hashlib.sha256(raw).hexdigest()
    # Checked before decoding: UTF-16 and archives both show NUL bytes and deserve the clearer message.
    if b"\0" in raw:
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        raise InputError(
            ErrorDetail(
                "not-text", "is not text: it holds NUL bytes", "save it as UTF-8 text", name, line, value="\\x00"
            )
        )
    try:
        body = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        bad = f"\\x{raw[error.start]:02x}"
        raise InputError(
            ErrorDetail("not-utf8", f"is not UTF-8 (byte {bad})", "save it as UTF-8", name, line, value=bad)
        ) from None
    if not body.strip():
        hint = "a log has a header and rows, or a list of runs"
        hint = "pipe a file in; '-' can be read once only" if name == STDIN else hint
        raise InputError(ErrorDetail("empty", "is empty", hint, name))
    return Text(Source(name, digest), body, "" if name == STDIN else Path(path).suffix.lower())


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise ArgumentError(
            ErrorDetail("stdin-is-closed", "'-' reads from a pipe, but stdin is closed", "pipe a file in", STDIN)
        )
    if sys.stdin.isatty():
        raise ArgumentError(
            ErrorDetail(
                "stdin-is-a-terminal", "'-' reads from a pipe, but stdin is a terminal", "pipe a file in", STDIN
            )
        )
    return sys.stdin.buffer.read(LARGEST + 1)


def _read_file(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except FileNotFoundError:
        hint = "check the path"
        if path.parent.is_dir():
            close = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
            hint = f"did you mean {str(path.parent / close[0])!r}?" if close else hint
        raise InputError(ErrorDetail("no-such-file", "there is no such file", hint, name)) from None
    except IsADirectoryError:
        raise InputError(ErrorDetail("is-a-directory", "is a directory", "name a file inside it", name)) from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise InputError(ErrorDetail("unreadable", f"cannot be read: {why}", "check the file", name)) from None


def _sniff(body: str) -> Format:
    start = body.lstrip()
    first = start.split("\n", 1)[0]
    if start.startswith("["):
        return "json"
    if start.startswith("{"):
        lines = [line.strip() for line in start.splitlines() if line.strip()]
        return "jsonl" if all(line.startswith("{") and line.endswith("}") for line in lines) else "json"
    if "\t" in first:
        return "tsv"
    if "," in first and not first.startswith("- "):
        return "csv"
    return "yaml" if ":" in first or first.startswith(("-", "#")) else "csv"
