"""One run of a task: a trunk at a constant rate, and branches that cool down to every duration; resumable anywhere."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from harness.campaign import Run
from torch import Tensor, nn

SAVE_EVERY = 60.0
"""Seconds between saves of a run in the middle of a segment."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: AdamW, warm-up, a constant rate by a rule in width and depth, a linear cooldown.

    Attributes
    ----------
    base_rate, width_power, depth_power : float
        The rule for the learning rate of the trunk: base_rate (64 / width) ^ width_power (3 / depth) ^ depth_power.
    warm_up : int
        Steps.
    cooldown : float
        Share of a duration over which the learning rate falls to zero.
    weight_decay, betas, clip : float
        Of AdamW, on matrices only; and the largest norm of a gradient.
    """

    base_rate: float
    width_power: float
    depth_power: float = 0.0
    warm_up: int = 100
    cooldown: float = 0.2
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    clip: float = 1.0

    def rate(self, run: Run) -> float:
        """Return the learning rate of the trunk of a run."""
        by_width, by_depth = 64 / run.shape["width"], 3 / run.shape["depth"]
        return run.rate_factor * self.base_rate * by_width**self.width_power * by_depth**self.depth_power

    def rate_at(self, run: Run, step: int, cooling: tuple[int, int] | None) -> float:
        """Return the rate at a step: warm-up, constant, and in a branch (start, end) linear to zero."""
        rate = self.rate(run) * min(1.0, (step + 1) / self.warm_up)
        if cooling is None:
            return rate
        start, end = cooling
        return rate * (end - step) / (end - start + 1)


class Task(Protocol):
    """What is trained, and on what.

    Attributes
    ----------
    recipe : Recipe
        How.
    unit : str
        What durations count, and the name of their column: "tokens" or "examples".
    step_units : int
        How many of them a step sees.
    device : torch.device
        Where models are.
    """

    recipe: Recipe
    unit: str
    step_units: int
    device: torch.device

    def build(self, shape: Mapping[str, int]) -> nn.Module:
        """Return a model with new weights, on the CPU, from torch's global seed."""

    def loss(self, model: Any, step: int) -> Tensor:
        """Return the loss on the examples of a step, none of which any other step sees.

        Raises
        ------
        ValueError
            If there are no more.
        """

    def metrics(self, model: Any) -> dict[str, float]:
        """Return what is measured on data that is not trained on."""


class DivergedError(Exception):
    """The loss is no number any more."""


class State:
    """What a run needs to go on: model, optimizer, the next step."""

    def __init__(self, task: Task, run: Run):
        torch.manual_seed(run.seed)
        self.model = task.build(run.shape).to(task.device)
        self.step = 0
        decayed = [p for p in self.model.parameters() if p.dim() > 1]
        rest = [p for p in self.model.parameters() if p.dim() <= 1]
        recipe = task.recipe
        groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.rate(run), betas=recipe.betas, fused=True)

    def load(self, path: Path, device: torch.device) -> None:
        """Take over a state that was saved."""
        saved = torch.load(path, map_location=device)
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step = saved["step"]

    def save(self, path: Path) -> None:
        """Save as a whole or not at all."""
        beside = path.with_suffix(f".{os.getpid()}")
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
        torch.save(state, beside)
        beside.replace(path)


def steps(task: Task, duration: int) -> int:
    """Return the whole number of steps nearest to a duration."""
    return round(duration / task.step_units)


def train(task: Task, run: Run, folder: Path, done: frozenset[int] = frozenset()) -> Iterator[dict[str, float]]:
    """Train a run, and yield a row at every duration that is not done yet.

    Parameters
    ----------
    task : Task
        What is trained, and on what.
    run : Run
        The shape, its seed and durations.
    folder : Path
        Where states are saved, so that a run that was killed goes on where it was, with the same numbers.
    done : frozenset of int
        Durations that need no row.

    Raises
    ------
    DivergedError
        If the loss is no number any more.
    ValueError
        If there are too few examples for a duration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for duration in sorted(set(run.durations) - done):
        end = steps(task, duration)
        start = end - round(task.recipe.cooldown * end)
        trunk, partial = folder / f"trunk-{start}.pt", folder / f"branch-{end}-partial.pt"
        state = State(task, run)
        if not trunk.exists():
            if (newest := _newest(folder, start)) is not None:
                state.load(newest, task.device)
            _advance(task, state, run, start, None, folder / "trunk-partial.pt")
            state.save(trunk)
        began = time.monotonic()
        state.load(partial if partial.exists() else trunk, task.device)
        train_loss = _advance(task, state, run, end, (start, end), partial)
        state.model.eval()
        measured = task.metrics(state.model)
        yield {
            task.unit: end * task.step_units,
            **measured,
            "train_loss": train_loss,
            "seconds": time.monotonic() - began,
        }
        partial.unlink(missing_ok=True)


def _advance(task: Task, state: State, run: Run, stop: int, cooling: tuple[int, int] | None, partial: Path) -> float:
    """Train up to a step, saving now and then; return the mean training loss of the last steps."""
    saved, recent = time.monotonic(), []
    while state.step < stop:
        for group in state.optimizer.param_groups:
            group["lr"] = task.recipe.rate_at(run, state.step, cooling)
        loss = task.loss(state.model, state.step)
        state.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(state.model.parameters(), task.recipe.clip)
        state.optimizer.step()
        state.step += 1
        recent.append(loss.item())
        if not math.isfinite(recent[-1]):
            raise DivergedError(f"the loss is {recent[-1]} at step {state.step}")
        if time.monotonic() - saved > SAVE_EVERY:
            state.save(partial)
            saved = time.monotonic()
    return float(np.mean(recent[-50:])) if recent else math.nan


def _newest(folder: Path, before: int) -> Path | None:
    """Return the furthest state of the trunk that is not beyond a step; a new run has none."""
    steps = {path: torch.load(path, map_location="cpu")["step"] for path in folder.glob("trunk-*.pt")}
    usable = [path for path, step in steps.items() if step <= before]
    return max(usable, key=steps.__getitem__, default=None)
