"""Numbers of a log against the bounds of their roles, `shapeplan.bounds`: of cells, and what is derived of them."""

from __future__ import annotations

import numpy as np

from shapeplan.bounds import BOUNDS, Bound, bound_of
from shapeplan.errors import ErrorDetail, InputError, details_at
from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.readers.table import Table

_LONGEST = 60
_HINT = "check the cell, and the unit in the header (shapeplan explain bounds)"


def out_of_bounds(values: Floats, role: str, table: Table, column: str, name: str) -> list[ErrorDetail]:
    """Return an error for every cell whose number, in the unit of its header, its role cannot have.

    Parameters
    ----------
    values : ndarray, shape (rows,)
        The numbers, NaN where a cell is none.
    role : str
        Of the column; an ``accuracy`` has only the most of a loss. What is not above zero is told otherwise.
    table, column, name : Table, str, str
        Where they stand.
    """
    bound = BOUNDS["loss"] if role == "accuracy" else bound_of(role)
    beyond = np.abs(values) > bound.most
    if role != "accuracy":
        beyond |= (values > 0) & (values < bound.least)
    return details_at(
        np.flatnonzero(beyond).tolist(),
        lambda row: ErrorDetail(
            "out-of-bounds",
            _message(float(values[row]), role, bound),
            _HINT,
            table.file_of(row, name),
            table.line_of(row, column),
            column,
            str(table.cells[column][row])[:_LONGEST],
        ),
    )


def check_derived(role: str, values: Floats, lines: Ints, name: str) -> None:
    """Raise `InputError` where numbers of the input multiply to what their role cannot have.

    Parameters
    ----------
    role : str
        Of what is derived.
    values : ndarray, shape (rows,)
        The products.
    lines, name : ndarray of int, str
        Lines of the rows and the input.
    """
    bound = bound_of(role)
    wrong = np.flatnonzero(~((values >= bound.least) & (values <= bound.most)))
    if wrong.size:
        row = int(wrong[0])
        hint = "check the cells of the row that it follows from (shapeplan explain bounds)"
        message = _message(float(values[row]), role, bound)
        raise InputError(ErrorDetail("out-of-bounds", message, hint, name, int(lines[row]), role))


def _message(value: float, role: str, bound: Bound) -> str:
    return f"{role} of {value:.3g} is out of bounds: it is {bound} in every log"
