"""nanochat: arguments of ``scripts.base_train``, which ties the width to the depth."""

from __future__ import annotations

from shapeplan.architectures import Decoder
from shapeplan.architectures.styles import STYLES
from shapeplan.documents.configs.comments import comments, of_training
from shapeplan.documents.configs.library import Library, Miss, Shape
from shapeplan.documents.configs.shell_text import array
from shapeplan.planning.training import Training

_OWN_RATES = (
    "nanochat has a learning rate for every kind of parameters, and scales them with the batch: they are yours to set",
    'torchrun -m scripts.base_train "${NANOCHAT_ARGS[@]}"',
)


def _nanochat(shape: Shape, training: Training) -> str:
    arguments: dict[str, object] = {
        "depth": shape.depth,
        "aspect-ratio": shape.width // shape.depth,
        "head-dim": shape.width // shape.heads,
    }
    if decoder := shape.decoder:
        # Every layer attends to the whole context, as the plan counts it, where none has a window.
        arguments |= {"max-seq-len": decoder.seq} | ({} if decoder.window else {"window-pattern": "L"})
    if training.batch.value is not None:
        arguments["total-batch-size"] = round(training.batch.value)
    if training.steps is not None:
        arguments["num-iterations"] = training.steps
    if training.warmup.value is not None:
        arguments["warmup-steps"] = round(training.warmup.value)
    return comments([shape.title]) + of_training(training) + comments(_OWN_RATES) + array("NANOCHAT_ARGS", arguments)


def built_width(depth: int, aspect_ratio: int, head_dim: int) -> int:
    """Return the width that nanochat builds: depth times the ratio, up to the next multiple of a head's width."""
    return -(-depth * aspect_ratio // head_dim) * head_dim


def _misses(shape: Shape) -> list[Miss]:
    missed = []
    if shape.mlp_dim != 4 * shape.width:
        message = f"nanochat's MLP is 4 times the width, {4 * shape.width}, where this shape has {shape.mlp_dim}"
        missed.append(Miss(message, "change MLP in its gpt.py, or tie mlp_dim in the sweep"))
    head_dim = shape.width // shape.heads
    width = built_width(shape.depth, shape.width // shape.depth, head_dim) if shape.width >= shape.depth else 0
    if width != shape.width or head_dim * shape.heads != shape.width:
        message = (
            f"nanochat's width is the depth times a whole number, and this shape has {shape.width} at {shape.depth}"
        )
        missed.append(Miss(message, "change model_dim in its base_train.py, or hold the depth with `fix`"))
    kv_heads = shape.decoder.kv_heads if shape.decoder else None
    if kv_heads is not None and int(kv_heads) != shape.heads:
        message = (
            f"nanochat's base_train.py has as many key and value heads as heads, {shape.heads}, not {int(kv_heads)}"
        )
        missed.append(Miss(message, "set n_kv_head in its base_train.py"))
    return missed


NANOCHAT = Library(
    _nanochat, Decoder, frozenset({"seq", "vocab", "kv_heads", "causal", "window"}), STYLES["nanochat"], _misses
)
