"""The best shape against compute."""

from __future__ import annotations

from typing import Any

import altair as alt

from shapeplan.figures.figure import Figure
from shapeplan.render.charts import theme

_WORDS = {"params": "parameters"}


def frontier_chart(figure: Figure) -> Any:
    """Return a panel a dimension and one for parameters: line and band, dashed beyond the log; what others tell."""
    rows, published, minima = (figure.tables[name] for name in ("frontier", "published", "minima"))
    computes = theme.column((*rows, *published, *minima), "flops")
    x = alt.X(**theme.log_axis("flops", figure.labels["flops"], computes, ".1~e"))
    tips = [alt.Tooltip("flops:Q", format=".3~e")]
    tips += [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("value", "lower", "upper")]
    panels = []
    for dim in theme.names(rows, "dimension"):
        mine = theme.only("dimension", dim)
        sizes = theme.column((*rows, *published, *minima), "value", dimension=dim)
        y = alt.Y(**theme.log_axis("value", _WORDS.get(dim, dim), sizes))
        base = alt.Chart(theme.data("frontier")).transform_filter(mine).encode(x=x)
        band = base.mark_area(opacity=0.25, fill=theme.ACCENT).encode(y=alt.Y("lower:Q"), y2="upper:Q")
        dashed = base.mark_line(color=theme.ACCENT, strokeDash=[5, 3], strokeWidth=2).encode(y=y)
        solid = base.transform_filter("!datum.beyond").mark_line(color=theme.ACCENT, strokeWidth=3).encode(y=y)
        hover = base.mark_point(size=60, filled=True, opacity=0, color=theme.ACCENT).encode(y=y, tooltip=tips)
        layers: list[Any] = [dashed, solid, hover]
        if theme.column(rows, "lower", dimension=dim):
            layers.insert(0, band)
        if published:
            other = alt.Chart(theme.data("published")).transform_filter(mine).encode(x=x, y=y)
            known = [
                alt.Tooltip("name:N"),
                alt.Tooltip("flops:Q", format=".3~e"),
                alt.Tooltip("value:Q", format=".4~g"),
            ]
            marks = other.mark_point(shape="diamond", size=70, filled=True, opacity=1, color=theme.OTHER)
            text = other.mark_text(align="right", dx=-8, fontSize=10, color=theme.OTHER)
            layers += [marks.encode(tooltip=known), text.encode(text="name:N")]
        if theme.column(minima, "value", dimension=dim):
            told = alt.Chart(theme.data("minima")).transform_filter(mine).encode(x=x)
            errors = told.mark_rule(color=theme.OTHER).encode(y=alt.Y("lower:Q"), y2="upper:Q")
            layers += [errors, told.mark_point(size=50, color=theme.OTHER).encode(y=y, tooltip=tips)]
        panels.append(alt.layer(*layers).properties(width=theme.WIDTH, height=theme.HEIGHT))
    return theme.finished(alt.concat(*panels, columns=2), figure)
