"""Columns with their places: what every format is parsed into before anyone asks what the columns mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from shapeplan.cells import ABSENT, Cells
from shapeplan.errors import Caution, ErrorDetail, InputError
from shapeplan.numerics.arrays import Bools, Ints
from shapeplan.readers.last_line import ShortCell
from shapeplan.readers.tree import MOST_NESTED, is_flat, too_deep

_BESIDE_VALUES = frozenset({"value", "timestamp", "step", "type", "model_id", "dataset_name", "dataset_digest"})
"""Keys that lists of keys with values have beside these."""
MOST_COLUMNS = 20_000
"""Exporters write a column a setting and a metric, which are thousands at most."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its cells by column as they stand in the input, their lines, and its file where there are several."""

    line: int
    cells: Mapping[str, object]
    lines: Mapping[str, int] = field(default_factory=dict)
    file: str = ""

    def line_of(self, column: str) -> int:
        """Return the line of one cell, or of the record where the format does not tell."""
        return self.lines.get(column, self.line)


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by column, with the settings that may precede them.

    Attributes
    ----------
    cells : mapping of str to Cells
        By the names of the columns as they stand in the input, in order of appearance; all of one length.
    lines : ndarray of int, shape (rows,)
        Line of every row.
    cell_lines : sequence of mapping
        Lines of cells by row and column; empty where the format does not tell.
    files : sequence of str
        The file of every row; empty where there is one.
    settings : mapping
        ``architecture``, ``flops_convention``, ``metric``, ``star`` and the like.
    settings_lines : mapping of str to int
        Their lines.
    notes : tuple of str
        What was understood of the format.
    header_line : int
        Where the columns are named.
    semicolons : bool
        Whether semicolons separate the cells.
    faults : tuple of ErrorDetail
        Rows that could not be split, which are not among the rows.
    short_cells : tuple of ShortCell
        Last cells of files that may be cut.
    cautions : tuple of Caution
        What is doubtful of how runs were logged.
    """

    cells: Mapping[str, Cells]
    lines: Ints
    cell_lines: Sequence[Mapping[str, int]] = ()
    files: Sequence[str] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    settings_lines: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    header_line: int = 1
    semicolons: bool = False
    faults: tuple[ErrorDetail, ...] = ()
    short_cells: tuple[ShortCell, ...] = ()
    cautions: tuple[Caution, ...] = ()

    @classmethod
    def of_records(cls, records: Sequence[Record], notes: Sequence[str] = (), header_line: int = 1) -> Table:
        """Return rows that are known one by one as columns; a cell that a row lacks is `ABSENT`."""
        columns = dict.fromkeys(column for record in records for column in record.cells)
        cells = {column: Cells([record.cells.get(column, ABSENT) for record in records]) for column in columns}
        return cls(
            cells,
            np.array([record.line for record in records], dtype=int),
            [record.lines for record in records] if any(record.lines for record in records) else (),
            [record.file for record in records] if any(record.file for record in records) else (),
            notes=tuple(notes),
            header_line=header_line,
        )

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lines)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.cells)

    @property
    def records(self) -> Iterator[Record]:
        """The rows, one by one."""
        for row in range(len(self)):
            cells = {column: cell for column, found in self.cells.items() if (cell := found[row]) is not ABSENT}
            lines = self.cell_lines[row] if self.cell_lines else {}
            yield Record(int(self.lines[row]), cells, lines, self.files[row] if self.files else "")

    def line_of(self, row: int, column: str) -> int:
        """Return the line of one cell, or of its row where the format does not tell."""
        line = int(self.lines[row])
        return self.cell_lines[row].get(column, line) if self.cell_lines else line

    def file_of(self, row: int, name: str) -> str:
        """Return the file of a row, which is `name` where there is one."""
        return (self.files[row] if self.files else "") or name

    def reshaped(self, records: Sequence[Record], notes: Sequence[str]) -> Table:
        """Return other rows in the place of these, with everything else that is known of the table."""
        whole = Table.of_records(records)
        return replace(
            self,
            cells=whole.cells,
            lines=whole.lines,
            cell_lines=whole.cell_lines,
            files=whole.files,
            notes=(*self.notes, *notes),
        )

    def take(self, rows: Bools) -> Table:
        """Return the rows of a mask."""
        kept = np.flatnonzero(rows).tolist()
        return replace(
            self,
            cells={column: cells.take(rows) for column, cells in self.cells.items()},
            lines=self.lines[rows],
            cell_lines=[self.cell_lines[i] for i in kept] if self.cell_lines else (),
            files=[self.files[i] for i in kept] if self.files else (),
        )


def refuse_many_columns(count: int, name: str) -> None:
    """Raise `InputError` for a log with more columns than any log has."""
    if count > MOST_COLUMNS:
        message = f"has {count:,} columns, and a log has at most {MOST_COLUMNS:,}"
        hint = "is it the other way round? a row is a point of training, a column what was logged there"
        raise InputError(ErrorDetail("too-many-columns", message, hint, name, 1))


def flattened(record: Record, name: str | None = None) -> Record:
    """Return a record whose cells hold no mappings: ``{"config": {"width": 8}}`` has a cell ``config.width``.

    Mappings by step, ``{"1000": {"loss": 3.9}, ...}``, are lists of points; lists of keys with values,
    ``[{"key": "width", "value": "8"}, ...]``, are mappings.

    Raises
    ------
    InputError
        If they are nested too deeply; it is placed in the input `name`.
    """
    if is_flat(record.cells.values()):
        return record
    cells: dict[str, object] = {}
    lines: dict[str, int] = {}
    placed: set[str] = set()

    def add(prefix: str, mapping: Mapping[str, object], line: int, depth: int) -> None:
        if depth > MOST_NESTED:
            raise too_deep(record.file or name, line)
        for key, cell in mapping.items():
            place = getattr(mapping, "lines", record.lines).get(key, line)
            if (points := _by_step(cell)) is not None:
                cells[prefix + key], lines[prefix + key] = points, place
            elif isinstance(cell, Mapping):
                add(f"{prefix}{key}.", cell, place, depth + 1)
            elif (named := _by_key(cell)) is not None:
                # The place of such a list is the exporter's: `data.params` of MLflow's service.
                add(f"{key}." if f"{key}." not in placed else f"{prefix}{key}.", named, place, depth + 1)
                placed.add(f"{key}.")
            else:
                cells[prefix + key], lines[prefix + key] = cell, place

    add("", record.cells, record.line, 1)
    return replace(record, cells=cells, lines=lines)


def _by_step(cell: object) -> list[dict[str, object]] | None:
    """Return what a mapping of mappings by step holds as a list of points; None for anything else."""
    if not isinstance(cell, Mapping) or len(cell) < 2 or not all(str(key).isdecimal() for key in cell):
        return None
    if not all(isinstance(point, Mapping) for point in cell.values()):
        return None
    return [{"step": int(step), **point} for step, point in cell.items()]


def _by_key(cell: object) -> dict[str, object] | None:
    """Return what a list of keys with values holds as a mapping; None for anything else."""
    if not isinstance(cell, list) or not cell or not all(isinstance(item, Mapping) for item in cell):
        return None
    for name in ("key", "name"):
        if all({name, "value"} <= item.keys() <= _BESIDE_VALUES | {name} for item in cell):
            found = {str(item[name]): item["value"] for item in cell}
            return found if len(found) == len(cell) else None
    return None


def joined(tables: Sequence[tuple[str, Table]]) -> Table:
    """Return the rows of several inputs, by name, as one table.

    Raises
    ------
    InputError
        If two of them state one setting, and state it differently.
    """
    if len(tables) == 1:
        return tables[0][1]
    settings: dict[str, object] = {}
    lines: dict[str, int] = {}
    of: dict[str, str] = {}
    for name, table in tables:
        for key, value in table.settings.items():
            if key in settings and settings[key] != value:
                message = f"says another {key} than {of[key]}"
                hint = "give logs of one recipe, or say it once with `config`"
                raise InputError(ErrorDetail("two-settings", message, hint, name, table.settings_lines.get(key), key))
            settings[key], lines[key], of[key] = value, table.settings_lines.get(key, 1), name
    parts = [table for _, table in tables]
    told = any(table.cell_lines for table in parts)
    return Table(
        {
            column: Cells.joined([table.cells.get(column) or Cells([ABSENT] * len(table)) for table in parts])
            for column in dict.fromkeys(column for table in parts for column in table.cells)
        },
        np.concatenate([table.lines for table in parts]),
        [place for table in parts for place in table.cell_lines or [{}] * len(table)] if told else (),
        [table.file_of(row, name) for name, table in tables for row in range(len(table))],
        settings,
        lines,
        tuple(dict.fromkeys(note for table in parts for note in table.notes)),
        parts[0].header_line,
        any(table.semicolons for table in parts),
        tuple(fault for table in parts for fault in table.faults),
        tuple(cell for table in parts for cell in table.short_cells),
        tuple(caution for table in parts for caution in table.cautions),
    )
