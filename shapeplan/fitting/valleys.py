"""The parabolas through the valleys of an isoFLOP sweep, and how their minima grow with compute.

This is the second approach of Hoffmann et al. 2022 (arXiv:2203.15556): the best size of a budget is where a parabola in
the logarithm of size is least, and the best sizes of all budgets grow as a power of compute. It knows no law, and so is
a check of any.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.polynomial.polynomial import polyder, polyroots, polyval

from shapeplan.fitting.isoflop import IsoFlops, State, Valley
from shapeplan.fitting.records import Estimate
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.runs import Runs
from shapeplan.sweeps.ladder import parameters_of

FEWEST_BUDGETS, FEWEST_SIZES = 3, 4
"""Budgets that make a sweep one of isoFLOPs, and sizes that a budget has at least."""
POLYNOMIALS = ((4.0, 2), (2.0, 2), (8.0, 2), (8.0, 3))
"""How far from the best row of a budget its polynomial is fitted, as a factor of size, and its degree. Valleys are
lopsided: the first is what is told, and by how much the others differ is part of its interval."""
FAR = 0.3
"""Loss above the least of a budget, as a share of it, from which a row is far from its valley."""
_GAP, _WIDEST = 0.1, 0.3
"""Step in the logarithm of compute that ends a budget, and spread above which rows are none."""
_APART = 0.5
"""Spread of a budget over the gap to the next row above which it is no budget: runs of any compute have such groups."""
_MOST_BESIDE = 0.4
"""Share of the rows of a sweep that may be of no budget."""
_TRADED = -0.5
"""Slope of examples against size, in logarithms, above which sizes of one compute do not trade examples for size."""
_TINY = 1e-300


def find_isoflops(runs: Runs, level: float = 0.9) -> IsoFlops | None:
    """Return the budgets of a log with their parabolas; None where it is no isoFLOP sweep.

    Parameters
    ----------
    runs : Runs
        The log, with a metric.
    level : float
        Coverage of the interval of the growth.
    """
    sizes = parameters_of(runs)
    budgets = [] if sizes is None else _budgets(runs, sizes)
    if sizes is None or not budgets:
        return None
    loss = runs.observed()
    lowest = [rows[np.argmin(loss[rows])] for rows in budgets]
    # Rows of a budget differ a little in compute: what that is worth is read off the best rows of all budgets.
    slope = _slope(np.log(runs.flops[lowest]), np.log(loss[lowest]))
    fitted = [[_valley(runs, sizes, rows, slope, *one) for rows in budgets] for one in POLYNOMIALS]
    return IsoFlops(tuple(fitted[0]), _growth(fitted, level))


def is_far(runs: Runs) -> Bools:
    """Return which rows of an isoFLOP sweep are far from the valley of their budget, shape (rows,)."""
    far, loss, sizes = np.zeros(len(runs), dtype=bool), runs.observed(), parameters_of(runs)
    for rows in [] if sizes is None else _budgets(runs, sizes):
        far[rows] = loss[rows] > (1 + FAR) * loss[rows].min()
    return far


def _budgets(runs: Runs, sizes: Floats) -> list[Index]:
    """Return the rows of every budget, in order of compute; none where the log is no isoFLOP sweep."""
    order = np.argsort(runs.flops, kind="stable")
    steps = np.diff(np.log(runs.flops[order]))
    ends = np.flatnonzero(steps > _GAP) + 1
    around = np.concatenate([[np.inf], steps[ends - 1], [np.inf]])
    groups = zip(np.split(order, ends), np.minimum(around[:-1], around[1:]), strict=True)
    budgets = [rows for rows, gap in groups if _is_budget(runs, sizes, rows, gap)]
    covered = sum(map(len, budgets))
    return budgets if len(budgets) >= FEWEST_BUDGETS and covered >= (1 - _MOST_BESIDE) * len(runs) else []


def _is_budget(runs: Runs, sizes: Floats, rows: Index, gap: float) -> bool:
    """Return whether rows have one compute, far from the next, and sizes that trade examples for parameters."""
    spread = np.ptp(np.log(runs.flops[rows]))
    if spread > min(_WIDEST, _APART * gap) or len(np.unique(sizes[rows])) < FEWEST_SIZES:
        return False
    return runs.examples is None or _slope(np.log(sizes[rows]), np.log(runs.examples[rows])) < _TRADED


def _slope(x: Floats, y: Floats) -> float:
    centred = x - x.mean()
    return float((centred * y).sum() / max(float((centred**2).sum()), _TINY))


def _valley(runs: Runs, sizes: Floats, rows: Index, slope: float, window: float, degree: int) -> Valley:
    middle = float(np.log(runs.flops[rows]).mean())
    x = np.log(sizes[rows])
    y = np.log(runs.observed()[rows]) - slope * (np.log(runs.flops[rows]) - middle)
    state, best, error = _vertex(x, y, np.log(window), degree)
    return Valley(float(np.exp(middle)), len(np.unique(x)), float(np.expm1(np.ptp(y))), state, best, error)


def _vertex(x: Floats, y: Floats, window: float, degree: int) -> tuple[State, float | None, float | None]:
    """Return the size at which a polynomial near the least y is least, and the error of its logarithm (delta method).

    Both are None unless the minimum is inside.
    """
    lowest = x[np.argmin(y)]
    near = np.abs(x - lowest) <= window
    if len(np.unique(x[near])) < degree + 2:
        # The sizes are far apart: those next to the best are all there is to fit to.
        distinct = np.unique(x)
        near = np.isin(x, distinct[np.argsort(np.abs(distinct - lowest), kind="stable")][: degree + 2])
    some = x[near] - lowest
    if len(np.unique(some)) < degree + 2:
        return "few", None, None
    columns = some[:, None] ** np.arange(degree + 1)
    inverse = np.linalg.pinv(columns.T @ columns)
    fitted = inverse @ columns.T @ y[near]
    slope, bend = polyder(fitted), polyder(fitted, 2)
    minima = [float(root.real) for root in polyroots(slope) if root.imag == 0 and polyval(root.real, bend) > 0]
    if not minima:
        return "upside-down", None, None
    least = min(minima, key=abs)
    if not x.min() < lowest + least < x.max() or lowest in (x.min(), x.max()):
        return "edge", None, None
    left = y[near] - columns @ fitted
    variance = float(left @ left) / max(len(some) - degree - 1, 1)
    powers = np.arange(degree + 1)
    gradient = -powers * least ** np.maximum(powers - 1, 0) / polyval(least, bend)
    return "inside", float(np.exp(lowest + least)), float(np.sqrt(variance * (gradient @ inverse @ gradient)))


def _growth(fitted: Sequence[Sequence[Valley]], level: float) -> Estimate | None:
    """Return the growth of the best size over the budgets whose minimum is inside, by the first of the polynomials."""
    lines = [line for valleys in fitted if (line := _line_through(valleys, level)) is not None]
    if not lines or _line_through(fitted[0], level) is None:
        return None
    value, half = lines[0]
    half = float(np.hypot(half, max(abs(other - value) for other, _ in lines)))
    return Estimate(value, (value - half, value + half))


def _line_through(valleys: Sequence[Valley], level: float) -> tuple[float, float] | None:
    """Return the slope of the logarithm of the best size on that of compute, and half of its interval.

    A straight line with a random effect beside each vertex's own error (DerSimonian and Laird 1986): a parabola is not
    the law, and vertices scatter more than their errors say. Student's t has as many degrees of freedom as there are
    budgets beyond two.
    """
    inside = [(valley.flops, valley.best, valley.error) for valley in valleys if valley.state == "inside"]
    if len(inside) < FEWEST_BUDGETS:
        return None
    # Loaded where a line is drawn: `check` of a log without budgets starts without.
    from scipy.special import stdtrit

    flops, best, error = np.array(inside, dtype=float).T
    x, y, own = np.log(flops), np.log(best), error**2
    weights = 1.0 / np.maximum(own + _between(x, y, own), _TINY)
    centred = x - np.average(x, weights=weights)
    spread = float((weights * centred**2).sum())
    value = float((weights * centred * y).sum()) / spread
    left = y - np.average(y, weights=weights) - value * centred
    freedom = len(x) - 2
    # Where vertices scatter by less than their errors say, the errors are believed.
    scale = max(float((weights * left**2).sum()) / freedom, 1.0)
    return value, float(stdtrit(freedom, (1 + level) / 2) * np.sqrt(scale / spread))


def _between(x: Floats, y: Floats, own: Floats) -> float:
    """Return the variance of vertices about a line beyond their own, by the method of moments."""
    centred = x - x.mean()
    left = y - y.mean() - _slope(x, y) * centred
    leverage = 1 / len(x) + centred**2 / max(float((centred**2).sum()), _TINY)
    return max(float((left**2 - own * (1 - leverage)).sum()) / max(len(x) - 2, 1), 0.0)
