"""Inputs to one table: files, stdin, the runs of training tools in files and folders, and their services."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from shapeplan import codes
from shapeplan.errors import ArgumentError, Caution, ErrorDetail, InputError
from shapeplan.frozen import frozen
from shapeplan.provenance import Source
from shapeplan.readers.alignment import aligned, coalesced
from shapeplan.readers.binary import is_binary, read_binary
from shapeplan.readers.configurations import with_configurations
from shapeplan.readers.formats import SUFFIXES
from shapeplan.readers.metric_names import ACCURACY, is_loss
from shapeplan.readers.names import word_of
from shapeplan.readers.nested_cells import expanded
from shapeplan.readers.parse import parse_table
from shapeplan.readers.reshaped import reshaped
from shapeplan.readers.source import COMPRESSED, read_text, unreadable
from shapeplan.readers.sources import LAST, SERVICES, TOOLS
from shapeplan.readers.sources.config import is_config
from shapeplan.readers.sources.finding import files_of, start_of
from shapeplan.readers.sources.run_log import RunLog, records_of, went_on
from shapeplan.readers.table import Record, Table, joined

_OF_SETTINGS = (".json", ".yaml", ".yml")
_FEW = 3
_START = 2**16
"""Bytes of a table in which its metric is named, if it has one."""
_WENT_ON = 1.1
"""Steps of a run, over those of its last evaluation, from which on that is one before its end."""


@frozen
class Gathered:
    """What was read: one table, the inputs it is from, and the name that errors about its columns call it by."""

    table: Table
    sources: tuple[Source, ...]
    name: str


def gather(paths: Sequence[str | Path], *, all_points: bool = False) -> Gathered:
    """Read every input into one table.

    Parameters
    ----------
    paths : sequence of str or Path
        Files, folders, addresses such as ``wandb:ENTITY/PROJECT``, or ``-`` for stdin; at least one.
    all_points : bool
        Whether every evaluation of a run that a training tool logged is a row, not its last alone.

    Raises
    ------
    InputError
        If an input cannot be read, or a folder holds nothing that is known.
    """
    tables: list[tuple[str, Table]] = []
    sources: list[Source] = []
    for path in paths:
        for table, source in _input(path, all_points, several=len(paths) > 1):
            tables.append((source.name, table))
            sources.append(source)
    tables = with_configurations(tables)
    return Gathered(coalesced(joined(aligned(tables))), tuple(sources), tables[0][0])


def _input(path: str | Path, all_points: bool, *, several: bool) -> list[tuple[Table, Source]]:
    """Return what an input holds: runs of a service or of a tool, else the logs that it is, or that lie in it."""
    for service in SERVICES:
        if str(path).startswith(service.SCHEME):
            return [_runs(service.read_address(str(path)), str(path), str(path), all_points)]
    if not str(path).strip():
        hint = "a variable of the shell may be empty; name a file or a folder"
        raise ArgumentError(ErrorDetail("no-log", "the name of a log is empty", hint, value=str(path)))
    place = Path(path)
    if str(path) == "-" or not (os.path.isdir(path) or os.path.isfile(path)):
        return [_file(path)]
    try:
        return _found(place, all_points, several=several)
    except OSError as error:
        raise unreadable(error.filename or path, error) from None


def _found(place: Path, all_points: bool, *, several: bool) -> list[tuple[Table, Source]]:
    """Return what a file or a folder holds: runs of a tool, else logs."""
    files = files_of(place)
    tables = [file for file in files if _is_log(file)] if place.is_dir() else []
    found = {tool.NAME: (tool, runs) for tool in TOOLS if (runs := tool.finds(files))}
    if not found and not any(map(_may_tell_results, tables)) and (printed := LAST.finds(files)):
        found = {LAST.NAME: (LAST, printed)}
    if found:
        (tool, runs), *others = found.values()
        held = {str(run): tool.read(run, place) for run in runs}
        logs = [log for of_file in held.values() for log in of_file]
        if several:
            logs = [replace(log, name=(place / log.name).as_posix() if log.name else "") for log in logs]
        title = f"{place}: {len(logs)} run{'s' if len(logs) != 1 else ''} of {tool.NAME}"
        also = [f"{place} holds runs of {other.NAME} too: not read" for other, _ in others]
        also += _without_log(files, runs, place)
        also += _without_rows([file for file, of_file in held.items() if not of_file])
        read = {source.name for log in logs for source in log.sources}
        also += _passed_over(place, [file for file in tables if str(file) not in read])
        return [_runs(logs, str(place), title, all_points, also)]
    return _folder(place, tables) if place.is_dir() else [_file(place)]


def _file(path: str | Path) -> tuple[Table, Source]:
    if is_binary(path):
        table, source = read_binary(path)
        return expanded(reshaped(table, source.name), source.name), source
    text = read_text(path)
    table = expanded(reshaped(parse_table(text), text.name), text.name)
    notes = tuple(f"{text.name} {note}" for note in text.notes)
    return replace(table, notes=(*notes, *table.notes)), text.source


def _folder(folder: Path, tables: Sequence[Path]) -> list[tuple[Table, Source]]:
    """Return, of the tables in a folder, those that lie directly in it, or that have one name."""
    logs = [path for path in tables if path.parent == folder]
    if len({path.name for path in tables}) == 1:
        logs = list(tables)
    if not logs:
        known = ", ".join(tool.NAME for tool in TOOLS)
        message = f"is a folder without a log: neither runs of a known tool ({known}) nor CSV, JSON or YAML files"
        raise InputError(ErrorDetail("is-a-directory", message, "name the file", str(folder)))
    empty = [path for path in logs if not path.stat().st_size]
    if len(empty) < len(logs):
        logs = [path for path in logs if path not in empty]
    read = [_file(path) for path in logs]
    notes = _passed_over(folder, sorted(set(tables) - {*logs, *empty}))
    notes += _without_rows([str(path) for path in empty])
    first, source = read[0]
    return [(replace(first, notes=(*first.notes, *notes)), source), *read[1:]]


def _some(names: Sequence[str]) -> str:
    """Return the first few names."""
    return f"{', '.join(names[:_FEW])}{' ...' if len(names) > _FEW else ''}"


def _without_rows(files: Sequence[str]) -> list[str]:
    """Return a note of files to which no run has written yet, or which one left that was killed at once."""
    if not files:
        return []
    return [f"{len(files)} file{'s hold' if len(files) > 1 else ' holds'} no run yet: left out ({_some(files)})"]


def _without_log(files: Sequence[Path], runs: Sequence[Path], place: Path) -> list[str]:
    """Return a note of folders beside those of the runs that hold files of the same names, but no log."""
    homes = {run if run.is_dir() else run.parent for run in runs}
    of_runs = {file.name for file in files if file.parent in homes}
    beside = {home.parent for home in homes}
    # A checkpoint inside a run has a log as well, which is that of the run.
    logs = {run.name for run in runs}
    logged = homes | {file.parent for file in files if file.name in logs}
    lacking = {
        str(file.parent.relative_to(place))
        for file in files
        if file.parent not in logged and file.parent.parent in beside and file.name in of_runs
    }
    if not lacking:
        return []
    many = "s beside those of runs hold" if len(lacking) > 1 else " beside those of runs holds"
    return [f"{len(lacking)} folder{many} no log: left out ({_some(sorted(lacking))})"]


def _passed_over(folder: Path, files: Sequence[Path]) -> list[str]:
    """Return a note of the tables in a folder that are not read; configurations are none."""
    tables = [str(file.relative_to(folder)) for file in files if file.suffix not in _OF_SETTINGS]
    if not tables:
        return []
    many = "s" if len(tables) > 1 else ""
    return [f"{folder} holds {len(tables)} other file{many} that may be logs: not read ({_some(tables)})"]


def _runs(
    runs: Sequence[RunLog], name: str, title: str, all_points: bool, also: Sequence[str] = ()
) -> tuple[Table, Source]:
    """Return the runs of one tool as a table, and their files as one input."""
    records: list[Record] = []
    notes, earlier, with_earlier = [title, *also], 0, 0
    files: dict[str, str] = {}
    longer: dict[str, float] = {}
    for run in runs:
        rows, points = records_of(run, all_points=all_points)
        if rows and (factor := went_on(run, rows[-1])) > _WENT_ON:
            longer[run.name or run.file] = factor
        records += rows
        notes += run.notes
        earlier += points - len(rows)
        with_earlier += points > len(rows)
        files |= {source.name: source.sha256 for source in run.sources}
    if not records:
        raise InputError(ErrorDetail("no-rows", "has no runs", "check what was logged", name))
    if earlier:
        notes.append(
            f"the last evaluation of every run is read; {earlier} earlier ones of {with_earlier} runs are not "
            "(`all_points` reads them: for rates that do not decay)"
        )
    digest = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    table = Table.of_records(records, list(dict.fromkeys(notes)))
    return replace(table, cautions=_before_their_ends(longer, len(runs))), Source(name, digest)


def _before_their_ends(longer: Mapping[str, float], runs: int) -> tuple[Caution, ...]:
    """Return a caution of runs, with the factor by which each went on after its last evaluation."""
    if not longer:
        return ()
    message = (
        f"{len(longer)} of {runs} runs went on after their last evaluation, to {max(longer.values()):.3g} times its "
        f"steps ({_some(list(longer))}): it may be of before the learning rate decayed"
    )
    return (Caution(codes.MID_RUN_ROWS, message, "evaluate at the end of runs, or leave these out with `where`"),)


def _may_tell_results(table: Path) -> bool:
    """Return whether a table may be a log: it is no configuration, and no design, in whose text no metric is named."""
    if is_config(table):
        return False
    if is_binary(table) or table.suffix.lower() in COMPRESSED:
        return True
    text = start_of(table, _START).decode("utf-8-sig", "replace")
    if table.suffix.lower() in (".csv", ".tsv"):
        text = text.partition("\n")[0]
    return any(is_loss(name) or ACCURACY.search(word_of(name)) for name in set(re.findall(r"[A-Za-z][\w./-]*", text)))


def _is_log(path: Path) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return bool(suffixes and suffixes[-1] in SUFFIXES) or is_binary(path)
