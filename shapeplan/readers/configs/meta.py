"""Meta's and Mistral's own ``params.json``: Llama and Mixtral as their reference code builds them."""

from __future__ import annotations

from typing import Any

from shapeplan.readers.configs.config import Config, Configured
from shapeplan.readers.configs.decoders import UNSAID_LENGTH

_KEYS = (
    *("dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "multiple_of", "ffn_dim_multiplier", "hidden_dim"),
    *("head_dim", "max_seq_len", "tied_embeddings"),
)


def is_params(config: Config) -> bool:
    """Return whether a configuration is a ``params.json``."""
    return config.says("dim") and config.says("n_layers") and config.says("n_heads")


def read_params(config: Config) -> Configured:
    """Return the decoder of a ``params.json``.

    Raises
    ------
    InputError
        If a key is missing, or what it says cannot be counted exactly; ``column`` names it.
    """
    for key in ("moe_args", "vision_encoder", "vision_chunk_size", "lora", "quantization_args"):
        if config.says(key):
            config.refuse(key, "is not counted", "only plain language models are")
    config.must_know(_KEYS)
    width, heads = config.number("dim", least=1), config.number("n_heads", least=1)
    vocab = config.number("vocab_size", least=-1)
    if vocab < 1:
        config.refuse("vocab_size", "stands for the tokenizer's", "write its number of tokens: 32000 for Llama 1 and 2")
    settings: dict[str, Any] = {
        **{"width": width, "depth": config.number("n_layers"), "heads": heads, "vocab": vocab},
        "kv_heads": config.number("n_kv_heads", default=heads),
        "seq": config.number("max_seq_len", "model_max_length", default=UNSAID_LENGTH),
        "tied": config.flag("tied_embeddings"),
    }
    if config.says("head_dim"):
        settings["head_dim"] = config.number("head_dim")
    notes = []
    if not (config.says("max_seq_len") or config.says("model_max_length")):
        notes.append(f"the file says no sequence length: counted at {UNSAID_LENGTH} tokens (`seq` says another)")
    if not config.says("hidden_dim"):
        factor = config.number("ffn_dim_multiplier", whole=False) if config.says("ffn_dim_multiplier") else None
        settings["mlp_dim"] = llama_mlp(width, factor, int(config.number("multiple_of", default=256, least=1)))
        return Configured("llama", settings, "Llama of Meta's reference code", tuple(notes))
    settings["mlp_dim"] = config.number("hidden_dim")
    if not config.says("moe"):
        return Configured("mistral", settings, "a model of mistral-inference", tuple(notes))
    moe = config.inner("moe")
    settings |= {"experts": moe.number("num_experts"), "experts_per_token": moe.number("num_experts_per_tok")}
    return Configured("mixtral", settings, "a mixture of mistral-inference", tuple(notes))


def llama_mlp(width: int, factor: float | None, multiple: int) -> int:
    """Return the hidden size of the MLP in Llama's reference code: two thirds of four widths, scaled, and rounded up.

    Parameters
    ----------
    width : int
        Of the model.
    factor : float or None
        ``ffn_dim_multiplier``.
    multiple : int
        ``multiple_of``.
    """
    hidden = int(2 * (4 * width) / 3)
    if factor is not None:
        hidden = int(factor * hidden)
    return multiple * -(-hidden // multiple)
