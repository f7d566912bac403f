"""How flat the loss is around the best shape: the values that are nearly as good, and what a wrong one costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.numerics.arrays import Floats, central_interval
from shapeplan.planning.optimum import KNOTS, Optimum, between_knots, knots_of
from shapeplan.planning.plan import Deviation

TOLERANCE = 0.005
"""Relative excess loss up to which a shape is as good as the best: the width of the valley in PAPER.md."""
FACTORS = (0.5, 0.5**0.5, 2.0**0.5, 2.0)
_POINTS = 13
_ROUNDS = 3
_NOWHERE = 1e3
"""Logarithm of the loss that stands for no shape at all."""


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
    if not (losses > 0).all():
        return {}
    least = np.log(losses)
    bounds = optimum.asked.bounds(optimum.fit)
    sides = [(dim, edge) for dim in bounds if dim not in optimum.asked.held for edge in bounds[dim]]
    if not sides:
        return {}
    crossings = _crossings(optimum, sides, at_knots, knots, least, float(np.log1p(tolerance)))
    shares = [
        between_knots(crossing - np.log(at_knots[dim]), knots, flops)
        for (dim, _), crossing in zip(sides, crossings, strict=True)
    ]
    return {
        dim: (best[dim] * np.exp(low), best[dim] * np.exp(high))
        for (dim, _), low, high in zip(sides[::2], shares[::2], shares[1::2], strict=True)
    }


def _crossings(
    optimum: Optimum,
    sides: Sequence[tuple[str, float]],
    best: Mapping[str, Floats],
    flops: Floats,
    least: Floats,
    depth: float,
) -> Floats:
    """Return where, between the best shape and an edge, the profile of the loss is so far above the least.

    In logarithms, shape (sides, budgets). The profile rises outwards: a grid brackets the crossing, which the false
    position then closes in on, for all sides and budgets at once.
    """
    inside = np.log(np.array([best[dim] for dim, _ in sides]))
    edge = np.log(np.array([edge for _, edge in sides]))[:, None]
    places = inside + np.linspace(0.0, 1.0, _POINTS)[:, None, None] * (edge - inside)

    def over(places: Floats) -> Floats:
        # The root of a bowl's depth is a line, on which the false position is at once near the crossing.
        excess = np.maximum(_profile(optimum, sides, places, best, flops) - least, 0.0)
        return np.asarray(np.sqrt(excess) - np.sqrt(depth))

    def at(values: Floats, index: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> Floats:
        return np.asarray(np.take_along_axis(values, index, axis=0)[0])

    found = over(places)
    far = np.maximum(np.argmax(found > 0, axis=0), 1)[None]
    a, b, over_a, over_b = at(places, far - 1), at(places, far), np.minimum(at(found, far - 1), 0.0), at(found, far)
    for _ in range(_ROUNDS):
        share = -over_a / np.where(over_b > over_a, over_b - over_a, 1.0)
        middle = a + np.clip(share, 0.0, 1.0) * (b - a)
        value = over(middle[None])[0]
        beyond = value > 0
        a, over_a = np.where(beyond, a, middle), np.where(beyond, over_a, value)
        b, over_b = np.where(beyond, middle, b), np.where(beyond, value, over_b)
    crossing = np.where(np.abs(over_a) < np.abs(over_b), a, b)
    return np.where((found > 0).any(axis=0), crossing, edge)


def _profile(
    optimum: Optimum, sides: Sequence[tuple[str, float]], places: Floats, best: Mapping[str, Floats], flops: Floats
) -> Floats:
    """Return the logarithm of the least loss with the dimension of a side held, shape (places, sides, budgets)."""

    def spread(values: ArrayLike) -> Floats:
        return np.broadcast_to(np.asarray(values, dtype=float), places.shape).ravel()

    sizes, compute = np.exp(places), spread(flops)
    bounds: dict[str, tuple[ArrayLike, ArrayLike]] = {}
    for name, ends in optimum.asked.bounds(optimum.fit).items():
        held = np.array([dim == name for dim, _ in sides])[:, None]
        low, high = (np.where(held, sizes, end).ravel() for end in ends)
        bounds[name] = (low, high)
    near = {name: spread(values) for name, values in best.items()}
    found = optimum.fit.best_shapes(optimum.fit.law.arrays(), compute, bounds, optimum.asked.limits, near)
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = np.log(optimum.losses(found, compute))
    return np.where(np.isfinite(loss), loss, _NOWHERE).reshape(places.shape)


def deviations(optimum: Optimum, best: Mapping[str, Floats], flops: Floats) -> list[tuple[Deviation, ...]]:
    """Return, for every budget, what a dimension off the best shape costs, the others and the budget the same."""
    moves = [(dim, factor) for dim in best if dim not in optimum.asked.held for factor in FACTORS]
    if not moves:
        return [()] * len(flops)
    moved = {
        name: np.array([factor * values if dim == name else values for dim, factor in moves])
        for name, values in best.items()
    }
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
