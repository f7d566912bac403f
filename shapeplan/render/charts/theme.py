"""What all charts share: colours that the colour-blind can tell apart, on light and on dark, and quiet axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from shapeplan.figures.figure import Figure, Table

COLOURS = ("#2f84c9", "#d55e00", "#159a76", "#b4689b", "#c98500", "#7a7a7a")
"""After Okabe and Ito (2008), each with a contrast of 3 or more on white and on near-black."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
ACCENT, OTHER, MUTED = COLOURS[0], COLOURS[1], COLOURS[-1]
WIDTH, HEIGHT = 300, 230
_LONGEST = 180
"""Pixels of a label; what is longer is cut with an ellipsis, and whole in the tooltip."""
_FONT = "system-ui, Helvetica, Arial, sans-serif"
_LINES = "#888888"


def data(table: str) -> alt.NamedData:
    """Return a table of a figure, by name, as the data of a chart: it is in the specification once."""
    return alt.NamedData(name=table)


def column(table: Table, name: str) -> list[float]:
    """Return the numbers of a column, without those that are not there."""
    return [float(row[name]) for row in table if row.get(name) is not None]  # type: ignore[arg-type]


def names(table: Table, column: str) -> list[str]:
    """Return the distinct values of a column, in order of appearance."""
    return list(dict.fromkeys(str(row[column]) for row in table))


def colour(domain: Sequence[str], field: str) -> alt.Color:
    """Return the colour of a nominal column, always the same for the same values."""
    return alt.Color(f"{field}:N", title=None, scale=alt.Scale(domain=list(domain), range=_cycled(COLOURS, domain)))


def mark_shape(domain: Sequence[str], field: str) -> alt.Shape:
    """Return the mark of a nominal column, so that colour is never alone in telling."""
    return alt.Shape(f"{field}:N", title=None, scale=alt.Scale(domain=list(domain), range=_cycled(SHAPES, domain)))


def log_axis(field: str, title: str, form: str = "~s") -> dict[str, Any]:
    """Return the encoding of a positive quantity on a logarithmic axis that starts at its data."""
    # Billions are B to the field, and G to the format.
    axis = alt.Axis(format=form, labelOverlap=True, labelExpr="replace(datum.label, 'G', 'B')", tickCount=5)
    return _encoding(field, title, axis)


def compute_axis(field: str, title: str, values: Sequence[float]) -> dict[str, Any]:
    """Return the encoding of compute on a logarithmic axis with its decades."""
    low, high = math.log10(min(values)), math.log10(max(values))
    decades = [10.0**k for k in range(math.ceil(low - 0.05), math.floor(high + 0.05) + 1)]
    if len(decades) < 2:
        return _encoding(field, title, alt.Axis(format=".1~e", labelOverlap=True, tickCount=3))
    return _encoding(field, title, alt.Axis(format=".0e", labelOverlap=True, values=decades))


def finished(chart: Any, figure: Figure) -> Any:
    """Return a chart with the looks of the house, and the words for those who cannot see it."""
    return (
        chart.properties(description=f"{figure.title}. {figure.summary}", padding=8)
        .configure(background="white", font=_FONT)
        .configure_view(stroke=f"{_LINES}66")
        .configure_axis(
            gridColor=f"{_LINES}33",
            domainColor=_LINES,
            tickColor=_LINES,
            labelFontSize=11,
            titleFontSize=12,
            titleFontWeight="normal",
            labelLimit=_LONGEST,
            titleLimit=2 * _LONGEST,
        )
        .configure_legend(labelLimit=_LONGEST, titleFontWeight="normal", orient="bottom", columns=4, symbolOpacity=1)
        .configure_title(fontSize=12, fontWeight="normal", limit=2 * _LONGEST)
    )


def _encoding(field: str, title: str, axis: alt.Axis) -> dict[str, Any]:
    scale = alt.Scale(type="log", nice=False)
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def _cycled(items: Sequence[str], domain: Sequence[str]) -> list[str]:
    return [items[i % len(items)] for i in range(len(domain))]
