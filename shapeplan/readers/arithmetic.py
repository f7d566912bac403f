"""Rows against the arithmetic of their log: compute per example and parameters are smooth in the shape.

What most rows follow is fitted robustly, so that rows which break it stand out with the factor by which they do. With
an architecture the counts are exact, and `cross_check` compares them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.numerics.arrays import Bools, Floats, robust_sigma
from shapeplan.numerics.grouping import first_of_group, heads
from shapeplan.readers.columns import Columns
from shapeplan.readers.cross_check import BROKEN, span, which_lines
from shapeplan.readers.shape_cost import (
    MOST,
    ShapeModel,
    approximate_params,
    compute_per_example,
    models_of,
    sizes_that_vary,
)
from shapeplan.runs import Runs

_LEAST = 1.25
"""Factor below which a row is not told: models of one sweep may differ in a bias or a head."""
_STEADY = 1.05
"""Factor by which the compute per example may differ within a run."""
_SCATTERS = 10.0
"""Robust standard deviations of all rows within which a row is not told."""
_FEWEST, _FITTED = 8, 2000
"""Rows that tell a function, and those that it is fitted to."""
_ALIKE = 0.5
"""Two counts are off by one cause if their logarithms differ by less than this share of the larger."""
_JUMP = 1e4
"""Factor between neighbours in order of the tokens that compute would buy, above which units differ."""
_THOUSAND = 1e3


def doubt_arithmetic(runs: Runs, columns: Columns) -> list[Caution]:
    """Return cautions that name the rows whose compute, examples, parameters and shape do not belong together.

    Parameters
    ----------
    runs : Runs
        The rows.
    columns : Columns
        Which columns they are from.
    """
    if runs.architecture is not None or len(runs) < _FEWEST:
        return []
    compute = compute_per_example(runs)
    shape = sizes_that_vary(runs)
    of_compute = _off(runs, shape, compute)
    of_params = _off(runs, shape, None if "params" in shape else runs.params)
    cautions = [*_told(runs, columns, of_compute, of_params)]
    if compute is not None:
        cautions += _unsteady(runs, columns, compute, (of_compute != 0) | (of_params != 0))
    elif runs.params is None:
        cautions += _compute_jumps(runs, columns)
    if not of_params.any():
        cautions += _params_jump(runs, columns)
    return cautions


def _off(runs: Runs, shape: Mapping[str, Floats], values: Floats | None) -> Floats:
    """Return by how much the logarithm of values is off what the shape gives, shape (rows,); zero where that is little.

    It is zero too without values, and where fewer than most rows follow a function of the shape.
    """
    rows = len(runs)
    if values is None:
        return np.zeros(rows)
    group = np.arange(rows) if "params" in shape else runs.shape_groups
    first = heads(group)
    distinct = {dim: column[first] for dim, column in shape.items()}
    logs = np.log(values)

    def residuals_of(model: ShapeModel, *, robust: bool) -> Floats:
        coefficients = model.fit(some, values[every], robust=robust)
        return np.asarray(logs - model.log_cost(distinct, coefficients)[group])

    every = slice(None, None, 1 + len(values) // _FITTED)
    some = {dim: column[every] for dim, column in shape.items()}
    models = models_of(shape)
    for model in models:
        residuals = residuals_of(model, robust=False)
        if np.abs(residuals).max() <= np.log(_LEAST):
            return np.zeros(rows)
    off = np.full(rows, np.inf)
    for model in models:
        residuals = residuals_of(model, robust=True)
        limit = min(max(_SCATTERS * robust_sigma(residuals), np.log(_LEAST)), np.log(BROKEN))
        residuals[np.abs(residuals) <= limit] = 0.0
        off = np.where(np.abs(residuals) < np.abs(off), residuals, off)
    return off if np.mean(off != 0) < 1 - MOST else np.zeros(rows)


def _told(runs: Runs, columns: Columns, compute: Floats, params: Floats) -> Iterator[Caution]:
    """Yield a caution for every kind of break: of the shape, where both counts are off by it, or of one count."""
    largest = np.maximum(np.abs(compute), np.abs(params))
    shape = (compute != 0) & (params != 0) & (np.abs(compute - params) < _ALIKE * largest)
    counted = columns.flops.name if columns.flops else "flops"
    measured = next((columns.roles[role] for role in ("tokens", "examples", "steps") if role in columns.roles), "")
    counts = columns.roles.get("params", "params")
    both = f"{counted!r}, {measured!r} and the shape" if measured else f"{counted!r} and the shape"
    kinds = (
        ("parameters and compute per example are", "the shape", compute, shape, codes.FLOPS_MISMATCH),
        ("the compute per example is", both, compute, (compute != 0) & ~shape, codes.FLOPS_MISMATCH),
        ("the parameters are", f"{counts!r} and the shape", params, (params != 0) & ~shape, codes.PARAMS_MISMATCH),
    )
    for what, where, factors, wrong, mild in kinds:
        broken = np.abs(factors) >= np.log(BROKEN)
        for code, rows in ((codes.BROKEN_ARITHMETIC, wrong & broken), (mild, wrong & ~broken)):
            if rows.any():
                factor = span(np.exp(factors[rows]))
                message = f"{which_lines(runs, rows)}: {what} {factor} times what the shape gives by the other rows"
                yield Caution(code, message, f"check {where} there, or remove {'it' if rows.sum() == 1 else 'them'}")


def _unsteady(runs: Runs, columns: Columns, compute: Floats, told: Bools) -> Iterator[Caution]:
    """Yield a caution for rows whose compute per example is not that of the other rows of their run."""
    steady = np.log(_STEADY)
    if len(runs.run_names) == len(runs) or not _differs(compute, compute[first_of_group(runs.run)], steady).any():
        return
    order = np.lexsort((compute, runs.run))
    counts = np.bincount(runs.run)
    middle = compute[order[np.cumsum(counts) - counts + (counts - 1) // 2]][runs.run]
    rows = _differs(compute, middle, steady) & ~told
    if 0 < rows.sum() < (1 - MOST) * len(runs):
        factor = span((compute / middle)[rows])
        counted = columns.flops.name if columns.flops else "flops"
        message = (
            f"{which_lines(runs, rows)}: the compute per example is {factor} times that of the other rows of the run"
        )
        hint = f"a run trains one shape: check {counted!r} and what was trained on there"
        yield Caution(codes.FLOPS_MISMATCH, message, hint)


def _compute_jumps(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield a caution where the compute of fewer rows is far from that of the others, for the size of the models."""
    params = approximate_params(runs)
    if params is None or columns.flops is None:
        return
    odd, factor = _beyond_gap(runs.flops / (6 * params), _JUMP)
    if odd.any():
        what = f"the compute is about {factor:.1g} times that of the other rows for such models"
        hint = f"check the unit of {columns.flops.name!r} there"
        yield Caution(codes.BROKEN_ARITHMETIC, f"{which_lines(runs, odd)}: {what}", hint)


def _params_jump(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield a caution where the parameters of fewer rows are in another unit: off by a power of a thousand."""
    expected = approximate_params(runs)
    if expected is None or runs.params is None or "params" not in columns.roles:
        return
    odd, factor = _beyond_gap(runs.params / expected, _THOUSAND / 3)
    power = round(np.log(factor) / np.log(_THOUSAND)) if odd.any() else 0
    if power and 1 / 3 < factor / _THOUSAND**power < 3:
        what = f"the parameters are about {_THOUSAND**power:.0e} times those of the other rows for such models"
        hint = f"check the unit of {columns.roles['params']!r} there"
        yield Caution(codes.BROKEN_ARITHMETIC, f"{which_lines(runs, odd)}: {what}", hint)


def _beyond_gap(values: Floats, least: float) -> tuple[Bools, float]:
    """Return which rows, the fewer, lie beyond the widest gap, and by what factor they are off; none in a small gap."""
    ordered = np.sort(values)
    gaps = ordered[1:] / ordered[:-1]
    place = int(np.argmax(gaps))
    if gaps[place] < least:
        return np.zeros(len(values), dtype=bool), 1.0
    low = values <= ordered[place]
    odd = low if low.sum() <= len(values) / 2 else ~low
    return odd, float(np.median(values[odd]) / np.median(values[~odd]))


def _differs(values: Floats, others: Floats, least: float) -> Bools:
    return np.asarray(np.abs(np.log(values / others)) > least)
