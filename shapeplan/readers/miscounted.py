"""Counts that many rows break: sizes counted otherwise in a part of the log, and compute that is none of the shape's.

Where few rows break what the others follow, `arithmetic` names them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from shapeplan import codes
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.errors import Caution
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.numerics.grouping import first_of_group
from shapeplan.numerics.trimmed import least_squares
from shapeplan.readers.columns import Columns
from shapeplan.readers.cross_check import BROKEN, span, which_lines
from shapeplan.readers.shape_cost import approximate_params, closest, compute_per_example, sizes_that_vary
from shapeplan.runs import Runs

_SAME_SHAPE = 1.25
"""Factor by which the compute per example of one shape may differ: contexts and heads may."""
_ODD, _BAD = 1.08, 1.2
"""Factors off the closest model of the shape from which a cause is looked for, and from which none is needed to doubt;
public sweeps are within 1.12, of experts 1.15."""
_RIGHT = 1.03
"""Factor within which rows follow the shape once a size is counted alike."""
_FACTORS = (2.0, 0.5, 3.0, 1 / 3, 1.5, 2 / 3, 4 / 3, 3 / 4)
"""By which counts differ: blocks of two sublayers, a gate beside the MLP, forward or all passes, recomputation."""
_LEAST_PARAMS = 0.75
"""Parameters over the matrices of the blocks: fewer keys and values lower them to 0.8."""
_LEAST_6ND, _MOST_6ND = 0.45, 1.8
"""Training compute over 6 x params x tokens: MACs are half of it, recomputation is 1.33 of it."""
_NEARLY = 0.1
_LARGEST = 0.75
"""Quantile of the parameters from which on models are the largest."""
_MOST_SHAPES = 300


@frozen
class _Split:
    """A dimension, or the count itself, that is so many times too large from some size on."""

    dim: str | None
    by: str
    start: float
    factor: float


def doubt_counts(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield cautions where compute per example, or the parameters, are no function of the shape, or none of its kind.

    Parameters
    ----------
    runs : Runs
        The rows.
    columns : Columns
        Which columns they are from.
    """
    if runs.architecture is not None:
        return
    shape, compute = sizes_that_vary(runs), compute_per_example(runs)
    counted = columns.flops.name if columns.flops else "flops"
    logged = columns.roles.get("params")
    if compute is not None and (of_shape := list(_of_one_shape(runs, compute, counted))):
        yield from of_shape
        return
    unlike = None
    if logged and runs.params is not None and "params" not in shape:
        unlike = _unlike_shape(runs, shape, logged, runs.params, list(shape), codes.PARAMS_MISMATCH)
    if unlike is None and compute is not None:
        # Where parameters follow the sizes, these are right.
        sizes = [] if logged else list(shape)
        name = f"{counted} over {runs.examples_unit}"
        unlike = _unlike_shape(runs, shape, name, compute, sizes, codes.FLOPS_MISMATCH)
    if unlike is not None:
        yield unlike
    elif logged:
        yield from _few_params(runs, logged)


def _of_one_shape(runs: Runs, compute: Floats, column: str) -> Iterator[Caution]:
    """Yield a caution where rows of one shape differ in their compute per example."""
    group = runs.shape_groups
    if not runs.dims or group.max() + 1 == len(runs):
        return
    low, high = np.full(group.max() + 1, np.inf), np.zeros(group.max() + 1)
    np.minimum.at(low, group, compute)
    np.maximum.at(high, group, compute)
    worst = int(np.argmax(high / low))
    if high[worst] < _SAME_SHAPE * low[worst]:
        return
    mine = np.flatnonzero(group == worst)
    ends = [int(runs.lines[mine[place]]) for place in (np.argmin(compute[mine]), np.argmax(compute[mine]))]
    factor = high[worst] / low[worst]
    unit = runs.examples_unit.removesuffix("s")
    message = (
        f"the compute per {unit} is no function of the shape: lines {ends[0]} and {ends[1]} have one shape, and "
        f"{column!r} over the {runs.examples_unit} differs by a factor of {factor:.3g}"
    )
    hint = f"is {column!r} that of each run alone, and do both columns count the same training?"
    yield Caution(codes.BROKEN_ARITHMETIC if factor >= BROKEN else codes.FLOPS_MISMATCH, message, hint)


def _unlike_shape(
    runs: Runs, shape: Mapping[str, Floats], name: str, values: Floats, sizes: Sequence[str], mild: str
) -> Caution | None:
    """Return a caution if a count is not what a transformer of the shape costs, with where it is counted otherwise.

    Parameters
    ----------
    runs : Runs
        The rows.
    shape : mapping of str to ndarray, shape (rows,)
        What varies of it.
    name, values : str, ndarray of shape (rows,)
        The count.
    sizes : sequence of str
        Dimensions that may be counted otherwise; the count itself may be too.
    mild : str
        Code for less than a factor of two.
    """
    if len(shape) < 2:
        return None
    first = np.unique(first_of_group(runs.shape_groups))
    if len(first) > _MOST_SHAPES:
        return None
    some, counted = {dim: column[first] for dim, column in shape.items()}, values[first]
    off = closest(some, counted)
    if off < np.log(_ODD):
        return None
    split = _split_of(some, counted, off, sizes)
    if split is not None:
        of, other = (name, "the shape gives by the other rows") if split.dim is None else (split.dim, f"{name!r} says")
        rows = which_lines(runs, shape[split.by] >= split.start)
        message = (
            f"{of!r} seems to be {split.factor:.3g} times what {other}, where {split.by!r} is {split.start:g} or more: "
            f"{rows}"
        )
        hint = "count alike in all rows: blocks, not their two sublayers; a gated MLP's dim once; all FLOPs or forward"
        broken = not 1 / BROKEN < split.factor < BROKEN
        return Caution(codes.BROKEN_ARITHMETIC if broken else mild, message, hint)
    if off < np.log(_BAD):
        return None
    message = f"{name!r} is up to {np.expm1(off):.0%} off what the other rows say that such a shape costs"
    hint = "are sizes of some rows padded, rounded or counted otherwise, or models of two kinds in one log?"
    return Caution(mild, message, hint)


def _split_of(shape: Mapping[str, Floats], values: Floats, off: float, sizes: Sequence[str]) -> _Split | None:
    """Return what is counted otherwise from some size on, if that is why values do not follow the shape."""
    best, least = None, min(np.log(_RIGHT), off / 3)
    for by, column in shape.items():
        for start in np.unique(column)[1:]:
            for factor in _FACTORS:
                true = np.where(column >= start, 1 / factor, 1.0)
                tried: list[tuple[str | None, float]] = [(None, closest(shape, values * true))]
                tried += [(dim, closest({**shape, dim: true * shape[dim]}, values)) for dim in sizes]
                for dim, left in tried:
                    if left < least:
                        best, least = _Split(dim, by, float(start), factor), left
    return best


def _few_params(runs: Runs, column: str) -> Iterator[Caution]:
    """Yield a caution where models have fewer parameters than the matrices of their blocks."""
    matrices = approximate_params(runs)
    if matrices is None or runs.params is None or "mlp_dim" not in runs.dims:
        return
    share = runs.params / matrices
    # Where width and depth may be swapped, that is told.
    rows = (share < _LEAST_PARAMS) & (runs.values("depth") <= runs.values("width"))
    if rows.any():
        factor = span(share[rows])
        message = f"{which_lines(runs, rows)}: {column!r} is {factor} times the matrices of attention and MLP there"
        hint = "is a size counted twice there, as the MLP dim of a gate, or in another unit?"
        yield Caution(codes.PARAMS_MISMATCH, message, hint)


def doubt_6nd(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield a caution where compute is not about 6 x params x tokens and what they leave out, all three logged."""
    if columns.flops is None or not {"params", "tokens"} <= columns.roles.keys() or runs.architecture is not None:
        return
    if not set(runs.dims) <= set(SHAPE_DIMS) or "active_params" in columns.roles:
        # Of experts, parameters are all, and compute is of some.
        return
    assert runs.params is not None
    assert runs.examples is not None
    counted, logged = columns.flops.name, columns.roles["params"]
    ratio = 3 * runs.forward_flops() / (6 * runs.params * runs.examples)
    of_largest = float(np.median(ratio[runs.params >= np.quantile(runs.params, _LARGEST)]))
    unexplained = _unexplained(runs, ratio, of_largest)
    said = f"{counted!r} is {span(ratio)} times 6 x {logged} x tokens"
    if of_largest < _LEAST_6ND:
        message = f"{said}, for the largest models {of_largest:.3g} times"
        hint = "does it count forward passes alone, or are parameters (of all experts?) or tokens counted otherwise?"
    elif unexplained > _MOST_6ND:
        message = f"{said}, and without what attention and an output layer may add still {unexplained:.3g} times"
        hint = "is it divided by a utilization, or are parameters or tokens counted otherwise?"
        if runs.flops_convention == "forward" and abs(of_largest / 3 - 1) < _NEARLY:
            hint = "it is read as forward FLOPs: does it count training?"
    else:
        return
    hint = f"{hint} plans count as the log does; `columns=flops=6ND` takes 6 x params x tokens"
    yield Caution(codes.FLOPS_MISMATCH, message, hint)


def _unexplained(runs: Runs, ratio: Floats, of_largest: float) -> float:
    """Return compute over 6 x params x tokens without what attention and an output layer may explain of it.

    These grow with depth x width and with the width alone, where parameters grow faster. Without a shape nothing is
    known of them, and `of_largest` is what there is.
    """
    if runs.params is None or not {"width", "depth"} <= set(runs.dims):
        return of_largest
    width, depth = runs.values("width"), runs.values("depth")
    parts = np.column_stack([runs.params, depth * width, width]) / (ratio * runs.params)[:, None]
    scale = np.sqrt((parts**2).mean(axis=0))
    return float((least_squares(parts / scale, np.ones(len(ratio)), positive=True) / scale)[0])
