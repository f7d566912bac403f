"""The catalogue of named shapes: published models, one frozen record each, with its source."""

from __future__ import annotations

from typing import Any

from shapeplan.architectures.catalogue.find import catalogue, find_model, models_with, named
from shapeplan.architectures.catalogue.record import Counted, NamedModel

CATALOGUE: dict[str, NamedModel]
"""Every model of `catalogue`, made when it is first asked for."""

__all__ = ["CATALOGUE", "Counted", "NamedModel", "find_model", "models_with", "named"]


def __getattr__(name: str) -> Any:
    if name == "CATALOGUE":
        return catalogue()
    raise AttributeError(f"module 'shapeplan.architectures.catalogue' has no attribute {name!r}")
