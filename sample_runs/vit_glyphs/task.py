"""The task: name the character in an image; measured on fonts that are not trained on, and on classes that are not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from batch import BATCH
from glyphs import Pool, read_pool
from harness.training import Recipe
from model import VisionTransformer
from stream import TRAINED, VALIDATION, Stream
from torch import Tensor
from torch.nn import functional

TRAINING_SEED, VALIDATION_SEED, SUPPORT_SEED, QUERY_SEED = 1, 2, 3, 4
VALIDATION_EACH, SHOTS, QUERIES = 3, 10, 5
"""Images of a class: to validate on; of a held-out class, to fit on and to judge by."""
RIDGE = 0.1
"""Of the 10-shot classifier, a share of the mean variance of a feature times the number of images."""
_AT_ONCE = 256


class Glyphs:
    """Images of characters from an endless stream, the same for all runs.

    AdamW's second moment has a long memory (0.999): a class is seen once in about 60 steps, and with 0.95 nothing is
    learnt in the first thousands of images.
    """

    recipe = Recipe(base_rate=8e-4, width_power=1.5, depth_power=1.0, betas=(0.9, 0.999))
    unit = "examples"
    step_units = BATCH

    def __init__(self, pool: Pool, device: torch.device):
        self.device = device
        self.classes = pool.trained
        known, aside = (0, pool.trained), (pool.trained, len(pool.characters))
        self.training = Stream(pool, TRAINED, known, TRAINING_SEED, device)
        self.validation = Stream(pool, VALIDATION, known, VALIDATION_SEED, device)
        self.support = Stream(pool, VALIDATION, aside, SUPPORT_SEED, device)
        self.query = Stream(pool, VALIDATION, aside, QUERY_SEED, device)

    def build(self, shape: Mapping[str, int]) -> VisionTransformer:
        """Return a transformer with new weights."""
        return VisionTransformer(**shape, classes=self.classes)

    def loss(self, model: VisionTransformer, step: int) -> Tensor:
        """Return the mean cross-entropy over the images of a step, in nats."""
        images, labels = self.training.batch(step, BATCH)
        return functional.cross_entropy(model(images), labels)

    @torch.no_grad()
    def metrics(self, model: VisionTransformer) -> dict[str, float]:
        """Return the cross-entropy and error on held-out fonts, and the 10-shot error on held-out classes."""
        images, labels = self._validation_set
        logits = torch.cat([model(part) for part in images.split(_AT_ONCE)])
        wrong = (logits.argmax(1) != labels).float().mean()
        shots = self._ten_shot_error(model)
        return {"loss": float(functional.cross_entropy(logits, labels)), "error": float(wrong), "ten_shot_error": shots}

    def _ten_shot_error(self, model: VisionTransformer) -> float:
        """Return the error of a ridge regression from frozen features to classes, ten images each."""
        (images, labels), (asked, truth) = self._few_shot_sets
        known, unknown = (
            torch.cat([model.features(part) for part in part_of.split(_AT_ONCE)]).double()
            for part_of in (images, asked)
        )
        mean = known.mean(0)
        known, unknown = known - mean, unknown - mean
        targets = functional.one_hot(labels).double()
        ridge = RIDGE * known.square().sum() / known.shape[1]
        gram = known.T @ known + ridge * torch.eye(known.shape[1], dtype=torch.double, device=self.device)
        weights = torch.linalg.solve(gram, known.T @ (targets - targets.mean(0)))
        return float(((unknown @ weights).argmax(1) != truth).double().mean())

    @cached_property
    def _validation_set(self) -> tuple[Tensor, Tensor]:
        return self.validation.balanced(0, VALIDATION_EACH)

    @cached_property
    def _few_shot_sets(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        return self.support.balanced(0, SHOTS), self.query.balanced(0, QUERIES)


def task(device: torch.device) -> Glyphs:
    """Return the task on the fonts of this machine."""
    return Glyphs(read_pool(), device)
