"""How flat the loss is around the best shape: the values that are nearly as good, and what a wrong one costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.numerics.arrays import Floats, Index, central_interval
from shapeplan.numerics.roots import roots
from shapeplan.planning.optimum import KNOTS, Optimum, between_knots, knots_of
from shapeplan.planning.plan import Deviation

TOLERANCE = 0.005
"""Relative excess loss up to which a shape is as good as the best: the width of the valley in PAPER.md."""
FACTORS = (0.5, 0.5**0.5, 2.0**0.5, 2.0)
_POINTS = 13
_CLOSE = 2e-5
"""Relative error of the root of the loss above the least."""
_LEAST = 1e-12


def check_tolerance(tolerance: float) -> float:
    """Return the tolerance; raise `ArgumentError` unless it is above 0 and below 1."""
    if not 0 < tolerance < 1:
        message = f"a tolerance of {tolerance:g} is out of range"
        raise ArgumentError(ErrorDetail("bad-tolerance", message, "give e.g. 0.5%", value=f"{tolerance:g}"))
    return tolerance


def valley(
    optimum: Optimum, best: Mapping[str, Floats], flops: Floats, tolerance: float
) -> dict[str, tuple[Floats, Floats]]:
    """Return the values of every free dimension within a tolerance of the best loss, the rest re-optimized.

    Parameters
    ----------
    optimum : Optimum
        The law, with what the shape must keep.
    best : mapping of str to ndarray, shape (budgets,)
        The best shapes.
    flops : ndarray, shape (budgets,)
        Budgets.
    tolerance : float
        Relative excess loss.

    Returns
    -------
    dict of str to (ndarray, ndarray), shape (budgets,) each
        Smallest and largest value; they end at the edge of the trust region. Dimensions that are fixed are left out.
    """
    knots = knots_of(flops)
    at_knots = best if len(knots) == len(flops) else optimum.shapes(knots)
    losses = optimum.losses(at_knots, knots)
    bounds = optimum.asked.bounds(optimum.fit)
    sides = [(dim, edge) for dim in bounds if dim not in optimum.asked.held for edge in bounds[dim]]
    if not (losses > 0).all() or not sides:
        return {}
    profiles = _Profiles(optimum, sides, at_knots, knots)
    ends = profiles.crossings(np.log(losses), float(np.log1p(tolerance))) - profiles.inside
    shares = [between_knots(end, knots, flops) for end in ends.reshape(len(sides), -1)]
    return {
        dim: (best[dim] * np.exp(low), best[dim] * np.exp(high))
        for (dim, _), low, high in zip(sides[::2], shares[::2], shares[1::2], strict=True)
    }


class _Profiles:
    """The least loss with one dimension held, between its best value and an edge: a profile a side and budget."""

    def __init__(
        self, optimum: Optimum, sides: Sequence[tuple[str, float]], best: Mapping[str, Floats], flops: Floats
    ) -> None:
        self.optimum = optimum
        self.held = np.repeat([dim for dim, _ in sides], len(flops))
        self.edge = np.log(np.repeat([edge for _, edge in sides], len(flops)))
        self.flops = np.tile(flops, len(sides))
        self.best = {dim: np.tile(sizes, len(sides)) for dim, sizes in best.items()}
        self.inside = np.log(np.concatenate([best[dim] for dim, _ in sides]))

    def crossings(self, least: Floats, depth: float) -> Floats:
        """Return where each profile is so far above the least loss, or its edge where it is nowhere.

        In logarithms, shape (profiles,). A profile rises outwards: a grid brackets the crossing.
        """
        every = np.arange(len(self.edge))
        least = np.tile(least, len(every) // len(least))
        # A search ends on the outer side of its aim, so half of what a crossing may be off is aimed inside.
        aim = np.sqrt(depth) * (1 - _CLOSE / 2)

        def over(places: Floats, which: Index) -> Floats:
            # The root of a bowl's depth is a line, on which the false position is at once near the crossing.
            return np.asarray(np.sqrt(np.maximum(self.log_loss(places, which) - least[which], 0.0)) - aim)

        places = self.inside + np.linspace(0.0, 1.0, _POINTS)[:, None] * (self.edge - self.inside)
        found = over(places.ravel(), np.tile(every, _POINTS)).reshape(places.shape)
        far = np.maximum(np.argmax(found > 0, axis=0), 1)
        near = (far - 1, every)
        ends = roots(
            # Shares of the way outwards, since a side may lie below the best value.
            lambda share, which: over(self.inside[which] + share * (self.edge - self.inside)[which], which),
            (far - 1) / (_POINTS - 1),
            far / (_POINTS - 1),
            np.minimum(found[near], -_LEAST),
            found[far, every],
            width=_CLOSE,
            residual=_CLOSE * np.sqrt(depth),
        )
        reached = (found > 0).any(axis=0)
        return np.asarray(np.where(reached, self.inside + ends * (self.edge - self.inside), self.edge))

    def log_loss(self, places: Floats, which: Index) -> Floats:
        """Return the logarithm of the least loss with sizes held at places, shape (problems,) as the profiles are."""
        bounds: dict[str, tuple[ArrayLike, ArrayLike]] = {}
        for name, ends in self.optimum.asked.bounds(self.optimum.fit).items():
            held = self.held[which] == name
            low, high = (np.where(held, np.exp(places), end) for end in ends)
            bounds[name] = (low, high)
        near, flops = {name: sizes[which] for name, sizes in self.best.items()}, self.flops[which]
        fit, limits = self.optimum.fit, self.optimum.asked.limits
        found = fit.best_shapes(fit.law.arrays(), flops, bounds, limits, near)
        with np.errstate(invalid="ignore", divide="ignore"):
            loss = np.log(self.optimum.losses(found, flops))
        return np.where(np.isfinite(loss), loss, np.inf)


def deviations(optimum: Optimum, best: Mapping[str, Floats], flops: Floats) -> list[tuple[Deviation, ...]]:
    """Return, for every budget, what a dimension off the best shape costs, the others and the budget the same.

    A dimension that is kept in proportion to another moves with it, and has no cost of its own: none is known.
    """
    kept = {dim: tie for dim, tie in optimum.fit.dimensions.kept.items() if dim not in optimum.asked.held}
    moves = [(dim, factor) for dim in best if dim not in (*optimum.asked.held, *kept) for factor in FACTORS]
    if not moves:
        return [()] * len(flops)
    moved = {
        name: np.array([factor * values if dim == name else values for dim, factor in moves])
        for name, values in best.items()
    }
    moved |= {dim: tie.of(moved[tie.to]) for dim, tie in kept.items()}
    excess = optimum.losses(moved, flops) / optimum.losses(best, flops) - 1.0
    # A shape that breaks the limits costs nothing that could be paid.
    excess = np.where(optimum.asked.kept_by(optimum.fit, moved, flops), excess, np.nan)
    draws = optimum.draws() if len(flops) <= KNOTS else {}
    ends: tuple[Floats, Floats] | None = None
    if draws:
        columns = {name: values[:, None, None] for name, values in draws.items()}
        excess_draws = optimum.losses(moved, flops, columns) / optimum.losses(best, flops, columns) - 1.0
        ends = central_interval(excess_draws, optimum.fit.bootstrap.level)
    return [
        tuple(
            Deviation(dim, factor, float(excess[k, i]), (float(ends[0][k, i]), float(ends[1][k, i])) if ends else None)
            for k, (dim, factor) in enumerate(moves)
            if np.isfinite(excess[k, i])
        )
        for i in range(len(flops))
    ]
