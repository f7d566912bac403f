"""timm: a ``VisionTransformer``."""

from __future__ import annotations

from typing import Any

from shapeplan.architectures import ViT
from shapeplan.documents.configs.comments import comments, of_training
from shapeplan.documents.configs.library import Library, Shape
from shapeplan.documents.configs.python_text import call, ratio_to
from shapeplan.planning.training import Training

_POOLS = {"map": "map", "gap": "avg", "tok": "token"}


def _timm(shape: Shape, training: Training) -> str:
    arguments: dict[str, Any] = {"embed_dim": shape.width, "depth": shape.depth, "num_heads": shape.heads}
    arguments["mlp_ratio"] = ratio_to(shape.mlp_dim, shape.width)
    if vit := shape.vit:
        token = vit.pool == "tok" if vit.cls_token is None else vit.cls_token
        arguments |= {
            "img_size": vit.image,
            "patch_size": vit.patch,
            "in_chans": vit.channels,
            "num_classes": vit.classes,
            "global_pool": _POOLS[vit.pool],
            "class_token": token,
            "no_embed_class": not vit.prefix_positions,
            "reg_tokens": vit.reg_tokens,
            "qkv_bias": vit.qkv_bias,
            "qk_norm": vit.qk_norm,
            "init_values": 1e-5 if vit.layer_scale else None,
        }
    text = call(
        shape.title,
        "from timm.models.vision_transformer import VisionTransformer\n\nmodel = VisionTransformer",
        arguments,
    )
    return text + _trained(training)


def _trained(training: Training) -> str:
    """Return comments alone: ``train.py`` of timm counts epochs, and batches by device."""
    if not training.is_known:
        return ""
    epochs = () if training.epochs is None else (f"epochs: {training.epochs:.4g} of {training.dataset:,.0f} examples",)
    return of_training(training) + comments(epochs)


TIMM = Library(
    _timm,
    ViT,
    frozenset(
        {"patch", "image", "pool", "classes", "channels", "cls_token", "prefix_positions", "reg_tokens"}
        | {"qkv_bias", "qk_norm", "layer_scale"}
    ),
)
