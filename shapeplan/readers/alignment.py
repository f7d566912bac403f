"""Columns that mean the same under other names: of several inputs, or of rows that have either the one or the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shapeplan.cells import Cells
from shapeplan.numerics.arrays import Floats
from shapeplan.readers.names import SURE, SYMBOLS, Claim, claim_of
from shapeplan.readers.numbers import is_blank
from shapeplan.readers.table import Table


def aligned(tables: Sequence[tuple[str, Table]]) -> list[tuple[str, Table]]:
    """Return inputs by name, with every column that has a role in the first one under its name there.

    A column in another convention keeps its name, and is an error later: one column is read as compute.
    """
    (first_name, first), *others = tables
    known = _by_role(first.columns)
    result = [(first_name, first)]
    for name, table in others:
        if table.cell_lines or table.columns == first.columns:
            result.append((name, table))
            continue
        cells, said = dict(table.cells), []
        for role, claim in _by_role(table.columns).items():
            if role not in known or not _may_take(claim, known[role], table, first):
                continue
            factor, numbers = claim.scale / known[role].scale, table.cells[claim.column].numbers()
            if factor != 1.0 and numbers is None:
                continue
            scaled = table.cells[claim.column] if factor == 1.0 or numbers is None else _times(numbers, factor)
            cells = {known[role].column if column == claim.column else column: of for column, of in cells.items()}
            cells[known[role].column] = scaled
            times = f" x {factor:g}" if factor != 1.0 else ""
            said.append(f"{claim.column!r}{times} is {known[role].column!r}")
        notes = (*table.notes, f"in {name}, {', '.join(said)} of {first_name}") if said else table.notes
        result.append((name, replace(table, cells=cells, notes=notes)))
    return result


def coalesced(table: Table) -> Table:
    """Return a table with one column in place of several of one role, of which every row has exactly one."""
    by_role: dict[tuple[str, float, str | None], list[str]] = {}
    for column in table.columns:
        claim = claim_of(column)
        if claim is not None and claim.rank <= SURE:
            by_role.setdefault((claim.role, claim.scale, claim.convention), []).append(column)
    cells, said = dict(table.cells), []
    for columns in by_role.values():
        held = _only_cells([table.cells[column] for column in columns]) if len(columns) > 1 else None
        if held is None:
            continue
        first, *others = columns
        cells[first] = Cells(held)
        for column in others:
            del cells[column]
        said.append(f"{', '.join(map(repr, others))} is {first!r} where a row has it in place of that")
    return replace(table, cells=cells, notes=(*table.notes, *said)) if said else table


def _only_cells(columns: Sequence[Cells]) -> list[object] | None:
    """Return what every row has in one of some columns; None if one has nothing, or cells in two."""
    held = []
    for row in zip(*columns, strict=True):
        found = [cell for cell in row if not is_blank(cell)]
        if len(found) != 1:
            return None
        held.append(found[0])
    return held


def _times(numbers: Floats, factor: float) -> Cells:
    return Cells([float(f"{number * factor:.15g}") for number in numbers.tolist()])


def _by_role(columns: Sequence[str]) -> dict[str, Claim]:
    """Return the claim on every role that one column alone makes: by a word, or where none does by a capital letter."""
    claims = [claim for column in columns if (claim := claim_of(column)) is not None]
    sure = [claim for claim in claims if claim.rank <= SURE]
    roles = [claim.role for claim in sure]
    letters = [claim for claim in claims if claim.column in SYMBOLS and claim.role not in roles]
    return {claim.role: claim for claim in (*sure, *letters) if roles.count(claim.role) <= 1}


def _may_take(claim: Claim, known: Claim, table: Table, first: Table) -> bool:
    free = known.column not in table.columns and claim.column not in first.columns
    return free and claim.convention == known.convention
