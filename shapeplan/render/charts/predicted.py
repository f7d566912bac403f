"""Predicted against observed."""

from __future__ import annotations

from typing import Any

import altair as alt

from shapeplan.figures.figure import Figure
from shapeplan.render.charts import theme


def predicted_chart(figure: Figure) -> Any:
    """Return rows on a line that they would be on if the law held: arms by colour, what was never fitted hollow."""
    rows = figure.tables["rows"]
    parts = theme.parts(rows)
    seen = theme.column(rows, "observed") + theme.column(rows, "predicted")
    ends = alt.InlineData(values=[{"observed": value, "predicted": value} for value in (min(seen), max(seen))])
    x = alt.X(**theme.log_axis("observed", figure.labels["observed"], seen, "~g"))
    y = alt.Y(**theme.log_axis("predicted", figure.labels["predicted"], seen, "~g"))
    line = alt.Chart(ends).mark_line(color=theme.MUTED, strokeDash=[4, 3]).encode(x=x, y=y)
    base = alt.Chart(theme.data("rows")).encode(
        x=x, y=y, color=theme.colour(parts, "part"), shape=theme.mark_shape(parts, "part"), tooltip=row_tooltip()
    )
    fitted = base.transform_filter("datum.fitted").mark_point(size=45, filled=True, opacity=0.75)
    unseen = base.transform_filter("!datum.fitted").mark_point(size=55, strokeWidth=1.8, opacity=1)
    layers = [line]
    layers += [fitted] if any(row["fitted"] for row in rows) else []
    layers += [unseen] if not all(row["fitted"] for row in rows) else []
    return theme.finished(alt.layer(*layers).properties(width=1.4 * theme.WIDTH, height=1.4 * theme.WIDTH), figure)


def row_tooltip() -> list[alt.Tooltip]:
    """Return what hovering over a row tells: its run and line first."""
    tips = [alt.Tooltip(f"{name}:N") for name in ("run", "line", "part", "shape")]
    tips += [alt.Tooltip("flops:Q", format=".3~e"), alt.Tooltip("observed:Q", format=".4~g")]
    return [*tips, alt.Tooltip("fitted:N"), alt.Tooltip("residual:Q", format="+.2%")]
