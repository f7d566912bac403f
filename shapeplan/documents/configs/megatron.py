"""Megatron-LM: arguments of ``pretrain_gpt.py``, as the arrays of its example scripts."""

from __future__ import annotations

from shapeplan.architectures import Decoder
from shapeplan.documents.configs.comments import comments, of_training
from shapeplan.documents.configs.library import UNTOLD_HINT, Library, Miss, Shape
from shapeplan.documents.configs.shell_text import array
from shapeplan.planning.training import Training

_NORMS = {"layernorm": "LayerNorm", "rmsnorm": "RMSNorm"}
_BIASES = ("qkv_bias", "out_bias", "mlp_bias")
_TOLD = frozenset(
    {"vocab", "seq", "kv_heads", "gated", "tied", "positions", "norm", "qk_norm", "causal", *_BIASES},
)
_LEFT = (
    "micro-batch-size, the sequences of one device at a time, is yours to set",
    "vocab-size is padded to a multiple of make-vocab-size-divisible-by (128) times the tensor parallel devices",
    'torchrun pretrain_gpt.py "${MODEL_ARGS[@]}" "${TRAINING_ARGS[@]}"',
)


def _megatron(shape: Shape, training: Training) -> str:
    return (
        comments([shape.title])
        + array("MODEL_ARGS", _model(shape))
        + of_training(training)
        + comments(_LEFT)
        + array("TRAINING_ARGS", _trained(training))
    )


def _model(shape: Shape) -> dict[str, object]:
    arguments: dict[str, object] = {
        "num-layers": shape.depth,
        "hidden-size": shape.width,
        "ffn-hidden-size": shape.mlp_dim,
        "num-attention-heads": shape.heads,
    }
    decoder = shape.decoder
    if decoder is None:
        return arguments
    arguments |= {"kv-channels": int(decoder.head_width)}
    if decoder.kv_heads is not None and int(decoder.kv_heads) != shape.heads:
        arguments |= {"group-query-attention": True, "num-query-groups": int(decoder.kv_heads)}
    arguments |= {"seq-length": decoder.seq, "max-position-embeddings": decoder.positions or decoder.seq}
    arguments |= {"position-embedding-type": "rope" if decoder.positions == 0 else "learned_absolute"}
    arguments |= {"vocab-size": decoder.vocab}
    arguments |= {"normalization": _NORMS[decoder.norm]} if decoder.norm in _NORMS else {}
    switches = {
        "swiglu": decoder.gated,
        "qk-layernorm": decoder.qk_norm == "head",
        "disable-bias-linear": not (decoder.out_bias or decoder.mlp_bias),
        "add-qkv-bias": decoder.qkv_bias and not (decoder.out_bias or decoder.mlp_bias),
        "untie-embeddings-and-output-weights": not decoder.tied,
    }
    return arguments | {name: True for name, on in switches.items() if on}


def _trained(training: Training) -> dict[str, object]:
    arguments: dict[str, object] = {}
    if training.inputs is not None:
        arguments["global-batch-size"] = training.inputs
    if training.steps is not None:
        arguments |= {"train-iters": training.steps, "lr-decay-iters": training.steps}
    if training.lr.value is not None:
        arguments["lr"] = f"{training.lr.value!r}"
    if training.warmup.value is not None:
        arguments["lr-warmup-iters"] = round(training.warmup.value)
    return arguments


def _misses(shape: Shape) -> list[Miss]:
    decoder = shape.decoder
    if decoder is None:
        return []
    together = decoder.out_bias == decoder.mlp_bias and (decoder.qkv_bias or not decoder.out_bias)
    said = {
        f"norm={decoder.norm}": decoder.norm in _NORMS,
        f"qk_norm={decoder.qk_norm}": decoder.qk_norm in ("none", "head"),
        ", ".join(f"{name}={getattr(decoder, name)}" for name in _BIASES): together,
    }
    untold = ", ".join(name for name, is_told in said.items() if not is_told)
    return [Miss(f"Megatron has no argument for {untold}", UNTOLD_HINT)] if untold else []


MEGATRON = Library(_megatron, Decoder, _TOLD, misses=_misses)
