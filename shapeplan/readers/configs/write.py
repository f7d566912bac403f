"""A decoder as transformers' ``config.json``: read back, it is the same model, or it is not written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from shapeplan.architectures import Decoder
from shapeplan.architectures.base import OF_LATENT
from shapeplan.architectures.styles import MIXTURES
from shapeplan.errors import ArgumentError, ErrorDetail, InputError
from shapeplan.readers.configs.decoders import CONTEXT, DECODERS, EXPERTS, KV_HEADS, MLP, PER_TOKEN, SHARED, SIZES
from shapeplan.readers.configs.defaults import defaults_of
from shapeplan.readers.configs.models import read_model

_KEYS: dict[str, tuple[str, ...]] = {
    **SIZES,
    **{"mlp_dim": MLP, "seq": CONTEXT, "kv_heads": KV_HEADS, "head_dim": ("head_dim",)},
    **{"experts": EXPERTS, "experts_per_token": PER_TOKEN, "shared_experts": SHARED},
    **{"expert_dim": ("moe_intermediate_size",), "tied": ("tie_word_embeddings",)},
    **{"shared_expert_dim": ("shared_expert_intermediate_size", "shared_intermediate_size")},
    **{"first_dense_layers": ("first_k_dense_replace",), "moe_every": ("decoder_sparse_step",)},
    **{name: (name,) for name in OF_LATENT},
}
"""The words for every setting, of which a model type knows one or none."""


def model_config(model: Decoder, family: str) -> dict[str, Any]:
    """Return the configuration of a decoder of one shape.

    Parameters
    ----------
    model : Decoder
        Of one shape.
    family : str
        A name of `FAMILIES`, which is the model type.

    Raises
    ------
    ArgumentError
        If transformers has no such model type, or it has no words for a setting of the model.
    """
    known = defaults_of(family)
    if family not in DECODERS or not known:
        hint = "write one of another library, or say family: mixtral, qwen3_moe or llama in the architecture"
        message = f"transformers has no model type {family!r} whose configuration is known here"
        raise ArgumentError(ErrorDetail("bad-format", message, hint, value=family))
    config: dict[str, Any] = {"model_type": family}
    for setting, value in _values(model).items():
        key = next((word for word in _KEYS.get(setting, ()) if word in known), None)
        if key is not None:
            config[key] = value
    for key, switched in DECODERS[family].flags.items():
        if key in known:
            config[key] = all(getattr(model, name) for name in switched)
    _check_same(model, family, config)
    return config


def _values(model: Decoder) -> dict[str, Any]:
    """Return every setting that says something, with those that are implied written out."""
    values = {setting.name: getattr(model, setting.name) for setting in fields(model)}
    latent = model.latent is not None
    if not latent:
        values |= {"kv_heads": model.head_count if model.kv_heads is None else model.kv_heads}
        values |= {"head_dim": model.head_width}
    mixture = model.mixture
    if mixture is not None:
        values |= {"expert_dim": mixture.expert_dim, "shared_expert_dim": mixture.shared * mixture.shared_dim}
    values["heads"] = model.head_count
    return {name: value for name, value in values.items() if value is not None}


def _check_same(model: Decoder, family: str, config: Mapping[str, Any]) -> None:
    """Raise `ArgumentError` unless the configuration, read again, has the counts of the model in every part."""
    try:
        again = read_model(config).model()
    except InputError as error:
        raise ArgumentError(
            ErrorDetail("bad-format", f"{family} cannot say it: {error.details[0].message}", "")
        ) from None
    differing = [name for name, part in model.parts().items() if again.parts().get(name) != part]
    if differing or again.params != model.params:
        message = f"{family} of transformers has no setting for what this model has in {', '.join(differing)}"
        hint = "fit with an architecture of that family's own settings, or write the file by hand"
        if model.mixture is not None and family not in MIXTURES:
            hint = "say family: mixtral or qwen3_moe in the architecture: these have experts"
        raise ArgumentError(ErrorDetail("bad-format", message, hint, value=family))
