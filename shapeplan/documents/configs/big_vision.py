"""big_vision: ``config.model_name`` and ``config.model``."""

from __future__ import annotations

from typing import Any

from shapeplan.architectures import ViT
from shapeplan.documents.configs.comments import of_training
from shapeplan.documents.configs.library import Library, Shape
from shapeplan.documents.configs.python_text import assignments, call
from shapeplan.planning.training import Training


def _big_vision(shape: Shape, training: Training) -> str:
    arguments: dict[str, Any] = {
        "width": shape.width,
        "depth": shape.depth,
        "mlp_dim": shape.mlp_dim,
        "num_heads": shape.heads,
    }
    if vit := shape.vit:
        arguments |= {"patch_size": (vit.patch, vit.patch), "pool_type": vit.pool}
        arguments |= {"rep_size": vit.rep_size} if vit.rep_size else {}
    text = call(shape.title, 'config.model_name = "vit"\nconfig.model = dict', arguments)
    return text + of_training(training) + _trained(training)


def _trained(training: Training) -> str:
    """Return what ``big_vision/train.py`` reads; it counts total_steps, and warm-up in steps of the schedule."""
    values: dict[str, Any] = {}
    if training.batch.value is not None:
        values["config.input.batch_size"] = round(training.batch.value)
    if training.steps is not None:
        values["config.total_steps"] = training.steps
    if training.lr.value is not None:
        values["config.lr"] = training.lr.value
    if training.warmup.value is not None:
        values["config.schedule"] = {"warmup_steps": round(training.warmup.value)}
    return assignments(values)


BIG_VISION = Library(_big_vision, ViT, frozenset({"patch", "image", "pool", "classes", "rep_size"}))
