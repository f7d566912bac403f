"""Where the files of runs lie, and what runs are called by where they lie."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from shapeplan.readers.source import unreadable


def files_of(path: Path) -> list[Path]:
    """Return the files in a folder at any depth, or the file itself; of links to one file one, sorted.

    Raises
    ------
    InputError
        If a folder cannot be looked into.
    """
    if path.is_file():
        return [path]
    if not path.exists():
        return []
    found: dict[Path, Path] = {}
    for file in sorted(_walk(path)):
        if file.is_file():
            found.setdefault(file.resolve(), file)
    return sorted(found.values())


def matching(files: Sequence[Path], *patterns: str) -> list[Path]:
    """Return the files whose names match one of the patterns."""
    return [file for file in files if any(file.match(pattern) for pattern in patterns)]


def start_of(file: Path, size: int) -> bytes:
    """Return the first bytes of a file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return stream.read(size)
    except OSError as error:
        raise unreadable(file, error) from None


def run_name(home: Path, root: Path) -> str:
    """Return a run by its folder under the one that was given, or by its own name where it is that one."""
    if home == root or root not in home.parents:
        return home.name or home.resolve().name
    return home.relative_to(root).as_posix()


def _walk(folder: Path) -> Iterator[Path]:
    """Yield all files in a folder; links to folders are followed, each folder once."""

    def refuse(error: OSError) -> None:
        raise unreadable(Path(error.filename or folder), error)

    seen = set()
    for place, folders, files in os.walk(folder, followlinks=True, onerror=refuse):
        real = Path(place).resolve()
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield from (Path(place) / file for file in files)
