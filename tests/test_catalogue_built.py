"""The catalogue against transformers: language models built from their released settings on torch's meta device."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from shapeplan.architectures.catalogue import named

LATENT = {"kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128}


def _llama(width: int, depth: int, mlp_dim: int, heads: int, kv_heads: int, vocab: int, **more: Any) -> dict[str, Any]:
    """Return a configuration by the names of Llama's keys."""
    sizes = {"hidden_size": width, "num_hidden_layers": depth, "intermediate_size": mlp_dim, "vocab_size": vocab}
    return {**sizes, "num_attention_heads": heads, "num_key_value_heads": kv_heads, **more}


# By the name in the catalogue: the model type, and what the released config.json says of parameters.
RELEASED: dict[str, tuple[str, dict[str, Any]]] = {
    "opt-1.3b": ("opt", _llama(2048, 24, 0, 32, 32, 50272, ffn_dim=8192, word_embed_proj_dim=2048)),
    "gpt-neo-125m": (
        "gpt_neo",
        {"hidden_size": 768, "num_layers": 12, "num_heads": 12, "attention_types": [[["global", "local"], 6]]},
    ),
    "gpt-j-6b": ("gptj", {"n_embd": 4096, "n_layer": 28, "n_head": 16, "vocab_size": 50400}),
    "bloom-560m": ("bloom", {"hidden_size": 1024, "n_layer": 24, "n_head": 16, "vocab_size": 250880}),
    "falcon-7b": ("falcon", {"multi_query": True, "parallel_attn": True, "bias": False}),
    "falcon-40b": (
        "falcon",
        {"hidden_size": 8192, "num_hidden_layers": 60, "num_attention_heads": 128, "num_kv_heads": 8}
        | {"new_decoder_architecture": True, "bias": False},
    ),
    "mpt-7b": ("mpt", {"d_model": 4096, "n_layers": 32, "n_heads": 32, "vocab_size": 50432}),
    "starcoderbase-1b": (
        "gpt_bigcode",
        {"n_embd": 2048, "n_layer": 24, "n_head": 16, "n_positions": 8192, "vocab_size": 49152, "n_inner": 8192},
    ),
    "phi-2": ("phi", _llama(2560, 32, 10240, 32, 32, 51200)),
    "stablelm-2-1.6b": ("stablelm", _llama(2048, 24, 5632, 32, 32, 100352, use_qkv_bias=True)),
    "command-r-plus-104b": ("cohere", _llama(12288, 64, 33792, 96, 8, 256000, use_qk_norm=True)),
    "apertus-8b": ("apertus", _llama(4096, 32, 21504, 32, 8, 131072)),
    "exaone-4.0-1.2b": ("exaone4", _llama(2048, 30, 4096, 32, 8, 102400, tie_word_embeddings=True)),
    "glm-4-9b-0414": ("glm4", _llama(4096, 40, 13696, 32, 2, 151552)),
    "olmo-3-7b": ("olmo3", _llama(4096, 32, 11008, 32, 32, 100278)),
    "minicpm3-4b": (
        "minicpm3",
        _llama(2560, 62, 6400, 40, 40, 73448, q_lora_rank=768, kv_lora_rank=256, tie_word_embeddings=True)
        | {"qk_nope_head_dim": 64, "qk_rope_head_dim": 32, "v_head_dim": 64},
    ),
    "deepseek-v2-lite": (
        "deepseek_v2",
        _llama(2048, 27, 10944, 16, 16, 102400, q_lora_rank=None, moe_intermediate_size=1408, **LATENT)
        | {"n_routed_experts": 64, "num_experts_per_tok": 6, "n_shared_experts": 2, "first_k_dense_replace": 1},
    ),
    "kimi-k2": (
        "deepseek_v3",
        _llama(7168, 61, 18432, 64, 64, 163840, q_lora_rank=1536, moe_intermediate_size=2048, **LATENT)
        | {"n_routed_experts": 384, "num_experts_per_tok": 8, "n_shared_experts": 1, "first_k_dense_replace": 1},
    ),
    "glm-4.5-air": (
        "glm4_moe",
        _llama(4096, 46, 10944, 96, 8, 151552, head_dim=128, attention_bias=True, moe_intermediate_size=1408)
        | {"n_routed_experts": 128, "num_experts_per_tok": 8, "n_shared_experts": 1, "first_k_dense_replace": 1},
    ),
    "gpt-oss-120b": ("gpt_oss", _llama(2880, 36, 2880, 64, 8, 201088, num_local_experts=128)),
    "llama-4-maverick": (
        "llama4_text",
        _llama(5120, 48, 8192, 40, 8, 202048, intermediate_size_mlp=16384, num_local_experts=128)
        | {"interleave_moe_layer_step": 2},
    ),
    "ernie-4.5-21b-a3b": (
        "ernie4_5_moe",
        _llama(2560, 28, 12288, 20, 4, 103424, moe_intermediate_size=1536, moe_num_experts=64, moe_k=6)
        | {"moe_num_shared_experts": 2, "moe_layer_start_index": 1, "tie_word_embeddings": True},
    ),
    "hunyuan-a13b": (
        "hunyuan_v1_moe",
        _llama(4096, 32, 3072, 32, 8, 128167, head_dim=128, num_experts=64, moe_topk=8, tie_word_embeddings=True),
    ),
}


@pytest.fixture(scope="module")
def libraries() -> tuple[Any, Any]:
    """Torch and transformers, which are no dependencies of the project."""
    try:
        return importlib.import_module("torch"), importlib.import_module("transformers")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"needs torch and transformers, to build the models that are counted: {error}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RELEASED)
def test_parameters_equal_what_transformers_builds(libraries: tuple[Any, Any], name: str) -> None:
    torch, transformers = libraries
    model_type, keys = RELEASED[name]
    try:
        config = transformers.AutoConfig.for_model(model_type, **keys)
    except ValueError as error:
        pytest.skip(f"this transformers has no {model_type}: {error}")
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == named(name).model.params
