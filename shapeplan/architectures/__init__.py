"""Architectures: what a shape costs. One file a family, one interface."""

from __future__ import annotations

from shapeplan.architectures.architecture import FAMILIES, Architecture, Family, architecture, find_family
from shapeplan.architectures.base import Cost, Part, Transformer
from shapeplan.architectures.conventions import CONVENTIONS, CountingConvention
from shapeplan.architectures.decoder import Decoder
from shapeplan.architectures.fitted import FittedCost, PowerSum, PowerTerm
from shapeplan.architectures.vit import ViT

__all__ = [
    "CONVENTIONS",
    "FAMILIES",
    "Architecture",
    "Cost",
    "CountingConvention",
    "Decoder",
    "Family",
    "FittedCost",
    "Part",
    "PowerSum",
    "PowerTerm",
    "Transformer",
    "ViT",
    "architecture",
    "find_family",
]
