"""Batches that may be of one device: columns that say how many there are, which a batch size may leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.readers.columns import Columns
from shapeplan.readers.cross_check import span
from shapeplan.readers.names import word_of
from shapeplan.runs import Runs

_TIMES = re.compile(
    r"(?:n|num|number_of|total)?_?(?:gpus?|tpus?|devices?|nodes?|accelerators?|replicas?|ranks?|workers?|hosts?|chips?)"
    r"|world_size|data_parallel(?:_size|_degree)?|dp(?:_size|_degree)?"
    r"|(?:gradient|grad)_?acc(?:um(?:ulation|ulate)?)?(?:_steps)?|accumulate_grad_batches|accum(?:ulation)?(?:_steps)?"
)


def doubt_batches(runs: Runs, columns: Columns) -> Iterator[Caution]:
    """Yield a caution for every column by which a batch that examples are derived from may have to be multiplied."""
    batch = columns.roles.get("batch_size")
    if batch is None or "steps" not in columns.roles or {"tokens", "examples"} & columns.roles.keys():
        return
    for column in columns.ignored:
        if _TIMES.fullmatch(word_of(column)) is None:
            continue
        values = runs.cells[column].finite_numbers()
        if values is None or values.min() < 1 or values.max() == 1:
            continue
        message = f"{batch!r} may be that of one of {span(values)}: column {column!r} is ignored"
        hint = f"if so, log tokens or examples, or the whole batch; if {batch!r} is that, remove {column!r}"
        yield Caution(codes.UNREAD_COLUMN, message, hint)
