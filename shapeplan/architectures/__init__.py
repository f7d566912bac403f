"""Architectures: what a shape costs. One file a family, one interface."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shapeplan.architectures.architecture import Architecture, architecture
from shapeplan.architectures.base import Cost, Part, Transformer
from shapeplan.architectures.conventions import CONVENTIONS, CountingConvention
from shapeplan.architectures.families import FAMILIES, Family, find_family

if TYPE_CHECKING:
    from shapeplan.architectures.decoder import Decoder
    from shapeplan.architectures.dit import DiT
    from shapeplan.architectures.encoder import Encoder
    from shapeplan.architectures.encoder_decoder import EncoderDecoder
    from shapeplan.architectures.fitted import FittedCost, PowerSum, PowerTerm
    from shapeplan.architectures.vit import ViT
    from shapeplan.architectures.whisper import Whisper

_LATER = {
    **{"Decoder": "decoder", "ViT": "vit", "Encoder": "encoder", "EncoderDecoder": "encoder_decoder"},
    **{"Whisper": "whisper", "DiT": "dit"},
    **dict.fromkeys(("FittedCost", "PowerSum", "PowerTerm"), "fitted"),
}
"""Loaded when they are asked for: a command counts one kind or two."""

__all__ = [
    "CONVENTIONS",
    "FAMILIES",
    "Architecture",
    "Cost",
    "CountingConvention",
    "Decoder",
    "DiT",
    "Encoder",
    "EncoderDecoder",
    "Family",
    "FittedCost",
    "Part",
    "PowerSum",
    "PowerTerm",
    "Transformer",
    "ViT",
    "Whisper",
    "architecture",
    "find_family",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'shapeplan.architectures' has no attribute {name!r}")
    value = getattr(import_module(f"shapeplan.architectures.{_LATER[name]}"), name)
    globals()[name] = value
    return value
