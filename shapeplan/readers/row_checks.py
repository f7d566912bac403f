"""Checks that need more than one cell: rows against each other, and magnitudes that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution, ErrorDetail, InputError
from shapeplan.numerics.arrays import Floats
from shapeplan.quantities import format_flops
from shapeplan.readers.table import Record
from shapeplan.runs import Runs

_FEWEST_COPIES, _COPIES = 3, 0.05
SMALLEST_FLOPS, LARGEST_FLOPS = 1e9, 1e30
"""Less than a second of one laptop core, and more than ten thousand times the largest run known."""


def check_rows(runs: Runs, metric: str | None, *, training: bool) -> None:
    """Refuse rows that contradict each other or that no law can use.

    Parameters
    ----------
    runs : Runs
        The rows.
    metric : str or None
        The metric's column, for complaints.
    training : bool
        Whether the rows are points of training, which come once; rows to predict may repeat.

    Raises
    ------
    InputError
        If the metric is zero or negative, a run has two shapes, or the same point of training comes twice.
    """
    details: list[ErrorDetail] = []
    if runs.loss is not None:
        details += [
            _not_positive(float(runs.loss[i]), runs.file_of(i), int(runs.lines[i]), metric)
            for i in np.flatnonzero(runs.loss <= 0).tolist()
        ]
    if training:
        details += _contradictions(runs)
    if details:
        raise InputError(*sorted(details, key=lambda found: found.line or 0))


def not_positive(loss: Floats, records: Sequence[Record], metric: str, name: str) -> list[ErrorDetail]:
    """Return an error for every row whose metric is zero or negative."""
    return [
        _not_positive(float(loss[i]), records[i].file or name, records[i].line_of(metric), metric)
        for i in np.flatnonzero(loss <= 0).tolist()
    ]


def _not_positive(loss: float, file: str, line: int, metric: str | None) -> ErrorDetail:
    hint = "relative errors need a positive metric: give a loss or an error rate"
    return ErrorDetail("not-positive", f"{loss:g} is not above zero", hint, file, line, metric, f"{loss:g}")


def doubt_magnitudes(runs: Runs) -> Runs:
    """Return the rows with a caution where their compute cannot be that of a training run."""
    low, high = float(runs.flops.min()), float(runs.flops.max())
    if low >= SMALLEST_FLOPS and high <= LARGEST_FLOPS:
        return runs
    doubtful = low if low < SMALLEST_FLOPS else high
    line = int(runs.lines[int(np.argmin(runs.flops) if low < SMALLEST_FLOPS else np.argmax(runs.flops))])
    message = f"line {line} says {format_flops(doubtful)} FLOPs, which is {'little' if low < 1e9 else 'much'} for a run"
    hint = "if the column is in another unit, name it so (gflops, pflops)"
    return replace(runs, cautions=(*runs.cautions, Caution(codes.IMPLAUSIBLE_MAGNITUDE, message, hint)))


def doubt_copies(runs: Runs) -> Runs:
    """Return the rows with a caution where too many are alike in shape, compute and metric to be other runs."""
    if runs.loss is None:
        return runs
    place = np.column_stack([runs.shape, runs.flops, runs.loss])
    copies = len(place) - len(np.unique(place, axis=0))
    if copies < max(_FEWEST_COPIES, _COPIES * len(place)):
        return runs
    message = f"{copies} rows repeat the shape, compute and {runs.metric} of a row of another run to the last digit"
    hint = "copies make every interval too narrow: remove them"
    return replace(runs, cautions=(*runs.cautions, Caution(codes.COPIED_ROWS, message, hint)))


def _contradictions(runs: Runs) -> list[ErrorDetail]:
    """Return a complaint for every run with two shapes and every point of training that comes twice."""
    details: list[ErrorDetail] = []
    lines = runs.lines
    first_of_run: dict[int, int] = {}
    first_of_point: dict[tuple[int, float], int] = {}
    for i, (run, point) in enumerate(zip(runs.run.tolist(), runs.flops.tolist(), strict=True)):
        label = runs.run_names[run]
        leader = first_of_run.setdefault(run, i)
        if not np.array_equal(runs.shape[i], runs.shape[leader]):
            details.append(
                ErrorDetail(
                    "two-shapes",
                    f"run {label!r} has another shape than on line {lines[leader]}",
                    "a run trains one shape: give the runs different names",
                    runs.file_of(i),
                    int(lines[i]),
                    "run",
                    label,
                )
            )
            continue
        twin = first_of_point.setdefault((run, point), i)
        if twin != i:
            details.append(_repeated(runs, i, twin, label))
    # Without a run column a repeat becomes a run of its own (another seed), unless it is the same in every cell.
    return details or _identical_rows(runs)


def _repeated(runs: Runs, i: int, twin: int, label: str) -> ErrorDetail:
    same = runs.loss is None or runs.loss[i] == runs.loss[twin]
    return ErrorDetail(
        "duplicate-row",
        f"run {label!r} is at {format_flops(float(runs.flops[i]))} FLOPs already on line {runs.lines[twin]}"
        + (f" of {runs.file_of(twin)}" if runs.files else "")
        + ("" if same else f" with another {runs.metric}"),
        "remove one" if same else "keep one, or give repeated runs different names",
        runs.file_of(i),
        int(runs.lines[i]),
        "run",
        label,
    )


def _identical_rows(runs: Runs) -> list[ErrorDetail]:
    seen: dict[tuple[str, ...], int] = {}
    found = []
    for i, cells in enumerate(runs.cells):
        key = tuple(f"{column}={value}" for column, value in cells.items())
        twin = seen.setdefault(key, i)
        if twin != i:
            message = f"the row is the same as line {runs.lines[twin]} in every cell"
            place, first = (runs.file_of(i), int(runs.lines[i])), key[0].split("=", 1)[1]
            found.append(ErrorDetail("duplicate-row", message, "remove one", *place, value=first))
    return found
