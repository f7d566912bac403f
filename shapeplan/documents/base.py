"""What all documents share: the header, strict numbers, and the bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shapeplan import __version__
from shapeplan.errors import Caution
from shapeplan.provenance import Source

SCHEMA_VERSION = 1


def _ordered(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError("the ends of a range are the wrong way round")
    return ends


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]


class Part(BaseModel):
    """A part of a document that is no record of the numbers below.

    Those records are dataclasses, and stand in documents as they are: pydantic validates them by this configuration.
    Fields that a newer shapeplan may have added are ignored; a number is a JSON number, neither NaN nor infinite.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True, strict=True, allow_inf_nan=False)


class Document(Part):
    """The header of every document."""

    kind: str
    schema_version: int = Field(ge=1, le=SCHEMA_VERSION)
    shapeplan_version: str
    inputs: tuple[Source, ...]
    warnings: tuple[Caution, ...]

    def dumps(self) -> str:
        """Return the document as JSON: numbers unrounded, a line a field, the same bytes for the same content."""
        fields = self.model_dump(mode="json")
        lines = (f"  {_dump(name)}: {_dump(value)}" for name, value in fields.items())
        return "{\n" + ",\n".join(lines) + "\n}\n"


def header(kind: str, sources: Sequence[Source], cautions: Iterable[Caution]) -> dict[str, Any]:
    """Return the fields of the header."""
    return {
        "kind": kind,
        "schema_version": SCHEMA_VERSION,
        "shapeplan_version": __version__,
        "inputs": tuple(sources),
        "warnings": tuple(cautions),
    }


def or_null(value: float | None) -> float | None:
    """Return None for a number that is not defined."""
    return None if value is None or not math.isfinite(value) else value


def _dump(value: object) -> str:
    return json.dumps(value, allow_nan=False)
