"""Shapes that can be built: whole numbers, and multiples that kernels and heads like."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from shapeplan.arrays import Floats
from shapeplan.errors import ArgumentError, Complaint

LARGEST_MULTIPLE = 1_000_000
DEFAULT_MULTIPLES = {"width": 16, "mlp_dim": 16}
"""Tensor cores want multiples of 16 in the matrices; depth and other dimensions are whole."""
REACH = 2
"""Multiples on either side among which the least loss is looked for."""


def round_shape(
    shape: Mapping[str, float], multiples: Mapping[str, int], heads: Mapping[str, int]
) -> tuple[dict[str, int], int | None]:
    """Round every dimension to its nearest multiple, in ratio, and at least one multiple.

    Parameters
    ----------
    shape : mapping of str to float
        The shape.
    multiples : mapping of str to int
        By dimension; those of `DEFAULT_MULTIPLES` apply where it is silent.
    heads : mapping of str to int
        ``{"heads": h}`` or ``{"head_dim": d}``, of which width becomes a multiple too; empty for no rule.

    Returns
    -------
    rounded : dict of str to int
        The rounded shape.
    heads : int or None
        Attention heads.

    Raises
    ------
    ArgumentError
        If a multiple is of a dimension that the shape does not have, or not a whole positive number.
    """
    check_multiples(multiples, tuple(shape))
    rounded = {dim: _nearest(value, _multiple(dim, multiples, heads)) for dim, value in shape.items()}
    if "heads" in heads:
        return rounded, heads["heads"]
    if "head_dim" in heads and "width" in rounded:
        return rounded, rounded["width"] // heads["head_dim"]
    return rounded, None


def lattice(shape: Mapping[str, float], multiples: Mapping[str, int], heads: Mapping[str, int]) -> dict[str, Floats]:
    """Return the shapes that can be built around a shape: `REACH` multiples below and above in every dimension.

    Returns
    -------
    dict of str to ndarray, shape (shapes,)
        All combinations.
    """
    axes = []
    for dim, value in shape.items():
        multiple = _multiple(dim, multiples, heads)
        below = math.floor(value / multiple)
        axes.append(multiple * np.arange(max(1, below - REACH + 1), max(1, below) + REACH + 1, dtype=float))
    return {dim: places.ravel() for dim, places in zip(shape, np.meshgrid(*axes, indexing="ij"), strict=True)}


def _multiple(dim: str, multiples: Mapping[str, int], heads: Mapping[str, int]) -> int:
    multiple = multiples.get(dim, DEFAULT_MULTIPLES.get(dim, 1))
    return math.lcm(multiple, *heads.values()) if dim == "width" and heads else multiple


def check_multiples(multiples: Mapping[str, float], dims: tuple[str, ...]) -> None:
    """Raise `ArgumentError` on multiples that make no sense for the dimensions."""
    for dim, multiple in multiples.items():
        if dim not in dims:
            message = f"there is no dimension {dim!r} to round"
            raise ArgumentError(Complaint("bad-multiple", message, f"the dimensions are {', '.join(dims)}", value=dim))
        if not 1 <= multiple <= LARGEST_MULTIPLE or multiple != int(multiple):
            message = f"{dim} cannot be a multiple of {multiple:g}"
            raise ArgumentError(
                Complaint(
                    "bad-multiple", message, f"give a whole number from 1 to {LARGEST_MULTIPLE}", value=f"{multiple:g}"
                )
            )


def _nearest(value: float, multiple: int) -> int:
    below = max(1, math.floor(value / multiple)) * multiple
    above = below + multiple
    # Nearest in ratio: 1.5 is closer to 2 than to 1 when both are factors.
    return below if value / below <= above / value else above
