"""The task: predict the next byte of the corpus."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from batch import BATCH, CONTEXT
from corpus import Corpus, read_corpus
from harness.training import Recipe
from model import Decoder
from numpy.typing import NDArray
from torch import Tensor

ORDER_SEED = 1
VALIDATION_SEQUENCES = 2048


class Bytes:
    """Sequences of bytes, each seen once, in one order for all runs, so that shapes compare.

    Two orders made the smallest shape differ by 2% at 2M tokens, more than two seeds of its weights (0.6%).
    """

    recipe = Recipe(base_rate=6.5e-3, width_power=1.25)
    unit = "tokens"
    step_units = BATCH * CONTEXT

    def __init__(self, corpus: Corpus, device: torch.device):
        self.corpus, self.device = corpus, device
        self.order = np.random.default_rng(ORDER_SEED).permutation((len(corpus.train) - 1) // CONTEXT)

    def build(self, shape: Mapping[str, int]) -> Decoder:
        """Return a decoder with new weights."""
        return Decoder(**shape)

    def loss(self, model: Decoder, step: int) -> Tensor:
        """Return the mean loss over the sequences of a step, in nats a byte."""
        rows = self.order[step * BATCH : (step + 1) * BATCH]
        if len(rows) < BATCH:
            raise ValueError("the corpus is too short: it would be seen twice")
        return model.loss(self._sequences(self.corpus.train, rows * CONTEXT))

    def metrics(self, model: Decoder) -> dict[str, float]:
        """Return the mean loss over sequences spread evenly over the validation bytes, in nats a byte."""
        last = len(self.corpus.validation) - CONTEXT - 1
        starts = np.linspace(0, last, min(VALIDATION_SEQUENCES, last // CONTEXT)).astype(int)
        with torch.no_grad():
            losses = [
                float(model.loss(self._sequences(self.corpus.validation, part))) * len(part)
                for part in np.array_split(starts, max(1, len(starts) // 64))
            ]
        return {"loss": sum(losses) / len(starts)}

    def _sequences(self, text: NDArray[np.uint8], starts: NDArray[np.int64]) -> Tensor:
        """Return sequences of a context and the byte after it, shape (starts, context + 1)."""
        found = text[starts[:, None] + np.arange(CONTEXT + 1)].astype(np.int64)
        return torch.from_numpy(found).to(self.device)


def task(device: torch.device) -> Bytes:
    """Return the task on this Python's standard library."""
    return Bytes(read_corpus(), device)
