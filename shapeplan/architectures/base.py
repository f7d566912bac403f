"""What a transformer costs: parameters and multiply-accumulates, part by part."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self

from shapeplan.architectures.conventions import CONVENTIONS, find_convention
from shapeplan.architectures.settings import bad_setting, checked, dimension, is_array, is_whole, must_divide
from shapeplan.errors import InputError
from shapeplan.frozen import frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from shapeplan.numerics.arrays import Floats, Number
else:
    from shapeplan.numerics.lazy import np

SHAPE_DIMS = ("width", "depth", "mlp_dim")
MIXTURE_DIMS = ("experts", "experts_per_token", "expert_dim", "shared_expert_dim")
OF_EXPERTS = ("experts_per_token", "expert_dim", "shared_experts", "shared_expert_dim", "first_dense_layers")
"""Settings that only a mixture of experts has."""
OF_LATENT = ("kv_lora_rank", "q_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")
"""Settings that only latent attention has, `kv_lora_rank` its mark; transformers has the same names."""
WHOLE_DIMS = (*SHAPE_DIMS, *MIXTURE_DIMS)
"""Dimensions of a sweep that are whole numbers."""
NORM_PARAMS = {"layernorm": 2, "rmsnorm": 1, "layernorm_nobias": 1, "nonparametric": 0}
"""Parameters of a norm, a channel."""
_MARGIN = 8
"""XLA counts less than this many FLOPs more than the conventions that are compared with what int64 holds."""


class Part(NamedTuple):
    """What a part of a model adds: parameters, and multiply-accumulates of one input."""

    params: Any
    macs: Any


class Embeddings(NamedTuple):
    """Parameters of what a token looks up: the table of tokens, and that of learned positions.

    A tied table is that of the logits too.
    """

    tokens: Any
    positions: Any
    tied: bool


class Cost(Protocol):
    """What a shape costs: the F(x) of ``t = F(x) n``."""

    def flops_per_example(self, shape: Mapping[str, ArrayLike]) -> Floats:
        """Return the forward FLOPs of one example."""
        ...

    def params(self, shape: Mapping[str, ArrayLike]) -> Floats | None:
        """Return the number of parameters, or None where it is not known."""
        ...

    def active_params(self, shape: Mapping[str, ArrayLike]) -> Floats | None:
        """Return how many of them a token meets, or None where it is not known."""
        ...


@frozen(kw_only=True)
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
    example: ClassVar[str] = "image"

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
    def token_weights(self) -> Any:
        """Weights of the blocks' matrices that a token is multiplied with, each once."""

    @property
    @abstractmethod
    def attention_macs(self) -> Any:
        """Multiply-accumulates of scores and mixing of one input, with attention in full."""

    @property
    def params(self) -> Any:
        """Number of parameters."""
        return sum(part.params for part in self.parts().values())

    @property
    def idle_params(self) -> Any:
        """Parameters of experts that a token does not visit; 0 for dense models."""
        return 0

    @property
    def active_params(self) -> Any:
        """Parameters that a token meets: all but the idle ones."""
        return self.params - self.idle_params

    @property
    def macs(self) -> Any:
        """Multiply-accumulates in matrices and convolutions of one forward pass of one input."""
        return sum(part.macs for part in self.parts().values())

    @property
    def examples_per_input(self) -> int:
        """How many examples (images, tokens) one input holds."""
        return 1

    @property
    def input_words(self) -> str:
        """What one input is, in words: ``4096 tokens``, ``224 px, patch 14``."""
        return f"{self.tokens} tokens"

    @property
    def head_words(self) -> str:
        """What the model ends in, in words."""
        return "logits"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the counts must know of this model."""
        return (f"tokens come in sequences of {self.examples_per_input}",) if self.examples_per_input > 1 else ()

    def settings(self) -> dict[str, Any]:
        """Return everything that is not shape and was given or differs from the defaults."""
        return {
            setting.name: value
            for setting in fields(self)
            if setting.name not in SHAPE_DIMS
            and (is_array(value := getattr(self, setting.name)) or value != setting.default)
        }

    def resized(self, sizes: Mapping[str, Number | None]) -> Self:
        """Return the model with other continuous dimensions; nothing is checked, and NaN stays NaN."""
        model = copy.copy(self)
        for dim, size in sizes.items():
            object.__setattr__(model, dim, size)
        return model

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
    def macs_in_full(self) -> Any:
        """Multiply-accumulates with attention in full, whatever mask `macs` counts."""
        return self.macs

    @property
    def embeddings(self) -> Embeddings:
        """What tokens look up.

        Raises
        ------
        InputError
            If the model reads no tokens out of a table.
        """
        raise bad_setting("family", self.family, "has no table of tokens", "use the convention training")

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
        values = {name: getattr(self, name) for name in self._dimensions()}
        arrays = {name: value for name, value in values.items() if is_array(value)}
        try:
            if arrays:
                np.broadcast_shapes(*(value.shape for value in arrays.values()))
        except ValueError:
            lengths = ", ".join(f"{name} {value.shape}" for name, value in arrays.items())
            why = f"and the rest do not broadcast: {lengths}"
            raise bad_setting("width", None, why, "give equal lengths") from None
        self._check_heads()

    def _check_heads(self) -> None:
        """Raise `InputError` if there are no heads, or they do not divide the width that they share."""
        if self.heads is None and self.head_dim is None:
            raise bad_setting("heads", None, "is missing", "give heads, or head_dim if heads grow with width")
        if self.heads is None or self.head_dim is None:
            part = "head_dim" if self.heads is None else "heads"
            must_divide({part: getattr(self, part), "width": self.width}, part, "width")

    def _dimensions(self) -> list[str]:
        return [setting.name for setting in fields(self) if setting.metadata["kind"] == "dimension"]

    def _make_room(self) -> None:
        """Turn int64 arrays whose counts might overflow into arrays of Python's ints, which do not."""
        arrays = {name: value for name in self._dimensions() if is_array(value := getattr(self, name))}
        ints = {name: value for name, value in arrays.items() if value.dtype.kind == "i"}
        if not ints or not all(value.size for value in arrays.values()):
            return
        # Counts grow with every dimension, so those of the largest values together bound them all. Where that is too
        # much, the counts themselves are looked at, in floats.
        largest = replace(self, **{name: float(value.max()) for name, value in arrays.items()})
        if largest._fits_int64() or replace(self, **{n: v.astype(float) for n, v in arrays.items()})._fits_int64():
            return
        for name, value in ints.items():
            object.__setattr__(self, name, value.astype(object))

    def _fits_int64(self) -> bool:
        """Return whether every count of this model of floats is well within what int64 holds."""
        counts = [self.params, self.macs, *self._defined_flops()]
        return bool(_MARGIN * max(float(np.max(count)) for count in counts) < np.iinfo(np.int64).max)

    def _defined_flops(self) -> Iterator[Any]:
        """Yield the FLOPs of every convention that is defined for the model, but XLA's."""
        for name in CONVENTIONS:
            try:
                if name != "xla":
                    yield self.flops(name)
            except InputError:
                continue


def _ratio(top: Any, bottom: Any) -> Any:
    return top // bottom if is_whole(top) and is_whole(bottom) else top / bottom
