"""Cells of text that hold mappings or lists, as JSON or as Python prints them: exports of dashboards have such."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from typing import Any

from shapeplan.readers.histories import table_of
from shapeplan.readers.numbers import is_blank
from shapeplan.readers.table import Table
from shapeplan.readers.tree import is_flat

_SCALAR = re.compile(r"(?:float|int|uint)(?:8|16|32|64)")
_OPENINGS = {"{": dict, "[": list}


def expanded(table: Table, name: str) -> Table:
    """Return a table whose columns of mappings are columns of what those hold, and whose lists of points are rows.

    Raises
    ------
    InputError
        If the lists of a run are not of one length; it is placed in the input `name`.
    """
    columns = {column: found for column in table.columns if (found := _nested(table, column)) is not None}
    if not columns:
        return table
    records = [
        replace(record, cells={**record.cells, **{column: cells[row] for column, cells in columns.items()}})
        for row, record in enumerate(table.records)
    ]
    whole = table_of(records, name, table.header_line)
    mappings = [column for column, cells in columns.items() if isinstance(cells[0], dict)]
    notes = (
        [f"cells of {', '.join(map(repr, mappings))} are mappings: read as columns of their own"] if mappings else []
    )
    return replace(
        table, cells=whole.cells, lines=whole.lines, cell_lines=(), notes=(*table.notes, *notes, *whole.notes)
    )


def _nested(table: Table, column: str) -> list[Any] | None:
    """Return the mappings or the lists in a column, if all of its cells are such or empty."""
    cells = table.cells[column]
    kind = _OPENINGS.get(str(cells[0])[:1]) if len(table) else None
    if kind is None:
        return None
    found = [kind() if is_blank(cell) else _literal(cell, kind) for cell in cells]
    # Brackets around one number are how Python prints an array of it.
    if kind is list and all(cell is None or (len(cell) < 2 and is_flat(cell)) for cell in found):
        return None
    return None if any(cell is None for cell in found) else found


def _literal(cell: object, kind: type) -> Any:
    """Return what a cell holds; None where it is not of that kind."""
    if not isinstance(cell, str):
        return None
    for parse in (json.loads, _python_literal):
        try:
            found = parse(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        keyed = not isinstance(found, dict) or all(isinstance(key, str) for key in found)
        return found if isinstance(found, kind) and keyed else None
    return None


def _python_literal(text: str) -> object:
    return ast.literal_eval(_Floats().visit(ast.parse(text, mode="eval")))


class _Floats(ast.NodeTransformer):
    """Floats that are no numbers, which Python prints as names, and NumPy's, which it prints with their type."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        kind = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return node.args[0] if len(node.args) == 1 and not node.keywords and _SCALAR.fullmatch(kind) else node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(float(node.id)) if node.id in ("nan", "inf") else node
