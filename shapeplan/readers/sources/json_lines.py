"""A file of metrics in JSON Lines beside a configuration: big_vision, Levanter and Marin, and many trainers' own.

Every line is what was logged at a step: ``{"step": 100, "val/loss": 2.5}``, or with the metrics inside a mapping.
Levanter's file of one line holds its own ``config`` and ``summary``; a file may also be one object, the last metrics.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.metric_names import is_loss
from shapeplan.readers.names import claim_of
from shapeplan.readers.source import read_text
from shapeplan.readers.sources.config import config_beside, has_config
from shapeplan.readers.sources.finding import matching, run_name, start_of
from shapeplan.readers.sources.run_log import RunLog, is_of_sweep
from shapeplan.readers.sources.steps import check_steps, step_of

NAME = "metrics in JSON Lines"
_PATTERNS = (
    "*metrics*.txt",
    "*metrics*.jsonl",
    "*metrics*.json",
    "*history*.jsonl",
    "log.jsonl",
    "train*.jsonl",
    "result.json",
    "results.json",
)
_FIRST_LINES = 20
"""Lines in which the step of an entry is looked for."""
_INNER = ("metrics", "summary", "data")
_OWN_CONFIG = ("config", "hparams", "hyperparameters")


def finds(files: Sequence[Path]) -> list[Path]:
    """Return the files that begin with an object that has a step, states its configuration, or has one beside it."""
    return [file for file in matching(files, *_PATTERNS) if _is_history(file)]


def read(path: Path, root: Path) -> list[RunLog]:
    """Return the run of a file.

    Raises
    ------
    InputError
        If a line is no object, or steps are counted anew in every epoch.
    """
    text = read_text(path)
    config: dict[str, object] = {}
    entries: list[Mapping[str, object]] = []
    is_cut = False
    lines = [text.body] if _object(text.body) is not None else text.body.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        entry = _object(line)
        if entry is None and number == len(lines) and not text.body.endswith("\n"):
            is_cut = True
            break
        if entry is None:
            hint = "leave the run out, or mend the line"
            raise InputError(ErrorDetail("bad-json", "is not a JSON object", hint, str(path), number))
        for key in _OWN_CONFIG:
            if isinstance(own := entry.get(key), Mapping):
                config |= own
        if (told := _logged(entry)) is not None:
            entries.append(told)
    check_steps(entries, str(path))
    beside, sources = config_beside(path.parent, root)
    config = {**beside, **config}
    name = run_name(path.parent, root)
    return [RunLog(name, str(path), config, entries, sources=[text.source, *sources], is_cut=is_cut)]


def _logged(entry: Mapping[str, object]) -> dict[str, object] | None:
    """Return what an entry logs, of a mapping inside it with the step outside; None where it logs nothing."""
    plain = {key: value for key, value in entry.items() if key not in _OWN_CONFIG}
    for key in _INNER:
        inner = entry.get(key)
        if isinstance(inner, Mapping):
            step = step_of(entry)
            return {**({} if step is None else {"step": step}), **inner}
    return plain if any(isinstance(value, int | float) for value in plain.values()) else None


def _is_history(file: Path) -> bool:
    start = start_of(file, 2**20).decode("utf-8-sig", "replace").strip()
    lines = start.split("\n")[:_FIRST_LINES]
    entries = [entry for line in lines if (entry := _object(line)) is not None]
    whole = _object(start)
    if not entries and whole is None:
        # A broken line is told when the file is read, not passed over.
        return start.startswith('{"') and file.suffix != ".json"
    if len(lines) > 1 and whole is None:
        return any(map(_is_entry, entries)) or (any(map(_is_measured, entries)) and has_config(file.parent))
    return _is_entry(whole or entries[0]) or (any(map(is_loss, whole or {})) and has_config(file.parent))


def _is_entry(entry: Mapping[str, object]) -> bool:
    """Return whether an object is what one run logged, not a row of a sweep."""
    complete = "summary" in entry and any(isinstance(entry.get(key), Mapping) for key in _OWN_CONFIG)
    return (complete or step_of(entry) is not None) and not is_of_sweep(entry)


def _is_measured(entry: Mapping[str, object]) -> bool:
    """Return whether an object without a step has a loss, and is no row of a sweep."""
    sizes = any((claim := claim_of(key)) is not None and claim.role == "params" for key in entry)
    return any(map(is_loss, entry)) and not (sizes or is_of_sweep(entry))


def _object(line: str) -> Mapping[str, object] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
