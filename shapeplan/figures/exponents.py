"""``exponents``: how fast every dimension grows with compute, per metric (the paper's Figure 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shapeplan.figures.figure import Figure, Table, Value, no_figure
from shapeplan.fitting.records import Estimate
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen

ALONE, TOGETHER = "alone (s)", "together (S)"


@frozen
class Growth:
    """Exponents of compute by dimension: while the others stay, and while all follow the optimum."""

    alone: Mapping[str, Estimate]
    together: Mapping[str, Estimate]

    @property
    def other(self) -> Mapping[str, Estimate]:
        """Those together, where they are not those alone once more, as for Eq. 2."""
        return {} if self.together == self.alone else self.together


def growths(fits: Sequence[Fit]) -> dict[str, Growth]:
    """Return the exponents of fits by metric; where metrics are of one name, with their law, file, or a number."""
    names = [fit.metric for fit in fits]
    laws = [fit.law.form.name for fit in fits]
    if len(set(names)) < len(names):
        files = [fit.sources[0].name if fit.sources else fit.law.form.name for fit in fits]
        names = [f"{fit.metric}, {own}" for fit, own in zip(fits, files if len(set(files)) > 1 else laws, strict=True)]
    if len(set(names)) < len(names):
        names = [f"{name} ({i})" for i, name in enumerate(names, start=1)]
    found = (Growth(fit.scaling_exponents, fit.growth_exponents) for fit in fits)
    return dict(zip(names, found, strict=True))


def exponents(found: Mapping[str, Growth]) -> Figure:
    """Return the exponents of one metric or several, with intervals.

    Raises
    ------
    PlanError
        If there is none.
    """
    table: Table = tuple(
        {"metric": metric, "dimension": dim, "kind": kind, **_ends(estimate)}
        for metric, growth in found.items()
        for kind, estimates in ((ALONE, growth.alone), (TOGETHER, growth.other))
        for dim, estimate in estimates.items()
        if np.isfinite(estimate.value)
    )
    if not table:
        raise no_figure("exponents", "no law has an exponent of growth", "fit a log with a star, or a law of shape")
    first, kind = table[0]["metric"], table[0]["kind"]
    said = ", ".join(_said(row) for row in table if row["metric"] == first and row["kind"] == kind)
    summary = f"As compute grows, the best size of a dimension {kind} grows as its power: {said}"
    summary += f" ({first}, the first of {len(found)})." if len(found) > 1 else "."
    labels = {"exponent": "exponent of compute", "dimension": "dimension", "metric": "metric"}
    reading = "Bars: intervals. Alone: the other dimensions stay; together: all follow the best shape."
    of = ", ".join(found)
    return Figure("exponents", "Scaling exponents", of, summary, reading, {"exponents": table}, labels)


def _ends(estimate: Estimate) -> dict[str, Value]:
    low, high = estimate.ci or (None, None)
    return {"exponent": estimate.value, "lower": low, "upper": high}


def _said(row: Mapping[str, Value]) -> str:
    ends = "" if row["lower"] is None else f" ({row['lower']:.3g} to {row['upper']:.3g})"
    return f"{row['dimension']} {row['exponent']:.3g}{ends}"
