"""One run: a trunk at a constant learning rate, and a branch that cools down to every duration. Resumable anywhere."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from corpus import Corpus
from model import CONTEXT, Decoder
from numpy.typing import NDArray

BATCH = 8
"""Sequences a step."""
WARM_UP = 100
"""Steps."""
COOLDOWN = 0.2
"""Share of a duration over which the learning rate falls to zero."""
WEIGHT_DECAY, BETAS, CLIP = 0.1, (0.9, 0.95), 1.0
BASE_RATE, BASE_WIDTH, RATE_POWER = 6.5e-3, 64, 1.25
"""The rule for the learning rate of the trunk: BASE_RATE (BASE_WIDTH / width) ^ RATE_POWER."""
ORDER_SEED = 1
VALIDATION_SEQUENCES = 2048
SAVE_EVERY = 60.0
"""Seconds between saves of a run in the middle of a segment."""


@dataclass(frozen=True)
class Run:
    """A run: a shape and the seed of its weights, at durations in tokens."""

    name: str
    shape: Mapping[str, int]
    seed: int
    durations: tuple[int, ...]
    rate_factor: float = 1.0

    @property
    def rate(self) -> float:
        """The learning rate of the trunk, by the rule in width."""
        return self.rate_factor * BASE_RATE * (BASE_WIDTH / self.shape["width"]) ** RATE_POWER


def steps_of(tokens: float) -> int:
    """Return the steps that see so many tokens."""
    return round(tokens / (BATCH * CONTEXT))


class State:
    """What a run needs to go on: model, optimizer, the next step."""

    def __init__(self, run: Run):
        torch.manual_seed(run.seed)
        self.model = Decoder(**run.shape)
        decayed = [p for p in self.model.parameters() if p.dim() > 1]
        rest = [p for p in self.model.parameters() if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": rest, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=run.rate, betas=BETAS, fused=True)
        self.step = 0

    def saved(self) -> dict[str, Any]:
        """Return all of it, to be loaded again."""
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take over a state that was saved."""
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step = saved["step"]


class DivergedError(Exception):
    """The loss is no number any more."""


def train(run: Run, corpus: Corpus, folder: Path, done: frozenset[int] = frozenset()) -> Iterator[dict[str, float]]:
    """Train a run, and yield a row at every duration that is not done yet.

    Parameters
    ----------
    run : Run
        What to train.
    corpus : Corpus
        What on; never more than once.
    folder : Path
        Where states are saved, so that a run that was killed goes on where it was, with the same numbers.
    done : frozenset of int
        Durations that need no row.

    Raises
    ------
    DivergedError
        If the loss is no number any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    order = sequence_order(corpus)
    left = [tokens for tokens in sorted(run.durations) if tokens not in done]
    for tokens in left:
        whole = steps_of(tokens)
        start = whole - round(COOLDOWN * whole)
        trunk = folder / f"trunk-{start}.pt"
        state = State(run)
        if not trunk.exists():
            _load_newest(state, folder, start)
            _advance(state, run, corpus, order, start, None, folder / "trunk-partial.pt")
            _save(state, trunk)
        began = time.monotonic()
        state.load(torch.load(trunk))
        partial = folder / f"branch-{whole}-partial.pt"
        if partial.exists():
            state.load(torch.load(partial))
        train_loss = _advance(state, run, corpus, order, whole, (start, whole), partial)
        yield {
            "tokens": whole * BATCH * CONTEXT,
            "loss": validation_loss(state.model, corpus),
            "train_loss": train_loss,
            "seconds": time.monotonic() - began,
        }
        partial.unlink(missing_ok=True)


def sequence_order(corpus: Corpus) -> NDArray[np.int64]:
    """Return the order in which sequences are seen, each once: the same for all runs, so that shapes compare.

    Two orders made the smallest shape differ by 2% at 2M tokens, more than two seeds of its weights (0.6%).
    """
    return np.random.default_rng(ORDER_SEED).permutation((len(corpus.train) - 1) // CONTEXT)


def learning_rate(run: Run, step: int, cooling: tuple[int, int] | None) -> float:
    """Return the rate at a step: warm-up, constant, and in a branch (start, end) linear to zero."""
    rate = run.rate * min(1.0, (step + 1) / WARM_UP)
    if cooling is None:
        return rate
    start, end = cooling
    return rate * (end - step) / (end - start + 1)


def validation_loss(model: Decoder, corpus: Corpus) -> float:
    """Return the mean loss over sequences that are spread evenly over the validation bytes, in nats a byte."""
    last = len(corpus.validation) - CONTEXT - 1
    starts = np.linspace(0, last, min(VALIDATION_SEQUENCES, last // CONTEXT)).astype(int)
    model.eval()
    losses = []
    with torch.no_grad():
        for part in np.array_split(starts, max(1, len(starts) // 64)):
            batch = _sequences(corpus.validation, part)
            losses.append(float(model.loss(batch)) * len(part))
    model.train()
    return sum(losses) / len(starts)


def _advance(
    state: State,
    run: Run,
    corpus: Corpus,
    order: NDArray[np.int64],
    stop: int,
    cooling: tuple[int, int] | None,
    partial: Path,
) -> float:
    """Train up to a step, saving now and then; return the mean training loss of the last steps."""
    saved, recent = time.monotonic(), []
    while state.step < stop:
        for group in state.optimizer.param_groups:
            group["lr"] = learning_rate(run, state.step, cooling)
        rows = order[state.step * BATCH : (state.step + 1) * BATCH]
        if len(rows) < BATCH:
            raise ValueError("the corpus is too short: it would be seen twice")
        loss = state.model.loss(_sequences(corpus.train, rows * CONTEXT))
        state.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), CLIP)
        state.optimizer.step()
        state.step += 1
        recent.append(loss.item())
        if not math.isfinite(recent[-1]):
            raise DivergedError(f"the loss is {recent[-1]} at step {state.step}")
        if time.monotonic() - saved > SAVE_EVERY:
            _save(state, partial)
            saved = time.monotonic()
    return float(np.mean(recent[-50:])) if recent else math.nan


def _sequences(text: NDArray[np.uint8], starts: NDArray[np.int64]) -> torch.Tensor:
    """Return sequences of a context and the byte after it, shape (starts, context + 1)."""
    return torch.from_numpy(text[starts[:, None] + np.arange(CONTEXT + 1)].astype(np.int64))


def _load_newest(state: State, folder: Path, before: int) -> None:
    """Load the furthest state of the trunk that is not beyond a step; a new run has none."""
    newest = None
    for path in folder.glob("trunk-*.pt"):
        saved = torch.load(path)
        if saved["step"] <= before and (newest is None or saved["step"] > newest["step"]):
            newest = saved
    if newest is not None:
        state.load(newest)


def _save(state: State, path: Path) -> None:
    """Save as a whole or not at all."""
    beside = path.with_suffix(f".{os.getpid()}")
    torch.save(state.saved(), beside)
    beside.replace(path)
