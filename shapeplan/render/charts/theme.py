"""What all charts share: colours that the colour-blind can tell apart, on light and on dark, and quiet axes."""

from __future__ import annotations

import math
import textwrap
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
SIZE = ",.4~r"
"""How a tooltip writes a size: 21,280, not 2.128e+04."""
_FONT = "system-ui, Helvetica, Arial, sans-serif"
_LINES = "#888888"
_PADDING = 8
"""Pixels between the outermost marks and the frame."""
_FEWEST_TICKS, _MARGIN = 4, 0.02
_NO_SPAN = 1e-9
"""Relative span of values that are one and the same."""
_LINE = 100
"""Letters of a line of a subtitle."""


def data(table: str) -> alt.NamedData:
    """Return a table of a figure, by name, as the data of a chart: it is in the specification once."""
    return alt.NamedData(name=table)


def column(table: Table, name: str, **where: str) -> list[float]:
    """Return the numbers of a column, without those that are not there; of rows with a text, if any is given."""
    return [
        float(value)
        for row in table
        if isinstance(value := row[name], int | float) and all(row[key] == text for key, text in where.items())
    ]


def names(table: Table, column: str) -> list[str]:
    """Return the distinct values of a column, in order of appearance."""
    return list(dict.fromkeys(str(row[column]) for row in table))


def only(field: str, value: str) -> alt.FieldEqualPredicate:
    """Return the filter of rows by a text, whatever signs are in it."""
    return alt.FieldEqualPredicate(field=field, equal=value)


def parts(table: Table) -> list[str]:
    """Return where rows can be, always in the same order, so that colours mean the same in every picture."""
    order = {"centre": 0, "rows": 2, "other rows": 3}
    return sorted(names(table, "part"), key=lambda part: order.get(part, 1))


def colour(domain: Sequence[str], field: str) -> alt.Color:
    """Return the colour of a nominal column, always the same for the same values."""
    return alt.Color(f"{field}:N", title=None, scale=alt.Scale(domain=list(domain), range=_cycled(COLOURS, domain)))


def mark_shape(domain: Sequence[str], field: str) -> alt.Shape:
    """Return the mark of a nominal column, so that colour is never alone in telling."""
    return alt.Shape(f"{field}:N", title=None, scale=alt.Scale(domain=list(domain), range=_cycled(SHAPES, domain)))


def log_axis(
    field: str, title: str, values: Sequence[float], form: str = "~s", *, shared: bool = False
) -> dict[str, Any]:
    """Return the encoding of a positive quantity on a logarithmic axis with round ticks; `shared` by several panels."""
    # Billions are B to the field, and G to the format.
    axis = alt.Axis(format=form, labelOverlap=True, labelExpr="replace(datum.label, 'G', 'B')", values=ticks(values))
    scale: dict[str, Any] = {"type": "log", "nice": False, "padding": _PADDING}
    if shared:
        scale["domain"] = [min(values), max(values)]
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def ticks(values: Sequence[float]) -> list[float]:
    """Return round numbers from the least to the largest of positive values: 1, 2, 5 and so on, or decades of many."""
    low, high = math.log10(min(values)), math.log10(max(values))
    decades = range(math.floor(low) - 1, math.ceil(high) + 2)
    for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        found = [digit * 10.0**k for k in decades for digit in digits]
        inside = [tick for tick in found if low - _MARGIN <= math.log10(tick) <= high + _MARGIN]
        if len(inside) >= _FEWEST_TICKS:
            return [float(f"{tick:.3g}") for tick in inside]
    span = max(values) - min(values)
    if span <= _NO_SPAN * max(values):
        return [float(f"{max(values):.12g}")]
    # A short span has ticks as on a linear axis.
    step = 10.0 ** math.floor(math.log10(span))
    step = next(step * share for share in (1, 0.5, 0.2, 0.1) if span / (step * share) >= 3)
    first = math.ceil(min(values) / step)
    return [float(f"{step * k:.12g}") for k in range(first, math.floor(max(values) / step) + 1)]


def titled(chart: Any, figure: Figure) -> Any:
    """Return a chart with the words that a page has around it."""
    lines = textwrap.wrap(f"{figure.summary} {figure.reading}", _LINE)
    title = alt.TitleParams(f"{figure.title}: {figure.about}", subtitle=lines, anchor="start", fontSize=14, offset=12)
    return chart.properties(title=title)


def finished(chart: Any, figure: Figure) -> Any:
    """Return a chart with the looks of the house, and the words for those who cannot see it."""
    return (
        chart.properties(description=f"{figure.title}, {figure.about}. {figure.summary} {figure.reading}", padding=8)
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
        .configure_title(fontSize=12, fontWeight="normal", limit=4 * _LONGEST, subtitleColor="#57606a")
    )


def _cycled(items: Sequence[str], domain: Sequence[str]) -> list[str]:
    return [items[i % len(items)] for i in range(len(domain))]
