"""An architecture: a family with everything that is not shape, so that a shape alone gives a transformer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from shapeplan.architectures.base import OF_EXPERTS, SHAPE_DIMS, Transformer
from shapeplan.architectures.families import Family, find_family
from shapeplan.architectures.settings import LARGEST, as_int, bad_setting, checked
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from shapeplan.numerics.arrays import Floats, Number
else:
    from shapeplan.numerics.lazy import np

_RATIO = "mlp_ratio"
_PROBE = {
    **{"width": 4096.0, "depth": 12.0, "mlp_dim": 16384.0, "heads": 32.0, "head_dim": 128.0, "kv_heads": 1.0},
    **{"experts": 65536.0, "experts_per_token": 1.0, "expert_dim": 4096.0, "shared_expert_dim": 4096.0},
    **{"decoder_depth": 12.0, "decoder_mlp_dim": 16384.0},
}
"""A size for every dimension at which any sound settings make a model; floats need not divide by anything."""


@frozen
class Architecture:
    """A family with its settings: a function from shape to transformer.

    Attributes
    ----------
    family : Family
        What is counted.
    settings : mapping of str to value
        Fields of the family that are not shape, as the user wrote them. ``head_dim`` in place of ``heads`` lets heads
        grow with width; ``mlp_ratio`` or a fixed ``width``, ``depth`` or ``mlp_dim`` stand in for dimensions that the
        log does not have.
    """

    family: Family
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, family: Family, settings: Mapping[str, Any]) -> Self:
        """Check the settings and return the architecture.

        Raises
        ------
        InputError
            If a setting is unknown, missing, or cannot be; ``column`` names it.
        """
        known = family.fields
        for name in settings:
            if name not in known and name != _RATIO:
                raise family.unknown(name, settings[name])
        given = {**family.settings, **settings}
        if "heads" not in given and "head_dim" not in given:
            raise bad_setting("heads", None, "is missing", "give heads, or head_dim if heads grow with width")
        for setting in known.values():
            if setting.default is MISSING and setting.name not in (*SHAPE_DIMS, *given):
                raise bad_setting(setting.name, None, "is missing", f"the family {family.name!r} needs it")
        fixed = {name: checked(known[name], value) for name, value in settings.items() if name != _RATIO}
        if _RATIO in settings:
            fixed[_RATIO] = _ratio(settings[_RATIO])
        architecture = cls(family, fixed)
        # Any shape will do to see whether the rest is sound.
        architecture._template(frozenset(SHAPE_DIMS) | architecture._implied_dims())
        return architecture

    def model(self, shape: Mapping[str, Any]) -> Transformer:
        """Return the transformer of that shape.

        Raises
        ------
        InputError
            If a dimension is in neither the shape nor the settings, or the shape cannot be.
        """
        options = {**self.family.settings, **self.settings}
        ratio = options.pop(_RATIO, None)
        if "heads" in shape and "heads" not in self.settings:
            # The width of a head was to follow from the model's.
            options.pop("head_dim", None)
        options.update({name: value for name, value in shape.items() if name in self.family.dims})
        if "mlp_dim" not in options and ratio is not None and "width" in options:
            options["mlp_dim"] = as_int(ratio * options["width"])
        for dim in SHAPE_DIMS:
            # A mixture whose experts have a size of their own may have no dense layer.
            if dim not in options and not (dim == "mlp_dim" and "expert_dim" in options):
                hint = f"add {dim} to the architecture" + (" (or mlp_ratio)" if dim == "mlp_dim" else "")
                raise bad_setting(dim, None, "is neither a column of the log nor set", hint)
        return self.family.model(**options)

    def flops_per_example(self, shape: Mapping[str, ArrayLike]) -> Floats:
        """Return the forward FLOPs of one example (an image, a token) at the shape; arrays broadcast.

        A shape with ``heads`` has these in place of the setting.
        """
        model = self._continuous(shape)
        return np.asarray(model.flops("forward") / model.examples_per_input, dtype=float)

    def params(self, shape: Mapping[str, ArrayLike]) -> Floats:
        """Return the number of parameters at the shape, as `flops_per_example` reads it; arrays broadcast."""
        return np.asarray(self._continuous(shape).params, dtype=float)

    def active_params(self, shape: Mapping[str, ArrayLike]) -> Floats:
        """Return the parameters that a token meets at the shape; fewer than all in a mixture of experts."""
        return np.asarray(self._continuous(shape).active_params, dtype=float)

    @property
    def is_mixture(self) -> bool:
        """Whether a setting says that it is a mixture of experts; the rest may be left to the log."""
        return any(self.settings.get(name) for name in ("experts", *OF_EXPERTS))

    def _implied_dims(self) -> set[str]:
        """Return the dimensions of a mixture that its settings leave to the log."""
        return {"experts", "experts_per_token"} - self.settings.keys() if self.is_mixture else set()

    @cached_property
    def _templates(self) -> dict[frozenset[str], Transformer]:
        return {}

    def _template(self, dims: frozenset[str]) -> Transformer:
        """Return any checked model of the architecture whose shape has these dimensions."""
        if dims not in self._templates:
            self._templates[dims] = self.model({dim: _PROBE[dim] for dim in dims})
        return self._templates[dims]

    def _continuous(self, shape: Mapping[str, ArrayLike]) -> Transformer:
        """Return the transformer of floats, unchecked: searches ask for thousands."""
        sizes = {name: size for name, size in _as_floats(shape).items() if name in self.family.dims}
        if "mlp_dim" not in sizes and _RATIO in self.settings and "width" in sizes:
            sizes["mlp_dim"] = self.settings[_RATIO] * sizes["width"]
        return self._template(frozenset(sizes)).resized(sizes)

    @property
    def examples_unit(self) -> str:
        """What one example is called."""
        return self.family.model.examples_unit

    @property
    def heads(self) -> int | None:
        """The fixed number of heads, if it is fixed."""
        return self.settings.get("heads")

    @property
    def kv_heads(self) -> int:
        """Key and value heads, of which heads are a multiple; 1 where the settings say none."""
        return int(self.settings.get("kv_heads") or 1)

    @property
    def head_dim(self) -> int | None:
        """The width of one head, where heads grow with width."""
        return None if "heads" in self.settings else self.settings.get("head_dim")

    @property
    def gated(self) -> bool:
        """Whether the MLP is gated, with three matrices in place of two."""
        return bool({**self.family.settings, **self.settings}.get("gated"))

    def describe(self) -> dict[str, Any]:
        """Return the family and the settings, as they stand in a log or a document."""
        return {"family": self.family.name, **self.settings}


def architecture(settings: Mapping[str, Any]) -> Architecture:
    """Return the architecture that a log or a document describes.

    Parameters
    ----------
    settings : mapping
        ``family`` and its settings, e.g. ``{"family": "vit", "patch": 14, "image": 224, "heads": 16}`` or
        ``{"family": "llama", "vocab": 128256, "seq": 8192, "head_dim": 128, "kv_heads": 8}``.

    Raises
    ------
    ArgumentError
        If the settings are no mapping.
    InputError
        If the family or a setting is unknown, missing, or cannot be.
    """
    if not isinstance(settings, Mapping):
        message = f"an architecture cannot be told by {type(settings).__name__}"
        hint = "write e.g. {'family': 'vit', 'patch': 16, 'image': 224, 'heads': 12}"
        raise ArgumentError(ErrorDetail("wrong-type", message, hint))
    rest = dict(settings)
    return Architecture.of(find_family(rest.pop("family", None)), rest)


def _ratio(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LARGEST:
        raise bad_setting(_RATIO, value, "is not a positive number", "give a plain number such as 4")
    return float(value)


def _as_floats(shape: Mapping[str, ArrayLike]) -> dict[str, Number]:
    return {name: np.asarray(value, dtype=float) for name, value in shape.items()}
