"""shapeplan: sweep logs in, a compute-optimal model shape out.

The names below are loaded when they are first used, so that ``import shapeplan`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Architecture": "shapeplan.architectures",
    "Caution": "shapeplan.errors",
    "Check": "shapeplan.fitting.check",
    "Decoder": "shapeplan.architectures",
    "Fit": "shapeplan.fitting",
    "Law": "shapeplan.laws",
    "Plan": "shapeplan.planning",
    "Predictions": "shapeplan.fitting",
    "Runs": "shapeplan.runs",
    "ShapeplanError": "shapeplan.errors",
    "Start": "shapeplan.sweeps",
    "ViT": "shapeplan.architectures",
    "architecture": "shapeplan.architectures",
    "check": "shapeplan.fitting.check",
    "check_document": "shapeplan.documents",
    "fit": "shapeplan.fitting.fit",
    "json_schema": "shapeplan.documents",
    "law_document": "shapeplan.documents",
    "paper_design": "shapeplan.sweeps",
    "plan_document": "shapeplan.documents",
    "predict": "shapeplan.fitting",
    "predictions_document": "shapeplan.documents",
    "published_law": "shapeplan.documents",
    "read_law": "shapeplan.documents",
    "read_runs": "shapeplan.readers",
    "recommend": "shapeplan.planning",
    "rehearsal_law": "shapeplan.sweeps",
    "simulate": "shapeplan.sweeps",
}

if TYPE_CHECKING:
    from shapeplan.architectures import Architecture, Decoder, ViT, architecture
    from shapeplan.documents import (
        check_document,
        json_schema,
        law_document,
        plan_document,
        predictions_document,
        published_law,
        read_law,
    )
    from shapeplan.errors import Caution, ShapeplanError
    from shapeplan.fitting import Fit, Predictions, predict
    from shapeplan.fitting.check import Check, check
    from shapeplan.fitting.fit import fit
    from shapeplan.laws import Law
    from shapeplan.planning import Plan, recommend
    from shapeplan.readers import read_runs
    from shapeplan.runs import Runs
    from shapeplan.sweeps import Start, paper_design, rehearsal_law, simulate

__all__ = [
    "Architecture",
    "Caution",
    "Check",
    "Decoder",
    "Fit",
    "Law",
    "Plan",
    "Predictions",
    "Runs",
    "ShapeplanError",
    "Start",
    "ViT",
    "__version__",
    "architecture",
    "check",
    "check_document",
    "fit",
    "json_schema",
    "law_document",
    "paper_design",
    "plan_document",
    "predict",
    "predictions_document",
    "published_law",
    "read_law",
    "read_runs",
    "recommend",
    "rehearsal_law",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'shapeplan' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
