"""Bytes to text: files and stdin, with every way that can go wrong."""

from __future__ import annotations

import codecs
import difflib
import hashlib
import importlib
import io
import os
import re
import sys
from pathlib import Path
from typing import IO, Any

from shapeplan.errors import ArgumentError, ErrorDetail, InputError
from shapeplan.frozen import frozen
from shapeplan.provenance import Source
from shapeplan.readers.drawn import is_ruled
from shapeplan.readers.formats import SUFFIXES, Format

STDIN = "<stdin>"
_COMPRESSED = (
    (b"\x1f\x8b", (".gz", ".gzip"), "gzip"),
    (b"BZh", (".bz2",), "bz2"),
    (b"\xfd7zXZ\0", (".xz",), "lzma"),
    (b"\x28\xb5\x2f\xfd", (".zst", ".zstd"), "zstandard"),
)
"""What compressed files begin with, their suffixes, and the module that opens them."""
COMPRESSED = tuple(suffix for _, suffixes, _ in _COMPRESSED for suffix in suffixes)
_KNOWN = (
    (
        b"PK\x03\x04",
        "a zip archive, or a workbook",
        "unpack it; name it .xlsx if it is a workbook of Excel, and save any other as .xlsx",
    ),
    (b"PAR1", "Parquet", "name it .parquet"),
    (
        b"SQLite format 3",
        "an SQLite database",
        "save the table of runs as CSV; MLflow's own is read under the name mlflow.db",
    ),
    (b"ARROW1", "Feather", "save it as Parquet or CSV"),
    (b"\x93NUMPY", "an array of NumPy", "save it as CSV, with the names of its columns"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook of old Excel (.xls)", "save it as .xlsx or CSV"),
    (b"\x89HDF", "HDF5", "save its table as CSV or Parquet"),
    *((magic, f"{suffixes[0][1:]}-compressed twice", "unpack it once") for magic, suffixes, _ in _COMPRESSED),
    (b"\x80", "a pickle", "save it as CSV or Parquet"),
)
"""What binary files that are not read begin with, what they are, and what to do."""
_TAR, _TAR_AT = b"ustar", 257
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
LARGEST = 512 * 2**20
"""Bytes; a log of a million rows takes a fifth of it."""
MOST_LINES, MOST_MAPPINGS = 20_000_000, 4_000_000
"""In an input: a line may be two bytes, and a mapping seven, and takes hundreds of times that in memory."""
_FEWER = "a log has a row a point of training, not a step"


@frozen
class Text:
    """The text of an input, and where it came from."""

    source: Source
    body: str
    suffix: str
    notes: tuple[str, ...] = ()

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
        If stdin is asked for and is a terminal, or the path is none.
    """
    if not isinstance(path, str | os.PathLike):
        message = f"a file cannot be named by {type(path).__name__}"
        raise ArgumentError(ErrorDetail("wrong-type", message, "give its path, or '-' for stdin"))
    name = STDIN if str(path) == "-" else str(path)
    raw = _read_stdin() if name == STDIN else _read_file(Path(path), name)
    check_size(raw, name)
    digest = hashlib.sha256(raw).hexdigest()
    raw, suffix = _decompressed(raw, "" if name == STDIN else path, name)
    body, notes = _decoded(raw, name)
    if not body or body.isspace():
        hint = "a log has a header and rows, or a list of runs"
        hint = "pipe a file in, and name '-' once" if name == STDIN else hint
        raise InputError(ErrorDetail("empty", "is empty", hint, name))
    return Text(Source(name, digest), body, suffix, notes)


def check_size(raw: bytes, name: str, when: str = "") -> None:
    """Raise `InputError` if an input is larger than a log can be."""
    if len(raw) > LARGEST:
        message = f"is larger than {LARGEST // 2**20} MiB{when}"
        raise InputError(ErrorDetail("too-large", message, _FEWER, name))
    for sign, most, what in ((b"\n", MOST_LINES, "lines"), (b"{", MOST_MAPPINGS, "mappings")):
        if (count := raw.count(sign)) > most:
            message = f"has {count:,} {what}{when}, of which at most {most:,} are read"
            raise InputError(ErrorDetail("too-large", message, _FEWER, name))


def first_line(error: Exception) -> str:
    """Return what an error of a library says, in one line that is not too long."""
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__


def library(module: str, name: str, instead: str) -> Any:
    """Return a module that reads an input, of the extra ``import``; the error says what to do without it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        message = f"needs {module.split('.')[0]}, which is not installed"
        hint = f"pip install 'shapeplan[import]', or {instead}"
        raise InputError(ErrorDetail("missing-extra", message, hint, name)) from None


def _decompressed(raw: bytes, path: str | Path, name: str) -> tuple[bytes, str]:
    """Return the bytes of a file that gzip, bzip2, xz or zstd made smaller, and the suffix of what was compressed."""
    inner = Path(path)
    for magic, suffix, module in _COMPRESSED:
        if not raw.startswith(magic):
            continue
        opened = library(module, name, "decompress it")
        stream: IO[bytes] = (
            opened.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
            if module == "zstandard"
            else opened.open(io.BytesIO(raw))
        )
        try:
            whole = stream.read(LARGEST + 1)
        except Exception as error:  # Every library raises errors of its own on a broken file.
            message = f"cannot be decompressed: {error}"
            raise InputError(ErrorDetail("bad-compression", message, "copy it again", name)) from None
        if module == "zstandard" and not _ends_whole(opened, raw):
            message = "cannot be decompressed: it ends before its last frame does"
            raise InputError(ErrorDetail("bad-compression", message, "copy it again", name))
        raw = whole
        check_size(raw, name, " when decompressed")
        if inner.suffix.lower() in suffix:
            inner = inner.with_suffix("")
    return raw, inner.suffix.lower()


def _ends_whole(zstandard: Any, raw: bytes) -> bool:
    """Return whether the last frame of a file of zstd is there to its end, which a stream reader does not tell."""
    while raw:
        frame = zstandard.ZstdDecompressor().decompressobj()
        frame.decompress(raw)
        if not frame.eof:
            return False
        raw = frame.unused_data
    return True


def _decoded(raw: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the text of bytes in UTF-8, in UTF-16 with its mark, or in Windows-1252, which is said."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            body = raw.decode("utf-16")
        except UnicodeDecodeError:
            body = "\0"
        if "\0" not in body:
            return body, ("is UTF-16",)
    if b"\0" in raw:
        for magic, what, hint in _KNOWN:
            if raw.startswith(magic):
                raise InputError(ErrorDetail("not-text", f"is no text but {what}", hint, name))
        if raw[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
            raise InputError(
                ErrorDetail("not-text", "is no text but a tar archive", "unpack it, and name the file", name)
            )
        line = raw[: raw.index(b"\0")].count(b"\n") + 1
        hint = "save it as UTF-8 text"
        raise InputError(ErrorDetail("not-text", "is not text: it holds NUL bytes", hint, name, line, value="\\x00"))
    try:
        return raw.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        mistake = error
    try:
        body = raw.decode("cp1252")
        if not _CONTROL.search(body):
            return body, ("is not UTF-8: read as Windows-1252",)
    except UnicodeDecodeError:
        pass
    line = raw[: mistake.start].count(b"\n") + 1
    bad = f"\\x{raw[mistake.start]:02x}"
    raise InputError(ErrorDetail("not-utf8", f"is not UTF-8 (byte {bad})", "save it as UTF-8", name, line, value=bad))


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
            # A read of so many bytes makes room for all of them at once, which takes time even where few come.
            size = os.fstat(stream.fileno()).st_size
            return stream.read() if 0 < size <= LARGEST else stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise InputError(ErrorDetail("no-such-file", "there is no such file", _meant(path), name)) from None
    except IsADirectoryError:
        raise InputError(ErrorDetail("is-a-directory", "is a directory", "name a file inside it", name)) from None
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from None


def unreadable(name: str | Path, error: OSError | ValueError) -> InputError:
    """Return the error of a file or folder that the system does not open, or whose name it does not take."""
    why = (getattr(error, "strerror", None) or str(error)).lower()
    return InputError(ErrorDetail("unreadable", f"cannot be read: {why}", "check its path and permissions", str(name)))


def _meant(path: Path) -> str:
    """Return what may be meant by the name of a file that is not there."""
    try:
        names = os.listdir(path.parent)
    except OSError:
        return "check the path"
    close = difflib.get_close_matches(path.name, names, n=1)
    if close and close[0] == path.name:
        return "it is a link to a file that is not there"
    return f"did you mean {str(path.parent / close[0])!r}?" if close else "check the path"


def _sniff(body: str) -> Format:
    start = body[: 2**16].lstrip()
    first = start.split("\n", 1)[0]
    # Law documents are read by this module too, and need no names of columns.
    from shapeplan.readers.pairs import are_pairs

    if are_pairs(body):
        return "pairs"
    if start.startswith("["):
        return "json"
    if start.startswith("{"):
        lines = [line.strip() for line in body.splitlines() if line.strip()]
        return "jsonl" if all(line.startswith("{") and line.endswith("}") for line in lines) else "json"
    if "\t" in first:
        return "tsv"
    if is_ruled(body):
        return "csv"
    if "," in first and not first.startswith("- "):
        return "csv"
    if re.match(r"#[^:\n]*\n[\d \t.eE+-]+\n", start):
        # NumPy writes the names of columns as a comment.
        return "csv"
    return "yaml" if ":" in first or first.startswith(("-", "#")) else "csv"
