"""The chart of any figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shapeplan.figures.figure import Figure
from shapeplan.render.charts import theme
from shapeplan.render.charts.exponents import exponents_chart
from shapeplan.render.charts.frontier import frontier_chart
from shapeplan.render.charts.isoflop import isoflop_chart
from shapeplan.render.charts.predicted import predicted_chart
from shapeplan.render.charts.residuals import residuals_chart
from shapeplan.render.charts.rollout import rollout_chart
from shapeplan.render.charts.valley import valley_chart

CHARTS: dict[str, Callable[[Figure], Any]] = {
    "exponents": exponents_chart,
    "fit": predicted_chart,
    "frontier": frontier_chart,
    "isoflop": isoflop_chart,
    "residuals": residuals_chart,
    "rollout": rollout_chart,
    "valley": valley_chart,
}


_OF_OBJECTS = {
    *("__proto__", "constructor", "hasOwnProperty", "isPrototypeOf"),
    *("propertyIsEnumerable", "toLocaleString", "toString", "valueOf"),
}
"""Names that every object of JavaScript has, which Vega takes for those: as a text, one gets a space of no width."""


def chart(figure: Figure) -> Any:
    """Return the Vega-Altair chart of a figure, with all data inside."""
    made = CHARTS[figure.name](figure)
    made.datasets = {name: [dict(row) for row in table] for name, table in figure.tables.items()}
    return made


def spec(figure: Figure, *, titled: bool = True) -> dict[str, Any]:
    """Return its Vega-Lite specification, with all data inside; `titled` where there are no words around it."""
    made = chart(figure)
    made = theme.titled(made, figure) if titled else made
    # Checking every row against the schema takes long; tests do.
    found: dict[str, Any] = _drawable(made.to_dict(validate=False))
    return found


def _drawable(value: Any) -> Any:
    """Return a specification in which every text can be drawn, wherever it is, and looks as it is."""
    if isinstance(value, str):
        text = "".join(c if c.isprintable() or c == "\n" else _pictured(c) for c in value)
        return f"{text}\u200b" if text in _OF_OBJECTS else text
    if isinstance(value, list):
        return [_drawable(item) for item in value]
    return {key: _drawable(item) for key, item in value.items()} if isinstance(value, dict) else value


def _pictured(sign: str) -> str:
    """Return the picture of a control character, as Unicode has it; of other signs that no SVG can hold, a stand-in."""
    return chr(0x2400 + ord(sign)) if ord(sign) < 0x20 else "\ufffd"
