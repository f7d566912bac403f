"""Documents: JSON in and out, one file a kind."""

from __future__ import annotations

from typing import Any

from shapeplan.documents.base import Document
from shapeplan.documents.check import CheckDocument, check_document
from shapeplan.documents.files import published_law, read_law, write_text
from shapeplan.documents.law import LawDocument, fit_of, law_document
from shapeplan.documents.plan import PlanDocument, plan_document
from shapeplan.documents.predictions import PredictionsDocument, predictions_csv, predictions_document

KINDS: dict[str, type[Document]] = {
    "shapeplan.check": CheckDocument,
    "shapeplan.law": LawDocument,
    "shapeplan.plan": PlanDocument,
    "shapeplan.predictions": PredictionsDocument,
}
"""Every document by its kind."""


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of document, e.g. ``shapeplan.law``."""
    return KINDS[kind].model_json_schema(mode="serialization")


__all__ = [
    "KINDS",
    "CheckDocument",
    "Document",
    "LawDocument",
    "PlanDocument",
    "PredictionsDocument",
    "check_document",
    "fit_of",
    "json_schema",
    "law_document",
    "plan_document",
    "predictions_csv",
    "predictions_document",
    "published_law",
    "read_law",
    "write_text",
]
