"""Where the files of runs lie, and what runs are called by where they lie."""

from __future__ import annotations

from pathlib import Path


def files_of(path: Path, *patterns: str) -> list[Path]:
    """Return the files that match, in a folder at any depth or the file itself; of links to one file one, sorted."""
    if path.is_file():
        return [path] if any(path.match(pattern) for pattern in patterns) else []
    found = {file.resolve(): file for pattern in patterns for file in sorted(path.rglob(pattern)) if file.is_file()}
    return sorted(found.values())


def run_name(home: Path, root: Path) -> str:
    """Return a run by its folder under the one that was given, or by its own name where it is that one."""
    if home == root or root not in home.parents:
        return home.name or home.resolve().name
    return home.relative_to(root).as_posix()
