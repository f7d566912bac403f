"""The rows behind a law, as they stand in its document."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from shapeplan.documents.base import Part, or_null
from shapeplan.documents.bounds import POSITIVE, SIZE
from shapeplan.fitting.rows import Rows

Positive = Annotated[float, Field(ge=SIZE[0], le=SIZE[1])]


class RowsRecord(Part):
    """Every row of the log: a list a column, an entry a row; `predicted` is null where the law gives no finite loss."""

    run: tuple[str, ...]
    line: tuple[Annotated[int, Field(ge=0, le=2**53)], ...]
    shape: dict[str, tuple[Positive, ...]]
    flops: tuple[Positive, ...]
    examples: tuple[Positive, ...] | None
    observed: tuple[Annotated[float, Field(ge=POSITIVE[0], le=POSITIVE[1])], ...]
    predicted: tuple[float | None, ...]
    part: tuple[str, ...]
    fitted: tuple[bool, ...]
    file: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _belong_together(self) -> RowsRecord:
        columns = [self.run, self.line, self.flops, self.observed, self.predicted, self.part, self.fitted]
        columns += [*self.shape.values(), *([self.examples] if self.examples is not None else [])]
        columns += [self.file] if self.file else []
        if len({len(column) for column in columns}) > 1 or not self.flops:
            raise ValueError("rows are of different lengths, or none")
        return self

    @classmethod
    def of(cls, rows: Rows) -> RowsRecord:
        """Return the record of rows."""
        return cls(
            run=rows.runs,
            line=tuple(rows.lines.tolist()),
            shape={dim: tuple(values.tolist()) for dim, values in rows.shape.items()},
            flops=tuple(rows.flops.tolist()),
            examples=None if rows.examples is None else tuple(rows.examples.tolist()),
            observed=tuple(rows.observed.tolist()),
            predicted=tuple(map(or_null, rows.predicted.tolist())),
            part=rows.parts,
            fitted=tuple(rows.fitted.tolist()),
            file=rows.files,
        )

    def rows(self) -> Rows:
        """Return the rows that the record describes."""
        return Rows(
            runs=self.run,
            lines=np.array(self.line, dtype=int),
            files=self.file,
            shape={dim: np.array(values) for dim, values in self.shape.items()},
            flops=np.array(self.flops),
            examples=None if self.examples is None else np.array(self.examples),
            observed=np.array(self.observed),
            predicted=np.array(self.predicted, dtype=float),
            parts=self.part,
            fitted=np.array(self.fitted, dtype=bool),
        )
