"""The best shape against compute."""

from __future__ import annotations

from typing import Any

import altair as alt

from shapeplan.figures.figure import Figure
from shapeplan.render.charts import theme

_WORDS = {"params": "parameters"}


def frontier_chart(figure: Figure) -> Any:
    """Return a panel a dimension and one for parameters: line and band, dashed beyond the log; what others tell.

    A table ``place`` marks the shape of one budget, which a page may move.
    """
    rows, published, minima, runs = (figure.tables[name] for name in ("frontier", "published", "minima", "runs"))
    computes = theme.column((*rows, *published, *minima, *runs), "flops")
    x = alt.X(**theme.log_axis("flops", figure.labels["flops"], computes, ".1~e"))
    tips = [alt.Tooltip("flops:Q", format=".3~e")]
    tips += [alt.Tooltip(f"{name}:Q", format=theme.SIZE) for name in ("value", "lower", "upper")]
    panels = []
    for dim in theme.names(rows, "dimension"):
        mine = theme.only("dimension", dim)
        sizes = theme.column((*rows, *published, *minima, *runs), "value", dimension=dim)
        y = alt.Y(**theme.log_axis("value", _WORDS.get(dim, dim), sizes))
        base = alt.Chart(theme.data("frontier")).transform_filter(mine).encode(x=x)
        band = base.mark_area(opacity=0.25, fill=theme.ACCENT).encode(y=alt.Y("lower:Q"), y2="upper:Q")
        dashed = base.mark_line(color=theme.ACCENT, strokeDash=[5, 3], strokeWidth=2).encode(y=y)
        solid = base.transform_filter("!datum.beyond").mark_line(color=theme.ACCENT, strokeWidth=3).encode(y=y)
        hover = base.mark_point(size=60, filled=True, opacity=0, color=theme.ACCENT).encode(y=y, tooltip=tips)
        layers: list[Any] = [dashed, solid, hover]
        if theme.column(rows, "lower", dimension=dim):
            layers.insert(0, band)
        if theme.column(runs, "value", dimension=dim):
            own = alt.Chart(theme.data("runs")).transform_filter(mine).mark_point(size=14, opacity=0.5)
            told = [
                alt.Tooltip("run:N"),
                alt.Tooltip("flops:Q", format=".3~e"),
                alt.Tooltip("value:Q", format=theme.SIZE),
            ]
            layers.insert(0, own.encode(x=x, y=y, color=alt.value(theme.MUTED), tooltip=told))
        if published:
            other = alt.Chart(theme.data("published")).transform_filter(mine).encode(x=x, y=y)
            known = [
                alt.Tooltip("name:N"),
                alt.Tooltip("flops:Q", format=".3~e"),
                alt.Tooltip("value:Q", format=theme.SIZE),
            ]
            marks = other.mark_point(size=70, filled=True, opacity=1)
            names = theme.names(published, "name")
            looks = {"color": theme.colour(names, "name"), "shape": theme.mark_shape(names, "name")}
            layers.append(marks.encode(tooltip=known, **looks))
        if theme.column(minima, "value", dimension=dim):
            parabolas = alt.Chart(theme.data("minima")).transform_filter(mine).encode(x=x)
            errors = parabolas.mark_rule(color=theme.OTHER).encode(y=alt.Y("lower:Q"), y2="upper:Q")
            layers += [errors, parabolas.mark_point(size=50, color=theme.OTHER).encode(y=y, tooltip=tips)]
        if theme.column(figure.tables.get("place", ()), "value", dimension=dim):
            place = alt.Chart(theme.data("place")).transform_filter(mine).encode(x=x)
            layers.append(place.mark_rule(color=theme.OTHER, strokeDash=[2, 3]))
            layers.append(place.mark_point(size=110, strokeWidth=2.5, color=theme.OTHER).encode(y=y))
        panels.append(alt.layer(*layers).properties(width=theme.WIDTH, height=theme.HEIGHT))
    return theme.finished(alt.concat(*panels, columns=2), figure)
