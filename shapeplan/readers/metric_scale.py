"""Models of one size whose metric is of another scale than that of the others: losses in bits among those in nats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.numerics.arrays import Bools, Floats
from shapeplan.readers.cross_check import which_lines
from shapeplan.runs import Runs

_FEWEST, _MOST = 24, 4000
"""Rows that tell a smooth function of sizes and compute, and those that it is fitted to."""
_OF_A_GROUP = 3
_VALUES, _GROUPS = 4, 50
"""Least and most values of a dimension of which one is looked at alone."""
_APART, _EXPLAINED, _LEFT = 1.25, 25.0, 0.03
"""Least factor of a group; by how much it lowers the sum of squares; and the error, relative, that may be left."""
_TOLD = 0.1
"""Share of a group's indicator that the smooth function may not follow, for its factor to be known."""
_NEAREST = 3.0
"""Factor between sizes beyond which a steep law may give such a difference."""
_BITS, _NEAR = 1 / np.log(2), 1.1


def doubt_metric_scale(runs: Runs) -> Iterator[Caution]:
    """Yield a caution where the metric of all models of one size is off the others by one factor.

    The logarithm of the metric is fitted by a quadratic in the logarithms of sizes and compute, linear in that of the
    group, with and without a factor for it. A law would take such a factor for a steep gain of that size.
    """
    if runs.loss is None or len(runs) < _FEWEST or not (runs.loss > 0).all():
        return
    some = slice(None, None, 1 + len(runs) // _MOST)
    sizes = {dim: runs.values(dim) for dim in runs.dims if np.ptp(runs.values(dim)) > 0}
    logs = {name: np.log(values[some]) for name, values in (*sizes.items(), ("flops", runs.flops))}
    metric = np.log(runs.loss[some])
    if len(metric) < 4 * len(logs):
        return
    best: tuple[float, float, str, float] | None = None
    for dim, values in sizes.items():
        basis = np.linalg.qr(_quadratic(logs, linear=dim))[0]
        rest = metric - basis @ (basis.T @ metric)
        found = np.unique(values[some])
        if not _VALUES <= len(found) <= _GROUPS or (found[1:] > _NEAREST * found[:-1]).any():
            continue
        for size in found:
            group = values[some] == size
            if not _OF_A_GROUP <= group.sum() <= len(group) / 2:
                continue
            apart, left = _factor_of(group, basis, rest)
            sure = abs(apart) >= np.log(_APART) and left * _EXPLAINED <= rest @ rest and left <= len(rest) * _LEFT**2
            if sure and (best is None or left < best[0]):
                best = (left, apart, dim, float(size))
    if best is None:
        return
    _, apart, dim, size = best
    factor = float(np.exp(apart))
    message = (
        f"{which_lines(runs, runs.values(dim) == size)}: {runs.metric!r} of every model with {dim} {size:g} is "
        f"{factor:.3g} times what the others give"
    )
    bits = min(abs(np.log(factor / scale)) for scale in (_BITS, 1 / _BITS)) < np.log(_NEAR)
    hint = "is it in bits there, and in nats elsewhere, or the other way round?" if bits else "is it of another scale?"
    yield Caution(codes.IMPLAUSIBLE_MAGNITUDE, message, hint)


def _factor_of(group: Bools, basis: Floats, rest: Floats) -> tuple[float, float]:
    """Return the logarithmic factor of a group beside a smooth function, and the sum of squares that it leaves.

    The coefficient of a dummy variable in ordinary least squares, by the theorem of Frisch, Waugh and Lovell.
    """
    indicator = group.astype(float)
    own = indicator - basis @ (basis.T @ indicator)
    square = float(own @ own)
    if square < _TOLD * group.sum():
        return 0.0, float(rest @ rest)
    apart = float(own @ rest) / square
    return apart, float(rest @ rest) - apart**2 * square


def _quadratic(logs: Mapping[str, Floats], linear: str) -> Floats:
    """Return the columns of a constant, and of every variable and its square, but for one that is linear."""
    columns = [np.ones(len(logs[linear]))]
    for name, values in logs.items():
        centred = values - values.mean()
        columns += [centred] if name == linear else [centred, centred**2]
    return np.column_stack(columns)
