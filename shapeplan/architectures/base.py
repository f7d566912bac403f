"""What an architecture is: a family and everything that is not shape, from which every count follows."""

from __future__ import annotations

import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.arrays import Floats, Number
from shapeplan.errors import Complaint, InputError
from shapeplan.quantities import Convention, convert_flops

SHAPE_DIMS = ("width", "depth", "mlp_dim")
_LARGEST = 1e9
NORM_PARAMS = {"layernorm": 2, "rmsnorm": 1, "nonparametric": 0}
"""Parameters of a norm, a channel."""
MACS_TO_FLOPS = 2
"""One multiply-accumulate is two FLOPs; bias adds, norms, softmax and activations are not counted (FLOPS.md)."""


class Cost(Protocol):
    """What a shape costs: the F(x) of ``t = F(x) n``."""

    def flops_per_example(self, shape: Mapping[str, ArrayLike]) -> Floats:
        """Return the forward FLOPs of one example."""
        ...

    def params(self, shape: Mapping[str, ArrayLike]) -> Floats | None:
        """Return the number of parameters, or None where it is not known."""
        ...


@dataclass(frozen=True, kw_only=True)
class Transformer(ABC):
    """A transformer of a given shape. Counts are exact for integers and broadcast over arrays of shapes.

    Attributes
    ----------
    width, depth, mlp_dim : int or ndarray
        Residual stream, blocks, hidden size of the MLP.
    heads : int or ndarray
        Attention heads.
    """

    family: ClassVar[str]
    examples_unit: ClassVar[str] = "examples"

    width: Any
    depth: Any
    mlp_dim: Any
    heads: Any

    @property
    @abstractmethod
    def params(self) -> Any:
        """Number of parameters."""

    @property
    @abstractmethod
    def macs(self) -> Any:
        """Multiply-accumulates of one forward pass of one input (image or sequence)."""

    @property
    def examples_per_input(self) -> int:
        """How many examples (images, tokens) one input holds."""
        return 1

    def flops(self, convention: Convention = "forward") -> Any:
        """Return the FLOPs of one input: ``forward`` is 2 x MACs, ``training`` three times that."""
        return convert_flops(MACS_TO_FLOPS * self.macs, "forward", convention)

    def check(self) -> None:
        """Raise `InputError` on a setting that cannot be; subclasses add their own."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if setting.type in ("bool", "bool | None"):
                if not isinstance(value, bool) and not (value is None and setting.default is None):
                    raise bad_setting(setting.name, value, "is neither true nor false", "write true or false")
            elif isinstance(value, int | float) and not (value > 0 or (value == 0 and setting.default in (0, None))):
                raise bad_setting(setting.name, value, "is not positive", "give a positive number")
        norm = getattr(self, "norm", "layernorm")
        if norm not in NORM_PARAMS:
            raise bad_setting("norm", norm, "is no norm", f"choose one of {', '.join(NORM_PARAMS)}")


@dataclass(frozen=True)
class Architecture:
    """A family with its settings: a function from shape to transformer.

    Attributes
    ----------
    family : type of Transformer
        What is counted.
    settings : mapping of str to value
        Fields of the family that are not shape, as the user wrote them. ``head_dim`` in place of ``heads`` lets heads
        grow with width; ``mlp_ratio`` or a fixed ``width``, ``depth`` or ``mlp_dim`` stand in for dimensions that the
        log does not have.
    """

    family: type[Transformer]
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, family: type[Transformer], settings: Mapping[str, Any]) -> Self:
        """Check the settings and return the architecture.

        Raises
        ------
        InputError
            If a setting is unknown, missing, or cannot be; ``column`` names it.
        """
        known = [setting.name for setting in fields(family)] + ["mlp_ratio", "head_dim"]
        for name in settings:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"the settings are {', '.join(sorted(set(known)))}"
                raise bad_setting(name, settings[name], f"is no setting of the family {family.family!r}", hint)
        if "heads" not in settings and "head_dim" not in settings:
            raise bad_setting("heads", None, "is missing", "give heads, or head_dim if heads grow with width")
        for setting in fields(family):
            if setting.default is MISSING and setting.name not in (*SHAPE_DIMS, "heads", *settings):
                raise bad_setting(setting.name, None, "is missing", f"the family {family.family!r} needs it")
        for name in {*SHAPE_DIMS, "heads", "head_dim", "kv_heads", "mlp_ratio"} & settings.keys():
            value = settings[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise bad_setting(name, value, "is not a positive number", "give a positive number")
        architecture = cls(family, dict(settings))
        # Any shape will do to see whether the rest is sound; this one divides by every usual head count.
        architecture.model({"width": 3072, "depth": 12, "mlp_dim": 12288}).check()
        return architecture

    def model(self, shape: Mapping[str, Any]) -> Transformer:
        """Return the transformer of that shape.

        Raises
        ------
        InputError
            If a dimension is in neither the shape nor the settings.
        """
        options = dict(self.settings)
        ratio = options.pop("mlp_ratio", None)
        head_dim = options.get("head_dim")
        options.update({name: value for name, value in shape.items() if name in SHAPE_DIMS})
        if "mlp_dim" not in options and ratio is not None and "width" in options:
            options["mlp_dim"] = ratio * options["width"]
        for dim in SHAPE_DIMS:
            if dim not in options:
                hint = f"add {dim} to the architecture" + (" (or mlp_ratio)" if dim == "mlp_dim" else "")
                raise bad_setting(dim, None, "is neither a column of the log nor set", hint)
        if "heads" not in options:
            options["heads"] = options["width"] / head_dim
        if "head_dim" not in {setting.name for setting in fields(self.family)}:
            options.pop("head_dim", None)
        return self.family(**options)

    def flops_per_example(self, shape: Mapping[str, ArrayLike]) -> Floats:
        """Return the forward FLOPs of one example (an image, a token) at the shape; arrays broadcast."""
        model = self.model(_as_floats(shape))
        return np.asarray(model.flops("forward") / model.examples_per_input, dtype=float)

    def params(self, shape: Mapping[str, ArrayLike]) -> Floats:
        """Return the number of parameters at the shape; arrays broadcast."""
        return np.asarray(self.model(_as_floats(shape)).params, dtype=float)

    @property
    def examples_unit(self) -> str:
        """What one example is called."""
        return self.family.examples_unit

    @property
    def heads(self) -> int | None:
        """The fixed number of heads, if it is fixed."""
        return self.settings.get("heads")

    @property
    def head_dim(self) -> int | None:
        """The width of one head, where heads grow with width."""
        return None if "heads" in self.settings else self.settings.get("head_dim")

    def describe(self) -> dict[str, Any]:
        """Return the family and the settings, as they stand in a log or a document."""
        return {"family": self.family.family, **self.settings}


def bad_setting(name: str, value: object, why: str, hint: str) -> InputError:
    """Return the error for one setting of an architecture."""
    shown = None if value is None else str(value)
    said = f"architecture setting {name!r} " + (f"= {shown} " if shown is not None else "") + why
    return InputError(Complaint("bad-architecture", said, hint, column=name, value=shown))


def whole(name: str, value: object) -> int:
    """Return `value` as an int; raise `InputError` naming the setting if it is not a whole number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not abs(value) <= _LARGEST
        or value != int(value)
    ):
        raise bad_setting(name, value, "is not a whole number", f"give a whole number up to {_LARGEST:g}")
    return int(value)


def _as_floats(shape: Mapping[str, ArrayLike]) -> dict[str, Number]:
    return {name: np.asarray(value, dtype=float) for name, value in shape.items()}
