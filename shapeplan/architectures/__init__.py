"""Architectures: what a shape costs. One file a family, one interface."""

from __future__ import annotations

from shapeplan.architectures.architecture import FAMILIES, Architecture, Family, architecture, find_family
from shapeplan.architectures.base import Cost, Part, Transformer
from shapeplan.architectures.conventions import CONVENTIONS, CountingConvention
from shapeplan.architectures.decoder import Decoder
from shapeplan.architectures.dit import DiT
from shapeplan.architectures.encoder import Encoder
from shapeplan.architectures.encoder_decoder import EncoderDecoder
from shapeplan.architectures.fitted import FittedCost, PowerSum, PowerTerm
from shapeplan.architectures.vit import ViT
from shapeplan.architectures.whisper import Whisper

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
