"""big_vision: ``config.model_name`` and ``config.model``."""

from __future__ import annotations

from typing import Any

from shapeplan.architectures import ViT
from shapeplan.documents.configs.library import Library, Shape
from shapeplan.documents.configs.python_text import call


def _big_vision(shape: Shape) -> str:
    arguments: dict[str, Any] = {
        "width": shape.width,
        "depth": shape.depth,
        "mlp_dim": shape.mlp_dim,
        "num_heads": shape.heads,
    }
    if vit := shape.vit:
        arguments |= {"patch_size": (vit.patch, vit.patch), "pool_type": vit.pool}
        arguments |= {"rep_size": vit.rep_size} if vit.rep_size else {}
    return call(shape.title, 'config.model_name = "vit"\nconfig.model = dict', arguments)


BIG_VISION = Library(_big_vision, ViT, frozenset({"patch", "image", "pool", "classes", "rep_size"}))
