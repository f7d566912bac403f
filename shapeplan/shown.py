"""How results show themselves in a notebook.

A notebook asks the object, and the object is on a lower floor than everything that can draw it: this is the one place
where a floor asks a higher one, and it asks only when it is looked at.
"""

from __future__ import annotations

from collections.abc import Container
from importlib import import_module
from typing import Any

_HTML = "text/html"


class Shown:
    """Tables in place of a repr, where there is a notebook."""

    def _repr_html_(self) -> str:
        html: str = import_module("shapeplan.render.notebook").html(self)
        return html

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, Any]:
        bundle = {"text/plain": import_module("shapeplan.render.notebook").plain(self), _HTML: self._repr_html_()}
        return {
            kind: text
            for kind, text in bundle.items()
            if (include is None or kind in include) and (exclude is None or kind not in exclude)
        }
