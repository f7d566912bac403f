"""Records in memory to a table: DataFrames of pandas, Polars and Arrow, and lists of mappings. None is imported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.gather import Gathered
from shapeplan.readers.table import Record, Table, flattened
from shapeplan.runs import Source

if TYPE_CHECKING:
    from typing_extensions import TypeIs


@runtime_checkable
class Pandas(Protocol):
    """A DataFrame of pandas."""

    def to_dict(self, orient: str) -> Any:
        """Return the rows as mappings, for ``records``."""


@runtime_checkable
class Polars(Protocol):
    """A DataFrame of Polars."""

    def to_dicts(self) -> Any:
        """Return the rows as mappings."""


@runtime_checkable
class Arrow(Protocol):
    """A table of Arrow."""

    def to_pylist(self) -> Any:
        """Return the rows as mappings."""


Frame: TypeAlias = Pandas | Polars | Arrow | Sequence[Mapping[str, object]]


def is_frame(given: Frame | str | Path | Sequence[str | Path]) -> TypeIs[Frame]:
    """Return whether something is rows in memory, not the name of an input."""
    if isinstance(given, Polars | Arrow | Pandas):
        return True
    return isinstance(given, Sequence) and not isinstance(given, str) and any(isinstance(row, Mapping) for row in given)


def gather_frame(frame: Frame) -> Gathered:
    """Return rows in memory as a table, whose lines are the rows counted from 1.

    Raises
    ------
    InputError
        If there are no rows, or one is no mapping.
    """
    kind = type(frame).__name__
    name = "<records>" if isinstance(frame, Sequence) else f"<{kind}>"
    rows = list(_rows(frame))
    if not rows:
        raise InputError(ErrorDetail("no-rows", "has no rows", "add a row a point of training", name))
    wrong = [i for i, row in enumerate(rows, 1) if not isinstance(row, Mapping)]
    if wrong:
        raise InputError(
            *(ErrorDetail("wrong-type", "the row is no mapping", "write column: value", name, i) for i in wrong)
        )
    records = tuple(
        flattened(Record(i, {str(key): _plain(cell) for key, cell in row.items()})) for i, row in enumerate(rows, 1)
    )
    digest = hashlib.sha256("\n".join(repr(sorted(record.cells.items())) for record in records).encode()).hexdigest()
    return Gathered(Table.of_records(records), (Source(name, digest),), name)


def _rows(frame: Frame) -> Iterable[Any]:
    if isinstance(frame, Polars):
        yield from frame.to_dicts()
    elif isinstance(frame, Arrow):
        yield from frame.to_pylist()
    elif isinstance(frame, Pandas):
        yield from frame.to_dict("records")
    else:
        yield from frame


def _plain(cell: object) -> object:
    """Return a scalar of NumPy as Python's own."""
    item = getattr(cell, "item", None)
    return item() if callable(item) else cell
