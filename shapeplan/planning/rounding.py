"""Shapes that can be built: whole numbers, and multiples that kernels, heads and parallel devices like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.numerics.arrays import Floats, nearest_multiple
from shapeplan.sweeps.dimensions import Dimensions

LARGEST_MULTIPLE = 1_000_000
DEFAULT_MULTIPLES = {"width": 16, "mlp_dim": 16}
"""Tensor cores need multiples of 16 in the matrices; depth and other dimensions are whole."""


@dataclass(frozen=True)
class RoundingRule:
    """What dimensions are rounded to.

    Attributes
    ----------
    dimensions : Dimensions
        Free dimensions are rounded, tied ones follow and are rounded too, fixed ones stay.
    multiples : mapping of str to float
        Of every dimension; of those that are no whole numbers in the log, a part of it.
    heads : mapping of str to int
        ``{"heads": h}`` or ``{"head_dim": d}``; empty for no rule.
    held : mapping of str to float
        Free dimensions that the user fixed; they are not rounded.
    """

    dimensions: Dimensions
    multiples: Mapping[str, float]
    heads: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)

    def round(self, shape: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the whole shapes whose free dimensions are each nearest, in ratio, to those given."""
        return self.complete({dim: nearest_multiple(shape[dim], self.multiple(dim)) for dim in self.dimensions.free})

    def complete(self, rounded: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return whole shapes from rounded free dimensions."""
        size = next(iter(rounded.values())).shape
        followers = {dim: tie.of(rounded[tie.to]) for dim, tie in self.dimensions.tied.items()}
        kept = {dim: np.full(size, float(value)) for dim, value in self.dimensions.fixed.items()}
        moved = {dim: nearest_multiple(kept[dim], self.multiples[dim]) for dim in kept if dim in self.multiples}
        follow = {dim: nearest_multiple(value, self.multiples[dim]) for dim, value in followers.items()}
        return {**rounded, **kept, **moved, **follow}

    def lattice(self, shape: Mapping[str, Floats], reach: int) -> dict[str, Floats]:
        """Return whole shapes around shapes: `reach` multiples on either side in every free dimension.

        Parameters
        ----------
        shape : mapping of str to ndarray, shape (budgets,)
            The free dimensions.
        reach : int
            How many.

        Returns
        -------
        dict of str to ndarray, shape (budgets, shapes)
            All combinations.
        """
        dims = self.dimensions.free
        columns = [self.lattice_of(dim, shape[dim], reach) for dim in dims]
        index = [one.ravel() for one in np.meshgrid(*(np.arange(c.shape[1]) for c in columns), indexing="ij")]
        return self.complete({dim: c[:, one] for dim, c, one in zip(dims, columns, index, strict=True)})

    def lattice_of(self, dim: str, values: Floats, reach: int) -> Floats:
        """Return the multiples around values of one dimension, shape (budgets, multiples).

        A held one stays, and of one that is kept in proportion, whose loss says nothing, only the nearest is tried.
        """
        if dim in self.held:
            return np.full((len(values), 1), self.held[dim])
        multiple = self.multiple(dim)
        if dim in self.dimensions.kept:
            return nearest_multiple(values, multiple)[:, None]
        # Around a value below one multiple the smallest that can be built stands in for those that cannot.
        below = np.maximum(np.floor(values / multiple), 1.0)
        return np.asarray(multiple * np.maximum(below[:, None] + np.arange(1 - reach, 1 + reach), 1.0))

    def heads_of(self, width: float | None) -> int | None:
        """Return the attention heads of a width, where there is a rule."""
        if "heads" in self.heads:
            return self.heads["heads"]
        if "head_dim" in self.heads and width is not None:
            return round(width / self.heads["head_dim"])
        return None

    def multiple(self, dim: str) -> float:
        """Return what a free dimension is a multiple of."""
        return 1 if dim in self.held else self.multiples[dim]


@dataclass(frozen=True)
class Parallelism:
    """How a model is divided among devices.

    Attributes
    ----------
    tensor : int
        Devices that share a layer: heads divide among them, and what each holds of mlp_dim is a whole multiple.
    pipeline : int
        Stages among which the blocks divide.
    """

    tensor: int = 1
    pipeline: int = 1


def rounding_rule(
    dimensions: Dimensions,
    rule: Mapping[str, int],
    *,
    fractional: Mapping[str, float] | None = None,
    multiples: Mapping[str, int] | None = None,
    heads: Mapping[str, int] | None = None,
    kv_heads: int = 1,
    parallel: Parallelism = Parallelism(),
    held: Mapping[str, float] | None = None,
) -> RoundingRule:
    """Return what dimensions are rounded to.

    Parameters
    ----------
    dimensions : Dimensions
        Of the law.
    rule : mapping of str to int
        The log's own rule for heads: ``heads``, or the ``head_dim`` of one.
    fractional : mapping of str to float, optional
        Dimensions that are no whole numbers, with their least trained value: they are rounded to two digits of it.
    multiples : mapping of str to int, optional
        By dimension, in place of `DEFAULT_MULTIPLES`.
    heads : mapping of str to int, optional
        In place of the log's rule, of the same form: width becomes a multiple.
    kv_heads : int
        Key and value heads of the architecture, of which heads are a multiple.
    parallel : Parallelism
        How the model is divided among devices.
    held : mapping of str to float, optional
        Free dimensions that are fixed.

    Raises
    ------
    ArgumentError
        If a number makes no sense, or they exclude each other.
    """
    given, held, fraction = dict(multiples or {}), dict(held or {}), dict(fractional or {})
    everything = (*dimensions.free, *dimensions.tied, *dimensions.fixed)
    check_multiples(given, everything)
    wanted = dict(heads or {})
    if len(wanted) > 1:
        message = "`heads` and `head_dim` both set the heads"
        raise ArgumentError(ErrorDetail("bad-heads", message, "give one: width follows from it"))
    for name, value in (
        ("heads", wanted.get("heads")),
        ("head_dim", wanted.get("head_dim")),
        ("tensor_parallel", parallel.tensor),
        ("pipeline_parallel", parallel.pipeline),
    ):
        if value is not None and not 1 <= value <= LARGEST_MULTIPLE:
            hint = f"give a whole number from 1 to {LARGEST_MULTIPLE}"
            code, message = f"bad-{name.replace('_', '-')}", f"`{name}` cannot be {value}"
            raise ArgumentError(ErrorDetail(code, message, hint, value=str(value)))
    chosen = wanted or dict(rule)
    for parts, why in ((parallel.tensor, "devices"), (kv_heads, "key and value heads")):
        if (count := chosen.get("heads", parts)) % parts:
            message = f"{count} heads cannot be shared by {parts} {why}"
            hint = f"give `heads={math.lcm(count, kv_heads, parallel.tensor)}`, or `head_dim`"
            raise ArgumentError(ErrorDetail("bad-heads", message, hint, value=str(parts)))

    def multiple(dim: str, default: int) -> float:
        if dim not in given and dim in fraction:
            return 10.0 ** (math.floor(math.log10(fraction[dim])) - 1)
        size = given.get(dim, default)
        if dim == "depth":
            return math.lcm(size, parallel.pipeline)
        if dim == "mlp_dim":
            return size * parallel.tensor
        if dim == "width" and chosen:
            together = math.lcm(kv_heads, parallel.tensor)
            return math.lcm(size, chosen["heads"] if "heads" in chosen else chosen["head_dim"] * together)
        return math.lcm(size, parallel.tensor) if dim == "width" else size

    moving = (*dimensions.free, *dimensions.tied)
    asked = bool(wanted) or max(parallel.tensor, parallel.pipeline) > 1
    own = {dim: multiple(dim, DEFAULT_MULTIPLES.get(dim, 1)) for dim in moving}
    # What never varied stays what it was, unless other options say otherwise.
    own |= {
        dim: multiple(dim, 1)
        for dim, size in dimensions.fixed.items()
        if dim in given or (asked and round(size) % multiple(dim, 1))
    }
    for dim, size in held.items():
        part = multiple(dim, 1)
        if dim not in fraction and size % part:
            near = max(part, round(size / part) * part)
            message = f"`fix={dim}={size:g}` is no multiple of {part}, which other options or the heads ask for"
            raise ArgumentError(ErrorDetail("bad-fix", message, f"fix {dim}={near:g}, or change them"))
    return RoundingRule(dimensions, own, chosen, held)


def check_multiples(multiples: Mapping[str, float], dims: tuple[str, ...]) -> None:
    """Raise `ArgumentError` on multiples that make no sense for the dimensions."""
    for dim, multiple in multiples.items():
        if dim not in dims:
            message = f"there is no dimension {dim!r} to round"
            raise ArgumentError(
                ErrorDetail("bad-multiple", message, f"the dimensions are {', '.join(dims)}", value=dim)
            )
        if not 1 <= multiple <= LARGEST_MULTIPLE or multiple != int(multiple):
            message = f"{dim} cannot be a multiple of {multiple:g}"
            raise ArgumentError(
                ErrorDetail(
                    "bad-multiple", message, f"give a whole number from 1 to {LARGEST_MULTIPLE}", value=f"{multiple:g}"
                )
            )
