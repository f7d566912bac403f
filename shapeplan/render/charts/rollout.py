"""Held-out error by law and distance."""

from __future__ import annotations

from typing import Any

import altair as alt

from shapeplan.figures.figure import Figure
from shapeplan.render.charts import theme


def rollout_chart(figure: Figure) -> Any:
    """Return a line a law, the law of choice thicker."""
    rows = figure.tables["errors"]
    laws = theme.names(rows, "law")
    base = alt.Chart(theme.data("errors")).encode(
        x=alt.X(**theme.log_axis("distance", figure.labels["distance"], theme.column(rows, "distance"), "~g")),
        y=alt.Y(**theme.log_axis("error", figure.labels["error"], theme.column(rows, "error"), ".2~%")),
        color=theme.colour(laws, "law"),
    )
    lines = base.mark_line().encode(strokeWidth=alt.condition("datum.chosen", alt.value(3), alt.value(1.3)))
    tips = [alt.Tooltip("law:N"), alt.Tooltip("distance:Q", format=".3~g"), alt.Tooltip("error:Q", format=".2%")]
    points = base.mark_point(size=50, filled=True).encode(
        shape=theme.mark_shape(laws, "law"), tooltip=[*tips, alt.Tooltip("rows:Q")]
    )
    return theme.finished((lines + points).properties(width=1.6 * theme.WIDTH, height=1.2 * theme.HEIGHT), figure)
