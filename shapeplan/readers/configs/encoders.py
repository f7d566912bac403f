"""Encoders of transformers: a configuration to the settings of an encoder, by its model type and class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from typing import Any

from shapeplan.frozen import frozen
from shapeplan.readers.configs.config import Config, Configured

Settings = dict[str, Any]
Classes = Mapping[str, Settings]

_SIZES = {
    "width": ("hidden_size", "dim"),
    "depth": ("num_hidden_layers", "n_layers"),
    "heads": ("num_attention_heads", "n_heads"),
    "mlp_dim": ("intermediate_size", "hidden_dim"),
    "vocab": ("vocab_size",),
}
_LABELS = {"tokens": "ForTokenClassification", "sequence": "ForSequenceClassification"}
_POOLED: Settings = {"pooler": True, "head": "none"}
_MASKED: Settings = {"head": "mlm"}
_TOKENS: Settings = {"head": "tokens"}
_DENSE: Settings = {"head": "sequence", "head_dense": True}
_ON_TOKENS = {"ForTokenClassification": _TOKENS, "ForQuestionAnswering": {**_TOKENS, "classes": 2}}

_BERT: Classes = {
    "Model": _POOLED,
    "ForMaskedLM": _MASKED,
    "ForPreTraining": {"pooler": True, "next_sentence": True, "head": "mlm"},
    "ForNextSentencePrediction": {**_POOLED, "next_sentence": True},
    "ForSequenceClassification": {"pooler": True, "head": "sequence"},
    "ForMultipleChoice": {"pooler": True, "head": "sequence", "classes": 1},
    **_ON_TOKENS,
}
_ROBERTA: Classes = {
    "Model": _POOLED,
    "ForMaskedLM": _MASKED,
    "ForSequenceClassification": _DENSE,
    "ForMultipleChoice": {"pooler": True, "head": "sequence", "classes": 1},
    **_ON_TOKENS,
}
_DISTILBERT: Classes = {
    "Model": {"head": "none"},
    "ForMaskedLM": _MASKED,
    "ForSequenceClassification": _DENSE,
    "ForMultipleChoice": {**_DENSE, "classes": 1},
    **_ON_TOKENS,
}
_ELECTRA: Classes = {
    "Model": {"head": "none"},
    "ForMaskedLM": _MASKED,
    "ForPreTraining": {**_TOKENS, "classes": 1, "head_dense": True},
    "ForSequenceClassification": _DENSE,
    "ForTokenClassification": {**_TOKENS, "head_dense": False},
    "ForQuestionAnswering": {**_TOKENS, "head_dense": False, "classes": 2},
}
_ESM: Classes = {
    "Model": _POOLED,
    "ForMaskedLM": _MASKED,
    "ForSequenceClassification": _DENSE,
    "ForTokenClassification": _TOKENS,
}
_NOMIC: Classes = {
    "Model": {"head": "none"},
    "ForMaskedLM": _MASKED,
    "ForSequenceClassification": {"pooler": True, "head": "sequence"},
    "ForTokenClassification": _TOKENS,
}
_NORMED = {"head_dense": True, "head_norm": True}
_MODERNBERT: Classes = {
    "Model": {"head": "none"},
    "ForMaskedLM": _MASKED,
    "ForSequenceClassification": {"head": "sequence", **_NORMED},
    "ForTokenClassification": {**_TOKENS, **_NORMED},
    "ForQuestionAnswering": {**_TOKENS, "classes": 2, **_NORMED},
}
_EUROBERT: Classes = {
    "Model": {"head": "none"},
    "ForMaskedLM": _MASKED,
    "ForSequenceClassification": {**_DENSE, "head_bias": True},
    "ForTokenClassification": {**_TOKENS, "head_bias": True},
}


@frozen
class EncoderReading:
    """How the configurations of one model type are read.

    Attributes
    ----------
    style : str
        The family, whose settings are what the code fixes.
    prefix : str
        What the names of its classes begin with.
    classes : mapping of str to settings
        The classes that are counted, by the rest of their names: the head of each.
    learned : {"all", "padded", "none"}
        Whether there is a table of positions, and whether its first rows are for padding (RoBERTa).
    token_types : bool
        Whether the configuration says how many token types there are.
    unties : bool
        Whether ``tie_word_embeddings = false`` unties the head in a way that can be counted.
    rest : callable, optional
        From the configuration and the settings so far to the settings that are read in a way of their own.
    """

    style: str
    prefix: str
    classes: Classes = field(default_factory=lambda: _BERT)
    learned: str = "all"
    token_types: bool = True
    unties: bool = False
    rest: Callable[[Config, Settings], Settings] | None = None


def read_encoder(config: Config, reading: EncoderReading) -> Configured:
    """Return the encoder that a configuration describes: of the first of its `architectures`, or without a head.

    Raises
    ------
    InputError
        If a key is missing, or what it says cannot be counted exactly; ``column`` names it.
    """
    for name in ("is_decoder", "add_cross_attention"):
        config.must_be(name, False, default=False)
    config.must_be("chunk_size_feed_forward", 0, default=0)
    name = class_of(config, reading.prefix, reading.classes)
    settings: Settings = {size: config.number(*keys, least=1) for size, keys in _SIZES.items()}
    settings |= _positions(config, reading)
    if reading.token_types:
        settings["token_types"] = config.number("type_vocab_size")
    settings |= reading.classes[name]
    settings |= _classes(config, settings)
    if settings["head"] == "mlm":
        if not reading.unties:
            config.must_be("tie_word_embeddings", True, default=True)
        settings["tied"] = config.flag("tie_word_embeddings", default=True)
    if reading.rest:
        settings |= reading.rest(config, settings)
    known = {key: value for key, value in settings.items() if value is not None}
    return Configured(reading.style, known, f"{reading.prefix}{name} of transformers", _notes(config))


def class_of(config: Config, prefix: str, classes: Mapping[str, Any], bare: str = "Model") -> str:
    """Return the class that a configuration names, without the prefix of its model type; the bare one if it names none.

    Raises
    ------
    InputError
        If the class is not counted.
    """
    built = config.items("architectures") or [f"{prefix}{bare}"]
    name = str(built[0]).removeprefix(prefix)
    if f"{prefix}{name}" != built[0] or name not in classes:
        known = ", ".join(prefix + each for each in classes)
        config.refuse("architectures", "is not counted", f"of this model type {known} are")
    return name


def _positions(config: Config, reading: EncoderReading) -> Settings:
    length = config.number("max_position_embeddings")
    if reading.learned == "none":
        return {"seq": length}
    config.must_be("position_embedding_type", "absolute", None)
    first = config.number("pad_token_id", default=1) + 1 if reading.learned == "padded" else 0
    return {"seq": length - first, "positions": length}


def _classes(config: Config, settings: Settings) -> Settings:
    """Return how many classes a head has, if it is one of classes."""
    if settings["head"] not in _LABELS:
        return {}
    named = config.get("id2label", default=None) is not None
    labels = len(config.inner("id2label").values) if named else config.number("num_labels", default=2)
    if settings.get("classes") != 2:
        return {"classes": settings.get("classes", labels)}
    if labels != 2:
        config.refuse("id2label" if named else "num_labels", "is not 2", "answers have a start and an end")
    return {}


def _notes(config: Config) -> tuple[str, ...]:
    notes = ["parameters are counted as before quantization"] if config.says("quantization_config") else []
    window = config.get("local_attention", default=None)
    return (*notes, *([f"windows of {window} tokens are counted as full attention"] if window else []))


def _electra(config: Config, settings: Settings) -> Settings:
    size = config.number("embedding_size")
    return {"embedding_dim": None if size == settings["width"] else size}


def _distilbert(config: Config, settings: Settings) -> Settings:
    config.must_be("sinusoidal_pos_embds", False, default=False)
    return {}


def _mpnet(config: Config, settings: Settings) -> Settings:
    return {"relative_buckets": config.number("relative_attention_num_buckets")}


def _esm(config: Config, settings: Settings) -> Settings:
    config.must_be("is_folding_model", False, default=False)
    kind = config.get("position_embedding_type", default="absolute")
    if kind not in ("absolute", "rotary"):
        config.refuse("position_embedding_type", "is not counted", "absolute and rotary are")
    learned = kind == "absolute"
    length = config.number("max_position_embeddings")
    first = config.number("pad_token_id", default=1) + 1 if learned else 0
    return {
        "seq": length - first,
        "positions": length if learned else 0,
        "embedding_norm": config.flag("emb_layer_norm_before", default=False),
    }


def _gated(config: Config, settings: Settings) -> Settings:
    return {"head_dim": config.number("head_dim", default=None)}


def _eurobert(config: Config, settings: Settings) -> Settings:
    bias = config.flag("attention_bias", default=False)
    read = {
        "kv_heads": config.number("num_key_value_heads", default=None),
        "head_dim": config.number("head_dim", default=None),
        **{"qkv_bias": bias, "out_bias": bias, "mlp_bias": config.flag("mlp_bias", default=False)},
    }
    if settings["head"] == "mlm":
        return {**read, "head_bias": read["mlp_bias"]}
    if settings["head"] == "sequence" and config.get("classifier_pooling", default="late") == "late":
        # Every token is classified, and the classes are averaged.
        return {**read, "head": "tokens"}
    return read


def _modernbert(config: Config, settings: Settings) -> Settings:
    bias = config.flag("attention_bias", default=False)
    return {
        "norm": "layernorm" if config.flag("norm_bias", default=False) else "layernorm_nobias",
        **{"qkv_bias": bias, "out_bias": bias, "mlp_bias": config.flag("mlp_bias", default=False)},
        "head_dense_bias": config.flag("classifier_bias", default=False),
        "head_bias": config.flag("decoder_bias", default=True) if settings["head"] == "mlm" else True,
    }


READINGS: dict[str, EncoderReading] = {
    "bert": EncoderReading("bert", "Bert"),
    "roberta": EncoderReading("roberta", "Roberta", _ROBERTA, "padded"),
    "xlm-roberta": EncoderReading("roberta", "XLMRoberta", _ROBERTA, "padded"),
    "camembert": EncoderReading("roberta", "Camembert", _ROBERTA, "padded"),
    "xlm-roberta-xl": EncoderReading("xlm_roberta_xl", "XLMRobertaXL", _ROBERTA, "padded"),
    "roberta-prelayernorm": EncoderReading("roberta_prelayernorm", "RobertaPreLayerNorm", _ROBERTA, "padded"),
    "data2vec-text": EncoderReading("roberta", "Data2VecText", _ROBERTA, "padded"),
    "distilbert": EncoderReading("distilbert", "DistilBert", _DISTILBERT, token_types=False, rest=_distilbert),
    "electra": EncoderReading("electra", "Electra", _ELECTRA, rest=_electra),
    "mpnet": EncoderReading("mpnet", "MPNet", _ROBERTA, "padded", token_types=False, rest=_mpnet),
    "esm": EncoderReading("esm", "Esm", _ESM, "none", token_types=False, rest=_esm),
    "nomic_bert": EncoderReading("nomic_bert", "NomicBert", _NOMIC, "none", rest=_gated),
    "modernbert": EncoderReading(
        "modernbert", "ModernBert", _MODERNBERT, "none", token_types=False, unties=True, rest=_modernbert
    ),
    "eurobert": EncoderReading(
        "eurobert", "EuroBert", _EUROBERT, "none", token_types=False, unties=True, rest=_eurobert
    ),
}
"""By `model_type`."""

ENCODERS: dict[str, Callable[[Config], Configured]] = {
    name: partial(read_encoder, reading=reading) for name, reading in READINGS.items()
}
"""By `model_type`."""
