"""Files written atomically: one, or several of which all are written or none."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from shapeplan.errors import ErrorDetail, OutputError

_WRITABLE = 0o222


def write_file(path: str | Path, content: str | bytes, inputs: tuple[str, ...] = ()) -> None:
    """Write a file as a whole or not at all; as `write_files`."""
    write_files({Path(path): content}, inputs)


def write_files(files: Mapping[Path, str | bytes], inputs: tuple[str, ...] = ()) -> None:
    """Write files, each as a whole, and all of them or none.

    Parameters
    ----------
    files : mapping of Path to str or bytes
        The content, by path; what UTF-8 cannot hold of a text (half a surrogate in a cell) is written as an escape.
    inputs : tuple of str
        Names of the inputs, which are never overwritten.

    Raises
    ------
    OutputError
        If a path is an input, a directory or a read-only file, or cannot be written.
    """
    for path in files:
        check_target(path, inputs)
    staged: list[_Staged] = []
    try:
        for path, content in files.items():
            with _told(path):
                staged.append(_Staged(path, content))
        for one in staged:
            with _told(one.path):
                # Nothing follows the last, so that it is never undone.
                one.replace(undoable=one is not staged[-1])
    except BaseException:
        for one in reversed(staged):
            one.undo()
        raise


def check_target(path: str | Path, inputs: tuple[str, ...] = ()) -> None:
    """Raise `OutputError` as `write_file` would, as far as that can be told before there is anything to write."""
    target = _behind(path)
    for name in inputs:
        with contextlib.suppress(OSError, ValueError):
            if target.exists() and target.samefile(name):
                message = "is an input, and would be overwritten"
                raise OutputError(ErrorDetail("overwrites-input", message, "choose another name for -o", str(path)))
    if target.is_dir():
        raise _unwritable(path, os.strerror(errno.EISDIR))
    if target.exists() and not (target.stat().st_mode & _WRITABLE and os.access(target, os.W_OK)):
        # A file beside it could still take its place, and root may write to any: who made it read-only wants neither.
        raise _unwritable(path, "the file is read-only")
    # A file is replaced by one beside it; a device or a pipe is written to.
    place = target if _is_device(target) else target.parent
    if not place.exists():
        raise _unwritable(path, os.strerror(errno.ENOENT))
    if not os.access(place, os.W_OK):
        raise _unwritable(path, os.strerror(errno.EACCES))


class _Staged:
    """A file that is written beside its target, and waits to be renamed."""

    def __init__(self, path: Path, content: str | bytes):
        self.path = path
        self._body = content if isinstance(content, bytes) else content.encode("utf-8", errors="backslashreplace")
        # A link keeps pointing where it points; the file behind it is what is replaced.
        self._target = _behind(path)
        # Renaming a file over a device or a pipe would destroy it.
        self._beside = None if _is_device(self._target) else _written_beside(self._target, self._body)
        self._earlier: bytes | None = None
        self._replaced = False

    def replace(self, *, undoable: bool) -> None:
        """Put the file in place of what is there, which is kept if this may be undone."""
        if self._beside is None:
            with self._target.open("wb") as stream:
                stream.write(self._body)
            return
        self._earlier = self._target.read_bytes() if undoable and self._target.exists() else None
        self._beside.replace(self._target)
        self._replaced = True

    def undo(self) -> None:
        """Restore what was there."""
        if self._beside is None:
            return
        if not self._replaced:
            self._beside.unlink(missing_ok=True)
        elif self._earlier is None:
            self._target.unlink(missing_ok=True)
        else:
            _written_beside(self._target, self._earlier).replace(self._target)


def _written_beside(target: Path, body: bytes) -> Path:
    """Return a file with a content beside a target, so that a rename stays on one file system and is atomic."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".shapeplan.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(body)
        Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _is_device(target: Path) -> bool:
    return target.exists() and not target.is_file()


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from None


def _behind(path: str | Path) -> Path:
    """Return the file that a path means, behind links; refuse one that the system does not take."""
    try:
        with contextlib.suppress(FileNotFoundError):
            os.stat(path)
        return Path(os.path.realpath(path))
    except (OSError, ValueError) as error:
        raise _unwritable(path, getattr(error, "strerror", None) or str(error)) from None


def _unwritable(path: str | Path, why: str) -> OutputError:
    return OutputError(ErrorDetail("unwritable", f"cannot be written: {why.lower()}", "check the path", str(path)))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
