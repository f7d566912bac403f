"""What trainers print: nanoGPT, nanochat, llm.c, Megatron and others that say ``step 100 ... val loss 2.5``.

Settings are what the text assigns (``n_layer = 12``, ``num_layers: 20``, ``num_layers ..... 20``), else those of a
configuration beside it. Tokens are steps times the tokens of a step, where the text tells those, or the batch and the
length of its sequences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from shapeplan.readers.names import claim_of
from shapeplan.readers.pairs import are_pairs
from shapeplan.readers.source import read_text
from shapeplan.readers.sources.config import config_beside
from shapeplan.readers.sources.finding import matching, run_name, start_of
from shapeplan.readers.sources.run_log import RunLog

NAME = "printed logs"
_SUFFIXES = (".log", ".txt", ".out")
_NUMBER = r"[+-]?(?:nan|inf|(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)(?![\d,]*\d)"
_STEP = re.compile(
    r"\b(?:step|iter(?:ation)?|it)[ :=#]*(?P<step>\d{1,3}(?:,\d{3})+|\d{1,15})(?![\d,]*\d)", re.IGNORECASE
)
_HELD_OUT = re.compile(
    rf"\b(?P<name>(?:val(?:id(?:ation)?)?|eval|test)[ _/-]*(?:loss|bpb|nll|ppl|perplexity))[ :=]*(?P<value>{_NUMBER})",
    re.IGNORECASE,
)
_VALIDATED = re.compile(
    r"\bvalidation loss at (?:iteration|step) (?P<step>\d{1,15})\b.*?"
    rf"\b(?P<name>\w+ loss) value: (?P<value>{_NUMBER})"
)
"""As Megatron tells an evaluation."""
_TOKENS_A_STEP = re.compile(
    r"(?:tokens per (?:iteration|step|batch)(?: will be)?|total[ _]batch[ _]size(?: in tokens)?)"
    rf"[ :=]*(?P<n>{_NUMBER})",
    re.IGNORECASE,
)
_FLOPS_A_TOKEN = re.compile(rf"flops per token[ :=]*(?P<n>{_NUMBER})", re.IGNORECASE)
_SETTING = re.compile(
    r"^\s*(?:overriding:\s*)?(?P<key>[A-Za-z_][\w ./-]{0,60}?)\s*(?P<sign>[:=]|\.{3,})\s*"
    rf"(?P<value>{_NUMBER}[KMBT]?)\s*(?:#.*)?$",
    re.IGNORECASE,
)
_SEQUENCES, _LENGTH = "global_batch_size", "seq_length"
_START = 2**24
"""Bytes in which an evaluation is looked for, to tell such a log from other text."""
_OF_CONFIG = ("width", "depth", "mlp_dim", "mlp_ratio", "heads", "params", "batch_size")


def finds(files: Sequence[Path]) -> list[Path]:
    """Return the texts in which an evaluation is told with its step."""
    return [file for file in matching(files, *(f"*{suffix}" for suffix in _SUFFIXES)) if _tells(file)]


def read(path: Path, root: Path) -> list[RunLog]:
    """Return the run of a text."""
    text = read_text(path)
    settings: dict[str, object] = {}
    entries: list[dict[str, object]] = []
    tokens_a_step = flops_a_token = None
    for line in text.body.split("\n"):
        if (found := _evaluation(line)) is not None:
            entries.append(found)
        elif match := _TOKENS_A_STEP.search(line):
            tokens_a_step = _value(match["n"])
        elif match := _FLOPS_A_TOKEN.search(line):
            flops_a_token = _value(match["n"])
        elif (match := _SETTING.match(line)) and _is_setting(match["key"].strip(), match["sign"]):
            settings[match["key"].strip()] = match["value"].replace(",", "")
    notes = []
    if tokens_a_step is None and {_SEQUENCES, _LENGTH} <= settings.keys():
        tokens_a_step = float(str(settings[_SEQUENCES])) * float(str(settings[_LENGTH]))
    if tokens_a_step is not None:
        notes.append("tokens are steps times the tokens of a step, as the logs tell them")
        settings = {key: value for key, value in settings.items() if getattr(claim_of(key), "role", "") != "batch_size"}
        for entry in entries:
            entry["tokens"] = float(str(entry["step"])) * tokens_a_step
            if flops_a_token is not None:
                entry["total_training_flops"] = float(str(entry["tokens"])) * flops_a_token
    beside, sources = config_beside(path.parent, root)
    alone = sum(file.suffix in _SUFFIXES for file in path.parent.iterdir()) == 1
    name = run_name(path.parent, root) if alone else run_name(path.with_suffix(""), root)
    config = {**beside, **settings}
    return [RunLog(name, str(path), config, entries, sources=[text.source, *sources], notes=notes)]


def _evaluation(line: str) -> dict[str, object] | None:
    """Return the step and the losses that a line tells of held-out data."""
    if match := _VALIDATED.search(line):
        return {"step": int(match["step"]), f"val_{match['name'].replace(' ', '_')}": _value(match["value"])}
    step = _STEP.search(line)
    found = {
        re.sub(r"[ /-]+", "_", match["name"].lower()): _value(match["value"]) for match in _HELD_OUT.finditer(line)
    }
    return {"step": int(_value(step["step"])), **found} if step and found else None


def _is_setting(key: str, sign: str) -> bool:
    """Return whether a line tells what holds for the whole run: it assigns a name, or its words are those of a role."""
    claim = claim_of(key)
    return (sign != ":" and key.isidentifier()) or (claim is not None and claim.role in _OF_CONFIG)


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def _tells(file: Path) -> bool:
    start = start_of(file, _START).decode("utf-8", "replace")
    return not are_pairs(start) and any(map(_evaluation, start.split("\n")))
