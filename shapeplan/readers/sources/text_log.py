"""What trainers print, such as nanoGPT, nanochat, llm.c, Megatron and torchtitan: ``step 100 ... val loss 2.5``.

Settings are what the text assigns (``n_layer = 12``, ``num_layers: 20``, ``num_layers ..... 20``) or prints as an
object (``GPTConfig(n_layer=12)``), else those of a configuration beside it. Tokens are those that the text counts, else
steps times the tokens of a step, where the text tells those, or the batch and the length of its sequences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from shapeplan.frozen import frozen
from shapeplan.readers.names import claim_of
from shapeplan.readers.numbers import as_number
from shapeplan.readers.pairs import are_pairs
from shapeplan.readers.source import read_text
from shapeplan.readers.sources import printed_lines as printed
from shapeplan.readers.sources.config import config_beside
from shapeplan.readers.sources.ending import LAST_STEP
from shapeplan.readers.sources.finding import matching, run_name, start_of
from shapeplan.readers.sources.run_log import RunLog
from shapeplan.readers.sources.steps import check_steps

NAME = "printed logs"
_SUFFIXES = (".log", ".txt", ".out")
_START = 2**24
"""Bytes in which a loss is looked for, to tell such a log from other text."""

Entry = dict[str, object]


def finds(files: Sequence[Path]) -> list[Path]:
    """Return the texts in which an evaluation is told with its step."""
    return texts_that_tell(files, printed.evaluation)


def read(path: Path, root: Path) -> list[RunLog]:
    """Return the run of a text."""
    return [run_of(path, root, printed.evaluation)]


def texts_that_tell(files: Sequence[Path], loss_in: Callable[[str], Entry | None]) -> list[Path]:
    """Return the texts in which a line tells a loss."""

    def tells(file: Path) -> bool:
        start = start_of(file, _START).decode("utf-8", "replace")
        return not are_pairs(start) and any(loss_in(printed.message_of(line)) for line in start.split("\n"))

    return [file for file in matching(files, *(f"*{suffix}" for suffix in _SUFFIXES)) if tells(file)]


def run_of(path: Path, root: Path, loss_in: Callable[[str], Entry | None], *notes: str) -> RunLog:
    """Return the run of a text, with the losses that lines tell.

    Raises
    ------
    InputError
        If steps are counted anew in every epoch.
    """
    text = read_text(path)
    told = _Told.of(text.body, text.name, loss_in)
    entries, note = _with_tokens(told)
    settings = told.settings
    if note:
        # What the tokens are counted by is no batch of a run that is counted once more.
        settings = {key: value for key, value in settings.items() if getattr(claim_of(key), "role", "") != "batch_size"}
    if told.flops_a_token is not None:
        entries = [_with_compute(entry, told.flops_a_token) for entry in entries]
    beside, sources = config_beside(path.parent, root)
    alone = sum(file.suffix in _SUFFIXES for file in path.parent.iterdir()) == 1
    name = run_name(path.parent, root) if alone else run_name(path.with_suffix(""), root)
    config = {**beside, **printed.with_mlp(settings)}
    if LAST_STEP.isdisjoint(config):
        config |= told.planned
    said = [*([note] if note else []), *notes]
    return RunLog(name, str(path), config, entries, sources=[text.source, *sources], notes=said)


@frozen
class _Told:
    """What the lines of a text tell.

    Attributes
    ----------
    settings : mapping
        What holds for the whole run.
    planned : mapping
        The steps that there will be, as lines tell beside their own.
    losses : sequence of mapping
        Those that are read, with their steps.
    tokens, samples : mapping of int to float
        What was consumed, by step.
    tokens_a_step, flops_a_token : float or None
        As they are told.
    """

    settings: Mapping[str, object]
    planned: Mapping[str, object]
    losses: Sequence[Entry]
    tokens: Mapping[int, float]
    samples: Mapping[int, float]
    tokens_a_step: float | None
    flops_a_token: float | None

    @classmethod
    def of(cls, body: str, name: str, loss_in: Callable[[str], Entry | None]) -> _Told:
        """Return what the lines of a text tell, the losses by `loss_in`."""
        settings: Entry = {}
        losses: list[Entry] = []
        seen: dict[str, dict[int, float]] = {"tokens": {}, "samples": {}}
        planned: Entry = {}
        progress: list[Entry] = []
        last: Entry = {}
        tokens_a_step = flops_a_token = None
        for line in map(printed.message_of, body.split("\n")):
            if (counted := printed.consumed(line)) is not None:
                what, step, count = counted
                seen[what][step] = count
            if (loss := loss_in(line)) is not None:
                losses.append(loss)
            elif (trained := printed.training(line)) is not None:
                last = trained
            elif (size := printed.tokens_a_step(line)) is not None:
                tokens_a_step = size
            elif (cost := printed.flops_a_token(line)) is not None:
                flops_a_token = cost
            else:
                settings |= printed.settings(line)
                continue
            planned |= printed.planned_steps(line)
            progress.append(printed.progress(line))
        check_steps(progress, name)
        if last:
            # How far the run came, where its last evaluation was before.
            losses.append({"step": last["step"]})
        settings = {**printed.settings_in_json(body, name), **settings}
        return cls(settings, planned, losses, seen["tokens"], seen["samples"], tokens_a_step, flops_a_token)

    @property
    def sequences(self) -> float | None:
        """The sequences of a step."""
        return self._setting(printed.SEQUENCES)

    @property
    def length(self) -> float | None:
        """The tokens of a sequence."""
        return self._setting(printed.LENGTH)

    def _setting(self, name: str) -> float | None:
        # 4K may be 4000 or 4096: it is none.
        return as_number(self.settings.get(name))


def _with_tokens(told: _Told) -> tuple[list[Entry], str]:
    """Return the losses with the tokens until then, and how they were counted; empty where they are not told."""
    length, tokens_a_step = told.length, told.tokens_a_step
    if _grows(told.tokens):
        return _beside(told.losses, told.tokens), "tokens are those that the logs count"
    if told.samples and length is not None:
        tokens = {step: count * length for step, count in told.samples.items()}
        return _beside(
            told.losses, tokens
        ), "tokens are the samples that the logs count, times the length of a sequence"
    if tokens_a_step is None and len(set(told.tokens.values())) == 1:
        tokens_a_step = next(iter(told.tokens.values()))
    if tokens_a_step is None and length is not None and told.sequences is not None:
        tokens_a_step = told.sequences * length
    if tokens_a_step is None:
        return list(told.losses), ""
    entries: list[Entry] = [{**loss, "tokens": float(str(loss["step"])) * tokens_a_step} for loss in told.losses]
    return entries, "tokens are steps times the tokens of a step, as the logs tell them"


def _beside(losses: Sequence[Entry], tokens: Mapping[int, float]) -> list[Entry]:
    """Return losses with what was seen at steps, which may be others."""
    counted: list[Entry] = [{"step": step, "tokens": count} for step, count in tokens.items()]
    return [*losses, *counted]


def _grows(counts: Mapping[int, float]) -> bool:
    """Return whether counts by step are of all steps until then, not of one."""
    found = [counts[step] for step in sorted(counts)]
    return len(found) == 1 or (found[:1] < found[-1:] and found == sorted(found))


def _with_compute(entry: Entry, flops_a_token: float) -> Entry:
    if "tokens" not in entry:
        return entry
    return {**entry, "total_training_flops": float(str(entry["tokens"])) * flops_a_token}
