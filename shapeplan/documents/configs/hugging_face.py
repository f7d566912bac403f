"""``config.json`` of Hugging Face's transformers."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from shapeplan.architectures import Decoder, ViT
from shapeplan.architectures.styles import STYLES
from shapeplan.documents.configs.library import Library, Shape
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.planning.training import Training
from shapeplan.readers.configs.write import model_config


def _sizes(model_type: str, shape: Shape) -> dict[str, Any]:
    return {
        "model_type": model_type,
        "hidden_size": shape.width,
        "num_hidden_layers": shape.depth,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.mlp_dim,
    }


def _hf_vit(shape: Shape, training: Training) -> str:
    config = _sizes("vit", shape)
    if vit := shape.vit:
        config |= {"image_size": vit.image, "patch_size": vit.patch, "num_channels": vit.channels}
        config |= {"qkv_bias": vit.qkv_bias}
    return json.dumps(config, indent=2) + "\n"


def _hf_llama(shape: Shape, training: Training) -> str:
    config = _sizes("llama", shape)
    if decoder := shape.decoder:
        config |= {
            "num_key_value_heads": shape.heads if decoder.kv_heads is None else int(decoder.kv_heads),
            "head_dim": int(decoder.head_width),
            "vocab_size": decoder.vocab,
            "max_position_embeddings": decoder.seq,
            "tie_word_embeddings": decoder.tied,
        }
    return json.dumps(config, indent=2) + "\n"


def _hf(shape: Shape, training: Training) -> str:
    """Return the configuration of the architecture's own family, which reads as the same model or is not written."""
    if shape.decoder is None:
        message = "`format=hf` writes the architecture's own family, and the law has none"
        raise ArgumentError(ErrorDetail("bad-format", message, "fit with one, or write hf-llama", value="hf"))
    return json.dumps(model_config(shape.decoder, shape.family), indent=2) + "\n"


HF_VIT = Library(
    _hf_vit,
    ViT,
    frozenset({"patch", "image", "channels", "qkv_bias", "classes"}),
    {"pool": "tok", "prefix_positions": True},
    trains=False,
)
HF = Library(_hf, Decoder, frozenset(setting.name for setting in fields(Decoder)), trains=False)
HF_LLAMA = Library(_hf_llama, Decoder, frozenset({"vocab", "seq", "kv_heads", "tied"}), STYLES["llama"], trains=False)
