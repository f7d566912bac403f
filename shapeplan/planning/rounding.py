"""Shapes that can be built: a lattice of whole numbers and multiples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

import numpy as np

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, nearest_multiple
from shapeplan.planning.heads import Heads
from shapeplan.sweeps.dimensions import Dimensions

LARGEST_MULTIPLE = 1_000_000


@frozen
class RoundingRule:
    """What dimensions are rounded to.

    Attributes
    ----------
    dimensions : Dimensions
        Free dimensions are rounded, tied ones follow and are rounded too, fixed ones stay.
    multiples : mapping of str to float
        Of every dimension; of those that are no whole numbers in the log, a part of it.
    heads : Heads
        How heads follow from a width.
    held : mapping of str to float
        Free dimensions that the user fixed; they are not rounded.
    """

    dimensions: Dimensions
    multiples: Mapping[str, float]
    heads: Heads = field(default_factory=Heads)
    held: Mapping[str, float] = field(default_factory=dict)

    def round(self, shape: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the whole shapes whose free dimensions are each nearest, in ratio, to those given."""
        return self.complete({dim: nearest_multiple(shape[dim], self.multiple(dim)) for dim in self.dimensions.free})

    def complete(self, rounded: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return whole shapes from rounded free dimensions; with their heads, where a rule gives these."""
        size = next(iter(rounded.values())).shape
        followers = {dim: tie.of(rounded[tie.to]) for dim, tie in self.dimensions.tied.items()}
        kept = {dim: np.full(size, float(value)) for dim, value in self.dimensions.fixed.items()}
        moved = {dim: nearest_multiple(kept[dim], self.multiples[dim]) for dim in kept if dim in self.multiples}
        follow = {dim: nearest_multiple(value, self.multiples[dim]) for dim, value in followers.items()}
        whole = {**rounded, **kept, **moved, **follow}
        if "width" not in whole:
            return whole
        if "heads" in whole:
            return {**whole, "width": self._divided(whole["width"], whole["heads"])}
        heads = self.heads.of_all(whole["width"])
        return whole if heads is None else {**whole, "heads": heads}

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

    def _divided(self, widths: Floats, heads: Floats) -> Floats:
        """Return the widths nearest to those given that heads, where these are a dimension, divide."""
        if "width" not in self.multiples or "width" in self.held:
            return widths
        steps = np.lcm(round(self.multiples["width"]), (self.heads.unit * heads).astype(int))
        return nearest_multiple(widths, steps.astype(float))

    def multiple(self, dim: str) -> float:
        """Return what a free dimension is a multiple of."""
        return 1 if dim in self.held else self.multiples[dim]


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
