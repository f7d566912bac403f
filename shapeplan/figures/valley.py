"""``valley``: what a size off the best one costs (the paper's Figure 6)."""

from __future__ import annotations

import numpy as np

from shapeplan.figures.figure import (
    Figure,
    Table,
    Value,
    about,
    check_loss,
    compute_label,
    finite,
    no_figure,
    tied_note,
)
from shapeplan.figures.profile import held_loss, profile
from shapeplan.fitting.result import OPTIMUM_AT, Fit
from shapeplan.planning.sensitivity import TOLERANCE
from shapeplan.quantities import format_flops, format_size

POINTS = 33
REACH = 4.0
"""How far from the best size, as a factor."""
HELD, FOLLOWING = "others held", "others re-optimized"


def valley(fit: Fit, flops: float | None = None, points: int = POINTS) -> Figure:
    """Return the excess loss by the factor that a dimension is off the best shape at a budget.

    Parameters
    ----------
    fit : Fit
        With a joint law that tells the loss of shapes.
    flops : float, optional
        Compute, in the convention of the law; ten times the largest of the log by default.
    points : int
        Of a curve; odd, so that one is at the best size.

    Raises
    ------
    PlanError
        If the law predicts no loss away from an arm, or has no best shape there.
    """
    check_loss(fit, "valley")
    place = flops or OPTIMUM_AT * fit.flops_range[1]
    best = fit.best_at(place)
    if not best or fit.at_edge(best):
        why = f"at {format_flops(place)} {fit.flops_convention} FLOPs the law has no best shape near the trained ones"
        raise no_figure("valley", why, "ask for another compute with `flops`")
    variables = fit.variables({dim: np.array(size) for dim, size in best.items()}, place)
    least = float(fit.law.loss(**variables))
    factors = np.geomspace(1 / REACH, REACH, points)
    table: list[dict[str, Value]] = []
    for dim, size in best.items():
        low, high = fit.bounds[dim]
        inside = factors[(factors * size >= low) & (factors * size <= high)]
        found = {
            FOLLOWING: profile(fit, dim, inside * size, place),
            HELD: held_loss(fit, best, dim, inside * size, place),
        }
        table += [
            {
                "dimension": dim,
                "kind": kind,
                "factor": float(factor),
                "size": float(factor * size),
                "excess": finite(loss / least - 1.0),
            }
            for kind, losses in found.items()
            for factor, loss in zip(inside, losses, strict=True)
        ]
    tables: dict[str, Table] = {"excess": tuple(table), "tolerance": ({"tolerance": TOLERANCE},)}
    shape = ", ".join(f"{dim} {format_size(size)}" for dim, size in best.items())
    twice = ", ".join(f"{dim} {_at(table, dim, 2.0)}" for dim in best)
    at = f"{format_flops(place)} {fit.flops_convention} FLOPs"
    summary = f"Around the best shape at {at} ({shape}), twice its size costs, the others held: {twice}."
    reading = f"Dashed: {TOLERANCE:.1%}, which counts as nothing." + tied_note(fit)
    labels = {"factor": "size / best size", "excess": "excess loss", "flops": compute_label(fit)}
    return Figure("valley", "What a size off the best one costs", about(fit), summary, reading, tables, labels)


def _at(table: list[dict[str, Value]], dim: str, factor: float) -> str:
    """Return the excess, the others held, at a factor."""
    for row in table:
        if row["dimension"] == dim and row["kind"] == HELD and abs(float(row["factor"] or 0) / factor - 1) < 1e-6:
            excess = row["excess"]
            return "-" if excess is None else f"{float(excess):.2%}"
    return "-"
