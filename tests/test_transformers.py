"""Configurations against transformers itself: random ones of every model type, built on torch's meta device.

Parameters are those of the modules; multiply-accumulates are counted in a forward pass of a real model, in which every
token visits its own experts. Skips where torch and transformers are not installed.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from shapeplan.readers.configs.decoders import DECODERS
from shapeplan.readers.configs.models import read_model

LENGTH = 16
FLAGS = (
    *("attention_bias", "mlp_bias", "use_bias", "bias", "qkv_bias", "attention_out_bias", "use_qkv_bias"),
    *("lm_head_bias", "use_qk_norm", "qk_layernorm", "multi_query", "parallel_attn", "new_decoder_architecture"),
    *("use_parallel_residual", "enable_bias", "do_layer_norm_before"),
)
LATENT = {"kv_lora_rank": 24, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 12, "n_group": 1}
VISITS_ALL = ("llama4_text", "phimoe")
"""Mixtures whose plain code multiplies every token with every expert, or with more than it was told."""


@pytest.fixture(scope="module")
def libraries() -> tuple[Any, Any]:
    """Torch and transformers, which are no dependencies of the project."""
    try:
        return importlib.import_module("torch"), importlib.import_module("transformers")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"needs torch and transformers, to build the models that are counted: {error}")


def small(draw: st.DrawFn, model_type: str, names: set[str]) -> dict[str, Any]:
    """Draw keys of a configuration of that type; only those that its class has are given."""
    heads, wide, depth = draw(st.sampled_from([2, 4])), draw(st.sampled_from([16, 32])), draw(st.integers(2, 4))
    latent = "kv_lora_rank" in names
    keys: dict[str, Any] = {
        **dict.fromkeys(("hidden_size", "n_embd", "d_model"), heads * wide),
        **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers"), depth),
        **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads"), heads),
        **dict.fromkeys(("num_key_value_heads",), heads if latent else draw(st.sampled_from([1, heads]))),
        **dict.fromkeys(("intermediate_size", "ffn_dim", "n_inner"), draw(st.sampled_from([40, 96]))),
        **{"vocab_size": draw(st.integers(100, 400)), "num_kv_heads": heads, "word_embed_proj_dim": heads * wide},
        **dict.fromkeys(("max_position_embeddings", "n_positions", "max_seq_len"), 64),
        **dict.fromkeys(("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"), 4),
        **dict.fromkeys(("num_experts_per_tok", "moe_topk", "moe_k"), draw(st.integers(1, 2))),
        **{"moe_intermediate_size": 24, "intermediate_size_mlp": 80, "topk_group": 1, "pad_token_id": 0},
        **dict.fromkeys(("n_shared_experts", "num_shared_experts", "moe_num_shared_experts"), draw(st.integers(1, 2))),
        **dict.fromkeys(("shared_expert_intermediate_size", "shared_intermediate_size"), 48),
        **{"first_k_dense_replace": draw(st.integers(0, 1)), "rotary_dim": 8},
        **dict.fromkeys(("decoder_sparse_step", "interleave_moe_layer_step"), draw(st.integers(1, 2))),
        **LATENT,
        "q_lora_rank": 20 if model_type == "minicpm3" else draw(st.sampled_from([None, 20])),
        "num_ln_in_parallel_attn": draw(st.sampled_from([None, 2])),
        "attention_types": [[["global"], depth]],
        "tie_word_embeddings": model_type != "dbrx" and draw(st.booleans()),
        **{name: draw(st.booleans()) for name in FLAGS},
    }
    if not latent:
        # Helium's attention is as wide as the stream, whatever the width of its heads.
        keys["head_dim"] = wide if model_type == "helium" else draw(st.sampled_from([16, 64]))
    if model_type == "internlm3":
        keys |= dict.fromkeys(("qkv_bias", "attention_bias", "mlp_bias"), keys["bias"])
    if model_type == "falcon":
        # The library fails on two norms in a block that runs one branch after the other.
        keys["parallel_attn"] = True
    if model_type == "dbrx":
        keys["attn_config"] = {"kv_n_heads": heads, "clip_qkv": 8, "rope_theta": 10000.0}
        keys["ffn_config"] = {"ffn_hidden_size": 24, "moe_num_experts": 4, "moe_top_k": 2}
    return {name: value for name, value in keys.items() if name in names}


def multiplied(torch: Any, transformers: Any, config: Any) -> int:
    """Return the multiply-accumulates of one sequence in a real model."""
    counter = importlib.import_module("torch.utils.flop_counter").FlopCounterMode(display=False)
    ways = {"attn_implementation": "eager", "experts_implementation": "eager"}
    model = transformers.AutoModelForCausalLM.from_config(config, **ways).eval()
    with counter, torch.enable_grad():
        model(input_ids=torch.zeros(1, LENGTH, dtype=torch.long), use_cache=False)
    return int(counter.get_total_flops()) // 2


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model_type", sorted(DECODERS))
def test_configurations_are_counted_as_transformers_builds_them(
    libraries: tuple[Any, Any], model_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch, transformers = libraries
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    known = importlib.import_module("transformers.models.auto.configuration_auto").CONFIG_MAPPING
    if model_type not in known:
        pytest.skip(f"transformers {transformers.__version__} has no {model_type}: its code comes with its weights")
    if (
        model_type
        not in importlib.import_module("transformers.models.auto.modeling_auto").MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    ):
        pytest.skip(f"{model_type} is a part of a model that sees")
    names = {field.name for field in dataclasses.fields(known[model_type])}

    @seed(24)
    @settings(max_examples=4, deadline=None, database=None)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        config = known[model_type](**small(data.draw, model_type, names))
        with torch.device("meta"):
            built = transformers.AutoModelForCausalLM.from_config(config)
        saved = json.loads(config.to_json_string(use_diff=True))
        ours = read_model(saved).model({"seq": LENGTH})
        assert ours.params == sum(parameter.numel() for parameter in built.parameters())
        if model_type not in VISITS_ALL:
            assert ours.macs == multiplied(torch, transformers, config)

    check()
