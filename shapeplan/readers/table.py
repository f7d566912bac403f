"""Records with their places: what every format is parsed into before anyone asks what the columns mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shapeplan.errors import ErrorDetail, InputError


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
    """Records under columns, with the settings that may precede them.

    Attributes
    ----------
    columns : tuple of str
        Names as they stand in the input, in order of appearance.
    records : tuple of Record
        In input order.
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
        Rows that could not be split, which are not among the records.
    """

    columns: tuple[str, ...]
    records: tuple[Record, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    settings_lines: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    header_line: int = 1
    semicolons: bool = False
    faults: tuple[ErrorDetail, ...] = ()


def columns_of(records: Iterable[Record]) -> tuple[str, ...]:
    """Return every column that any record has, in order of first appearance."""
    return tuple(dict.fromkeys(column for record in records for column in record.cells))


def flattened(record: Record) -> Record:
    """Return a record whose cells hold no mappings: ``{"config": {"width": 8}}`` has a cell ``config.width``."""
    if not any(isinstance(cell, Mapping) for cell in record.cells.values()):
        return record
    cells: dict[str, object] = {}
    lines: dict[str, int] = {}

    def add(prefix: str, mapping: Mapping[str, object], line: int) -> None:
        for key, cell in mapping.items():
            place = getattr(mapping, "lines", record.lines).get(key, line)
            if isinstance(cell, Mapping):
                add(f"{prefix}{key}.", cell, place)
            else:
                cells[prefix + key], lines[prefix + key] = cell, place

    add("", record.cells, record.line)
    return replace(record, cells=cells, lines=lines)


def joined(tables: Sequence[tuple[str, Table]]) -> Table:
    """Return the records of several inputs, by name, as one table.

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
                hint = "give logs of one recipe, or say it once with --config"
                raise InputError(ErrorDetail("two-settings", message, hint, name, table.settings_lines.get(key), key))
            settings[key], lines[key], of[key] = value, table.settings_lines.get(key, 1), name
    records = tuple(replace(record, file=record.file or name) for name, table in tables for record in table.records)
    notes = tuple(dict.fromkeys(note for _, table in tables for note in table.notes))
    semicolons = any(table.semicolons for _, table in tables)
    faults = tuple(fault for _, table in tables for fault in table.faults)
    header = tables[0][1].header_line
    return Table(columns_of(records), records, settings, lines, notes, header, semicolons, faults)
