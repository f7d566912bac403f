"""Hugging Face Trainer: a folder a run, with ``trainer_state.json`` and the model's ``config.json``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.provenance import Source
from shapeplan.readers.sources.config import load_mapping
from shapeplan.readers.sources.finding import matching, run_name
from shapeplan.readers.sources.run_log import RunLog

NAME = "Hugging Face Trainer"
_STATE, _CONFIG = "trainer_state.json", "config.json"
_OF_TRAINING = ("loss", "train_loss", "learning_rate", "grad_norm")
"""What the Trainer logs of batches, beside evaluations."""
_WHOLE = 0.99
"""Share of the steps that were planned after which a run has ended."""
_TOTALS = ("total_flos", "num_input_tokens_seen")


def finds(files: Sequence[Path]) -> list[Path]:
    """Return the states of runs; of checkpoints inside a run only the last counts, where the run itself has none."""
    last: dict[Path, Path] = {}
    for state in matching(files, _STATE):
        home = _home(state)
        if home not in last or _rank(state) > _rank(last[home]):
            last[home] = state
    return [last[home] for home in sorted(last)]


def read(path: Path, root: Path) -> list[RunLog]:
    """Return the run of a state.

    Raises
    ------
    InputError
        If a file is no JSON, or the run has no history.
    """
    state, source = load_mapping(path)
    sources: list[Source] = [source]
    config: dict[str, object] = {}
    home = _home(path)
    for place in (path.parent / _CONFIG, home / _CONFIG):
        if place.is_file() and not config:
            found, source = load_mapping(place)
            # Settings of generation and quantization lie nested in it, under words that may be those of the model.
            # Models of images and text hold the one of text in a mapping of its own.
            inner = found.get("text_config")
            found = {**found, **inner} if isinstance(inner, dict) else found
            config = {key: value for key, value in found.items() if isinstance(value, str | int | float)}
            width = found.get("n_embd")
            if "n_inner" in found and found["n_inner"] is None and isinstance(width, int):
                config["n_inner"] = 4 * width  # What GPT-2's null means.
            sources.append(source)
    history = state.get("log_history")
    entries = [entry for entry in history if isinstance(entry, dict)] if isinstance(history, list) else []
    if not entries:
        message = "has no log_history: nothing was logged"
        raise InputError(ErrorDetail("no-rows", message, "train with logging, or leave the folder out", str(path)))
    if not any(str(key).startswith("eval_") for entry in entries for key in entry):
        losses = [entry for entry in entries if "train_loss" in entry or "loss" in entry]
        entries = (losses or entries)[-1:]
    else:
        entries = [{key: value for key, value in entry.items() if key not in _OF_TRAINING} for entry in entries]
    last = _number(state.get("max_steps"))
    if last > 0:
        config["state"] = "finished" if _number(state.get("global_step")) >= _WHOLE * last else "unfinished"
    totals = {key: _number(state.get(key)) for key in _TOTALS if _number(state.get(key)) > 0}
    told = [{key: value for key, value in entry.items() if key not in ("epoch", "total_flos")} for entry in entries]
    end = _number(state.get("global_step"))
    return [RunLog(run_name(home, root), str(path), config, told, totals, end, sources)]


def _home(state: Path) -> Path:
    return state.parent.parent if state.parent.name.startswith("checkpoint-") else state.parent


def _rank(state: Path) -> tuple[bool, int]:
    """Return how late a state is: that of the run itself is the last."""
    name = state.parent.name
    step = name.removeprefix("checkpoint-")
    return not name.startswith("checkpoint-"), int(step) if step.isdecimal() else -1


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
    except OverflowError:
        return math.inf
