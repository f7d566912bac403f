"""Counts that may be of a part: a batch of one device, tokens of one epoch. Other columns say how many there are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.numerics.arrays import Floats
from shapeplan.readers.columns import Columns
from shapeplan.readers.cross_check import span
from shapeplan.readers.names import word_of
from shapeplan.runs import Runs

_TIMES = re.compile(
    r"(?:n|num|number_of|total)?_?(?:gpus?|tpus?|devices?|nodes?|accelerators?|replicas?|ranks?|workers?|hosts?|chips?)"
    r"|world_size|data_parallel(?:_size|_degree)?|dp(?:_size|_degree)?"
    r"|(?:gradient|grad)_?acc(?:um(?:ulation|ulate)?)?(?:_steps)?|accumulate_grad_batches|accum(?:ulation)?(?:_steps)?"
)


_EPOCHS = re.compile(r"(?:n|num|number_of|total|train|training|max)?_?(?:epochs?|passes|repeats|repetitions)")
_OF_ALL = re.compile(r"(^|_)(seen|consumed|trained|processed|total)(_|$)")
"""Words for data of all epochs."""


def doubt_parts(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield a caution for every column by which a batch, or data, may have to be multiplied."""
    yield from _batches(runs, columns)
    yield from _epochs(runs, columns)


def _batches(runs: Runs, columns: Columns) -> Iterator[Caution]:
    batch = columns.roles.get("batch_size")
    if batch is None or "steps" not in columns.roles or {"tokens", "examples"} & columns.roles.keys():
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
