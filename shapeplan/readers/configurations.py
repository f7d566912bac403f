"""Sizes of models in a table of their own, a row a run: joined to the results, which have a metric and no size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from shapeplan.cells import Cells
from shapeplan.errors import ErrorDetail, InputError, details_at
from shapeplan.frozen import frozen
from shapeplan.readers.metric_names import is_loss
from shapeplan.readers.names import SHAPE, SIZES, claim_of, run_column
from shapeplan.readers.numbers import is_blank, label_faults, read_numbers
from shapeplan.readers.table import Table


@frozen
class _Named:
    """A table with the column that names runs, and whether it tells the metric, and sizes of models."""

    name: str
    table: Table
    run: str
    has_metric: bool
    has_sizes: bool

    @classmethod
    def of(cls, name: str, table: Table) -> _Named | None:
        """Return what a table tells; None where no column, or no telling which, names runs."""
        run = run_column(table.columns)
        if run is None:
            return None
        sizes = any((claim := claim_of(column)) is not None and claim.role in SHAPE for column in table.columns)
        return cls(name, table, run, any(map(is_loss, table.columns)), sizes)

    @property
    def keys(self) -> list[str]:
        """The run of every row."""
        return [_key(cell) for cell in self.table.cells[self.run]]

    @property
    def mistakes(self) -> list[ErrorDetail]:
        """What is wrong with its names of runs and its sizes, which a table that they are joined to could not place."""
        unnamed = label_faults(self.table, self.run, self.name)
        sizes = [column for column in self.table.columns if (claim := claim_of(column)) and claim.role in SIZES]
        read = (read_numbers(self.table, column, self.name, positive=True) for column in sizes)
        return unnamed or [found for _, _, mistakes in read for found in mistakes]

    def detail(self, code: str, row: int, message: str, hint: str) -> ErrorDetail:
        """Return an error about the run of a row, which the message has a place for."""
        run = str(self.table.cells[self.run][row])
        place = (self.table.file_of(row, self.name), self.table.line_of(row, self.run), self.run, run)
        return ErrorDetail(code, message.format(run), hint, *place)


def with_configurations(tables: Sequence[tuple[str, Table]]) -> list[tuple[str, Table]]:
    """Return tables of results with the columns that tables of configurations, which are left out then, have of runs.

    They are returned as they are if they are not such: results with a metric and no size, configurations with sizes,
    no metric and a row a run, and runs named in all of them.

    Raises
    ------
    InputError
        If a run of the results has no configuration, or two.
    """
    told = [_Named.of(name, table) for name, table in tables] if len(tables) > 1 else []
    named = [one for one in told if one is not None]
    results = [one for one in named if one.has_metric and not one.has_sizes]
    configured = [one for one in named if one.has_sizes and not one.has_metric]
    if not results or not configured or len(results) + len(configured) < len(tables):
        return list(tables)
    places: dict[str, tuple[_Named, int]] = {}
    mistakes: list[ErrorDetail] = []
    for one in configured:
        mistakes += one.mistakes
        for row, key in enumerate(one.keys):
            if key in places:
                hint = "keep one row a run in the table of sizes"
                mistakes.append(one.detail("two-configurations", row, "the run {0!r} has its sizes twice", hint))
            places[key] = (one, row)
    if mistakes:
        raise InputError(*mistakes)
    return [(one.name, _joined(one, configured, places)) for one in results]


def _joined(result: _Named, configured: Sequence[_Named], places: dict[str, tuple[_Named, int]]) -> Table:
    """Return results with the columns of configurations that they do not have."""
    if unnamed := label_faults(result.table, result.run, result.name):
        raise InputError(*unnamed)
    keys = result.keys
    unknown = [row for row, key in enumerate(keys) if key not in places]
    if unknown:
        said, hint = "no table of sizes has the run {0!r}", "add its row there, or leave its rows out of the results"
        raise InputError(*details_at(unknown, lambda i: result.detail("no-configuration", i, said, hint)))
    runs = {one.run for one in configured}
    added = dict.fromkeys(column for one in configured for column in one.table.columns if column not in runs)
    cells = dict(result.table.cells)
    for column in added:
        if column not in cells:
            found = [places[key] for key in keys]
            cells[column] = Cells(
                [one.table.cells[column][row] if column in one.table.cells else None for one, row in found]
            )
    files = ", ".join(one.name for one in configured)
    notes = [f"the sizes of {result.name} are those of its runs in {files}, by {result.run!r}"]
    if both := [column for column in added if column in result.table.cells]:
        notes.append(f"not read of {files}, since {result.name} has it too: {', '.join(map(repr, both))}")
    placed = result.table.files or [result.name] * len(result.table)
    return replace(result.table, cells=cells, files=placed, notes=(*result.table.notes, *notes))


def _key(cell: object) -> str:
    """Return the name of a run as text: 7.0, as a column with gaps is written, is the run 7."""
    return "" if is_blank(cell) else re.sub(r"^(\d+)\.0*$", r"\1", str(cell).strip())
