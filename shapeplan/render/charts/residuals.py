"""Residuals against compute and every dimension."""

from __future__ import annotations

from typing import Any

import altair as alt

from shapeplan.figures.figure import Figure
from shapeplan.render.charts import theme
from shapeplan.render.charts.predicted import row_tooltip


def residuals_chart(figure: Figure) -> Any:
    """Return a panel a variable, with zero as a line."""
    rows = figure.tables["rows"]
    parts, panels = theme.parts(rows), []
    for name in theme.names(rows, "variable"):
        base = alt.Chart(theme.data("rows")).transform_filter(theme.only("variable", name))
        values = theme.column(rows, "value", variable=name)
        form = ".1~e" if name == figure.labels["flops"] else "~s"
        points = base.mark_point(size=35, strokeWidth=1.3).encode(
            x=alt.X(**theme.log_axis("value", name, values, form)),
            y=alt.Y("residual:Q", title=figure.labels["residual"], axis=alt.Axis(format="+.1%")),
            color=theme.colour(parts, "part"),
            shape=theme.mark_shape(parts, "part"),
            tooltip=row_tooltip(),
        )
        zero = alt.Chart(alt.InlineData(values=[{"residual": 0}])).mark_rule(color=theme.MUTED).encode(y="residual:Q")
        panels.append((zero + points).properties(width=theme.WIDTH, height=0.8 * theme.HEIGHT))
    return theme.finished(alt.concat(*panels, columns=2), figure)
