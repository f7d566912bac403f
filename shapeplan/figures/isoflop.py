"""``isoflop``: the loss against each dimension at fixed compute, with rows and the best size (the paper's Figure 2)."""

from __future__ import annotations

import itertools

import numpy as np

from shapeplan.figures.figure import Figure, Value, about, check_loss, finite, rows_behind, tied_note
from shapeplan.figures.predicted import described, shown_rows, thinned_note
from shapeplan.figures.profile import arm_loss, profile
from shapeplan.fitting.records import Estimate
from shapeplan.fitting.result import Fit
from shapeplan.numerics.arrays import Floats
from shapeplan.quantities import format_flops, format_size

LEVELS = (0.1, 0.5, 0.9)
"""Quantiles of the rows' compute at which curves are drawn."""
POINTS = 41
AROUND = 1.5
"""How far beyond the trained sizes, and the best one, curves go, as a factor."""
CARRIED = 4.0
"""How far in compute a row is carried along the law to a curve, as a factor; rows further off are not shown."""
_FINE = 20


def isoflop(fit: Fit, flops: float | None = None) -> Figure:
    """Return the least loss by size of every dimension at some computes, the rows near them, and the best sizes.

    Under a joint law the other dimensions are re-optimized along a curve; under Eq. 2 they are the centre's. A row is
    carried along the law to the curve nearest in compute: it is shown as far off the curve as the law misses it.

    Parameters
    ----------
    fit : Fit
        With a law that tells the loss of shapes, or Eq. 2, and rows.
    flops : float, optional
        One compute in place of three within the log.

    Raises
    ------
    PlanError
        If the fit has not what this needs.
    """
    of_star = not fit.law.form.joint
    rows = rows_behind(fit, "isoflop")
    if not of_star:
        check_loss(fit, "isoflop")
    levels = [flops] if flops else sorted({float(level) for level in np.quantile(np.unique(rows.flops), LEVELS)})
    curves: list[dict[str, Value]] = []
    optima: list[dict[str, Value]] = []
    points: list[dict[str, Value]] = []
    said = []
    shown = shown_rows(rows)
    nearest = np.argmin(np.abs(np.log(rows.flops[:, None]) - np.log(levels)), axis=1)
    found_at = {level: _best_on_arms(fit, level) if of_star else _best_inside(fit, level) for level in levels}
    for dim, level in itertools.product(fit.dims, levels):
        best = found_at[level].get(dim)
        sizes = _sizes(fit, dim, best)
        for size, loss in zip(sizes, profile(fit, dim, sizes, level), strict=True):
            curves.append({"dimension": dim, "compute": level, "size": float(size), "loss": finite(loss)})
        if best is not None:
            ends = best.ci or (None, None)
            loss = float(profile(fit, dim, np.array([best.value]), level)[0])
            found: dict[str, Value] = {
                "dimension": dim,
                "compute": level,
                "size": best.value,
                "lower": ends[0],
                "upper": ends[1],
            }
            optima.append({**found, "loss": finite(loss)})
            said += [f"{dim} {format_size(best.value)}"] if level == levels[-1] else []
    for dim in fit.dims:
        mine = np.array([part in (dim, "center") for part in rows.parts]) if of_star else np.ones(len(rows), bool)
        losses = np.full(len(rows), np.nan)
        for k, level in enumerate(levels):
            near = np.abs(np.log(rows.flops / level)) <= np.log(CARRIED)
            here = np.flatnonzero(mine & near & (nearest == k))
            if here.size:
                losses[here] = profile(fit, dim, rows.shape[dim][here], level) / (1 + rows.residuals[here])
        points += [
            {
                **described(rows, i),
                "dimension": dim,
                "compute": levels[nearest[i]],
                "size": float(rows.shape[dim][i]),
                "observed": float(rows.observed[i]),
                "loss": finite(losses[i]),
                "residual": finite(rows.residuals[i]),
            }
            for i in shown
            if np.isfinite(losses[i])
        ]
    at = f"{format_flops(levels[-1])} {fit.flops_convention} FLOPs"
    summary = f"At {at} the best sizes are {', '.join(said)}." if said else f"At {at} no size is best near the log."
    others = "are the centre's" if of_star else "are re-optimized along a curve"
    reading = (
        f"The other dimensions {others}. A row is carried along the law to the nearest curve within {CARRIED:g} times"
        " its compute, and is as far off the curve as the law misses it. Diamonds: best sizes, with intervals."
    )
    labels = {"loss": f"{fit.metric} at the compute", "compute": f"{fit.flops_convention} FLOPs", "size": "size"}
    tables = {"curves": tuple(curves), "rows": tuple(points), "optima": tuple(optima)}
    title = "Loss against each dimension at fixed compute"
    return Figure("isoflop", title, about(fit), summary, reading + tied_note(fit) + thinned_note(rows), tables, labels)


def _sizes(fit: Fit, dim: str, best: Estimate | None) -> Floats:
    """Return the sizes of a curve: those of the log, the best one and its interval, and some beyond."""
    found = [*fit.shape_range[dim], *((best.value, *(best.ci or ())) if best else ())]
    return np.geomspace(min(found) / AROUND, max(found) * AROUND, POINTS)


def _best_inside(fit: Fit, flops: float) -> dict[str, Estimate]:
    """Return the best sizes under a joint law, with intervals; without those at the edge of the trust region."""
    found = fit.optimum(flops)
    edge = fit.at_edge({dim: one.value for dim, one in found.items()}) if found else []
    return {dim: one for dim, one in found.items() if dim not in edge}


def _best_on_arms(fit: Fit, flops: float) -> dict[str, Estimate]:
    """Return the best sizes under Eq. 2, with intervals; without those at the edge of the trust region."""
    found = {}
    for dim, (low, high) in fit.bounds.items():
        sizes = np.geomspace(low, high, POINTS * _FINE)
        k = int(np.argmin(arm_loss(fit, dim, sizes, flops)))
        if 0 < k < len(sizes) - 1:
            found[dim] = Estimate(float(sizes[k]), _interval(fit, dim, sizes, k, flops))
    return found


def _interval(fit: Fit, dim: str, sizes: Floats, k: int, flops: float) -> tuple[float, float] | None:
    """Return the interval of the best size on an arm, the k-th, over the draws."""
    if not fit.bootstrap.draws:
        return None
    law = fit.law.form
    closed = law.optimum(fit.bootstrap.draws, np.log(np.asarray(flops) / fit.law.units["flops"]))
    if dim not in closed:
        return None
    best = np.clip(closed[dim] * fit.law.units[dim], sizes[0], sizes[-1])
    return fit.bootstrap.interval(best, float(sizes[k]))
