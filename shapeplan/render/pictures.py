"""Pictures in every format, from one declarative chart a figure; nothing is fetched, no browser is started."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.figures.figure import Figure
from shapeplan.render.extra import check_plots
from shapeplan.render.vega import make

_SCALE = 2.0
"""Pixels a point, for screens and slides."""


def picture(figure: Figure, suffix: str) -> str | bytes:
    """Return a figure as the content of a file.

    Parameters
    ----------
    figure : Figure
        The numbers.
    suffix : str
        ``.png``, ``.svg``, ``.pdf``, ``.html`` (a page that needs nothing else) or ``.json`` (Vega-Lite).

    Raises
    ------
    ArgumentError
        If the format is another, or the extra `plots` is not installed.
    """
    return _MAKERS[check_format(suffix)](figure)


def check_format(suffix: str) -> str:
    """Return a format as `picture` knows it; raise `ArgumentError` as that does."""
    known = suffix.lower() if suffix.startswith(".") or not suffix else f".{suffix.lower()}"
    if known not in _MAKERS:
        message = f"there is no format {suffix!r}" if suffix else "the name of the file says no format"
        raise ArgumentError(ErrorDetail("bad-format", message, f"end it in {', '.join(_MAKERS)}", value=suffix or None))
    check_plots()
    return known


def _spec(figure: Figure) -> dict[str, Any]:
    from shapeplan.render.charts.chart import spec

    return spec(figure)


def _png(figure: Figure) -> bytes:
    return make("vegalite_to_png", _spec(figure), scale=_SCALE)


def _svg(figure: Figure) -> str:
    return make("vegalite_to_svg", _spec(figure)).decode() + "\n"


def _pdf(figure: Figure) -> bytes:
    return make("vegalite_to_pdf", _spec(figure))


def _json(figure: Figure) -> str:
    return json.dumps(_spec(figure), indent=1, allow_nan=False) + "\n"


def _html(figure: Figure) -> str:
    from shapeplan.render.report.page import page_of_figure

    return page_of_figure(figure)


_MAKERS: dict[str, Callable[[Figure], str | bytes]] = {
    ".png": _png,
    ".svg": _svg,
    ".pdf": _pdf,
    ".html": _html,
    ".json": _json,
}
