"""What all documents share: the header, strict numbers, and the bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shapeplan import __version__
from shapeplan.errors import Caution
from shapeplan.runs import Source

SCHEMA_VERSION = 1


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("documents hold no NaN and no infinity")
    return value


def _ordered(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError("the ends of a range are the wrong way round")
    return ends


Finite = Annotated[float, Field(strict=True), AfterValidator(_finite)]
"""A number that JSON can hold."""
Range = Annotated[tuple[Finite, Finite], AfterValidator(_ordered)]


class Part(BaseModel):
    """A part of a document; fields that a newer shapeplan may have added are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class InputRecord(Part):
    """An input by name and digest."""

    name: str
    sha256: str


class WarningRecord(Part):
    """A coded warning."""

    code: str
    message: str
    hint: str


class Document(Part):
    """The header of every document."""

    kind: str
    schema_version: int = Field(ge=1)
    shapeplan_version: str
    inputs: tuple[InputRecord, ...]
    warnings: tuple[WarningRecord, ...]

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
        "inputs": tuple(InputRecord(name=source.name, sha256=source.sha256) for source in sources),
        "warnings": warnings_of(cautions),
    }


def warnings_of(cautions: Iterable[Caution]) -> tuple[WarningRecord, ...]:
    """Return coded warnings as they stand in documents."""
    return tuple(WarningRecord(code=c.code, message=c.message, hint=c.hint) for c in cautions)


def or_null(value: float | None) -> float | None:
    """Return None for a number that is not defined."""
    return None if value is None or not math.isfinite(value) else value


def _dump(value: object) -> str:
    return json.dumps(value, allow_nan=False)
