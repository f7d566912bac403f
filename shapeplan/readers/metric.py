"""The metric of a log: values that it may have, and accuracies as errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.numerics.arrays import Floats
from shapeplan.readers.row_checks import not_positive
from shapeplan.readers.table import Table
from shapeplan.readers.within import out_of_bounds
from shapeplan.runs import Runs


def odd_metric(metric: Floats, table: Table, column: str, name: str, is_accuracy: bool) -> list[ErrorDetail]:
    """Return complaints about values that no loss, or no accuracy, has."""
    details = out_of_bounds(metric, "accuracy" if is_accuracy else "loss", table, column, name)
    return details if is_accuracy else details + not_positive(metric, table, column, name)


def as_error(runs: Runs) -> Runs:
    """Turn an accuracy into an error."""
    accuracy = runs.observed()
    top = 1.0 if accuracy.max() <= 1.0 else 100.0
    wrong = np.flatnonzero((accuracy < 0) | (accuracy > top))
    if wrong.size:
        name = runs.sources[0].name
        raise InputError(
            *(
                ErrorDetail(
                    "not-an-accuracy",
                    f"{accuracy[i]:g} is no accuracy",
                    "accuracies lie in 0 ... 1 or 0 ... 100",
                    name,
                    int(runs.lines[i]),
                    runs.metric,
                    f"{accuracy[i]:g}",
                )
                for i in wrong
            )
        )
    note = f"higher {runs.metric} is better: {top:g} minus it is minimized"
    return replace(runs, loss=top - accuracy, metric=f"{top:g} - {runs.metric}", notes=(*runs.notes, note))
