"""What one printed line tells: a loss at a step, what was seen until then, or a setting of the whole run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import islice

from shapeplan.readers.configs.meta import llama_mlp
from shapeplan.readers.metric_names import is_loss
from shapeplan.readers.names import claim_of
from shapeplan.readers.numbers import as_number
from shapeplan.readers.table import Record, flattened
from shapeplan.readers.units import LETTERS

SEQUENCES, LENGTH = "global_batch_size", "seq_length"
"""Settings whose product is the tokens of a step."""
_NAMES = {
    **dict.fromkeys((SEQUENCES, "global_batch_size_to_train_on", "train_batch_size"), SEQUENCES),
    **dict.fromkeys(
        (LENGTH, "max_target_length", "seq_len", "sequence_length", "block_size", "context_length"), LENGTH
    ),
}
"""The names that they have."""
PLANNED = "total_steps"
"""The setting that says how many steps a run is to have."""
_NUMBER = r"[+-]?(?:nan|inf|(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)(?![\d,]*\d)"
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_LOGGED = re.compile(
    r"^.{0,200}?(?:\b(?:INFO|DEBUG|WARNING)\b|\[[IWD]\])"
    r"(?::[\w.-]+:|[\])]*(?:\s?\[[^\]=]{0,99}\]){0,4}\s*[-:|]*\s)"
)
"""What loggers write before a message, up to the level: ``[titan] 2025-11-25 19:45:01,441 - root - INFO -``."""
_LEVELS = ("INFO", "DEBUG", "WARNING", "[I]", "[W]", "[D]")
_ABSL = re.compile(r"^[IWE]\d{4} \d\d:\d\d:[\d.]+ +\d+ [\w./-]+:\d+\] ")
_STEP = re.compile(
    r"\b(?:step|iter(?:ation)?|it)[ :=#]*(?P<step>\d{1,3}(?:,\d{3})+|\d{1,15})(?![\d,]*\d)"
    r"(?:\s*/\s*(?P<of>\d{1,15})(?![\d,.]*\d))?",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"\bepoch[ :=#\[]*(?P<epoch>\d{1,9})\b", re.IGNORECASE)
_HELD_OUT = re.compile(
    rf"\b(?P<name>(?:val(?:id(?:ation)?)?|eval|test)[ _/-]*(?:loss|bpb|nll|ppl|perplexity))[ :=]*(?P<value>{_NUMBER})",
    re.IGNORECASE,
)
_VALIDATED = re.compile(
    r"\bvalidation loss at (?:iteration|step) (?P<step>\d{1,15})\b.*?"
    rf"\b(?P<name>\w+ loss) value: (?P<value>{_NUMBER})"
)
"""As Megatron tells an evaluation."""
_VALIDATING = re.compile(r"\b(?:val(?:id(?:at(?:e|ion|ing))?)?|eval(?:uat(?:e|ion|ing))?)\b[ :,-]*$", re.IGNORECASE)
"""What stands before a step at which a loss is that of an evaluation: ``validate step: 10  loss: 3.2``."""
_LOSS = re.compile(
    rf"(?<![\w/.-])(?P<name>(?:[a-z]\w{{0,30}}[ _/-])?loss)(?: is)?\s*[:=]?\s*(?P<value>{_NUMBER})", re.IGNORECASE
)
_SEEN = r"(?:consumed|total|cumulative|seen|processed|trained|train(?:ing)?)"
_CONSUMED = re.compile(
    rf"(?<![\w/])(?:{_SEEN}[ _])?(?P<what>tokens|(?<=consumed[ _])samples)"
    rf"(?:[ _](?:{_SEEN}|so[ _]far))?\s*[:=]\s*(?P<n>{_NUMBER})(?P<unit>[KMBT]?)(?![\w/%])",
    re.IGNORECASE,
)
"""What was seen until a step, or in one."""
_TOKENS_A_STEP = re.compile(
    r"(?:tokens per (?:iteration|step|batch)(?: will be)?|total[ _]batch[ _]size(?: in tokens)?)"
    rf"[ :=]*(?P<n>{_NUMBER})",
    re.IGNORECASE,
)
_FLOPS_A_TOKEN = re.compile(rf"flops per token[ :=]*(?P<n>{_NUMBER})", re.IGNORECASE)
_SETTING = re.compile(
    r"^\s*(?:overriding:\s*|config param\s+)?(?P<key>[A-Za-z_][\w ./-]{0,60}?)\s*(?P<sign>[:=]|\.{3,})\s*"
    rf"(?P<value>{_NUMBER}[KMBT]?)\s*(?:#.*|\.{{3,}}\w*)?$",
    re.IGNORECASE,
)
_OBJECT = re.compile(
    r"\b\w{0,60}(?:Args|Arguments|Config|Configuration|Namespace|Options|[Pp]arams|[Pp]arameters|Settings)\("
)
"""Arguments and configurations as Python prints them: ``GPTConfig(n_layer=12, n_embd=768)``."""
_ARGUMENT = re.compile(rf"(?<![\w.])(?P<key>[a-z_]\w{{0,60}})=(?P<value>{_NUMBER})(?=[,)])", re.IGNORECASE)
_SAID = {
    SEQUENCES: re.compile(rf"\bglobal batch size[ :=]+(?P<n>{_NUMBER})", re.IGNORECASE),
    LENGTH: re.compile(rf"\bseq(?:uence)?[ _]?len(?:gth)?[ :=]+(?P<n>{_NUMBER})", re.IGNORECASE),
    PLANNED: re.compile(rf"\btotal (?:train(?:ing)? )?steps[ :=]+(?P<n>{_NUMBER})", re.IGNORECASE),
}
"""Settings that trainers tell together in a sentence."""
_PARAMS = re.compile(r"(?<![\d,.])(?P<n>\d[\d,]{0,30}) total param(?:eter)?s\b", re.IGNORECASE)
_BLOCK = re.compile(r"\{[ \t]*$", re.MULTILINE)
"""Where a mapping begins that is printed as JSON over several lines."""
_BEGIN, _MOST_BLOCKS = 2**20, 500
"""Characters of a text in which settings are looked for as JSON, and how many mappings are tried."""
_OF_CONFIG = ("width", "depth", "mlp_dim", "mlp_ratio", "heads", "params", "batch_size")
_OF_LLAMA = ("multiple_of", "ffn_dim_multiplier")


def message_of(line: str) -> str:
    """Return a line without colours, and without what a logger writes before its message."""
    if "\x1b" in line:
        line = _COLOURS.sub("", line)
    line = _ABSL.sub("", line)
    return _LOGGED.sub("", line, count=1) if any(level in line for level in _LEVELS) else line


def evaluation(line: str) -> dict[str, object] | None:
    """Return the step and the losses that a line tells of held-out data."""
    if match := _VALIDATED.search(line):
        return {"step": int(match["step"]), f"val_{match['name'].replace(' ', '_')}": value_of(match["value"])}
    step = _STEP.search(line)
    if step is None:
        return None
    found = {
        re.sub(r"[ /-]+", "_", match["name"].lower()): value_of(match["value"]) for match in _HELD_OUT.finditer(line)
    }
    if not found and _VALIDATING.search(line[: step.start()]) and (loss := _LOSS.search(line, step.end())):
        found = {"val_loss": value_of(loss["value"])}
    return {"step": int(value_of(step["step"])), **found} if found else None


def training(line: str) -> dict[str, object] | None:
    """Return the step and the loss that a line tells of training."""
    step = _STEP.search(line)
    if step is None:
        return None
    losses = (match for match in _LOSS.finditer(line) if is_loss(match["name"].lower()))
    loss = next(losses, None)
    return None if loss is None else {"step": int(value_of(step["step"])), "train_loss": value_of(loss["value"])}


def progress(line: str) -> dict[str, object]:
    """Return the epoch and the step that a line tells."""
    epoch, step = _EPOCH.search(line), _STEP.search(line)
    return {"epoch": int(epoch["epoch"]), "step": int(value_of(step["step"]))} if epoch and step else {}


def consumed(line: str) -> tuple[str, int, float] | None:
    """Return ``tokens`` or ``samples``, the step, and how many a line tells of what was seen until then, or in it."""
    seen = _CONSUMED.search(line)
    step = _STEP.search(line) if seen else None
    if step is None or seen is None:
        return None
    count = value_of(seen["n"]) * LETTERS.get(seen["unit"].lower(), 1.0)
    return seen["what"].lower(), int(value_of(step["step"])), count


def planned_steps(line: str) -> dict[str, object]:
    """Return how many steps there will be, where a line tells that beside its own: ``step 100/2000``."""
    step = _STEP.search(line)
    if step is None or not step["of"] or int(step["of"]) < value_of(step["step"]):
        return {}
    return {PLANNED: int(step["of"])}


def tokens_a_step(line: str) -> float | None:
    """Return what a line says that a step has in tokens."""
    match = _TOKENS_A_STEP.search(line)
    return value_of(match["n"]) if match else None


def flops_a_token(line: str) -> float | None:
    """Return what a line says that training on a token takes."""
    match = _FLOPS_A_TOKEN.search(line)
    return value_of(match["n"]) if match else None


def settings(line: str) -> Mapping[str, object]:
    """Return what a line tells that holds for the whole run."""
    if match := _SETTING.match(line):
        key = match["key"].strip()
        if key in _NAMES or _is_setting(key, match["sign"]):
            return {_NAMES.get(key, key): match["value"].replace(",", "")}
    found: dict[str, object] = {
        name: match["n"].replace(",", "") for name, pattern in _SAID.items() if (match := pattern.search(line))
    }
    if len(found) == 1:
        # One alone may be of something else, as the longest sequence of a tokenizer.
        found = {}
    if match := _PARAMS.search(line):
        found["params"] = match["n"].replace(",", "")
    if printed := _OBJECT.search(line):
        # What is printed inside of it, as of rotary positions, comes later and is not of the model.
        for match in _ARGUMENT.finditer(line, printed.end()):
            if _is_of_model(match["key"]) or match["key"] in _OF_LLAMA:
                found.setdefault(match["key"], match["value"])
    return found


def settings_in_json(body: str, name: str) -> Mapping[str, object]:
    """Return what a text tells, as JSON over several lines, that holds for the whole run."""
    found: dict[str, object] = {}
    end, decoder = 0, json.JSONDecoder()
    for match in islice(_BLOCK.finditer(body[:_BEGIN]), _MOST_BLOCKS):
        if match.start() < end:
            continue
        try:
            mapping, end = decoder.raw_decode(body, match.start())
        except (ValueError, RecursionError):
            continue
        cells = flattened(Record(1, mapping), name).cells
        found |= {key: value for key, value in cells.items() if value is not None and _is_of_model(key)}
    return found


def with_mlp(found: Mapping[str, object]) -> dict[str, object]:
    """Return settings with the MLP dim of Llama's reference code, where they tell what it follows from."""
    roles = {claim.role: key for key in found if (claim := claim_of(key)) is not None}
    rest = {key: value for key, value in found.items() if key not in _OF_LLAMA}
    width, multiple = (as_number(found.get(key)) for key in (roles.get("width", ""), "multiple_of"))
    if not width or not multiple or not {"mlp_dim", "mlp_ratio"}.isdisjoint(roles):
        return rest
    return {**rest, "mlp_dim": llama_mlp(round(width), as_number(found.get("ffn_dim_multiplier")), round(multiple))}


def value_of(text: str) -> float:
    """Return a number as it is printed."""
    return float(text.replace(",", ""))


def _is_setting(key: str, sign: str) -> bool:
    """Return whether a line tells what holds for the whole run: it assigns a name, or its words are those of a role."""
    return (sign != ":" and key.isidentifier()) or _is_of_model(key)


def _is_of_model(key: str) -> bool:
    claim = claim_of(key)
    return claim is not None and claim.role in _OF_CONFIG
