"""TensorBoard: a folder a run, with event files, its configuration in a file or as TensorBoard's hyperparameters."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.provenance import Source
from shapeplan.readers.metric_names import SPLITS
from shapeplan.readers.source import first_line, library
from shapeplan.readers.sources.config import config_beside
from shapeplan.readers.sources.finding import files_of, matching, run_name, start_of
from shapeplan.readers.sources.run_log import RunLog

NAME = "TensorBoard"
_FRAME = 16
"""Bytes around an event: eight of its length and four of a checksum before, four after."""
_EVENTS = "*tfevents*"
_HPARAMS = "_hparams_/session_start_info"
_METRICS_OF_HPARAMS = "hparam/"
_START = 2**16
"""Bytes at the start of a file in which its hyperparameters stand."""


def finds(files: Sequence[Path]) -> list[Path]:
    """Return the folders of runs, or the one of an event file."""
    return sorted(_by_home(matching(files, _EVENTS)))


def read(path: Path, root: Path) -> list[RunLog]:
    """Return the run of a folder.

    Raises
    ------
    InputError
        If the library that reads events is missing, or a file is broken.
    """
    name = str(path)
    events = library("tensorboard.backend.event_processing.event_accumulator", name, "export the scalars as CSV")
    loader = library("tensorboard.backend.event_processing.event_file_loader", name, "export the scalars as CSV")
    hparams = library("tensorboard.plugins.hparams.metadata", name, "export the scalars as CSV")
    tensors = library("tensorboard.util.tensor_util", name, "export the scalars as CSV")
    config, sources = config_beside(path, root)
    told, entries = dict(config), []
    for file in _by_home(matching(files_of(path), _EVENTS)).get(path, ()):
        try:
            raw = file.read_bytes()
            read_ = events.EventAccumulator(str(file), size_guidance={"scalars": 0, "tensors": 0})
            read_.Reload()
            _check_whole(raw, sum(1 for _ in loader.RawEventFileLoader(str(file)).Load()), file)
            prefix = f"{file.parent.name}/" if _is_writer(file) else ""
            entries += [
                {(key if key == "step" else prefix + key): value for key, value in entry.items()}
                for entry in _scalars(read_, tensors)
            ]
            said = read_.summary_metadata.get(_HPARAMS) if hasattr(read_, "summary_metadata") else None
            if said is not None:
                told |= _hparams(hparams.parse_session_start_info_plugin_data(said.plugin_data.content))
        except InputError:
            raise
        except Exception as error:  # What a library raises on a broken file is its own affair.
            message = f"cannot be read: {first_line(error)[:100]}"
            hint = "copy it again, or leave the run out"
            raise InputError(ErrorDetail("unreadable", message, hint, str(file))) from None
        sources.append(Source(str(file), hashlib.sha256(raw).hexdigest()))
    return [RunLog(run_name(path, root), name, told, _without_copies(entries), sources=sources)]


def _by_home(files: Sequence[Path]) -> dict[Path, list[Path]]:
    """Return the files of every run by its folder; writers have folders inside it, hyperparameters one of their own."""
    homes = {file.parent.parent if _is_writer(file) else file.parent for file in files}
    found: dict[Path, list[Path]] = {}
    for file in files:
        above = file.parent.parent
        inside = _is_writer(file) or (above in homes and _HPARAMS.encode() in start_of(file, _START))
        found.setdefault(above if inside else file.parent, []).append(file)
    return found


def _is_writer(file: Path) -> bool:
    return file.parent.name.lower() in SPLITS


def _scalars(accumulator: Any, tensors: Any) -> Iterator[dict[str, object]]:
    """Yield a mapping a scalar that was logged; newer writers log them as tensors."""
    tags = accumulator.Tags()
    for tag in tags["scalars"]:
        for event in accumulator.Scalars(tag):
            yield {"step": event.step, tag: _shortest(event.value)}
    for tag in tags["tensors"]:
        if accumulator.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            for event in accumulator.Tensors(tag):
                yield {"step": event.step, tag: _shortest(float(tensors.make_ndarray(event.tensor_proto)))}


def _check_whole(raw: bytes, read: int, file: Path) -> None:
    """Raise `InputError` if a file of events ends early or is broken: its reader stops there without a word.

    Events are framed as TFRecords: length, its checksum, the event, its checksum. `read` is how many were read.
    """
    place, events = 0, 0
    while place + _FRAME <= len(raw):
        (length,) = struct.unpack_from("<Q", raw, place)
        place, events = place + _FRAME + length, events + 1
    if place != len(raw):
        message = "ends before its last event does"
    elif read < events:
        message = f"event {read + 1} of {events} is broken: its checksum does not fit"
    else:
        return
    raise InputError(ErrorDetail("unreadable", message, "copy it again, or leave the run out", str(file)))


def _hparams(start: Any) -> dict[str, object]:
    kinds = {"number_value", "string_value", "bool_value"}
    found = {key: (value.WhichOneof("kind"), value) for key, value in start.hparams.items()}
    return {key: getattr(value, kind) for key, (kind, value) in found.items() if kind in kinds}


def _without_copies(entries: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return the entries without the metrics of hyperparameters, if there is more: they repeat the last scalars."""
    told = {key for entry in entries for key in entry if key != "step"}
    if all(key.startswith(_METRICS_OF_HPARAMS) for key in told):
        return entries
    return [entry for entry in entries if not any(key.startswith(_METRICS_OF_HPARAMS) for key in entry)]


def _shortest(value: float) -> float:
    """Return a number that was stored in single precision by the fewest digits that tell it from its neighbours."""
    single = np.float32(value)
    return value if float(single) != value or not np.isfinite(value) or value == int(value) else float(str(single))
