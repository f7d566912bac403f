"""Architectures: what a shape costs. One file a family, one interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapeplan.architectures.base import Architecture, Cost, Transformer, bad_setting
from shapeplan.architectures.decoder import Decoder
from shapeplan.architectures.fitted import FittedCost, PowerLaw
from shapeplan.architectures.vit import ViT

FAMILIES: dict[str, type[Transformer]] = {family.family: family for family in (ViT, Decoder)}
"""Every family by the name users write."""


def architecture(settings: Mapping[str, Any]) -> Architecture:
    """Return the architecture that a log or a document describes.

    Parameters
    ----------
    settings : mapping
        ``family`` and its settings, e.g. ``{"family": "vit", "patch": 14, "image": 224, "heads": 16}``.

    Raises
    ------
    InputError
        If the family or a setting is unknown, missing, or cannot be.
    """
    rest = dict(settings)
    family = rest.pop("family", None)
    if not isinstance(family, str) or family not in FAMILIES:
        why = "is missing" if family is None else "is no family"
        raise bad_setting("family", family, why, f"choose one of {', '.join(FAMILIES)}")
    return Architecture.of(FAMILIES[family], rest)


__all__ = [
    "FAMILIES",
    "Architecture",
    "Cost",
    "Decoder",
    "FittedCost",
    "PowerLaw",
    "Transformer",
    "ViT",
    "architecture",
]
