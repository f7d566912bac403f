"""What a library is told of a plan: its sizes, its transformer, and how it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, fields
from typing import Any, NamedTuple

from shapeplan.architectures import Decoder, ViT
from shapeplan.architectures.base import SHAPE_DIMS, Transformer
from shapeplan.errors import Caution
from shapeplan.frozen import frozen
from shapeplan.planning.training import Training


@frozen
class Export:
    """A snippet of configuration.

    Attributes
    ----------
    text : str
        In the language of the library.
    cautions : tuple of Caution
        What of the shape or the architecture the library does not take from it.
    """

    text: str
    cautions: tuple[Caution, ...]


@frozen
class Shape:
    """What is exported: sizes, and the transformer where the law has an architecture."""

    width: int
    depth: int
    mlp_dim: int
    heads: int
    model: Transformer | None
    family: str
    title: str

    @property
    def vit(self) -> ViT | None:
        """The model, if it is a vision transformer."""
        return self.model if isinstance(self.model, ViT) else None

    @property
    def decoder(self) -> Decoder | None:
        """The model, if it is a decoder."""
        return self.model if isinstance(self.model, Decoder) else None


UNTOLD_HINT = "set it in the library itself, or expect other parameters than the plan's"
"""What to do about a setting of the architecture that a library is not told of."""


class Miss(NamedTuple):
    """What a library cannot have of a shape, and what to do about it."""

    message: str
    hint: str


def _nothing(shape: Shape) -> tuple[Miss, ...]:
    return ()


@frozen
class Library:
    """How a library is told.

    Attributes
    ----------
    write : callable
        From a shape, and how it is trained, to the text.
    model : type of Transformer
        The kind of model that it builds.
    tells : frozenset of str
        Settings of the architecture that the text carries, or the user gives elsewhere.
    implies : mapping of str to value
        Settings that the library has no other value of, where it is not the default here.
    misses : callable
        From a shape to what the library cannot have of it, in words.
    trains : bool
        Whether the text says how the model is trained too.
    """

    write: Callable[[Shape, Training], str]
    model: type[Transformer]
    tells: frozenset[str]
    implies: Mapping[str, Any] = field(default_factory=dict)
    misses: Callable[[Shape], Sequence[Miss]] = _nothing
    trains: bool = True

    def untold(self, model: Transformer) -> dict[str, Any]:
        """Return the settings of a model that the library would not have from the text."""
        fixed = {*SHAPE_DIMS, "heads", "head_dim", *self.tells}
        return {
            setting.name: value
            for setting in fields(model)
            if setting.name not in fixed
            and (value := getattr(model, setting.name)) != self.implies.get(setting.name, setting.default)
        }


@frozen
class Trainer:
    """How a trainer that takes its model from elsewhere is told.

    Attributes
    ----------
    write : callable
        From a title, and how the plan is trained, to the text.
    """

    write: Callable[[str, Training], str]
