"""The cells of a log by role, as numbers and labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from shapeplan.errors import ErrorDetail
from shapeplan.readers.columns import Columns
from shapeplan.readers.names import SHAPE
from shapeplan.readers.numbers import label_faults, read_numbers
from shapeplan.readers.table import Table

_SPARE = ("heads", "mlp_ratio", "steps", "batch_size")
"""Roles that a log can do without: a column of them that holds no number at all is ignored."""


def read_values(table: Table, columns: Columns, name: str) -> tuple[dict[str, Any], list[str], list[ErrorDetail]]:
    """Return the values by role, how they were written if not as plain numbers, and what is wrong with cells."""
    wanted: dict[str, str] = {columns.roles[role]: role for role in columns.dims}
    for role in ("heads", "mlp_ratio", "examples", "tokens", "steps", "batch_size", "params"):
        if role in columns.roles:
            wanted.setdefault(columns.roles[role], role)
    if columns.flops:
        wanted[columns.flops.name] = "flops"
    if columns.metric:
        wanted[columns.metric] = "metric"
    values: dict[str, Any] = {}
    notes: dict[str, list[str]] = {}
    details: list[ErrorDetail] = []
    for column, role in wanted.items():
        numbers, notation, mistakes = read_numbers(table, column, name, positive=role != "metric")
        if mistakes and role in _SPARE and len(mistakes) == len(table):
            continue
        values[role] = numbers * columns.scales.get(role, 1.0)
        details += mistakes
        if notation:
            notes.setdefault(notation, []).append(column)
    if "run" in columns.roles:
        mistakes = label_faults(table, columns.roles["run"], name)
        if not (mistakes and "run" in columns.unsure):
            values["run"] = table.cells[columns.roles["run"]]
            details += mistakes
    said = [f"cells of {', '.join(map(repr, found))} are read with {notation}" for notation, found in notes.items()]
    return values, said, details


def with_ratio(values: dict[str, Any], columns: Columns) -> Columns:
    """Return the columns with an MLP dim from its ratio to the width, where that is a column and varies."""
    ratio = values.pop("mlp_ratio", None)
    if ratio is None or "mlp_dim" in values or "width" not in columns.dims or np.ptp(ratio) == 0:
        return columns
    values["mlp_dim"] = ratio * values["width"]
    note = f"mlp_dim is {columns.roles['mlp_ratio']!r} x width"
    dims = tuple(dim for dim in SHAPE if dim in columns.dims or dim == "mlp_dim")
    dims += tuple(dim for dim in columns.dims if dim not in SHAPE)
    return replace(columns, dims=dims, notes=(*columns.notes, note))
