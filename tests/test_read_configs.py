"""Configurations as frameworks save them: what they are counted as, and what is refused by the name of its key."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Program
from hypothesis import given, settings
from hypothesis import strategies as st

from shapeplan.architectures import Decoder
from shapeplan.errors import InputError
from shapeplan.readers.configs.defaults import defaults_of
from shapeplan.readers.configs.layers import MixtureLayers
from shapeplan.readers.configs.models import READERS, read_model
from shapeplan.readers.configs.read import read_config
from shapeplan.readers.shapes import read_shapes

LLAMA: dict[str, Any] = {
    **{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32},
    **{"intermediate_size": 14336, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256},
    **{"max_position_embeddings": 8192, "tie_word_embeddings": False, "attention_bias": False, "hidden_act": "silu"},
}
MIXTRAL: dict[str, Any] = {
    **{"model_type": "mixtral", "hidden_size": 4096, "num_hidden_layers": 32, "intermediate_size": 14336},
    **{"num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 32000, "max_position_embeddings": 32768},
    **{"num_local_experts": 8, "num_experts_per_tok": 2},
}
DEEPSEEK: dict[str, Any] = {
    **{"model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "intermediate_size": 18432},
    **{"moe_intermediate_size": 2048, "num_attention_heads": 128, "num_key_value_heads": 128, "vocab_size": 129280},
    **{"n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "first_k_dense_replace": 3},
    **{"kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128},
    **{"max_position_embeddings": 163840, "num_nextn_predict_layers": 1, "moe_layer_freq": 1},
    "quantization_config": {"quant_method": "fp8"},
}
FALCON: dict[str, Any] = {
    **{"model_type": "falcon", "hidden_size": 8192, "num_hidden_layers": 60, "num_attention_heads": 128},
    **{"num_kv_heads": 8, "new_decoder_architecture": True, "vocab_size": 65024, "bias": False},
}


@pytest.mark.parametrize(
    ("config", "params", "counted"),
    [
        (LLAMA, 8030261248, "LlamaForCausalLM of transformers"),
        (MIXTRAL, 46702792704, "mixtral's language model of transformers"),
        (DEEPSEEK, 671026404352, "deepseek_v3's language model of transformers"),
        (FALCON, 41303293952, "falcon's language model of transformers"),
        ({"model_type": "gpt2", "n_layer": 12, "n_head": 12, "n_embd": 768}, 124439808, None),
        ({"model_type": "opt", "hidden_size": 768, "ffn_dim": 3072}, 125239296, None),
        ({"model_type": "gemma3_text", "hidden_size": 2304}, 2628658432, None),
        ({"model_type": "phi"}, 1418270720, None),
        ({"model_type": "bloom", "n_layer": 24, "hidden_size": 1024, "n_head": 16}, 559214592, None),
        ({"model_type": "mpt", "expansion_ratio": 4}, 1311213568, None),
        ({"model_type": "gpt_oss"}, 116829156672, None),
        ({"model_type": "qwen2_moe"}, 14315784192, None),
    ],
)
def test_models_are_counted_as_transformers_builds_them(
    config: dict[str, Any], params: int, counted: str | None
) -> None:
    """Totals are those of the modules on torch's meta device; keys that are missing are the defaults of the class."""
    found = read_model(config)
    assert found.model().params == params
    assert counted in (None, found.counted)


def test_what_is_left_out_is_said() -> None:
    notes = read_model({**DEEPSEEK, "sliding_window": 4096}).notes
    assert notes == (
        "windows of 4096 tokens are counted as full attention",
        "layers that predict further tokens (multi-token prediction) are not counted",
        "parameters are counted as before quantization",
    )


def test_nested_models_are_counted_alone_and_said() -> None:
    nested = {
        **{"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"]},
        "text_config": {"model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34},
        "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152},
    }
    found = read_model(nested)
    assert found.notes[0] == "text_config alone is counted; vision_config is not"
    alone = read_model(nested["text_config"])
    assert found.model() == alone.model()
    # The logits are the outer model's, and so is whether they share the table: as said there, or as its class has it.
    for outer, tied in (({"tie_word_embeddings": True}, True), ({"tie_word_embeddings": False}, False), ({}, True)):
        model = read_model({"model_type": "mistral3", **outer, "text_config": LLAMA}).model()
        assert isinstance(model, Decoder)
        assert model.tied is tied


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({**LLAMA, "model_type": "lama"}, "'model_type' = lama is not known, and its block may be any; did you mean"),
        ({**LLAMA, "hidden_size": None}, "'hidden_size' is missing; add it to the configuration"),
        ({**LLAMA, "hidden_size": "4096"}, "'hidden_size' = 4096 is not a number; write one number"),
        ({**LLAMA, "num_key_value_heads": None, "num_kv_head": 8}, "did you mean 'num_kv_heads'? leave it out if not"),
        ({**LLAMA, "n_embd": 2048}, "'n_embd' = 2048 is another than hidden_size = 4096; keep one"),
        ({**LLAMA, "num_attention_heads": 1.5}, "'num_attention_heads' = 1.5 is no whole number"),
        ({**LLAMA, "hidden_size": 1000}, "'width' = 1000 is no multiple of heads = 32"),
        ({**LLAMA, "hidden_size": [4096, 2048]}, "'hidden_size' = [4096, 2048] is not a number"),
        ({**LLAMA, "tie_word_embeddings": "yes"}, "'tie_word_embeddings' = yes is neither true nor false"),
        ({**LLAMA, "architectures": ["LlamaForSequenceClassification"]}, "'architectures' = ['LlamaForSequence"),
        ({**LLAMA, "num_local_experts": 8}, "'num_local_experts' = 8 makes a mixture of experts"),
        ({**LLAMA, "layer_types": ["linear_attention"] * 32}, "'layer_types' = ['linear_attention'"),
        ({**LLAMA, "num_key_value_heads": 5}, "'heads' = 32 is no multiple of kv_heads = 5"),
        ({**MIXTRAL, "num_experts_per_tok": 9}, "'experts_per_token' = 9 is more than there are experts (8)"),
        ({"model_type": "opt", "word_embed_proj_dim": 512}, "'word_embed_proj_dim' = 512 is not the width 768"),
        ({"model_type": "mpt", "no_bias": False}, "'no_bias' = False is not counted; only no_bias = true is"),
        ({"model_type": "qwen3_moe", "mlp_only_layers": [5]}, "'mlp_only_layers' = [5] mixes dense and sparse layers"),
        ({"model_type": "helium", "head_dim": 64}, "'head_dim' = 64 is not the width over the heads, 128"),
        ({"model_type": "x", "text_config": {"model_type": "qwen3_5_text"}}, "'text_config.model_type' = qwen3_5_text"),
        ({"dim": 4096, "n_layers": 2, "n_heads": 32, "vocab_size": -1}, "'vocab_size' = -1 stands for the tokenizer's"),
        ({"dim": 64, "n_layers": 2, "n_heads": 4, "vocab_size": 9, "n_kv_head": 2}, "did you mean 'n_kv_heads'?"),
        ({"n_embd": 64, "n_layers": 2, "block_size": 9}, "did you mean 'n_layer'?"),
        (
            {"architecture": "vit_base_patch16_224", "pretrained_cfg": {"input_size": True}},
            "'pretrained_cfg.input_size'",
        ),
        ({"dim": 64, "n_layers": 2, "n_heads": 4, "vocab_size": 9, "moe_args": {}}, "'moe_args' = {} is not counted"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_its_key(config: dict[str, Any], message: str) -> None:
    def counted() -> None:
        found = read_config(config)
        assert found is not None
        found.model()

    with pytest.raises(InputError) as error:
        counted()
    assert message in str(error.value)
    assert all(detail.hint for detail in error.value.details)


def test_a_family_is_taken_for_an_unknown_model_type_and_no_other() -> None:
    unknown = {**LLAMA, "model_type": "my_llama"}
    assert read_model(unknown, family="llama").model() == read_model(LLAMA).model()
    # What transformers would take for a missing key is not known of a type that it has not.
    with pytest.raises(InputError, match="'intermediate_size' is missing; add it"):
        read_model({**unknown, "intermediate_size": None}, family="llama").model()
    assert read_model(MIXTRAL, family="llama").family == "mixtral"


@pytest.mark.parametrize(
    ("first", "every", "depth"), [(0, 1, 4), (3, 1, 8), (0, 2, 8), (3, 2, 8), (8, 1, 8), (1, 4, 9)]
)
def test_layers_that_are_named_one_by_one_are_two_numbers(first: int, every: int, depth: int) -> None:
    pattern = MixtureLayers(first, every).pattern(depth)
    base = {"model_type": "glm4_moe_lite", "num_hidden_layers": depth}
    one_by_one = {**base, "mlp_layer_types": ["sparse" if on else "dense" for on in pattern]}
    model = read_model(one_by_one).model({"seq": 64})
    assert isinstance(model, Decoder)
    assert model.mixture_layers == sum(pattern)


def test_keys_of_other_classes_count_nothing() -> None:
    """What transformers does not read of a model type is not read here: DeepSeek's classes know no moe_layer_freq."""
    model = read_model(DEEPSEEK).model()
    for key, value in (("moe_layer_freq", 2), ("mlp_only_layers", [5]), ("decoder_sparse_step", 2)):
        assert read_model({**DEEPSEEK, key: value}).model() == model
    latent = {key: DEEPSEEK[key] for key in ("kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")}
    assert read_model({**LLAMA, **latent}).model() == read_model(LLAMA).model()


def test_meta_and_mistral_write_params_json() -> None:
    llama = {"dim": 4096, "n_layers": 32, "n_heads": 32, "n_kv_heads": 8, "vocab_size": 128256}
    found = read_config({**llama, "multiple_of": 1024, "ffn_dim_multiplier": 1.3, "norm_eps": 1e-5})
    assert found is not None
    assert found.model().params == 8030261248
    assert found.counted == "Llama of Meta's reference code"
    assert "counted at 2048 tokens" in found.notes[0]
    mistral = {"dim": 4096, "n_layers": 32, "head_dim": 128, "hidden_dim": 14336, "n_heads": 32, "n_kv_heads": 8}
    found = read_config({**mistral, "vocab_size": 32000, "moe": {"num_experts": 8, "num_experts_per_tok": 2}})
    assert found is not None
    assert found.model().params == 46702792704
    assert found.counted == "a mixture of mistral-inference"


def test_nanogpt_is_read_as_a_file_of_assignments_or_an_object(tmp_path: Path) -> None:
    path = tmp_path / "train_shakespeare_char.py"
    path.write_text(
        "# train a miniature character-level model\nout_dir = 'out'\nn_layer = 6\nn_head = 6\nn_embd = 384\n"
        "block_size = 256\nvocab_size = 65\nbias = False\nbatch_size = 2 ** 4\n"
    )
    shapes = read_shapes(path)
    (counted,) = shapes.models
    assert counted.model.params == 10745088
    assert counted.whose == "nanoGPT's GPT"
    assert shapes.notes == ()
    found = read_config({"model_args": {"n_layer": 12, "n_head": 12, "n_embd": 768, "block_size": 1024}})
    assert found is not None
    assert found.notes == ("nanoGPT's own where the file says nothing: bias = True, vocab_size = 50304",)
    assert found.model().params == 124475904
    path.write_text("n_layer: int = 6\nn_head = 6\nn_embd = 64 * 6\nblock_size = 256\n")
    with pytest.raises(InputError, match=":3: column 'n_embd': is computed; write its value out"):
        read_shapes(path)
    path.write_text("dataset = 'shakespeare_char'\nn_layer = 6\nn_head = 6\nn_embd = 384\nblock_size = 256\n")
    with pytest.raises(InputError, match="says no vocab_size, which is that of the dataset shakespeare_char"):
        read_shapes(path)
    path.write_text("import os\nprint('not a configuration')\n")
    with pytest.raises(InputError, match="assigns no settings of a model"):
        read_shapes(path)
    path.write_text("n_layer = (\n")
    with pytest.raises(InputError, match="is no Python"):
        read_shapes(path)


def test_the_command_says_whose_model_it_counted(tmp_path: Path, program: Program) -> None:
    (tmp_path / "config.json").write_text(json.dumps(MIXTRAL, indent=2))
    done = program("flops", "config.json", "--seq", "4096")
    assert "46,702,792,704" in done.stdout
    assert "12,879,925,248" in done.stdout
    assert "2 of 8, 14336 wide" in done.stdout
    assert done.stdout.startswith("Counted: config.json (mixtral's language model of transformers)\n")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(MIXTRAL))
    of_folder = program("flops", "model", "--seq", "4096")
    assert of_folder.stdout.startswith("Counted: model/config.json (mixtral's language model of transformers)\n")
    assert of_folder.stderr == "note: model/config.json is read\n"
    (tmp_path / "config.json").write_text(json.dumps({**MIXTRAL, "num_attention_heads": [1]}, indent=2))
    done = program("flops", "config.json")
    assert done.returncode == 1
    assert done.stderr.startswith("error: config.json:6: column 'num_attention_heads'")


NOT_READ = (
    "architectures",
    "layer_types",
    "mlp_layer_types",
    "moe_layer_freq",
    "text_config",
    "patch_size",
    "id2label",
)
ODD: tuple[Any, ...] = (0, -1, 1, None, "x", [], [1], {}, True, float("nan"), 1e300, 3.5, 10**12, {"a": 1})


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_value_of_any_key_is_an_error_of_ours(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(READERS)))
    key = data.draw(st.sampled_from(sorted({*defaults_of(kind), *NOT_READ})))
    config = {"model_type": kind, key: data.draw(st.sampled_from(ODD))}
    # Anything but an `InputError` is one of ours.
    with contextlib.suppress(InputError):
        found = read_config(config)
        assert found is None or found.model().params > 0
