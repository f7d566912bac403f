"""The file of a study: a header, then a line a simulated sweep, in order; what a killed study wrote is resumed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from shapeplan.design.power_curve import Outcome
from shapeplan.documents.base import SCHEMA_VERSION
from shapeplan.documents.writing import check_target
from shapeplan.errors import ArgumentError, ErrorDetail, InputError, OutputError
from shapeplan.provenance import Source

KIND = "shapeplan.outcomes"
SUFFIX = ".jsonl"
_OTHER_FILE = "choose another name for the outcomes, or remove the file"


class Outcomes:
    """Outcomes that go nowhere."""

    def known(self) -> Iterator[Outcome]:
        """Yield those that an earlier process wrote."""
        yield from ()

    def landed(self, index: int, outcome: Outcome) -> None:
        """Take the next outcome."""


class _OutcomesFile(Outcomes):
    """Outcomes in a file. `known` has to be read to its end before anything lands."""

    def __init__(self, stream: IO[bytes], path: Path, header: Mapping[str, object]):
        self._stream, self._path, self._header = stream, path, header

    def known(self) -> Iterator[Outcome]:
        """Yield the outcomes that are whole; a last line without its end is dropped.

        Raises
        ------
        InputError
            If the file is of another study, or of something else; the message says what differs.
        """
        first = _line(self._header)
        written = self._stream.readline()
        if not written.endswith(b"\n") and first.startswith(written):
            self._stream.seek(0)
            self._stream.truncate()
            self._write(first)
            return
        self._check_header(written)
        good, index = len(written), 0
        for line in self._stream:
            if not line.endswith(b"\n"):
                break
            yield self._outcome(line, index)
            good, index = good + len(line), index + 1
        self._stream.seek(good)
        self._stream.truncate()

    def landed(self, index: int, outcome: Outcome) -> None:
        """Write the next outcome, so that it outlives this process.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        self._write(
            _line(
                {
                    "index": index,
                    "law": outcome.law,
                    "regret": outcome.regret,
                    "exponents": dict(outcome.exponents),
                    "sizes": dict(outcome.sizes),
                    "codes": sorted(outcome.codes),
                }
            )
        )

    def _write(self, line: bytes) -> None:
        try:
            self._stream.write(line)
            self._stream.flush()
        except OSError as error:
            message = f"cannot be written: {(error.strerror or str(error)).lower()}"
            raise OutputError(
                ErrorDetail("unwritable", message, "free space, and start again", str(self._path))
            ) from None

    def _check_header(self, line: bytes) -> None:
        try:
            found: Any = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.get("kind") != KIND:
            message = "is no file of outcomes"
            raise InputError(ErrorDetail("wrong-kind", message, _OTHER_FILE, str(self._path), 1))
        # As JSON has it: a tuple is a list there, and true is not 1.
        wanted = json.loads(_line(self._header))
        differing = [
            f"{name} {_word(found.get(name))}, now {_word(wanted.get(name))}"
            for name in dict.fromkeys((*wanted, *found))
            if json.dumps(found.get(name)) != json.dumps(wanted.get(name))
        ]
        if differing:
            message = f"holds another study: {'; '.join(differing)}"
            raise InputError(ErrorDetail("other-study", message, _OTHER_FILE, str(self._path), 1))

    def _outcome(self, line: bytes, index: int) -> Outcome:
        try:
            row = json.loads(line)
            if row["index"] != index:
                raise ValueError(f"index {row['index']} follows {index - 1}")
            return Outcome(row["exponents"], row["sizes"], row["regret"], row["law"], frozenset(row["codes"]))
        except (ValueError, KeyError, TypeError) as error:
            message = f"is no outcome: {error}"
            raise InputError(ErrorDetail("bad-outcome", message, _OTHER_FILE, str(self._path), index + 2)) from None


@contextlib.contextmanager
def open_outcomes(path: Path | None, study: Mapping[str, object], sources: Sequence[Source]) -> Iterator[Outcomes]:
    """Open the file of a study to write or to resume it; with no path, outcomes go nowhere.

    Parameters
    ----------
    path : Path or None
        The file, a ``.jsonl``.
    study : mapping of str to object
        The options that the outcomes depend on.
    sources : sequence of Source
        The design and the prior law; their digests tell one study from another.

    Raises
    ------
    ArgumentError
        If the name does not end in ``.jsonl``.
    OutputError
        If it is an input or a directory, cannot be written, or another process is writing it.
    """
    if path is None:
        yield Outcomes()
        return
    if path.suffix.lower() != SUFFIX:
        message = f"the name {path.name!r} does not end in {SUFFIX}, as outcomes are written"
        raise ArgumentError(ErrorDetail("bad-format", message, f"give {path.stem}{SUFFIX}", value=str(path)))
    check_target(path, tuple(source.name for source in sources))
    header = {"kind": KIND, "schema_version": SCHEMA_VERSION, **study, "inputs": [one.sha256 for one in sources]}
    try:
        stream = path.open("r+b" if path.exists() else "w+b")
    except OSError as error:
        message = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise OutputError(ErrorDetail("unwritable", message, "check the path", str(path))) from None
    with stream:
        _lock(stream, path)
        yield _OutcomesFile(stream, path, header)


def _lock(stream: IO[bytes], path: Path) -> None:
    """Refuse a file that another process is writing, where the system can tell."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        message = "is being written by another process"
        raise OutputError(ErrorDetail("in-use", message, "wait for it, or choose another name", str(path))) from None


def _line(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, allow_nan=False).encode() + b"\n"


def _word(value: object) -> str:
    if isinstance(value, list):
        return " and ".join(str(one)[:8] for one in value)
    return "none" if value is None else str(value)
