"""Encoder-decoders of transformers: a configuration to the settings of both stacks, by its model type and class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from shapeplan.frozen import frozen
from shapeplan.readers.configs.config import Config, Configured
from shapeplan.readers.configs.encoders import class_of

Settings = dict[str, Any]

_T5_SEQ = 512
_CLASSES = {"Model": False, "ForConditionalGeneration": True}
"""Classes that are counted, and whether each predicts tokens."""
_T5_CLASSES = {**_CLASSES, "WithLMHeadModel": True, "EncoderModel": False}


def _read_t5(config: Config, prefix: str, every_block: bool = False) -> Configured:
    name = class_of(config, prefix, _T5_CLASSES)
    form = str(config.get("feed_forward_proj", default="relu" if prefix == "T5" else "gated-gelu")).split("-")
    if len(form) > 2 or (len(form) == 2 and form[0] != "gated"):
        config.refuse("feed_forward_proj", "is not counted", "an activation is, as relu or gated-gelu")
    settings: Settings = {
        "width": config.number("d_model", "hidden_size"),
        "depth": config.number("num_layers", "num_hidden_layers"),
        "mlp_dim": config.number("d_ff"),
        "heads": config.number("num_heads", "num_attention_heads", least=1),
        "head_dim": config.number("d_kv", "head_dim"),
        "vocab": config.number("vocab_size"),
        "seq": config.number("n_positions", default=_T5_SEQ),
        "relative_buckets": config.number("relative_attention_num_buckets"),
        "relative_every_block": every_block,
        "gated": form[0] == "gated",
    }
    if name == "EncoderModel":
        return Configured("t5_encoder", settings, f"{prefix}{name} of transformers")
    decoder_depth = config.number("num_decoder_layers", default=settings["depth"])
    lm_head = _T5_CLASSES[name]
    tied = config.flag("tie_word_embeddings", default=True) or not lm_head
    settings |= {"decoder_depth": decoder_depth, "lm_head": lm_head, "tied": tied}
    notes = [f"a source and a target of {settings['seq']} tokens each"]
    if not tied:
        notes.append(
            "the output matrix is one of its own, as in checkpoints; transformers 5 ties it until it has loaded them"
        )
    return Configured("t5", settings, f"{prefix}{name} of transformers", tuple(notes))


@frozen
class BartReading:
    """How the configurations of one model type of BART's kind are read.

    Attributes
    ----------
    style : str
        The family, whose settings are what the code fixes.
    prefix : str
        What the names of its classes begin with.
    learned : int, optional
        Rows of the tables of positions beyond the longest sequence; None for no tables.
    rest : callable, optional
        Refuses what cannot be counted.
    """

    style: str
    prefix: str
    learned: int | None = 0
    rest: Callable[[Config], None] | None = None


def _read_bart(config: Config, reading: BartReading) -> Configured:
    classes = {**_CLASSES, "MTModel": True} if reading.prefix == "Marian" else _CLASSES
    name = class_of(config, reading.prefix, classes)
    config.must_be("tie_word_embeddings", True, default=True)
    if reading.rest:
        reading.rest(config)
    length = config.number("max_position_embeddings")
    settings = {**_stacks(config), "seq": length, "lm_head": classes[name]}
    if reading.learned is not None:
        settings |= dict.fromkeys(("positions", "target_positions"), length + reading.learned)
    counted = f"{reading.prefix}{name} of transformers"
    return Configured(reading.style, settings, counted, (f"a source and a target of {length} tokens each",))


def _stacks(config: Config) -> Settings:
    """Return the sizes of both stacks; their numbers of heads change nothing, as long as they divide the width."""
    width, heads = config.number("d_model", "hidden_size"), config.number("encoder_attention_heads", least=1)
    if width % config.number("decoder_attention_heads", least=1):
        config.refuse("decoder_attention_heads", f"does not divide the width {width}", "give a number that does")
    return {
        "width": width,
        "depth": config.number("encoder_layers", "num_hidden_layers"),
        "decoder_depth": config.number("decoder_layers"),
        "mlp_dim": config.number("encoder_ffn_dim"),
        "decoder_mlp_dim": config.number("decoder_ffn_dim"),
        "heads": heads,
        "vocab": config.number("vocab_size"),
    }


def _marian(config: Config) -> None:
    config.must_be("share_encoder_decoder_embeddings", True, default=True)
    vocab = config.number("vocab_size")
    if config.number("decoder_vocab_size", default=vocab) != vocab:
        config.refuse("decoder_vocab_size", f"is not the vocabulary {vocab}", "only one table of tokens is counted")


def _read_whisper(config: Config) -> Configured:
    name = class_of(config, "Whisper", _CLASSES)
    config.must_be("tie_word_embeddings", True, default=True)
    frames, tokens = config.number("max_source_positions"), config.number("max_target_positions")
    settings = {
        **_stacks(config),
        "channels": config.number("num_mel_bins"),
        **{"seq": frames, "positions": frames, "target_seq": tokens, "target_positions": tokens},
        "lm_head": _CLASSES[name],
    }
    note = f"{frames} frames of audio and {tokens} tokens of text; the encoder's fixed positions are counted"
    return Configured("whisper", settings, f"Whisper{name} of transformers", (note,))


_BARTS: dict[str, BartReading] = {
    "bart": BartReading("bart", "Bart", 2),
    "mbart": BartReading("mbart", "MBart", 2),
    "blenderbot": BartReading("blenderbot", "Blenderbot"),
    "blenderbot-small": BartReading("blenderbot_small", "BlenderbotSmall"),
    "pegasus": BartReading("pegasus", "Pegasus"),
    "marian": BartReading("marian", "Marian", rest=_marian),
    "m2m_100": BartReading("m2m_100", "M2M100", None),
}

ENCODER_DECODERS: Mapping[str, Callable[[Config], Configured]] = {
    "t5": partial(_read_t5, prefix="T5"),
    "mt5": partial(_read_t5, prefix="MT5"),
    "umt5": partial(_read_t5, prefix="UMT5", every_block=True),
    **{name: partial(_read_bart, reading=reading) for name, reading in _BARTS.items()},
    "whisper": _read_whisper,
}
"""By `model_type`."""
