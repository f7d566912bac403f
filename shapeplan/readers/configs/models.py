"""From a configuration of transformers to the model it describes, by its `model_type`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from shapeplan.architectures import find_family
from shapeplan.architectures.settings import bad_setting
from shapeplan.errors import InputError
from shapeplan.readers.configs.config import Config, Configured
from shapeplan.readers.configs.decoders import DECODERS, DecoderReading, read_decoder
from shapeplan.readers.configs.defaults import defaults_of
from shapeplan.readers.configs.encoder_decoders import ENCODER_DECODERS
from shapeplan.readers.configs.encoders import ENCODERS
from shapeplan.readers.configs.vision import VISION

READERS: dict[str, Callable[[Config], Configured]] = {
    **{kind: partial(read_decoder, reading=reading) for kind, reading in DECODERS.items()},
    **ENCODERS,
    **ENCODER_DECODERS,
    **VISION,
}
"""How a configuration is read, by its `model_type`."""


def read_model(values: Mapping[str, Any], *, family: str | None = None, path: str = "") -> Configured:
    """Return the model that a configuration of transformers describes.

    Parameters
    ----------
    values : mapping of str to value
        The configuration.
    family : str, optional
        How to read a `model_type` that is unknown.
    path : str
        Where in the file it stands.

    Raises
    ------
    InputError
        If the model type is unknown, or what a key says cannot be counted exactly; ``column`` names the key.
    """
    kind = values.get("model_type")
    nested = None if str(kind) in VISION else _nested(values)
    if nested is None and isinstance(kind, str) and kind in READERS:
        return READERS[kind](Config(values, path, defaults_of(kind)))
    if nested:
        inner = read_model(_inherited(values, nested), family=family, path=f"{path}{nested}.")
        others = [key for key in values if key.endswith("_config") and key != nested and isinstance(values[key], dict)]
        rest = f"; {', '.join(sorted(others))} {'is' if len(others) == 1 else 'are'} not" if others else ""
        return replace(inner, notes=(f"{nested} alone is counted{rest}", *inner.notes))
    if family is not None:
        name = find_family(family).name
        if name in READERS:
            return READERS[name](Config(values, path))
        return read_decoder(Config(values, path), DecoderReading(name))
    raise _unknown(kind, path)


def _nested(values: Mapping[str, Any]) -> str | None:
    """Return the key under which the language model stands, if it is nested."""
    for key in ("text_config", "llm_config", "language_config"):
        if isinstance(values.get(key), Mapping):
            return key
    return None


def _inherited(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a nested configuration, with what stands outside and belongs to it."""
    # The logits are the outer model's, which says whether they share the table of tokens.
    outer = {**defaults_of(str(values.get("model_type"))), **values}
    tied = {"tie_word_embeddings": outer["tie_word_embeddings"]} if "tie_word_embeddings" in outer else {}
    return {**values[key], **tied}


def _unknown(kind: object, path: str) -> InputError:
    near = difflib.get_close_matches(str(kind), READERS, n=3, cutoff=0.6)
    hint = (f"did you mean {' or '.join(near)}? " if near else "") + "say `family=llama`, or whose block it has"
    why = "is missing" if kind is None else "is not known, and its block may be any"
    return bad_setting(f"{path}model_type", kind, why, hint)
