"""The JSON Schemas of all documents."""

from __future__ import annotations

from typing import Any

from shapeplan.documents.base import Document
from shapeplan.documents.check import CheckDocument
from shapeplan.documents.comparison import ComparisonDocument
from shapeplan.documents.figure import FigureDocument
from shapeplan.documents.flops import FlopsDocument
from shapeplan.documents.law import LawDocument
from shapeplan.documents.metrics import MetricsDocument
from shapeplan.documents.next_run import NextDocument
from shapeplan.documents.plan import PlanDocument
from shapeplan.documents.pool import PoolDocument
from shapeplan.documents.power import PowerDocument
from shapeplan.documents.predictions import PredictionsDocument
from shapeplan.documents.status import StatusDocument
from shapeplan.errors import ArgumentError, ErrorDetail

KINDS: dict[str, type[Document]] = {
    "shapeplan.check": CheckDocument,
    "shapeplan.comparison": ComparisonDocument,
    "shapeplan.figure": FigureDocument,
    "shapeplan.flops": FlopsDocument,
    "shapeplan.law": LawDocument,
    "shapeplan.metrics": MetricsDocument,
    "shapeplan.next": NextDocument,
    "shapeplan.plan": PlanDocument,
    "shapeplan.pool": PoolDocument,
    "shapeplan.power": PowerDocument,
    "shapeplan.predictions": PredictionsDocument,
    "shapeplan.status": StatusDocument,
}
"""Every document by its kind."""


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of document: ``shapeplan.law``, ``shapeplan.plan``, ...

    Raises
    ------
    ArgumentError
        If there is no such kind.
    """
    if kind not in KINDS:
        message = f"there is no kind of document {kind!r}"
        raise ArgumentError(ErrorDetail("unknown-kind", message, f"the kinds are {', '.join(KINDS)}", value=kind))
    return KINDS[kind].model_json_schema(mode="serialization")
