"""Counts that may be of a part: a batch of one device, tokens of one epoch. Other columns say how many there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.numerics.arrays import Floats
from shapeplan.readers.columns import Columns
from shapeplan.readers.cross_check import span
from shapeplan.readers.names import word_of
from shapeplan.readers.table import Table
from shapeplan.readers.within import check_derived
from shapeplan.runs import Runs

_OF_DEVICE = re.compile(
    r"per_(?:device|gpu|rank)_(?:train_)?batch(?:_size)?|(?:train_)?batch(?:_size)?_per_(?:device|gpu|rank)"
    r"|(?:train_)?(?:micro|device|local)_?batch(?:_size)?(?:_per_(?:device|gpu|rank))?"
)
_REPLICAS = re.compile(r"data_parallel(?:_size|_degree)?|dp(?:_size|_degree)?")
_WORLD = re.compile(r"world_size")
_DEVICES = re.compile(r"(?:n|num|number_of|total)?_?(?:gpus?|tpus?|devices?|accelerators?|replicas?|ranks?|chips?)")
_NODES = re.compile(r"(?:n|num|number_of|total)?_?(?:nodes?|workers?|hosts?)")
"""Each may have several devices."""
_SHARING = re.compile(r"(?:tensor|pipeline|model|context|sequence|expert)(?:_model)?_parallel(?:_size|_degree)?|[tpc]p")
"""Columns of how many devices hold one copy of a model together."""
_ACCUMULATION = re.compile(
    r"(?:gradient|grad)_?acc(?:um(?:ulation|ulate)?)?(?:_steps)?|accumulate_grad_batches|accum(?:ulation)?(?:_steps)?"
)
_TIMES = re.compile("|".join(kind.pattern for kind in (_REPLICAS, _WORLD, _DEVICES, _NODES, _ACCUMULATION)))
_WHOLE = re.compile(r"(^|_)(global|total|effective|whole)(_|$)")

_EPOCHS = re.compile(r"(?:n|num|number_of|total|train|training|max)?_?(?:epochs?|passes|repeats|repetitions)")
_OF_ALL = re.compile(r"(^|_)(seen|consumed|trained|processed|total)(_|$)")
"""Words for data of all epochs."""


def with_batch(values: dict[str, Any], columns: Columns, table: Table, name: str) -> Columns:
    """Return the columns with a batch from that of one device and how many there are, where no column is the batch."""
    if "steps" not in values or {"batch_size", "batch_tokens", "tokens", "examples"} & values.keys():
        return columns
    factors = _factors_of_batch(columns.ignored, table)
    if factors is None:
        return columns
    values["batch_size"] = np.prod(list(factors.values()), axis=0)
    check_derived("batch_size", values["batch_size"], table.lines, name)
    note = f"batch_size is {' x '.join(map(repr, factors))}"
    ignored = tuple(column for column in columns.ignored if column not in factors)
    return replace(columns, notes=(*columns.notes, note), ignored=ignored)


def hint_of_batch(columns: Columns) -> str:
    """Return what a batch of one device lacks, or nothing where no column is one."""
    of_device = _named(columns.ignored, _OF_DEVICE)
    if not of_device:
        return ""
    return f"{of_device[0]!r} is the batch of one device: log the whole batch, or its replicas as data_parallel_size; "


def _factors_of_batch(columns: Sequence[str], table: Table) -> dict[str, Floats] | None:
    """Return the columns whose product is the batch, with their numbers; None where they do not tell it."""
    devices = _named(columns, _REPLICAS)
    if not devices and not _several(_named(columns, _SHARING), table):
        nodes = _several(_named(columns, _NODES), table)
        devices = _named(columns, _WORLD) or ([] if nodes else _named(columns, _DEVICES))
    of_device, accumulation = _named(columns, _OF_DEVICE), _named(columns, _ACCUMULATION)
    if len(of_device) != 1 or len(devices) != 1 or len(accumulation) > 1:
        return None
    factors = {column: table.cells[column].finite_numbers() for column in (*of_device, *accumulation, *devices)}
    sound = {column: numbers for column, numbers in factors.items() if numbers is not None and (numbers >= 1).all()}
    return sound if len(sound) == len(factors) else None


def _several(columns: Sequence[str], table: Table) -> bool:
    """Return whether a column counts more than one anywhere."""
    numbers = (table.cells[column].finite_numbers() for column in columns)
    return any(found is None or (found != 1).any() for found in numbers)


def _named(columns: Sequence[str], kind: re.Pattern[str]) -> list[str]:
    return [column for column in columns if kind.fullmatch(word_of(column))]


def doubt_parts(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield a caution for every column by which a batch, or data, may have to be multiplied."""
    yield from _batches(runs, columns)
    yield from _epochs(runs, columns)


def _batches(runs: Runs, columns: Columns) -> Iterator[Caution]:
    batch = columns.roles.get("batch_size")
    if batch is None or "steps" not in columns.roles or {"tokens", "examples"} & columns.roles.keys():
        return
    if _WHOLE.search(word_of(batch)):
        return
    for column, values in _multipliers(runs, columns, _TIMES):
        message = f"{batch!r} may be that of one of {span(values)}: column {column!r} is ignored"
        hint = f"if so, log tokens or examples, or the whole batch; if {batch!r} is that, remove {column!r}"
        yield Caution(codes.UNREAD_COLUMN, message, hint)


def _epochs(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield a caution where compute is derived from data that may be those of one epoch."""
    counted = next((columns.roles[role] for role in ("tokens", "examples") if role in columns.roles), None)
    if counted is None or columns.flops is not None or _OF_ALL.search(word_of(counted)):
        return
    for column, values in _multipliers(runs, columns, _EPOCHS):
        message = f"{counted!r} may be those of one of {span(values)} epochs: column {column!r} is ignored"
        hint = f"compute is that of all epochs: log what was seen in all; if {counted!r} is that, remove {column!r}"
        yield Caution(codes.UNREAD_COLUMN, message, hint)


def _multipliers(runs: Runs, columns: Columns, name: re.Pattern[str]) -> Iterator[tuple[str, Floats]]:
    """Yield the columns without a role, of such a name, whose numbers may multiply something, with these."""
    for column in columns.ignored:
        values = runs.cells[column].finite_numbers() if name.fullmatch(word_of(column)) else None
        if values is not None and values.min() >= 1 and values.max() != 1:
            yield column, values
