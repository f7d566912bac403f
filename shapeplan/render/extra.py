"""The extra `plots`: what pictures need beside shapeplan itself."""

from __future__ import annotations

from importlib.util import find_spec

from shapeplan.errors import ArgumentError, ErrorDetail

_NEEDED = {"altair": "Vega-Altair", "vl_convert": "vl-convert", "jinja2": "Jinja"}


def check_plots() -> None:
    """Raise `ArgumentError` unless the libraries of the extra are there."""
    missing = [name for module, name in _NEEDED.items() if find_spec(module) is None]
    if missing:
        message = f"pictures need {' and '.join(missing)}"
        raise ArgumentError(ErrorDetail("missing-extra", message, "pip install 'shapeplan[plots]'"))
