"""Which run every row belongs to: by a column that names runs, else by shape and schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.readers.columns import Columns


def runs_of(values: dict[str, Any], columns: Columns, notes: list[str]) -> tuple[Ints, tuple[str, ...]]:
    """Return the run of every row. Without a column, rows of one shape and schedule are a run, repeats another."""
    key = np.column_stack([values[role] for role in (*(columns.dims or ("params",)), "heads") if role in values])
    progress = next(values[role] for role in ("flops", "tokens", "examples", "steps") if role in values)
    if "run" in values:
        if "run" not in columns.unsure or _names_runs(values["run"], key, progress):
            return _number_labels(values["run"])
        notes.append(f"column {columns.roles['run']!r} names no runs, since one name has several shapes: not used")
    seen: dict[tuple[float, ...], int] = {}
    labels: list[str] = []
    for row, point in zip(key, progress, strict=True):
        place = (*row, point)
        repeat = seen.get(place, 0)
        seen[place] = repeat + 1
        labels.append(" x ".join(f"{value:g}" for value in row) + (f" #{repeat + 1}" if repeat else ""))
    return _number_labels(labels)


def _names_runs(labels: Sequence[str], shapes: Floats, progress: Floats) -> bool:
    """Return whether every label has one shape, and no point of training twice."""
    shape_of: dict[str, tuple[float, ...]] = {}
    points: set[tuple[str, float]] = set()
    for label, shape, point in zip(labels, map(tuple, shapes.tolist()), progress.tolist(), strict=True):
        if shape_of.setdefault(label, shape) != shape or (label, point) in points:
            return False
        points.add((label, point))
    return True


def _number_labels(labels: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Return the index of every label among the distinct ones, and those, in order of appearance."""
    index: dict[str, int] = {}
    numbered = np.array([index.setdefault(label, len(index)) for label in labels])
    return numbered, tuple(index)
