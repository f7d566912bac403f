"""What the catalogue is made of: one frozen record a model; and a model of one shape, with its name and source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shapeplan.architectures.architecture import Architecture, find_family
from shapeplan.architectures.base import SHAPE_DIMS, Transformer


@dataclass(frozen=True)
class Counted:
    """A model to count, with what to call it, the name of its family, and where its shape is from."""

    name: str
    model: Transformer
    family: str
    source: str = "given"
    note: str = ""


@dataclass(frozen=True)
class NamedModel:
    """A published model.

    Attributes
    ----------
    name : str
        As people write it.
    family : str
        A name of `FAMILIES`.
    settings : mapping of str to value
        Shape and everything else that differs from the family's defaults.
    source : str
        Where the configuration is published.
    aliases : tuple of str
        Other names.
    note : str
        What a reader of the count must know.
    """

    name: str
    family: str
    settings: Mapping[str, Any]
    source: str
    aliases: tuple[str, ...] = ()
    note: str = ""

    def model(self, **changes: Any) -> Transformer:
        """Return the transformer, with some settings changed (``image=518``, ``seq=4096``, ``classes=1000``).

        Raises
        ------
        InputError
            If a change is no setting of the family, or cannot be.
        """
        settings = {**self.settings, **changes}
        shape = {dim: settings.pop(dim) for dim in SHAPE_DIMS}
        return Architecture.of(find_family(self.family), settings).model(shape)
