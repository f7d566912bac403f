"""Cells of text that hold mappings, as JSON or as Python prints them: W&B's own example of an export writes such."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import replace

from shapeplan.readers.numbers import is_blank
from shapeplan.readers.table import Table, flattened


def expanded(table: Table) -> Table:
    """Return a table whose columns of mappings are columns of what those hold, under dotted names."""
    columns = {column: found for column in table.columns if (found := _mappings(table, column)) is not None}
    if not columns:
        return table
    records = [
        flattened(replace(record, cells={**record.cells, **{name: cells[row] for name, cells in columns.items()}}))
        for row, record in enumerate(table.records)
    ]
    whole = Table.of_records(records)
    note = f"cells of {', '.join(map(repr, columns))} are mappings: read as columns of their own"
    return replace(table, cells=whole.cells, cell_lines=(), notes=(*table.notes, note))


def _mappings(table: Table, column: str) -> list[Mapping[str, object]] | None:
    """Return the mappings in a column, if all of its cells are such or empty."""
    cells = table.cells[column]
    if not len(table) or not str(cells[0]).startswith("{"):
        return None
    found = []
    for cell in cells:
        mapping = {} if is_blank(cell) else _mapping(cell)
        if mapping is None:
            return None
        found.append(mapping)
    return found


def _mapping(cell: object) -> Mapping[str, object] | None:
    if not isinstance(cell, str):
        return None
    for parse in (json.loads, _python_literal):
        try:
            found = parse(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, dict) and all(isinstance(key, str) for key in found) else None
    return None


def _python_literal(text: str) -> object:
    return ast.literal_eval(_Floats().visit(ast.parse(text, mode="eval")))


class _Floats(ast.NodeTransformer):
    """Floats that are no numbers, which Python prints as names."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(float(node.id)) if node.id in ("nan", "inf") else node
