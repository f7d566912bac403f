"""nanoGPT: a file of assignments, as in its ``config/``."""

from __future__ import annotations

from typing import Any

from shapeplan.architectures import Decoder
from shapeplan.documents.configs.comments import comments, of_training
from shapeplan.documents.configs.library import UNTOLD_HINT, Library, Miss, Shape
from shapeplan.documents.configs.python_text import assignments
from shapeplan.planning.training import Training

_BIASES = ("qkv_bias", "out_bias", "mlp_bias")


def _nanogpt(shape: Shape, training: Training) -> str:
    values: dict[str, Any] = {"n_layer": shape.depth, "n_head": shape.heads, "n_embd": shape.width}
    if decoder := shape.decoder:
        # What trains has no biases unless it is told of them.
        values |= {"block_size": decoder.seq, "bias": decoder.mlp_bias}
    return comments([shape.title]) + assignments(values) + of_training(training) + _trained(training)


def _trained(training: Training) -> str:
    values: dict[str, Any] = {}
    if training.inputs is not None:
        values |= {"batch_size": training.inputs, "gradient_accumulation_steps": 1}
    if training.steps is not None:
        values |= {"max_iters": training.steps, "lr_decay_iters": training.steps}
    if training.lr.value is not None:
        values |= {"learning_rate": training.lr.value}
    if training.warmup.value is not None:
        values |= {"warmup_iters": round(training.warmup.value)}
    product = "batch_size x gradient_accumulation_steps is the batch: trade them for memory and devices"
    return comments([product] if training.inputs is not None else []) + assignments(values)


def _misses(shape: Shape) -> list[Miss]:
    found = []
    if shape.mlp_dim != 4 * shape.width:
        message = f"nanoGPT's MLP is 4 times the width, {4 * shape.width}, where this shape has {shape.mlp_dim}"
        found.append(Miss(message, "change MLP in its model.py, or tie mlp_dim in the sweep"))
    if decoder := shape.decoder:
        bias = decoder.mlp_bias
        own = {name: getattr(decoder, name) for name in _BIASES}
        own["norm"] = decoder.norm
        nanogpt = {**dict.fromkeys(_BIASES, bias), "norm": "layernorm" if bias else "layernorm_nobias"}
        if differing := [f"{name}={value}" for name, value in own.items() if value != nanogpt[name]]:
            said = ", ".join(differing)
            found.append(Miss(f"nanoGPT has all its biases or none, where this model has {said}", UNTOLD_HINT))
    return found


NANOGPT = Library(_nanogpt, Decoder, frozenset({"seq", "norm", *_BIASES}), {"vocab": 50304}, _misses)
