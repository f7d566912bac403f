"""What the catalogue is made of: one frozen record a model; and a model of one shape, with its name and source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapeplan.architectures.architecture import Architecture
from shapeplan.architectures.base import SHAPE_DIMS, Transformer
from shapeplan.architectures.families import find_family
from shapeplan.architectures.settings import as_int, bad_setting
from shapeplan.frozen import frozen


@frozen
class Counted:
    """A model to count.

    Attributes
    ----------
    name : str
        What to call it.
    model : Transformer
        Of one shape.
    family : str
        A name of `FAMILIES`.
    source, note : str
        Where its shape is from; what a reader of the count must know.
    record : str
        Its name in the catalogue, if it is there.
    whose : str
        The library or paper whose model is counted, where several build one of that name.
    """

    name: str
    model: Transformer
    family: str
    source: str = "given"
    note: str = ""
    record: str = ""
    whose: str = ""


@frozen
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
    whose : str
        The library or paper whose model is counted, where several build one of that name.
    """

    name: str
    family: str
    settings: Mapping[str, Any]
    source: str
    aliases: tuple[str, ...] = ()
    note: str = ""
    whose: str = ""

    def model(self, **changes: Any) -> Transformer:
        """Return the transformer, with some settings changed (``image=518``, ``seq=4096``, ``classes=1000``).

        Raises
        ------
        InputError
            If a change is no setting of the family, or cannot be.
        """
        settings = {**self.settings, **changes}
        if "mlp_ratio" in changes:
            if "mlp_dim" in changes:
                raise bad_setting("mlp_ratio", changes["mlp_ratio"], "and mlp_dim say the same", "give one of them")
            settings["mlp_dim"] = as_int(changes["mlp_ratio"] * settings["width"])
            del settings["mlp_ratio"]
        shape = {dim: settings.pop(dim) for dim in SHAPE_DIMS}
        return Architecture.of(find_family(self.family), settings).model(shape)
