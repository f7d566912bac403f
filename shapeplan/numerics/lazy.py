"""NumPy, loaded when something of it is first used: counting a model of plain ints starts without it."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class _Lazy:
    """A module in waiting; what was used of it once is at hand."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


np: Any = _Lazy("numpy")
