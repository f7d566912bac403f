"""A file of measurements: shapes with the MFU, or the time of a step, that training had on the user's hardware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.cells import Cells
from shapeplan.errors import ErrorDetail, InputError
from shapeplan.numerics.arrays import Floats
from shapeplan.profile import Profile
from shapeplan.quantities import LEAST_MFU
from shapeplan.readers.names import SYNONYMS, listed
from shapeplan.readers.numbers import as_number, read_numbers
from shapeplan.readers.parse import parse_table
from shapeplan.readers.source import read_text
from shapeplan.readers.spelling import normal
from shapeplan.readers.table import Table

_MEASURED: dict[str, tuple[str, ...]] = {
    "mfu": ("model_flops_utilization", "utilization"),
    "step_time": ("step_time_s", "seconds_per_step", "time_per_step", "step_seconds", "sec_per_step"),
    "step_time_ms": ("ms_per_step", "step_ms"),
    "examples_per_step": ("tokens_per_step", "images_per_step", "batch_tokens", "tokens_per_batch"),
    "gpus": ("devices", "accelerators", "chips", "n_gpus", "num_gpus", "world_size"),
}
_HINT = "give mfu, or step_time (seconds), examples_per_step (or tokens_per_step) and gpus"


def read_profile(path: str | Path) -> Profile:
    """Read a file of measurements.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, YAML, JSON or JSON Lines, a row a measured shape: its dimensions, and ``mfu`` (0.4 or 40%), or
        ``step_time`` in seconds (``step_time_ms``), ``examples_per_step`` over all accelerators, and ``gpus``.

    Raises
    ------
    InputError
        With every complaint: file, line, column, value, and how to mend it.
    """
    text = read_text(path)
    table = parse_table(text)
    columns = _columns(table, text.name)
    numbers, details = {}, list(table.faults)
    for role, column in columns.items():
        read = table if role != "mfu" else _without_percents(table, column)
        numbers[role], _, found = read_numbers(read, column, text.name, positive=True)
        details += [replace(one, hint="correct it, or remove the row") for one in found]
    if "mfu" in columns:
        details += [
            ErrorDetail(
                "bad-mfu",
                f"a utilization (MFU) of {value:g} is no share",
                f"write more than {LEAST_MFU:g} and at most 1, such as 0.4 or 40%",
                text.name,
                int(table.lines[i]),
                columns["mfu"],
                f"{value:g}",
            )
            for i, value in enumerate(numbers["mfu"])
            if not (LEAST_MFU <= value <= 1 or np.isnan(value))
        ]
    if details:
        raise InputError(*details)
    return Profile(
        {dim: numbers[dim] for dim in columns if dim not in _MEASURED},
        numbers.get("mfu"),
        None if "mfu" in numbers else _rate(numbers),
        text.name,
    )


def _columns(table: Table, name: str) -> dict[str, str]:
    """Return the column of every role; other columns are dimensions by their own names, where they hold numbers."""
    words = {word: role for role, others in _MEASURED.items() for word in (role, *others)}
    words |= {word: dim for dim in SHAPE_DIMS for word in (dim, *SYNONYMS[dim])}
    found: dict[str, str] = {}
    for column in table.columns:
        role = words.get(normal(column)) or (column if _is_numeric(table, column) else None)
        if role is None:
            continue
        if role in found:
            message = f"{column!r} and {found[role]!r} both say {role}"
            raise InputError(ErrorDetail("ambiguous-column", message, "keep one", name, table.header_line, column))
        found[role] = column
    there = f"the columns are: {listed(table.columns)}"
    if not found.keys() - _MEASURED.keys():
        message = "no column is a dimension of a shape"
        raise InputError(ErrorDetail("missing-column", message, f"give width, depth or mlp_dim; {there}", name, 1))
    timed = {"step_time", "step_time_ms"} & found.keys()
    if "mfu" not in found and not (timed and {"examples_per_step", "gpus"} <= found.keys()):
        message = "nothing says what share of the peak was reached"
        raise InputError(ErrorDetail("missing-column", message, f"{_HINT}; {there}", name, 1))
    if not len(table):
        raise InputError(ErrorDetail("empty-file", "there is no measurement", "add a row a shape", name, 1))
    return found


def _is_numeric(table: Table, column: str) -> bool:
    values = table.cells[column].numbers()
    return values is not None and bool((np.isfinite(values) & (values > 0)).all())


def _without_percents(table: Table, column: str) -> Table:
    """Return the table with the percentages of a column as shares."""
    cells = [_share(cell) for cell in table.cells[column]]
    return replace(table, cells={**table.cells, column: Cells(cells)})


def _share(cell: object) -> object:
    if not isinstance(cell, str) or not cell.strip().endswith("%"):
        return cell
    number = as_number(cell.strip().removesuffix("%"))
    return cell if number is None else number / 100.0


def _rate(numbers: Mapping[str, Floats]) -> Floats:
    """Return the examples that one accelerator trains on in a second."""
    seconds = numbers["step_time"] if "step_time" in numbers else numbers["step_time_ms"] / 1000.0
    return np.asarray(numbers["examples_per_step"] / (seconds * numbers["gpus"]))
