"""torchtitan: TOML for its ``JobConfig``; the shape is a flavor of its registry of Llama 3, given as a comment.

Versions that have their configuration in Python (``config_registry.py``, 2026) have the same sections and names.
"""

from __future__ import annotations

from typing import Any

from shapeplan.architectures import Decoder
from shapeplan.architectures.styles import STYLES
from shapeplan.documents.configs.comments import comments, of_training
from shapeplan.documents.configs.library import Library, Miss, Shape
from shapeplan.documents.configs.python_text import ratio_to
from shapeplan.planning.training import Training

_FLAVOR = "shapeplan"
_WHERE = (
    "torchtitan has shapes in a registry: add this one to the flavors of llama3, TransformerModelArgs",
    "(versions with Llama3Model.Config: the same sizes, and mlp_dim as hidden_dim of the feed-forward)",
)


def model_args(shape: Shape) -> dict[str, Any]:
    """Return the arguments of ``TransformerModelArgs``, from which torchtitan computes the MLP dim of the shape."""
    arguments: dict[str, Any] = {"dim": shape.width, "n_layers": shape.depth, "n_heads": shape.heads}
    arguments |= {"multiple_of": 1, "ffn_dim_multiplier": ratio_to(shape.mlp_dim, 8 * shape.width // 3)}
    if decoder := shape.decoder:
        kv_heads = shape.heads if decoder.kv_heads is None else int(decoder.kv_heads)
        arguments |= {"n_kv_heads": kv_heads, "vocab_size": decoder.vocab, "max_seq_len": decoder.seq}
    return arguments


def _torchtitan(shape: Shape, training: Training) -> str:
    flavor = ", ".join(f"{name}={value!r}" for name, value in model_args(shape).items())
    return (
        comments([shape.title, *_WHERE, f'"{_FLAVOR}": TransformerModelArgs({flavor}),', f"(mlp_dim {shape.mlp_dim})"])
        + _section("model", {"name": '"llama3"', "flavor": f'"{_FLAVOR}"'})
        + of_training(training)
        + comments(["local_batch_size, the sequences of one device at a time, is yours to set"])
        + _section("training", _trained(shape, training))
        + _section("optimizer", {} if training.lr.value is None else {"lr": f"{training.lr.value!r}"})
        + _section("lr_scheduler", _warmup(training))
    )


def _trained(shape: Shape, training: Training) -> dict[str, object]:
    values: dict[str, object] = {} if shape.decoder is None else {"seq_len": shape.decoder.seq}
    values |= {} if training.inputs is None else {"global_batch_size": training.inputs}
    return values | ({} if training.steps is None else {"steps": training.steps})


def _warmup(training: Training) -> dict[str, object]:
    return {} if training.warmup.value is None else {"warmup_steps": round(training.warmup.value)}


def _section(name: str, values: dict[str, object]) -> str:
    """Return a table of TOML, of values that are written already; nothing where there are none."""
    lines = "".join(f"{key} = {value}\n" for key, value in values.items())
    return f"[{name}]\n{lines}" if values else ""


def _misses(shape: Shape) -> list[Miss]:
    decoder = shape.decoder
    if decoder is None or int(decoder.head_width) * shape.heads == shape.width:
        return []
    share = f"{shape.width} / {shape.heads}"
    message = f"torchtitan's heads share the width, {share}, where these are {int(decoder.head_width)} wide"
    return [Miss(message, "plan with `heads` or `head_dim` so that they do")]


TORCHTITAN = Library(_torchtitan, Decoder, frozenset({"vocab", "seq", "kv_heads"}), STYLES["llama"], _misses)
