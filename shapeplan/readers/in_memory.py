"""Records in memory to a table: DataFrames of pandas, Polars and Arrow, and lists of mappings. None is imported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from shapeplan.errors import ArgumentError, ErrorDetail, InputError, details_at
from shapeplan.provenance import Source
from shapeplan.readers.alignment import coalesced
from shapeplan.readers.gather import Gathered
from shapeplan.readers.histories import table_of
from shapeplan.readers.nested_cells import expanded
from shapeplan.readers.reshaped import reshaped
from shapeplan.readers.table import Record, refuse_many_columns
from shapeplan.readers.tree import plain

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


Frame: TypeAlias = Pandas | Polars | Arrow | Sequence[Mapping[str, object]] | Mapping[str, Sequence[object]]


def is_frame(given: object) -> TypeIs[Frame]:
    """Return whether something is rows in memory, not the name of an input."""
    if isinstance(given, Polars | Arrow | Pandas | Mapping):
        return True
    return isinstance(given, Sequence) and not isinstance(given, str) and any(isinstance(row, Mapping) for row in given)


def paths_of(given: object) -> list[str | Path]:
    """Return the names of inputs that are not rows in memory.

    Raises
    ------
    ArgumentError
        If there is none, or something is neither a name nor rows.
    """
    given = [given] if isinstance(given, str | Path) or not isinstance(given, Iterable) else given
    whole = [given] if hasattr(given, "read") or hasattr(given, "dtype") or isinstance(given, bytes) else list(given)
    hint = "name a file, a folder, '-', or give"
    if not whole:
        raise ArgumentError(ErrorDetail("no-log", "there is no log to read", f"{hint} a DataFrame"))
    paths: list[str | Path] = []
    for item in whole:
        if not isinstance(item, str | Path):
            one = "one DataFrame (`pandas.concat`)" if isinstance(item, Pandas | Polars | Arrow) else "a DataFrame"
            message = f"a log cannot be read from {type(item).__name__}"
            raise ArgumentError(ErrorDetail("wrong-type", message, f"{hint} {one} or a list of dicts"))
        paths.append(item)
    return paths


def gather_frame(frame: Frame) -> Gathered:
    """Return rows in memory as a table, whose lines are the rows counted from 1.

    Raises
    ------
    InputError
        If there are no rows, or one is no mapping.
    """
    kind = type(frame).__name__
    name = "<records>" if isinstance(frame, Sequence | Mapping) else f"<{kind}>"
    _refuse_odd(frame, name)
    rows = _rows_of_columns(frame, name) if isinstance(frame, Mapping) else list(_rows(frame))
    if not rows:
        raise InputError(ErrorDetail("no-rows", "has no rows", "add a row a point of training", name))
    wrong = [i for i, row in enumerate(rows, 1) if not isinstance(row, Mapping)]
    if wrong:
        hint = "write column: value"
        raise InputError(
            *details_at(wrong, lambda i: ErrorDetail("wrong-type", "the row is no mapping", hint, name, i))
        )
    entries = [
        Record(i, {_column_name(key): plain(cell) for key, cell in row.items()}) for i, row in enumerate(rows, 1)
    ]
    table = expanded(reshaped(coalesced(table_of(entries, name)), name), name)
    refuse_many_columns(len(table.cells), name)
    digest = hashlib.sha256(
        "\n".join(repr(sorted(record.cells.items())) for record in table.records).encode()
    ).hexdigest()
    return Gathered(table, (Source(name, digest),), name)


def _refuse_odd(frame: Frame, name: str) -> None:
    """Raise `InputError` for a frame without columns, or with two of one name."""
    columns = getattr(frame, "columns", ()) if isinstance(frame, Pandas) else ()
    if hasattr(frame, "index") and isinstance(frame, Pandas) and not hasattr(frame, "columns"):
        raise InputError(ErrorDetail("wrong-type", "has no columns", "give a DataFrame", name))
    names = [_column_name(column) for column in columns]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        message = f"has {names.count(twice[0])} columns of that name"
        raise InputError(ErrorDetail("duplicate-header", message, "rename or remove one", name, column=twice[0]))


def _column_name(column: object) -> str:
    """Return the name of a column; of one with several levels, a path."""
    return ".".join(str(part) for part in column if str(part)) if isinstance(column, tuple) else str(column)


def _rows(frame: Pandas | Polars | Arrow | Sequence[Mapping[str, object]]) -> Iterable[Any]:
    if isinstance(frame, Polars):
        yield from frame.to_dicts()
    elif isinstance(frame, Arrow):
        yield from frame.to_pylist()
    elif isinstance(frame, Pandas):
        # An index with names, or of words, holds columns; another numbers the rows.
        index = getattr(frame, "index", ())
        levels = getattr(index, "names", ())
        named = [level for level in levels if level is not None and level not in getattr(frame, "columns", ())]
        held = named or (list(levels) == [None] and all(isinstance(label, str) for label in index))
        whole = frame.reset_index(named or None) if held and hasattr(frame, "reset_index") else frame
        yield from whole.to_dict("records")
    else:
        yield from frame


def _rows_of_columns(frame: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """Return the rows of a mapping of columns; raise `InputError` where one is no list, or not as long as the first."""
    columns: dict[str, list[object]] = {}
    for column, cells in frame.items():
        if not isinstance(cells, Iterable) or isinstance(cells, str | bytes | Mapping):
            why = "is no list"
        else:
            columns[str(column)] = values = list(cells)
            rows = len(next(iter(columns.values())))
            why = "" if len(values) == rows else f"has {len(values)} values, the first column {rows}"
        if why:
            hint = "give every column as a list, with a value a row"
            raise InputError(ErrorDetail("wrong-type", why, hint, name, column=str(column)))
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
