"""What a transformer costs: parameters and multiply-accumulates, part by part."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.architectures.conventions import find_convention
from shapeplan.architectures.settings import bad_setting, checked, dimension, is_whole, must_divide
from shapeplan.arrays import Floats

SHAPE_DIMS = ("width", "depth", "mlp_dim")
NORM_PARAMS = {"layernorm": 2, "rmsnorm": 1, "nonparametric": 0}
"""Parameters of a norm, a channel."""
_HEADROOM = 100
"""No convention counts more FLOPs than this many times the larger of parameters and MACs."""


class Part(NamedTuple):
    """What a part of a model adds: parameters, and multiply-accumulates of one input."""

    params: Any
    macs: Any


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
    """A transformer of a given shape, or of an array of shapes.

    Dimensions are ints, or arrays of ints that broadcast: then every count is exact, however large. Floats are the
    continuous shapes in between, over which a plan is minimized.

    Attributes
    ----------
    width, depth, mlp_dim : int, float or array
        Residual stream, blocks, hidden size of the MLP (the input width of its last matrix).
    heads : int, float or array, optional
        Attention heads; width / head_dim if only that is given.
    head_dim : int, float or array, optional
        Width of one head; width / heads by default. With both, attention may be wider than the stream, or narrower.

    Raises
    ------
    InputError
        If a setting cannot be: not positive, a whole number where one is needed, or ints that do not divide.
    """

    family: ClassVar[str]
    examples_unit: ClassVar[str] = "examples"

    width: Any = dimension()
    depth: Any = dimension()
    mlp_dim: Any = dimension()
    heads: Any = dimension(None)
    head_dim: Any = dimension(None)

    def __post_init__(self) -> None:
        """Check every setting, then all of them together."""
        for setting in fields(self):
            object.__setattr__(self, setting.name, checked(setting, getattr(self, setting.name)))
        self._check_together()
        self._make_room()

    @abstractmethod
    def parts(self) -> dict[str, Part]:
        """Return what every part adds, in the order of the forward pass; the parts sum to the whole."""

    @property
    @abstractmethod
    def tokens(self) -> int:
        """Length of the sequence in the blocks, for one input (image or sequence)."""

    @property
    @abstractmethod
    def block_weights(self) -> Any:
        """Weights of one block's matrices: every token is multiplied with each once."""

    @property
    def params(self) -> Any:
        """Number of parameters."""
        return sum(part.params for part in self.parts().values())

    @property
    def macs(self) -> Any:
        """Multiply-accumulates in matrices and convolutions of one forward pass of one input."""
        return sum(part.macs for part in self.parts().values())

    @property
    def examples_per_input(self) -> int:
        """How many examples (images, tokens) one input holds."""
        return 1

    def settings(self) -> dict[str, Any]:
        """Return everything that is not shape and was given or differs from the defaults."""
        return {
            setting.name: value
            for setting in fields(self)
            if setting.name not in SHAPE_DIMS and (value := getattr(self, setting.name)) != setting.default
        }

    def flops(self, convention: str = "forward") -> Any:
        """Return the FLOPs of one input (image or sequence).

        Parameters
        ----------
        convention : str
            One of `CONVENTIONS`: ``forward``, ``training``, ``xla``, ``6nd``, ``6nd-nonembedding``, ``palm``,
            ``kaplan``; each record says its source and when to use it.

        Raises
        ------
        ArgumentError
            If there is no such convention.
        InputError
            If the convention is not defined for this model.
        """
        return find_convention(convention).flops(self)

    @property
    def xla_flops(self) -> Any:
        """Forward FLOPs as XLA counts them, where that is known."""
        raise bad_setting("family", self.family, "has no count by XLA", "use the convention forward")

    @property
    def head_count(self) -> Any:
        """Attention heads."""
        return _ratio(self.width, self.head_dim) if self.heads is None else self.heads

    @property
    def head_width(self) -> Any:
        """Width of one head."""
        return _ratio(self.width, self.heads) if self.head_dim is None else self.head_dim

    @property
    def attention_width(self) -> Any:
        """Width of all queries together."""
        return self.width if self.heads is None or self.head_dim is None else self.heads * self.head_dim

    def _check_together(self) -> None:
        """Raise `InputError` on settings that exclude each other; subclasses add their own."""
        if self.heads is None and self.head_dim is None:
            raise bad_setting("heads", None, "is missing", "give heads, or head_dim if heads grow with width")
        values = {name: getattr(self, name) for name in ("width", "depth", "mlp_dim", "heads", "head_dim")}
        try:
            np.broadcast_shapes(*(np.shape(value) for value in values.values()))
        except ValueError:
            lengths = ", ".join(f"{name} {np.shape(value)}" for name, value in values.items() if np.ndim(value))
            raise bad_setting(
                "width", None, f"and the rest do not broadcast: {lengths}", "give equal lengths"
            ) from None
        if self.heads is None or self.head_dim is None:
            must_divide(values, "head_dim" if self.heads is None else "heads", "width")

    def _make_room(self) -> None:
        """Turn int64 arrays whose counts might overflow into arrays of Python's ints, which do not."""
        arrays = {
            setting.name: value
            for setting in fields(self)
            if isinstance(value := getattr(self, setting.name), np.ndarray) and value.dtype.kind == "i" and value.size
        }
        if not arrays:
            return
        # Counts grow with every dimension, so those of the largest values together bound them all.
        largest = replace(self, **{name: float(value.max()) for name, value in arrays.items()})
        if max(largest.params, largest.macs) * _HEADROOM > np.iinfo(np.int64).max:
            for name, value in arrays.items():
                object.__setattr__(self, name, value.astype(object))


def _ratio(top: Any, bottom: Any) -> Any:
    return top // bottom if is_whole(top) and is_whole(bottom) else top / bottom
