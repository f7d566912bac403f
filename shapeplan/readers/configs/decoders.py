"""Decoders of transformers: a configuration to the settings of a decoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from shapeplan.architectures.base import OF_LATENT
from shapeplan.frozen import frozen
from shapeplan.readers.configs.config import Config, Configured
from shapeplan.readers.configs.layers import mixture_layers

Settings = dict[str, Any]

SIZES = {
    "width": ("hidden_size", "n_embd", "d_model", "n_embed"),
    "depth": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads"),
    "vocab": ("vocab_size", "padded_vocab_size"),
}
CONTEXT = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx")
MLP = ("intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size")
EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
PER_TOKEN = ("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_k")
SHARED = ("n_shared_experts", "num_shared_experts", "moe_num_shared_experts", "num_shared_expert")
KV_HEADS = ("num_key_value_heads", "num_kv_heads")
_ATTENTION = ("qkv_bias", "out_bias")
_ALL = (*_ATTENTION, "mlp_bias")
_OF_ATTENTION = {"attention_bias": _ATTENTION}
_OF_BOTH = {"attention_bias": _ATTENTION, "mlp_bias": ("mlp_bias",)}
_OF_ALL_MLPS = {"attention_bias": _ATTENTION, "mlp_bias": ("mlp_bias", "shared_bias")}
UNSAID_LENGTH = 2048
"""Tokens in a sequence where a configuration says none, and needs none: Meta's code has the same."""
_LAYERS = ("full_attention", "sliding_attention", "chunked_attention", "attention")
_WORDS = frozenset(
    word for words in (*SIZES.values(), KV_HEADS, CONTEXT, MLP, EXPERTS, PER_TOKEN, SHARED, OF_LATENT) for word in words
) | {"head_dim", "tie_word_embeddings", "moe_intermediate_size"}
"""Keys that sizes are read from."""
_LANGUAGE_MODEL = ("ForCausalLM", "LMHeadModel")


@frozen
class DecoderReading:
    """How the configurations of one model type say what its code leaves open.

    Attributes
    ----------
    style : str
        The family, whose settings are what the code fixes.
    flags : mapping of str to tuple of str
        A key that is a yes or no, and the settings that it switches.
    qk_norm : (str, str), optional
        A key that is a yes or no, and the kind of norm on queries and keys that it switches.
    learned : int, optional
        Rows of the table of positions beyond the longest sequence; None for no table.
    four_wide : bool
        Whether the MLP is four times as wide as the stream where the configuration does not say.
    mixture : bool
        Whether it is a mixture of experts.
    floored_heads : bool
        Whether heads need not divide the width: their own is rounded down where the configuration does not say.
    rest : callable, optional
        From the configuration and the settings so far to the settings that are read in a way of their own.
    """

    style: str
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    qk_norm: tuple[str, str] | None = None
    learned: int | None = None
    four_wide: bool = False
    mixture: bool = False
    floored_heads: bool = False
    rest: Callable[[Config, Settings], Settings] | None = None


def read_decoder(config: Config, reading: DecoderReading) -> Configured:
    """Return the decoder that a configuration describes.

    Raises
    ------
    InputError
        If a key is missing, or what it says cannot be counted exactly; ``column`` names it.
    """
    _check_kind(config)
    config.must_know(_WORDS)
    for keys in SIZES.values():
        config.says_once(*keys)
    settings: Settings = {name: config.number(*keys, least=1) for name, keys in SIZES.items()}
    for name, keys in (("kv_heads", KV_HEADS), ("head_dim", ("head_dim",))):
        settings[name] = config.number(*keys, default=None)
    if reading.floored_heads and settings["head_dim"] is None:
        settings["head_dim"] = settings["width"] // settings["heads"]
    settings["mlp_dim"] = config.number(*MLP, default=4 * settings["width"] if reading.four_wide else None)
    settings |= _sequence(config, reading)
    for key, switched in {"tie_word_embeddings": ("tied",), **reading.flags}.items():
        # What neither the file nor the class says is as the family has it.
        if key in config.values or key in config.defaults:
            settings |= dict.fromkeys(switched, config.flag(key))
    if reading.qk_norm:
        key, kind = reading.qk_norm
        settings["qk_norm"] = kind if config.flag(key) else "none"
    settings |= _latent(config)
    settings |= _mixture(config, settings) if reading.mixture else _dense(config)
    if reading.rest:
        settings |= reading.rest(config, settings)
    if settings["mlp_dim"] is None and settings.get("expert_dim") is None:
        config.get(*MLP)
    known = {name: value for name, value in settings.items() if value is not None}
    return Configured(reading.style, known, _whose(config), _notes(config, reading))


def _check_kind(config: Config) -> None:
    """Refuse what is no plain language model."""
    built = config.items("architectures")
    if built and not any(str(name).endswith((*_LANGUAGE_MODEL, "ForConditionalGeneration")) for name in built):
        hint = "only language models are: those whose architectures end in ForCausalLM"
        config.refuse("architectures", "is not counted", hint)
    for name in ("add_cross_attention", "is_encoder_decoder"):
        config.must_be(name, False, default=False)
    for kind in config.items("layer_types"):
        if kind not in _LAYERS:
            config.refuse("layer_types", f"has layers of {kind}, which are not counted", "only attention is")


def _sequence(config: Config, reading: DecoderReading) -> Settings:
    if reading.learned is None:
        # A checkpoint's longest sequence is what it was trained for at last; `seq` says otherwise.
        return {"seq": config.number(*CONTEXT, default=UNSAID_LENGTH)}
    return {"seq": config.number(*CONTEXT), "positions": config.number(*CONTEXT) + reading.learned}


def _latent(config: Config) -> Settings:
    """Return the settings of latent attention, which has neither key and value heads nor a width of heads."""
    of_its_class = not config.defaults or "kv_lora_rank" in config.defaults
    if not of_its_class or config.number("kv_lora_rank", default=None) is None:
        return {}
    sizes = {name: config.number(name, default=None) for name in OF_LATENT}
    return {**sizes, "kv_heads": None, "head_dim": None}


def _dense(config: Config) -> Settings:
    for name in EXPERTS:
        if config.get(name, default=0) not in (0, 1):
            why = "makes a mixture of experts, which this model type is not known to be"
            config.refuse(name, why, "say `family=mixtral`, or another that has experts")
    return {}


def _mixture(config: Config, settings: Settings) -> Settings:
    experts = config.number(*EXPERTS)
    layers = mixture_layers(config, int(settings["depth"]))
    if layers.first_dense >= settings["depth"] or experts in (0, 1):
        if experts == 1:
            config.refuse(_said(config, EXPERTS), "is a mixture of one", "only two experts and more are counted")
        return {}
    shared = int(config.number(*SHARED, default=0))
    return {
        "experts": experts,
        "experts_per_token": config.number(*PER_TOKEN),
        "expert_dim": config.number("moe_intermediate_size", default=settings["mlp_dim"]),
        "shared_experts": shared,
        "first_dense_layers": layers.first_dense,
        "moe_every": layers.every,
    }


def _said(config: Config, names: tuple[str, ...]) -> str:
    return next((name for name in names if config.says(name)), names[0])


def _whose(config: Config) -> str:
    built = config.items("architectures")
    name = built[0] if built else f"{config.get('model_type', default='decoder')}'s language model"
    return f"{name} of transformers"


def _notes(config: Config, reading: DecoderReading) -> tuple[str, ...]:
    notes = []
    if reading.learned is None and config.number(*CONTEXT, default=None) is None:
        notes.append(f"the file says no sequence length: counted at {UNSAID_LENGTH} tokens (`seq` says another)")
    if config.says("vision_config"):
        notes.append("the language model alone is counted; vision_config is not")
    window = config.number("sliding_window", "attention_chunk_size", default=None)
    if window is not None and config.get("use_sliding_window", default=True):
        notes.append(f"windows of {window} tokens are counted as full attention")
    if config.number("num_nextn_predict_layers", "num_mtp_layers", default=0):
        notes.append("layers that predict further tokens (multi-token prediction) are not counted")
    if config.says("quantization_config"):
        notes.append("parameters are counted as before quantization")
    return tuple(notes)


def _falcon(config: Config, settings: Settings) -> Settings:
    new, heads = config.flag("new_decoder_architecture"), settings["heads"]
    norms = config.number("num_ln_in_parallel_attn", default=2 if new else 1)
    norms = 2 if norms == 2 or not config.flag("parallel_attn", default=True) else 1
    kv_heads = config.number("num_kv_heads", default=heads) if new else 1 if config.flag("multi_query") else heads
    return {"kv_heads": kv_heads, "block_norms": norms}


def _mpt(config: Config, settings: Settings) -> Settings:
    attention = config.inner("attn_config") if config.says("attn_config") else Config({})
    attention.must_be("qk_ln", False, None)
    attention.must_be("attn_type", "multihead_attention", None)
    config.must_be("no_bias", True, default=True)
    return {"mlp_dim": config.number("expansion_ratio", default=4) * settings["width"]}


def _dbrx(config: Config, settings: Settings) -> Settings:
    attention = config.inner("attn_config") if config.says("attn_config") else Config({})
    ffn = config.inner("ffn_config") if config.says("ffn_config") else Config({})
    size = ffn.number("ffn_hidden_size", default=3584)
    return {
        "kv_heads": attention.number("kv_n_heads", default=1),
        "mlp_dim": size,
        "expert_dim": size,
        "experts": ffn.number("moe_num_experts", default=4),
        "experts_per_token": ffn.number("moe_top_k", default=1),
    }


def _opt(config: Config, settings: Settings) -> Settings:
    width = settings["width"]
    if config.get("word_embed_proj_dim", default=width) != width:
        config.refuse("word_embed_proj_dim", f"is not the width {width}", "only tables of the width are counted")
    config.must_be("layer_norm_elementwise_affine", True, default=True)
    final = config.flag("do_layer_norm_before", default=True) and not config.flag("_remove_final_layer_norm")
    return {"final_norm": final}


def _gpt_bigcode(config: Config, settings: Settings) -> Settings:
    return {"kv_heads": 1 if config.flag("multi_query", default=True) else None}


def _stablelm(config: Config, settings: Settings) -> Settings:
    return {"block_norms": 1 if config.flag("use_parallel_residual") else 2}


def _helium(config: Config, settings: Settings) -> Settings:
    """In Helium the output matrix of attention is square, whatever the width of the heads."""
    wide = settings["width"] // settings["heads"]
    if settings["head_dim"] not in (None, wide):
        config.refuse("head_dim", f"is not the width over the heads, {wide}", "only that is counted")
    return {}


def _hunyuan(config: Config, settings: Settings) -> Settings:
    return {"shared_experts": 1, "shared_expert_dim": settings["mlp_dim"]}


def _four(config: Config, settings: Settings) -> Settings:
    return {"mlp_dim": 4 * settings["width"]}


def _llama4(config: Config, settings: Settings) -> Settings:
    """In Llama 4 ``intermediate_size`` is that of experts, of which one more is shared."""
    size = config.number("intermediate_size")
    dense = config.number("intermediate_size_mlp")
    return {"mlp_dim": dense, "expert_dim": size, "shared_experts": 1, "shared_expert_dim": size}


def _qwen2_moe(config: Config, settings: Settings) -> Settings:
    return {"shared_experts": 1, "shared_expert_dim": config.number("shared_expert_intermediate_size")}


def _granite_shared(config: Config, settings: Settings) -> Settings:
    size = config.number("shared_intermediate_size", default=0)
    return {"shared_experts": 1, "shared_expert_dim": size} if size else {}


def _cohere_moe(config: Config, settings: Settings) -> Settings:
    """In Cohere's mixtures the first layers are dense, with an MLP of a size of its own."""
    return {"mlp_dim": config.number("prefix_dense_intermediate_size", default=settings["mlp_dim"])}


DECODERS: dict[str, DecoderReading] = {
    "gpt2": DecoderReading("gpt2", learned=0, four_wide=True),
    "gpt-sw3": DecoderReading("gpt2", learned=0, four_wide=True),
    "openai-gpt": DecoderReading("openai-gpt", learned=0, four_wide=True, rest=_four),
    "gpt_neo": DecoderReading("gpt_neo", learned=0, four_wide=True),
    "gpt_neox": DecoderReading("gpt_neox", flags=_OF_ATTENTION),
    "gpt_bigcode": DecoderReading("gpt_bigcode", learned=0, four_wide=True, rest=_gpt_bigcode),
    "gptj": DecoderReading("gptj", four_wide=True),
    "codegen": DecoderReading("codegen", four_wide=True),
    "opt": DecoderReading("opt", flags={"enable_bias": _ALL}, learned=2, rest=_opt),
    "biogpt": DecoderReading("biogpt", learned=2),
    "xglm": DecoderReading("xglm"),
    "bloom": DecoderReading("bloom", four_wide=True, rest=_four),
    "mpt": DecoderReading("mpt", rest=_mpt),
    "falcon": DecoderReading("falcon", flags={"bias": _ALL}, four_wide=True, rest=_falcon),
    "phi": DecoderReading("phi", qk_norm=("qk_layernorm", "head")),
    "persimmon": DecoderReading("persimmon", qk_norm=("qk_layernorm", "head")),
    "starcoder2": DecoderReading("starcoder2", flags={"use_bias": _ALL}),
    "nemotron": DecoderReading("nemotron", flags=_OF_BOTH),
    "jais2": DecoderReading("jais2", flags=_OF_BOTH),
    "nanochat": DecoderReading("nanochat", flags=_OF_ATTENTION),
    "llama": DecoderReading("llama", flags=_OF_BOTH),
    "mistral": DecoderReading("mistral"),
    "ministral": DecoderReading("ministral"),
    "ministral3": DecoderReading("ministral3"),
    "internlm2": DecoderReading("internlm2", flags={"bias": _ATTENTION}),
    "internlm3": DecoderReading("internlm3", flags={"bias": ("out_bias", "mlp_bias"), "qkv_bias": ("qkv_bias",)}),
    "phi3": DecoderReading("phi3"),
    "granite": DecoderReading("granite", flags=_OF_BOTH),
    "helium": DecoderReading(
        "helium", flags={"attention_bias": ("qkv_bias",), "mlp_bias": ("mlp_bias",)}, rest=_helium
    ),
    "exaone": DecoderReading("exaone", flags=_OF_BOTH),
    "smollm3": DecoderReading("smollm3", flags=_OF_BOTH),
    "ernie4_5": DecoderReading("ernie4_5", flags={"use_bias": _ALL}),
    "arcee": DecoderReading("arcee", flags=_OF_BOTH),
    "stablelm": DecoderReading(
        "stablelm", flags={"use_qkv_bias": ("qkv_bias",)}, qk_norm=("qk_layernorm", "full_nobias"), rest=_stablelm
    ),
    "bitnet": DecoderReading("bitnet", flags=_OF_ATTENTION),
    "seed_oss": DecoderReading(
        "seed_oss",
        flags={"attention_bias": ("qkv_bias",), "attention_out_bias": ("out_bias",), "mlp_bias": ("mlp_bias",)},
    ),
    "granite_swa": DecoderReading("granite_swa", flags=_OF_BOTH),
    "gemma": DecoderReading("gemma", flags=_OF_ATTENTION),
    "gemma2": DecoderReading("gemma2", flags=_OF_ATTENTION),
    "gemma3_text": DecoderReading("gemma3", flags=_OF_ATTENTION),
    "vaultgemma": DecoderReading("vaultgemma", flags=_OF_ATTENTION),
    "qwen2": DecoderReading("qwen2"),
    "qwen3": DecoderReading("qwen3", flags=_OF_ATTENTION),
    # The language models of models that see, nested or with a vision_config beside them.
    **dict.fromkeys(("qwen2_vl_text", "qwen2_5_vl_text", "qwen2_vl", "qwen2_5_vl"), DecoderReading("qwen2")),
    "qwen3_vl_text": DecoderReading("qwen3", flags=_OF_ATTENTION),
    "qwen3_vl_moe_text": DecoderReading("qwen3_moe", flags=_OF_ATTENTION, mixture=True),
    "glm4v_text": DecoderReading("glm4", flags={"attention_bias": ("qkv_bias",)}),
    "exaone4": DecoderReading("exaone4"),
    "hunyuan_v1_dense": DecoderReading("hunyuan_v1_dense", flags=_OF_ATTENTION),
    "apertus": DecoderReading("apertus", flags=_OF_BOTH),
    "olmo": DecoderReading("olmo", flags=_OF_ATTENTION),
    "olmo2": DecoderReading("olmo2", flags=_OF_ATTENTION),
    "olmo3": DecoderReading("olmo3", flags=_OF_ATTENTION),
    "glm": DecoderReading("glm", flags={"attention_bias": ("qkv_bias",)}),
    "glm4": DecoderReading("glm4", flags={"attention_bias": ("qkv_bias",)}),
    "cohere": DecoderReading("cohere", flags=_OF_ATTENTION, qk_norm=("use_qk_norm", "full")),
    "cohere2": DecoderReading("cohere2", flags=_OF_ATTENTION),
    "minicpm3": DecoderReading("minicpm3", flags=_OF_BOTH),
    "youtu": DecoderReading("youtu", flags=_OF_ATTENTION),
    "mixtral": DecoderReading("mixtral", mixture=True),
    "qwen2_moe": DecoderReading("qwen2_moe", flags={"qkv_bias": ("qkv_bias",)}, mixture=True, rest=_qwen2_moe),
    "qwen3_moe": DecoderReading("qwen3_moe", flags=_OF_ATTENTION, mixture=True),
    "olmoe": DecoderReading("olmoe", flags=_OF_ATTENTION, mixture=True),
    "flex_olmo": DecoderReading("flex_olmo", flags=_OF_ATTENTION, mixture=True),
    "deepseek": DecoderReading("deepseek", flags=_OF_ATTENTION, mixture=True),
    "deepseek_v2": DecoderReading("deepseek_v2", flags=_OF_ALL_MLPS, mixture=True),
    "deepseek_v3": DecoderReading("deepseek_v3", flags=_OF_ATTENTION, mixture=True),
    "kimi_k2": DecoderReading("deepseek_v3", flags=_OF_ATTENTION, mixture=True),
    "dots1": DecoderReading("dots1", flags=_OF_ATTENTION, mixture=True),
    "glm4_moe": DecoderReading(
        "glm4_moe",
        flags={"attention_bias": ("qkv_bias",)},
        qk_norm=("use_qk_norm", "head"),
        mixture=True,
        floored_heads=True,
    ),
    "glm4_moe_lite": DecoderReading("glm4_moe_lite", flags=_OF_ATTENTION, mixture=True),
    "solar_open": DecoderReading("solar_open", flags={"attention_bias": ("qkv_bias",)}, mixture=True),
    "minimax_m2": DecoderReading("minimax_m2", mixture=True),
    "exaone_moe": DecoderReading("exaone_moe", mixture=True),
    "hy_v3": DecoderReading("hy_v3", flags=_OF_ALL_MLPS, mixture=True),
    "hunyuan_v1_moe": DecoderReading("hunyuan_v1_moe", flags=_OF_ATTENTION, mixture=True, rest=_hunyuan),
    "mellum": DecoderReading("mellum", flags=_OF_ATTENTION, mixture=True),
    "ernie4_5_moe": DecoderReading(
        "ernie4_5_moe", flags={"use_bias": (*_ALL, "shared_bias", "head_bias")}, mixture=True
    ),
    "llama4_text": DecoderReading("llama4_text", flags=_OF_ATTENTION, mixture=True, rest=_llama4),
    "gpt_oss": DecoderReading("gpt_oss", flags=_OF_ATTENTION, mixture=True),
    "granitemoe": DecoderReading("granitemoe", flags=_OF_ATTENTION, mixture=True),
    "granitemoeshared": DecoderReading("granitemoeshared", flags=_OF_ATTENTION, mixture=True, rest=_granite_shared),
    "granitemoe_swa": DecoderReading("granitemoe_swa", flags=_OF_ATTENTION, mixture=True, rest=_granite_shared),
    "phimoe": DecoderReading(
        "phimoe", flags={"attention_bias": _ATTENTION, "lm_head_bias": ("head_bias",)}, mixture=True
    ),
    "dbrx": DecoderReading("dbrx", rest=_dbrx),
    "cohere2_moe": DecoderReading("cohere2_moe", flags=_OF_ATTENTION, mixture=True, rest=_cohere_moe),
}
"""By `model_type`."""
