"""``exponents``: how fast every dimension grows with compute, per metric (the paper's Figure 5)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shapeplan.figures.figure import Figure, no_figure
from shapeplan.fitting.evidence import Estimate
from shapeplan.fitting.result import Fit

ALONE, TOGETHER = "alone (s)", "together (S)"


def exponents(fits: Sequence[Fit]) -> Figure:
    """Return the exponents of one fit or several, one a metric, with intervals.

    Raises
    ------
    PlanError
        If no fit has an exponent.
    """
    names = _distinct(fits)
    table = tuple(
        {"metric": name, "dimension": dim, "kind": kind, **_ends(estimate)}
        for name, fit in zip(names, fits, strict=True)
        for kind, found in ((ALONE, fit.scaling_exponents), (TOGETHER, fit.growth_exponents))
        for dim, estimate in found.items()
        if np.isfinite(estimate.value)
    )
    if not table:
        raise no_figure("exponents", "no law has an exponent of growth", "fit a log with a star, or a law of shape")
    said = [
        f"{row['dimension']} {row['exponent']:.3g}"
        + (f" ({row['lower']:.3g} to {row['upper']:.3g})" if row["lower"] else "")
        for row in table
        if row["metric"] == names[0] and row["kind"] == table[0]["kind"]
    ]
    summary = f"As compute grows, {table[0]['kind']}, the best size grows as its power: {', '.join(said)}"
    summary += f" ({names[0]}; {len(names)} metrics)." if len(names) > 1 else "."
    labels = {"exponent": "exponent of compute", "dimension": "dimension", "metric": "metric"}
    return Figure("exponents", "Scaling exponents", summary, {"exponents": table}, labels)


def _ends(estimate: Estimate) -> dict[str, float | None]:
    low, high = estimate.ci or (None, None)
    return {"exponent": estimate.value, "lower": low, "upper": high}


def _distinct(fits: Sequence[Fit]) -> list[str]:
    """Return the metrics of fits; where two are of one name, with their law or their file."""
    names = [fit.metric for fit in fits]
    if len(set(names)) == len(names):
        return names
    longer = [f"{fit.metric}, {fit.law.form.name}" for fit in fits]
    return longer if len(set(longer)) == len(longer) else [f"{name} ({i})" for i, name in enumerate(longer, start=1)]
