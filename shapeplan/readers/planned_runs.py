"""What a design tells of the runs in a log: which column has their names, and shapes that the log leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shapeplan.cells import ABSENT, Cells
from shapeplan.readers.names import claim_of
from shapeplan.readers.table import Table
from shapeplan.runs import Runs

_RUN = "run"
_OF_SHAPE = {"width", "depth", "mlp_dim", "mlp_ratio", "heads", "head_dim"}


def as_planned(table: Table, design: Runs) -> Table:
    """Return a log of the runs of a design with what the design knows of them.

    Where cells of another column than that of the runs' names are names of rows of the design (a run of W&B has an
    identifier and a name), these runs are called so. Where the log tells no shape at all, since all that a training
    program prints may be losses, that of a run is the one of the row whose name it has.
    """
    rows = {design.run_names[run]: row for row, run in enumerate(design.run.tolist())}
    return _with_shapes(_with_names(table, rows), design, rows)


def _with_names(table: Table, rows: Mapping[str, int]) -> Table:
    own = _column_of_runs(table)
    counts = {
        column: sum(cell in rows for cell in cells if isinstance(cell, str)) for column, cells in table.cells.items()
    }
    most = max(counts, key=lambda column: (counts[column], column == own), default=own)
    if most is None or most == own or not counts[most] or _RUN in table.cells:
        return table
    names = [
        cell if isinstance(cell, str) and cell in rows else table.cells[own][row] if own is not None else ABSENT
        for row, cell in enumerate(table.cells[most])
    ]
    note = f"runs are called as column {most!r} calls them, which are names of the design"
    return replace(table, cells={_RUN: Cells(names), **table.cells}, notes=(*table.notes, note))


def _with_shapes(table: Table, design: Runs, rows: Mapping[str, int]) -> Table:
    roles = {claim.role for column in table.columns if (claim := claim_of(column)) is not None}
    own = _column_of_runs(table)
    if own is None or _OF_SHAPE & roles:
        return table
    planned = [rows.get(str(cell).strip()) for cell in table.cells[own]]
    named = sum(row is not None for row in planned)
    if not named:
        return table
    sizes = {dim: design.values(dim).tolist() for dim in design.dims}
    cells = {dim: Cells([ABSENT if row is None else known[row] for row in planned]) for dim, known in sizes.items()}
    note = f"the log tells no shape: that of {named} rows is the design's, whose names their runs have"
    return replace(table, cells={**table.cells, **cells}, notes=(*table.notes, note))


def _column_of_runs(table: Table) -> str | None:
    if _RUN in table.cells:
        return _RUN
    return next((column for column in table.columns if (claim := claim_of(column)) and claim.role == _RUN), None)
