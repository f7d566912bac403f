"""A fit with some of its fields changed, whichever part of it holds them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from shapeplan.fitting.result import Fit


def changed(fit: Fit, **values: Any) -> Fit:
    """Return a fit with other values of its own fields, or of those of its parts."""
    for name, value in values.items():
        part = _holder(fit, name)
        fit = replace(fit, **({part: replace(getattr(fit, part), **{name: value})} if part else {name: value}))
    return fit


def _holder(fit: Fit, name: str) -> str | None:
    """Return the part that has a field of this name; None if it is a field of the fit itself."""
    parts = [field.name for field in fields(fit) if is_dataclass(getattr(fit, field.name))]
    own = name in {field.name for field in fields(fit)}
    return None if own else next(part for part in parts if name in {field.name for field in fields(getattr(fit, part))})
