"""Weights & Biases: the ``.wandb`` files of runs, offline or not, and projects by its API (``wandb:ENTITY/PROJECT``).

A ``.wandb`` file holds records of the protocol buffer ``wandb_internal.Record``, framed as in LevelDB's log: blocks of
32 KiB of chunks with a header of checksum, length and kind (full, first, middle, last).
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.provenance import Source
from shapeplan.readers.source import check_size, first_line, library, unreadable
from shapeplan.readers.sources.finding import matching
from shapeplan.readers.sources.run_log import RunLog

NAME = "Weights & Biases"
SCHEME = "wandb:"
_INSTEAD = "export the runs table as CSV"
_BLOCK, _FILE_HEADER, _CHUNK_HEADER = 32768, 7, 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def finds(files: Sequence[Path]) -> list[Path]:
    """Return the ``.wandb`` files."""
    return matching(files, "*.wandb")


def read(path: Path, root: Path) -> list[RunLog]:
    """Return the run of a file, with the columns that W&B's API names; none of a file that none is written to yet.

    Raises
    ------
    InputError
        If the library that knows the records is missing, or the file is broken.
    """
    protocol = library("wandb.proto.wandb_internal_pb2", str(path), _INSTEAD)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    check_size(raw, str(path))
    if raw[:4] != b":W&B":
        raise _broken(path, "it does not begin as one")
    told: dict[str, object] = {}
    config: dict[str, object] = {}
    summary: dict[str, object] = {}
    entries: list[dict[str, object]] = []
    state = "running"
    for chunk in _records(raw, path):
        record = protocol.Record()
        try:
            record.ParseFromString(chunk)
        except Exception:  # Protobuf raises what its backend raises.
            raise _broken(path, "a record cannot be decoded") from None
        kind = record.WhichOneof("record_type")
        if kind == "run":
            told = {"run_id": record.run.run_id, "name": record.run.display_name}
            _update(config, record.run.config.update)
        elif kind == "config":
            _update(config, record.config.update)
        elif kind == "summary":
            _update(summary, record.summary.update)
        elif kind == "history":
            entry: dict[str, object] = {}
            _update(entry, record.history.item)
            step = entry.get("_step", record.history.step.num)
            entries.append({"_step": step, **{f"summary.{key}": value for key, value in _public(entry).items()}})
        elif kind == "exit":
            state = "finished" if record.exit.exit_code == 0 else "failed"
    if not told and (config or summary or entries):
        raise _broken(path, "it holds no run")
    if not told:
        return []  # It was opened a moment ago, or its run was killed before anything of it was written.
    steady = {key: value for key, value in summary.items() if not any(f"summary.{key}" in entry for entry in entries)}
    cells = {**told, **_named(config), "state": state, "config": _public(config), "summary": _public(steady)}
    return [RunLog("", str(path), cells, entries, sources=[Source(str(path), hashlib.sha256(raw).hexdigest())])]


def read_address(address: str) -> list[RunLog]:
    """Return the runs of a project that W&B's API serves.

    Raises
    ------
    InputError
        If the library is missing, or the project cannot be read.
    """
    project = address.removeprefix(SCHEME)
    library_ = library("wandb", address, _INSTEAD)
    runs = []
    try:
        for run in library_.Api().runs(project):
            cells = {
                "run_id": run.id,
                "name": run.name,
                **_named(run.config),
                "state": run.state,
                "config": _public(run.config),
                "summary": _public(dict(run.summary)),
            }
            digest = hashlib.sha256(json.dumps(cells, sort_keys=True, default=str).encode()).hexdigest()
            runs.append(RunLog("", address, cells, [], sources=[Source(f"{address}/{run.id}", digest)]))
    except Exception as error:  # The library raises errors of its own, of requests and of the service.
        message = f"cannot be read: {first_line(error)}"
        hint = "check ENTITY/PROJECT and `wandb login`, or export the runs table as CSV"
        raise InputError(ErrorDetail("unreadable", message, hint, address)) from None
    if not runs:
        raise InputError(ErrorDetail("no-rows", "has no runs", "check ENTITY/PROJECT", address))
    return runs


def _update(into: dict[str, object], items: Iterable[Any]) -> None:
    """Add the items of a record: keys, nested or not, with values as JSON."""
    for item in items:
        path = list(item.nested_key) or [item.key]
        place: Any = into
        for word in path[:-1]:
            place = place.setdefault(word, {})
            if not isinstance(place, dict):
                break
        else:
            # W&B writes NaN and infinities as Python's json does.
            place[path[-1]] = json.loads(item.value_json)


def _named(config: Mapping[str, object]) -> dict[str, object]:
    """Return the name that a sweep over the runs of a design gave a run, over the one that W&B made up."""
    return {"run": config["run"]} if isinstance(config.get("run"), str) else {}


def _public(mapping: Mapping[str, object]) -> dict[str, object]:
    """Return what a user logged, without what W&B keeps for itself."""
    return {key: value for key, value in mapping.items() if not key.startswith("_")}


def _records(raw: bytes, path: Path) -> Iterator[bytes]:
    """Yield the records of a file; a last one that was cut, as in a run that was killed, is left out."""
    place, parts = _FILE_HEADER, bytearray()
    while place + _CHUNK_HEADER <= len(raw):
        left = _BLOCK - place % _BLOCK
        if left < _CHUNK_HEADER:
            place += left
            continue
        checksum, length, kind = struct.unpack_from("<IHB", raw, place)
        place += _CHUNK_HEADER
        if kind == 0:
            return
        if kind not in (_FULL, _FIRST, _MIDDLE, _LAST) or length > left:
            raise _broken(path, "its frames do not fit")
        chunk = raw[place : place + length]
        place += length
        if len(chunk) < length:
            return
        if zlib.crc32(chunk, zlib.crc32(bytes([kind]))) != checksum:
            raise _broken(path, "a checksum does not fit")
        if kind in (_FULL, _FIRST):
            parts = bytearray()
        parts += chunk
        if kind in (_FULL, _LAST):
            yield bytes(parts)


def _broken(path: Path, why: str) -> InputError:
    hint = "copy it again, or leave the run out"
    return InputError(ErrorDetail("unreadable", f"is no file of a W&B run: {why}", hint, str(path)))
