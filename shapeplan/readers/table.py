"""Records with their places: what every format is parsed into before anyone asks what the columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its cells by column as they stand in the input, and the lines they stand on."""

    line: int
    cells: Mapping[str, object]
    lines: Mapping[str, int] = field(default_factory=dict)

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
    """

    columns: tuple[str, ...]
    records: tuple[Record, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    settings_lines: Mapping[str, int] = field(default_factory=dict)


def columns_of(records: tuple[Record, ...]) -> tuple[str, ...]:
    """Return every column that any record has, in order of first appearance."""
    return tuple(dict.fromkeys(column for record in records for column in record.cells))
