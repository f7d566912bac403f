"""Which run every row belongs to: by a column that names runs, else by shape and schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shapeplan.cells import Cells
from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.numerics.grouping import first_alike, is_function
from shapeplan.readers.columns import Columns


def runs_of(
    values: dict[str, Any], columns: Columns, files: Sequence[str], notes: list[str]
) -> tuple[Ints, Sequence[str]]:
    """Return the run of every row. Without a column, rows of one shape, schedule and file are a run, repeats another.

    The `files` are those of the rows, or none where there is one.
    """
    key = np.column_stack([values[role] for role in (*(columns.dims or ("params",)), "heads") if role in values])
    progress = next(values[role] for role in ("flops", "tokens", "examples", "steps") if role in values)
    if "run" in values:
        run, names = values["run"].groups()
        if "run" not in columns.unsure or _names_runs(run, key, progress):
            return run, names
        notes.append(f"column {columns.roles['run']!r} names no runs, since one name has several shapes: not used")
    if "run" not in values and len(np.unique(first_alike(*key.T))) < len(key):
        of_one = "rows of one shape and file" if len(set(files)) > 1 else "rows of one shape"
        notes.append(f"no column names runs: {of_one} are points of one run; `columns=run=NAME` says otherwise")
    of_file = [f" ({file})" for file in files] if len(set(files)) > 1 else [""] * len(key)
    seen: dict[tuple[object, ...], int] = {}
    labels: list[str] = []
    for row, point, file in zip(key, progress, of_file, strict=True):
        place = (*row, point, file)
        repeat = seen.get(place, 0)
        seen[place] = repeat + 1
        labels.append(" x ".join(f"{value:g}" for value in row) + (f" #{repeat + 1}" if repeat else "") + file)
    return Cells(labels).groups()


def _names_runs(run: Ints, shapes: Floats, progress: Floats) -> bool:
    """Return whether every run has one shape, and no point of training twice."""
    one_shape = all(is_function(column, run) for column in shapes.T)
    first = first_alike(run, progress)
    return one_shape and bool((first == np.arange(len(first))).all())
