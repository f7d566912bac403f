"""Excess loss around the best shape."""

from __future__ import annotations

from typing import Any

import altair as alt

from shapeplan.figures.figure import Figure
from shapeplan.render.charts import theme

_TICKS = [0.25, 0.5, 1, 2, 4]
_NEAR = 2.0
"""Factor off the best size up to which everything is shown; what costs much more further off is cut."""


def valley_chart(figure: Figure) -> Any:
    """Return a line a dimension, with the excess that counts as none as a rule; a panel for each kind of others."""
    rows = figure.tables["excess"]
    dims = theme.names(rows, "dimension")
    near = tuple(row for row in rows if isinstance(row["factor"], float) and 1 / _NEAR <= row["factor"] <= _NEAR)
    top = 1.2 * max(theme.column(near, "excess"))
    tips = [
        alt.Tooltip("dimension:N"),
        alt.Tooltip("factor:Q", format=".3~g"),
        alt.Tooltip("size:Q", format=theme.SIZE),
    ]
    x = alt.X(
        "factor:Q",
        title=figure.labels["factor"],
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(values=_TICKS, format="~g"),
    )
    scale = alt.Scale(domain=[0, top], nice=False)
    y = alt.Y("excess:Q", title=figure.labels["excess"], axis=alt.Axis(format=".1~%"), scale=scale)
    rule = alt.Chart(theme.data("tolerance")).mark_rule(color=theme.MUTED, strokeDash=[4, 3])
    panels = []
    for kind in theme.names(rows, "kind"):
        base = (
            alt.Chart(theme.data("excess"))
            .transform_filter(theme.only("kind", kind))
            .encode(x=x, y=y, color=theme.colour(dims, "dimension"))
        )
        lines = base.mark_line(strokeWidth=2, clip=True)
        points = base.mark_point(size=24, filled=True, clip=True).encode(
            shape=theme.mark_shape(dims, "dimension"), tooltip=[*tips, alt.Tooltip("excess:Q", format=".2%")]
        )
        panel = rule.encode(y=alt.Y("tolerance:Q", scale=scale)) + lines + points
        panels.append(panel.properties(width=theme.WIDTH, height=theme.HEIGHT, title=kind))
    return theme.finished(alt.concat(*panels, columns=2), figure)
