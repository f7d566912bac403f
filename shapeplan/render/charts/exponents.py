"""Scaling exponents with intervals, per metric."""

from __future__ import annotations

from typing import Any

import altair as alt

from shapeplan.figures.figure import Figure
from shapeplan.render.charts import theme

_LINE = 26
"""Pixels of a row."""


def exponents_chart(figure: Figure) -> Any:
    """Return a panel a dimension: a point with its interval for every metric and kind of exponent."""
    rows = figure.tables["exponents"]
    kinds, metrics, dims = (theme.names(rows, name) for name in ("kind", "metric", "dimension"))
    tips = [alt.Tooltip(f"{name}:N") for name in ("metric", "dimension", "kind")]
    tips += [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("exponent", "lower", "upper")]
    ends = theme.column(rows, "lower") + theme.column(rows, "upper") + theme.column(rows, "exponent")
    scale = alt.Scale(domain=[min(0.0, *ends), max(ends) * 1.05], nice=False)
    panels = []
    for dim in dims:
        mine = theme.names(tuple(row for row in rows if row["dimension"] == dim), "kind")
        base = (
            alt.Chart(theme.data("exponents"))
            .transform_filter(theme.only("dimension", dim))
            .encode(
                y=alt.Y("metric:N", title=None, sort=metrics),
                yOffset=alt.YOffset("kind:N", sort=kinds),
                color=theme.colour(kinds, "kind"),
                tooltip=tips,
            )
        )
        title = figure.labels["exponent"] if dim == dims[-1] else None
        bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("lower:Q", title=title, scale=scale), x2="upper:Q")
        x = alt.X("exponent:Q", title=title, scale=scale)
        points = base.mark_point(size=70, filled=True, opacity=1).encode(x=x, shape=theme.mark_shape(kinds, "kind"))
        high = _LINE * len(metrics) * max(1, len(mine))
        layers = [bars, points] if theme.column(rows, "lower") else [points]
        panels.append(alt.layer(*layers).properties(width=1.6 * theme.WIDTH, height=max(high, 2 * _LINE), title=dim))
    return theme.finished(alt.vconcat(*panels), figure)
