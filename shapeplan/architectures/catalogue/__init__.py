"""The catalogue of named shapes: published models, one frozen record each, with its source."""

from shapeplan.architectures.catalogue.find import CATALOGUE, find_model, models_with, named
from shapeplan.architectures.catalogue.record import Counted, NamedModel

__all__ = ["CATALOGUE", "Counted", "NamedModel", "find_model", "models_with", "named"]
