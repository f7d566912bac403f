"""Loss against each dimension at fixed compute."""

from __future__ import annotations

from typing import Any

import altair as alt

from shapeplan.figures.figure import Figure
from shapeplan.render.charts import theme
from shapeplan.render.charts.predicted import row_tooltip


def isoflop_chart(figure: Figure) -> Any:
    """Return a panel a dimension: curves by compute, rows on them, and the best size with its interval."""
    curves, rows, optima = (figure.tables[name] for name in ("curves", "rows", "optima"))
    levels = sorted(set(theme.column(curves, "compute")))
    scale = alt.Scale(domain=levels, range=list(theme.COLOURS[: len(levels)]))
    shade = alt.Color("compute:O", title=figure.labels["compute"], scale=scale, legend=alt.Legend(format=".2~e"))
    seen = theme.column(curves, "loss") + theme.column(rows, "loss")
    # One scale for all panels: what is flat in one dimension looks flat beside the others.
    y = alt.Y(**theme.log_axis("loss", figure.labels["loss"], seen, "~g", shared=True))
    tips = [alt.Tooltip("compute:Q", format=".3~e"), alt.Tooltip("loss:Q", format=".4~g")]
    tips += [alt.Tooltip(f"{name}:Q", format=theme.SIZE) for name in ("size", "lower", "upper")]
    panels = []
    for dim in theme.names(curves, "dimension"):
        mine = theme.only("dimension", dim)
        sizes = theme.column(curves, "size", dimension=dim)
        x = alt.X(**theme.log_axis("size", dim, sizes))
        lines = alt.Chart(theme.data("curves")).transform_filter(mine).mark_line().encode(x=x, y=y, color=shade)
        layers: list[Any] = [lines]
        if rows:
            points = alt.Chart(theme.data("rows")).transform_filter(mine).mark_point(size=20, opacity=0.55)
            layers.append(points.encode(x=x, y=y, color=shade, tooltip=row_tooltip()))
        if optima:
            best = alt.Chart(theme.data("optima")).transform_filter(mine).encode(y=y, color=shade, tooltip=tips)
            layers.append(best.mark_rule(strokeWidth=2.5).encode(x=alt.X("lower:Q"), x2="upper:Q"))
            layers.append(best.mark_point(shape="diamond", size=110, filled=True, opacity=1).encode(x=x))
        panels.append(alt.layer(*layers).properties(width=0.85 * theme.WIDTH, height=theme.HEIGHT))
    return theme.finished(alt.concat(*panels, columns=3), figure)
