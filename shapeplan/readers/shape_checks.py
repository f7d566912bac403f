"""Shapes that are no transformer's: width and depth in each other's place, and an MLP dim that is a multiple."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from shapeplan import codes
from shapeplan.architectures import PowerSum
from shapeplan.errors import Caution
from shapeplan.numerics.arrays import Floats
from shapeplan.readers.columns import Columns
from shapeplan.readers.cross_check import span, which_lines
from shapeplan.runs import Runs

_RATIO, _SHARE = 16.0, 0.25
"""An MLP dim of at most 16 and less than a quarter of the width is a multiple of it; real ones are 1 to 8 widths."""
_WIDEST = 16.0
"""Widths that an MLP dim may have at most where those of other rows have far fewer."""
_MOSTLY = 0.75
"""Share of the rows with an MLP dim below the width from which the two columns may be in each other's place."""
_PROPORTIONAL = 1.1
"""Factor by which a ratio of sizes may vary that are in proportion, since they are rounded."""
_APART = 3.0
"""Factor between sizes of rows that are implausible, and those of the others."""


def doubt_shapes(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield cautions for rows whose sizes are implausible together.

    Parameters
    ----------
    runs : Runs
        The rows.
    columns : Columns
        Which columns they are from.
    """
    if "width" not in runs.dims:
        return
    width = runs.values("width")
    swapped = list(_swapped(runs, width, runs.values("depth"))) if "depth" in runs.dims else []
    if "mlp_dim" in runs.dims and "mlp_dim" in columns.roles:
        mlp_dim, column = runs.values("mlp_dim"), columns.roles["mlp_dim"]
        yield from _ratio(runs, width, mlp_dim, column)
        yield from _narrow(runs, width, mlp_dim, column)
        # Beside what is no width it is no wonder; with examples or parameters the log's own arithmetic tells.
        if not swapped and runs.examples is None and runs.params is None:
            yield from _wide(runs, width, mlp_dim, column)
    yield from swapped


def _ratio(runs: Runs, width: Floats, mlp_dim: Floats, column: str) -> Iterator[Caution]:
    small = (mlp_dim <= _RATIO) & (mlp_dim < _SHARE * width)
    if small.any():
        seen = f"{column!r} is {span(mlp_dim[small])}, where the width is {span(width[small])}: a multiple of it?"
        hint = f"`columns=mlp_ratio='{column}'` reads multiples" if small.all() else "write sizes in every row"
        yield Caution(codes.IMPLAUSIBLE_SHAPE, f"{which_lines(runs, small)}: {seen}", hint)


def _narrow(runs: Runs, width: Floats, mlp_dim: Floats, column: str) -> Iterator[Caution]:
    """Yield a caution where the MLP dim is below the width in most rows, and the cost does not say that it is so.

    That of a single expert may be; then parameters, or compute per example, grow faster with the width.
    """
    narrow = mlp_dim < width
    if narrow.mean() < _MOSTLY or np.ptp(mlp_dim) == 0 or (mlp_dim <= _RATIO).any():
        return
    if _cost_tells(runs, width, mlp_dim, "mlp_dim"):
        return
    message = f"{which_lines(runs, narrow)}: {column!r} is {span((mlp_dim / width)[narrow])} times the width"
    hint = "are the two swapped? `columns=width=NAME` and `columns=mlp_dim=NAME` name them"
    yield Caution(codes.IMPLAUSIBLE_SHAPE, message, hint)


def _wide(runs: Runs, width: Floats, mlp_dim: Floats, column: str) -> Iterator[Caution]:
    times = mlp_dim / width
    wide = times > _WIDEST
    # In every row it may be that of all experts of a layer.
    if wide.any() and not wide.all() and times[wide].min() > _APART * (usual := float(times[~wide].max())):
        seen = f"{column!r} is {span(times[wide])} times the width, and at most {usual:.3g} in the others"
        message = f"{which_lines(runs, wide)}: {seen}"
        yield Caution(codes.IMPLAUSIBLE_SHAPE, message, f"check {column!r} and the width there")


def _swapped(runs: Runs, width: Floats, depth: Floats) -> Iterator[Caution]:
    deeper = depth > width
    if not deeper.any() or (deeper.all() and _cost_tells(runs, width, depth, "depth")):
        return
    others = ~deeper
    if others.any():
        far = depth[deeper].min() > _APART * depth[others].max(), _APART * width[deeper].max() < width[others].min()
        if not all(far):
            return
    message = f"{which_lines(runs, deeper)}: the depth is {span(depth[deeper])}, the width {span(width[deeper])}"
    hint = (
        "are they swapped? `columns=width=NAME` and `columns=depth=NAME` name them"
        if deeper.all()
        else "are they swapped there?"
    )
    yield Caution(codes.IMPLAUSIBLE_SHAPE, message, hint)


def _in_proportion(one: Floats, other: Floats) -> bool:
    ratio = one / other
    return bool(ratio.max() <= _PROPORTIONAL * ratio.min())


def _cost_tells(runs: Runs, width: Floats, other: Floats, dim: str) -> bool:
    """Return whether parameters, or compute per example, grow faster with the width than with another dimension.

    Matrices grow with its square, so that columns with these names are in the right place. An MLP dim in proportion to
    either is left out: what grows with both is not told apart.
    """
    cost = runs.params
    if cost is None and runs.examples is not None:
        cost = runs.flops / runs.examples
    if cost is None or np.ptp(width) == 0 or np.ptp(other) == 0:
        return False
    sizes = {name: runs.values(name) for name in runs.dims}
    tied = [
        name
        for name in sizes.keys() - {"width", dim}
        if any(_in_proportion(sizes[name], one) for one in (width, other))
    ]
    (term,) = PowerSum.power_law({name: size for name, size in sizes.items() if name not in tied}, cost).terms
    return term.exponents["width"] > term.exponents[dim]
