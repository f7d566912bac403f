"""Inputs to one table: files, stdin, and folders that training tools write."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.binary import is_binary, read_binary
from shapeplan.readers.parse import parse_table
from shapeplan.readers.source import SUFFIXES, read_text
from shapeplan.readers.sources import TOOLS, Tool
from shapeplan.readers.table import Record, Table, columns_of, joined
from shapeplan.runs import Source


@dataclass(frozen=True)
class Gathered:
    """What was read: one table, the inputs it is from, and the name that errors about its columns call it by."""

    table: Table
    sources: tuple[Source, ...]
    name: str


def gather(paths: Sequence[str | Path]) -> Gathered:
    """Read every input into one table.

    Parameters
    ----------
    paths : sequence of str or Path
        Files, folders, or ``-`` for stdin; at least one.

    Raises
    ------
    InputError
        If an input cannot be read, or a folder holds nothing that is known.
    """
    tables: list[tuple[str, Table]] = []
    sources: list[Source] = []
    for path in paths:
        found = _folder(Path(path)) if str(path) != "-" and Path(path).is_dir() else [_file(path)]
        for table, source in found:
            tables.append((source.name, table))
            sources.append(source)
    return Gathered(joined(tables), tuple(sources), sources[0].name)


def _file(path: str | Path) -> tuple[Table, Source]:
    if is_binary(path):
        return read_binary(path)
    text = read_text(path)
    table = parse_table(text)
    notes = tuple(f"{text.name} {note}" for note in text.notes)
    return replace(table, notes=(*notes, *table.notes)), text.source


def _folder(folder: Path) -> list[tuple[Table, Source]]:
    """Return what is in a folder: the runs of a tool, else the logs that lie directly in it."""
    for tool in TOOLS:
        runs = tool.finds(folder)
        if runs:
            return [_runs(tool, runs, folder)]
    logs = sorted(path for path in folder.iterdir() if path.is_file() and _is_log(path))
    if not logs:
        known = ", ".join(tool.NAME for tool in TOOLS)
        message = f"is a folder without a log: neither runs of a known tool ({known}) nor CSV, JSON or YAML files"
        raise InputError(ErrorDetail("is-a-directory", message, "name the file", str(folder)))
    return [_file(path) for path in logs]


def _runs(tool: Tool, runs: Sequence[Path], folder: Path) -> tuple[Table, Source]:
    """Return the runs of one tool as a table, and their files as one input."""
    records: list[Record] = []
    notes = [f"{folder}: {len(runs)} run{'s' if len(runs) > 1 else ''} of {tool.NAME}"]
    digest = hashlib.sha256()
    for run in runs:
        found, sources, understood = tool.read(run)
        records += found
        notes += understood
        for source in sources:
            digest.update(bytes.fromhex(source.sha256))
    table = Table(columns_of(records), tuple(records), notes=tuple(dict.fromkeys(notes)))
    return table, Source(str(folder), digest.hexdigest())


def _is_log(path: Path) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return any(suffix in SUFFIXES for suffix in suffixes[-2:]) or is_binary(path)
