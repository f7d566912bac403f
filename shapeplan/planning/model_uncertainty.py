"""Law uncertainty: what other laws, as good by the backtest, make of the same budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.fitting.records import Estimate, Interval, interval_at
from shapeplan.planning.optimum import Optimum
from shapeplan.planning.plan import LawPlan
from shapeplan.planning.shape_cost import ShapeCost

COSTLY = 0.01
"""Regret of a plan under another law that is worth a warning, however wide the intervals are."""


def under_rivals(optimum: Optimum, plan: ShapeCost) -> list[tuple[LawPlan, ...]]:
    """Return, for every budget, the best shape and its loss under every rival, and what the plan loses there."""
    columns = []
    for other in optimum.rivals:
        best = other.under(other.fit.law.arrays(), plan.flops, near=plan.shape)
        intervals = other.intervals(plan.flops, best)
        losses = other.losses(best, plan.flops)
        loss_ci = other.fit.loss_interval(**other.variables(best, plan.flops))
        with np.errstate(divide="ignore", invalid="ignore"):
            regret = other.losses(plan.shape, plan.flops) / losses - 1.0
        columns.append(
            [
                LawPlan(
                    law=other.fit.law.form.name,
                    shape={dim: float(values[i]) for dim, values in best.items()},
                    ci={dim: interval_at(intervals[dim], i) if intervals else None for dim in best},
                    loss=Estimate(float(losses[i]), interval_at(loss_ci, i) if loss_ci else None),
                    regret=float(regret[i]),
                    at_edge=tuple(other.at_edge({dim: float(values[i]) for dim, values in best.items()})),
                )
                if np.isfinite(losses[i]) and np.isfinite(regret[i])
                else None
                for i in range(len(plan.flops))
            ]
        )
    return [tuple(row for column in columns if (row := column[i])) for i in range(len(plan.flops))]


def disagreement(
    laws: Sequence[LawPlan], ci: Mapping[str, Interval | None], rounded: Estimate | None, best: Estimate | None
) -> tuple[Caution, ...]:
    """Return a caution where laws that are as good differ from the plan by more than both intervals, or make it costly.

    Parameters
    ----------
    laws : sequence of LawPlan
        What the other laws make of the budget.
    ci : mapping of str to interval or None
        Of the shape under the law of the plan.
    rounded, best : Estimate or None
        Loss under it of the plan, and of the best shape before rounding.
    """
    found = []
    # What rounding costs under the law of the plan is no disagreement.
    costly = COSTLY + (rounded.value / best.value - 1 if rounded and best else 0.0)
    for law in laws:
        if law.at_edge:  # It has no best shape to compare with.
            continue
        apart = [dim for dim, interval in law.ci.items() if _disjoint(interval, ci.get(dim))]
        shape = " x ".join(f"{value:.4g}" for value in law.shape.values())
        if apart or law.regret > costly:
            where = f", apart in {', '.join(apart)}" if apart else ""
            found.append(f"{law.law}: optimum {shape}{where}; this plan's regret {law.regret:.2%}")
        elif best is not None and _disjoint(law.loss.ci, best.ci):
            found.append(f"{law.law}: the same shape, but a loss of {law.loss.value:.4g}, not {best.value:.4g}")
    if not found:
        return ()
    message = f"laws that extrapolate about equally well (backtest) disagree: {'; '.join(found)}"
    hint = "a run nearer to the budget would decide between them: `shapeplan design next` tells which"
    return (Caution(codes.LAWS_DISAGREE, message, hint),)


def _disjoint(one: Interval | None, other: Interval | None) -> bool:
    return one is not None and other is not None and (one[1] < other[0] or other[1] < one[0])
