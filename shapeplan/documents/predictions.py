"""The predictions document, and the same rows as CSV."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict

from shapeplan.documents.base import Document, Part, header
from shapeplan.fitting.predict import Predictions
from shapeplan.fitting.result import Fit
from shapeplan.quantities import Convention
from shapeplan.runs import Runs

KIND = "shapeplan.predictions"
_LONG_INTEGER = 300
COLUMNS = ("predicted", "lower", "upper", "law_lower", "law_upper", "residual")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


class PredictionRecord(Part):
    """A row of the input with its prediction; `law_flops` is its compute in the convention of the law.

    There is no prediction where the law gives no loss above zero.
    """

    model_config = ConfigDict(extra="allow")

    law_flops: float
    predicted: float | None
    lower: float | None
    upper: float | None
    law_lower: float | None
    law_upper: float | None
    residual: float | None


class PredictionsDocument(Document):
    """Predictions for rows, in input order."""

    kind: Literal["shapeplan.predictions"]
    law: str
    flops_convention: Convention
    metric: str
    level: float
    rows: tuple[PredictionRecord, ...]


def predictions_document(fit: Fit, predictions: Predictions) -> PredictionsDocument:
    """Return the document of predictions under a fit."""
    runs = predictions.runs
    names = kept_names(runs)
    return PredictionsDocument(
        **header(KIND, (*fit.sources, *runs.sources), (*fit.cautions, *runs.cautions, *predictions.cautions)),
        law=fit.law.form.name,
        flops_convention=fit.flops_convention,
        metric=fit.metric,
        level=fit.bootstrap.level,
        rows=tuple(_record(predictions, i, names) for i in range(len(runs))),
    )


def kept_names(runs: Runs) -> dict[str, str]:
    """Return the name of every column of the input that is kept beside the predictions.

    One that is named like them is renamed; all of them together are earlier predictions, which are replaced.
    """
    own = {*COLUMNS, "law_flops"}
    if set(COLUMNS) <= runs.cells.keys():
        return {column: column for column in runs.cells if column not in own}
    taken = own | runs.cells.keys()
    names = {}
    for column in runs.cells:
        name = column
        while column in own and name in taken:
            name += "_of_rows"
        names[column] = name
        taken.add(name)
    return names


def _record(predictions: Predictions, i: int, names: Mapping[str, str]) -> PredictionRecord:
    cells = {names[column]: _as_json(cell) for column, cell in predictions.runs.row(i).items() if column in names}
    return PredictionRecord(**{**cells, "law_flops": float(predictions.flops[i]), **_numbers(predictions, i)})


def predictions_csv(predictions: Predictions) -> str:
    """Return the rows as CSV: every column of the input, then the predictions; empty where there is none."""
    buffer = io.StringIO()
    runs = predictions.runs
    names = kept_names(runs)
    writer = csv.DictWriter(buffer, [*names.values(), *COLUMNS], lineterminator="\n")
    writer.writeheader()
    for i in range(len(runs)):
        cells = {names[column]: cell for column, cell in runs.row(i).items() if column in names}
        writer.writerow({**cells, **_numbers(predictions, i)})
    return buffer.getvalue()


def _numbers(predictions: Predictions, i: int) -> dict[str, float | None]:
    columns = {name: getattr(predictions, name) for name in COLUMNS}
    return {
        name: None if values is None or np.isnan(values[i]) else float(values[i]) for name, values in columns.items()
    }


def _as_json(cell: object) -> Any:
    """Return text that is a JSON number as that number, so that CSV and JSON logs give the same document."""
    if isinstance(cell, str) and _NUMBER.fullmatch(cell):
        number = float(cell)
        return (
            int(cell)
            if cell.lstrip("-").isdigit() and len(cell) < _LONG_INTEGER
            else number
            if math.isfinite(number)
            else cell
        )
    return str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell
