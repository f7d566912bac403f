"""Settings of well-known decoders, by the names of their families: what their code fixes, whatever their size."""

from __future__ import annotations

from typing import Any

_PLAIN = {"positions": 0, "qkv_bias": False, "out_bias": False, "mlp_bias": False}
"""No table of positions, and no biases."""
_ROTARY = {**_PLAIN, "gated": True, "norm": "rmsnorm", "tied": False}
"""Llama's: a gated MLP, RMSNorm, no biases, no table of positions."""
_QK_HEAD = {**_ROTARY, "qk_norm": "head"}
_BESIDE = {**_PLAIN, "mlp_bias": True, "tied": False, "block_norms": 1, "head_bias": True}
"""GPT-J's: attention and MLP side by side behind one norm."""

MIXTURES = frozenset(
    {
        *("mixtral", "qwen2_moe", "qwen3_moe", "olmoe", "flex_olmo", "deepseek", "deepseek_v2", "deepseek_v3", "dots1"),
        *("glm4_moe", "glm4_moe_lite", "solar_open", "minimax_m2", "exaone_moe", "hy_v3", "hunyuan_v1_moe", "mellum"),
        *("ernie4_5_moe", "llama4_text", "gpt_oss", "granitemoe", "granitemoeshared", "granitemoe_swa", "phimoe"),
        *("dbrx", "cohere2_moe"),
    }
)
"""Families that are mixtures of experts, of which a count needs to know how many there are."""

STYLES: dict[str, dict[str, Any]] = {
    # GPT-2 and what keeps its block.
    "gpt2": {},
    "openai-gpt": {"final_norm": False},
    "gpt_neo": {"qkv_bias": False},
    "gpt_neox": {"positions": 0, "tied": False},
    "gpt_bigcode": {},
    "gptj": _BESIDE,
    "codegen": _BESIDE,
    "opt": {},
    "biogpt": {},
    "xglm": {"positions": 0},
    "bloom": {"positions": 0, "embedding_norm": True},
    "mpt": {**_PLAIN, "norm": "layernorm_nobias"},
    "falcon": {**_PLAIN, "block_norms": 1},
    "phi": {"positions": 0, "tied": False, "block_norms": 1, "head_bias": True},
    "persimmon": {"positions": 0, "tied": False, "qk_norm": "head"},
    "starcoder2": {"positions": 0},
    "nemotron": {**_PLAIN, "tied": False},
    "jais2": {"positions": 0, "tied": False},
    "nanochat": {**_PLAIN, "tied": False, "norm": "nonparametric"},
    # Llama and what keeps its block.
    "llama": _ROTARY,
    "mistral": _ROTARY,
    "ministral": _ROTARY,
    "ministral3": _ROTARY,
    "internlm2": _ROTARY,
    "internlm3": _ROTARY,
    "phi3": _ROTARY,
    "granite": _ROTARY,
    "helium": _ROTARY,
    "exaone": _ROTARY,
    "smollm3": {**_ROTARY, "tied": True},
    "ernie4_5": {**_ROTARY, "tied": True},
    "arcee": {**_ROTARY, "gated": False},
    "stablelm": {**_ROTARY, "norm": "layernorm"},
    "bitnet": {**_ROTARY, "attn_norm": True, "mlp_norm": True},
    "seed_oss": {**_ROTARY, "qkv_bias": True},
    "granite_swa": {**_ROTARY, "tied": True, "sinks": True},
    "gemma": {**_ROTARY, "tied": True},
    "vaultgemma": {**_ROTARY, "tied": True},
    "gemma2": {**_ROTARY, "tied": True, "block_norms": 4},
    "gemma3": {**_QK_HEAD, "tied": True, "block_norms": 4},
    "qwen2": {**_ROTARY, "qkv_bias": True},
    "qwen3": _QK_HEAD,
    "exaone4": _QK_HEAD,
    "hunyuan_v1_dense": _QK_HEAD,
    "apertus": {**_QK_HEAD, "gated": False, "activation_params": 2},
    "olmo": {**_ROTARY, "tied": True, "norm": "nonparametric"},
    "olmo2": {**_ROTARY, "qk_norm": "full"},
    "olmo3": {**_ROTARY, "qk_norm": "full"},
    "glm": {**_ROTARY, "qkv_bias": True},
    "glm4": {**_ROTARY, "qkv_bias": True, "block_norms": 4},
    "cohere": {**_ROTARY, "tied": True, "block_norms": 1, "norm": "layernorm_nobias"},
    "cohere2": {**_ROTARY, "tied": True, "block_norms": 1, "norm": "layernorm_nobias"},
    # Mixtures of experts, and latent attention.
    "mixtral": _ROTARY,
    "qwen2_moe": {**_ROTARY, "qkv_bias": True, "shared_gate": True},
    "qwen3_moe": _QK_HEAD,
    "olmoe": {**_ROTARY, "qk_norm": "full"},
    "flex_olmo": {**_ROTARY, "qk_norm": "full"},
    "minicpm3": _ROTARY,
    "deepseek": _ROTARY,
    "deepseek_v2": _ROTARY,
    "deepseek_v3": {**_ROTARY, "correction_bias": "buffer"},
    "youtu": {**_ROTARY, "tied": True},
    "dots1": {**_QK_HEAD, "correction_bias": "buffer"},
    "glm4_moe": {**_ROTARY, "correction_bias": "buffer"},
    "glm4_moe_lite": {**_ROTARY, "correction_bias": "buffer"},
    "solar_open": {**_ROTARY, "correction_bias": "buffer"},
    "minimax_m2": {**_ROTARY, "qk_norm": "full", "correction_bias": "buffer"},
    "exaone_moe": {**_QK_HEAD, "correction_bias": "buffer"},
    "hy_v3": {**_QK_HEAD, "correction_bias": "buffer"},
    "hunyuan_v1_moe": _QK_HEAD,
    "mellum": _QK_HEAD,
    "ernie4_5_moe": {**_ROTARY, "tied": True, "correction_bias": "parameter"},
    "llama4_text": _ROTARY,
    "gpt_oss": {
        **_ROTARY,
        **{"qkv_bias": True, "out_bias": True, "expert_bias": True, "router_bias": True, "sinks": True},
    },
    "granitemoe": {**_ROTARY, "tied": True},
    "granitemoeshared": {**_ROTARY, "tied": True},
    "granitemoe_swa": {**_ROTARY, "tied": True, "sinks": True},
    "phimoe": {**_ROTARY, "norm": "layernorm"},
    "dbrx": {**_ROTARY, "norm": "layernorm_nobias"},
    "cohere2_moe": {**_ROTARY, "tied": True, "block_norms": 1, "norm": "layernorm_nobias"},
}
"""By the name of the family, which is the `model_type` of transformers where it has one. Each may be overridden."""
