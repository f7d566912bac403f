"""Hugging Face Trainer: a folder a run, with ``trainer_state.json`` and the model's ``config.json``.

Every evaluation is a point of the run; the compute and the tokens of those before the last are in proportion to their
step where the state does not tell.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.source import read_text
from shapeplan.readers.table import Record
from shapeplan.runs import Source

NAME = "Hugging Face Trainer"
_STATE, _CONFIG = "trainer_state.json", "config.json"
_TOTALS = ("total_flos", "num_input_tokens_seen")


def finds(folder: Path) -> list[Path]:
    """Return the states of runs; of checkpoints inside a run only the last counts, where the run itself has none."""
    states = sorted(folder.rglob(_STATE))
    last: dict[Path, Path] = {}
    for state in states:
        home = state.parent.parent if state.parent.name.startswith("checkpoint-") else state.parent
        if home not in last or _rank(state) > _rank(last[home]):
            last[home] = state
    return [last[home] for home in sorted(last)]


def read(run: Path) -> tuple[Sequence[Record], Sequence[Source], Sequence[str]]:
    """Return a record an evaluation, or one where there is none.

    Raises
    ------
    InputError
        If a file is no JSON, or the run has no history.
    """
    state, source = _load(run)
    sources = [source]
    home = run.parent.parent if run.parent.name.startswith("checkpoint-") else run.parent
    configs = [path for path in (run.parent / _CONFIG, home / _CONFIG) if path.is_file()]
    config: Mapping[str, object] = {}
    if configs:
        config, source = _load(configs[0])
        sources.append(source)
    shape = {key: value for key, value in config.items() if isinstance(value, str | int | float)}
    history = state.get("log_history")
    entries = [entry for entry in history if isinstance(entry, dict)] if isinstance(history, list) else []
    if not entries:
        message = "has no log_history: nothing was logged"
        raise InputError(ErrorDetail("no-rows", message, "train with logging, or leave the folder out", str(run)))
    points = [entry for entry in entries if any(str(key).startswith("eval_") for key in entry)]
    if not points:
        points = [next((entry for entry in reversed(entries) if "train_loss" in entry or "loss" in entry), entries[-1])]
    end = _number(state.get("global_step"))
    records, notes = [], []
    for entry in points:
        share = _number(entry.get("step")) / end if end > 0 and "step" in entry else 1.0
        totals = {key: entry.get(key, _scaled(state[key], share)) for key in _TOTALS if _number(state.get(key)) > 0}
        if share < 1.0 and totals:
            notes.append("compute and tokens before the end of a run are in proportion to its steps")
        told = {key: value for key, value in entry.items() if not _speed(str(key))}
        records.append(Record(1, {"run": home.name or str(home), **shape, **told, **totals}, file=str(run)))
    return records, sources, notes


def _speed(key: str) -> bool:
    """Return whether a value of an evaluation tells how fast it was, or repeats what the state tells."""
    return key.endswith(("_runtime", "_per_second", "_jit_compilation_time")) or key in ("epoch", "step", *_TOTALS)


def _scaled(total: object, share: float) -> object:
    return total if share == 1.0 else _number(total) * share


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _rank(state: Path) -> tuple[bool, int]:
    """Return how late a state is: that of the run itself is the last."""
    name = state.parent.name
    step = name.removeprefix("checkpoint-")
    return not name.startswith("checkpoint-"), int(step) if step.isdecimal() else -1


def _load(path: Path) -> tuple[Mapping[str, object], Source]:
    text = read_text(path)
    try:
        data = json.loads(text.body)
    except (ValueError, RecursionError):
        raise InputError(ErrorDetail("bad-json", "is not JSON", "leave the run out, or mend it", str(path))) from None
    if not isinstance(data, dict):
        raise InputError(ErrorDetail("wrong-type", "is not a mapping", "check the file", str(path)))
    return data, text.source
