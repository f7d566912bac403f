"""Families: kinds of transformers by the names users write."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import Field, field, fields
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from shapeplan.architectures.encoder_styles import ENCODER_DECODER_STYLES, ENCODER_STYLES
from shapeplan.architectures.settings import bad_setting
from shapeplan.architectures.styles import STYLES
from shapeplan.errors import InputError
from shapeplan.frozen import frozen

if TYPE_CHECKING:
    from shapeplan.architectures.base import Transformer

_KINDS = {
    "vit": ("shapeplan.architectures.vit", "ViT"),
    "decoder": ("shapeplan.architectures.decoder", "Decoder"),
    "encoder": ("shapeplan.architectures.encoder", "Encoder"),
    "encoder_decoder": ("shapeplan.architectures.encoder_decoder", "EncoderDecoder"),
    "whisper": ("shapeplan.architectures.whisper", "Whisper"),
    "dit": ("shapeplan.architectures.dit", "DiT"),
}
"""Where the class of a kind is."""
_USUAL = ("vit", "timm", "decoder", "gpt2", "gpt_neox", "llama", "gemma3", "qwen3", "mixtral", "bert", "t5", "dit")
"""Families that an error names; there are more than a line holds."""


@frozen
class Family:
    """A kind of transformer by the name users write, with the settings that the name implies.

    Attributes
    ----------
    name : str
        As users write it.
    kind : str
        A name of `_KINDS`.
    settings : mapping of str to value
        What the name implies; each may be overridden.
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def model(self) -> type[Transformer]:
        """What is counted; loaded when it is asked for, since a command counts one kind or two."""
        module, name = _KINDS[self.kind]
        kind: type[Transformer] = getattr(import_module(module), name)
        return kind

    @property
    def fields(self) -> dict[str, Field[Any]]:
        """What may be set, by name."""
        return {setting.name: setting for setting in fields(self.model)}

    @cached_property
    def dims(self) -> tuple[str, ...]:
        """What may be a dimension of a sweep; searches ask for it thousands of times."""
        return tuple(name for name, setting in self.fields.items() if setting.metadata["kind"] == "dimension")

    def unknown(self, name: object, value: object) -> InputError:
        """Return the error for a setting that the family does not have."""
        close = difflib.get_close_matches(str(name), self.fields, n=1, cutoff=0.7)
        hint = f"did you mean {close[0]!r}?" if close else f"the settings are {', '.join(sorted(self.fields))}"
        return bad_setting(str(name), value, f"is no setting of the family {self.name!r}", hint)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("vit", "vit"),
        Family("timm", "vit", {"pool": "tok", "prefix_positions": True, "classes": 1000}),
        Family("decoder", "decoder"),
        *(Family(name, "decoder", settings) for name, settings in STYLES.items()),
        Family("encoder", "encoder"),
        *(Family(name, "encoder", settings) for name, settings in ENCODER_STYLES.items()),
        Family("encoder_decoder", "encoder_decoder"),
        *(Family(name, "encoder_decoder", settings) for name, settings in ENCODER_DECODER_STYLES.items()),
        Family("whisper", "whisper"),
        Family("dit", "dit"),
        Family("sit", "dit"),
    )
}
"""Every family by its name."""
_ALIASES = {
    "neox": "gpt_neox",
    "pythia": "gpt_neox",
    "qwen25": "qwen2",
    "gemma1": "gemma",
    "gemma3text": "gemma3",
    "olmo1": "olmo",
    "xlmroberta": "roberta",
    "camembert": "roberta",
    "flant5": "t5_v1_1",
}


def find_family(name: object) -> Family:
    """Return the family of that name; case, ``-``, ``_`` and ``.`` do not matter.

    Raises
    ------
    InputError
        If there is none.
    """
    hint = f"choose one of {', '.join(_USUAL)}, or what transformers has as another model_type"
    if name is None:
        raise bad_setting("family", None, "is missing", hint)
    plain = {_plain(known): known for known in FAMILIES} | _ALIASES
    if not isinstance(name, str) or _plain(name) not in plain:
        close = difflib.get_close_matches(_plain(str(name)), plain, n=1, cutoff=0.75)
        suggestion = f"did you mean {plain[close[0]]!r}? " if close else ""
        raise bad_setting("family", name, "is no family", suggestion + hint)
    return FAMILIES[plain[_plain(name)]]


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
