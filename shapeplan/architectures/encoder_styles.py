"""Settings of well-known encoders and encoder-decoders, by the names of their families."""

from __future__ import annotations

from typing import Any

_NO_BIAS = {"qkv_bias": False, "out_bias": False, "mlp_bias": False}

ENCODER_STYLES: dict[str, dict[str, Any]] = {
    "bert": {},
    "roberta": {"token_types": 1},
    "distilbert": {"token_types": 0},
    "roberta_prelayernorm": {"token_types": 1, "final_norm": True},
    "xlm_roberta_xl": {"token_types": 1, "embedding_norm": False, "final_norm": True},
    "electra": {"head": "tokens", "classes": 1, "head_dense": True},
    "mpnet": {"token_types": 0, "relative_buckets": 32},
    "esm": {"token_types": 0, "positions": 0, "embedding_norm": False, "final_norm": True, "contact_head": True},
    "nomic_bert": {**_NO_BIAS, "positions": 0, "gated": True},
    "modernbert": {
        **{**_NO_BIAS, "positions": 0, "token_types": 0, "gated": True, "norm": "layernorm_nobias"},
        **{"first_norm": False, "final_norm": True, "head_dense_bias": False},
    },
    "eurobert": {
        **{**_NO_BIAS, "positions": 0, "token_types": 0, "gated": True, "norm": "rmsnorm", "embedding_norm": False},
        **{"final_norm": True, "tied": False, "head_dense": False, "head_norm": False, "head_bias": False},
    },
    "t5_encoder": {
        **{**_NO_BIAS, "positions": 0, "token_types": 0, "norm": "rmsnorm", "embedding_norm": False},
        **{"final_norm": True, "relative_buckets": 32, "head": "none"},
    },
}
"""Settings that the code of a family fixes, by the `model_type` of transformers. Each may be overridden."""

_T5 = {
    **{"positions": 0, "target_positions": 0, "relative_buckets": 32, "norm": "rmsnorm", "embedding_norm": False},
    **{"qkv_bias": False, "out_bias": False, "mlp_bias": False},
}
_PRE_NORM = {"embedding_norm": False}

ENCODER_DECODER_STYLES: dict[str, dict[str, Any]] = {
    "t5": _T5,
    "t5_v1_1": {**_T5, "gated": True, "tied": False},
    "mt5": {**_T5, "gated": True, "tied": False},
    "umt5": {**_T5, "gated": True, "tied": False, "relative_every_block": True},
    "bart": {"final_norm": False},
    "blenderbot_small": {"final_norm": False},
    "mbart": {},
    "blenderbot": _PRE_NORM,
    "pegasus": _PRE_NORM,
    "marian": {**_PRE_NORM, "final_norm": False},
    "m2m_100": {**_PRE_NORM, "positions": 0, "target_positions": 0},
}
"""Settings that the code of a family fixes, by the `model_type` of transformers. Each may be overridden."""
