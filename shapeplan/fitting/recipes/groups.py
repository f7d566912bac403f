"""The recipes of a log: which rows are of which, by a column that tells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.runs import FEWEST_OF_A_RECIPE, MOST_RECIPES, Runs


@frozen
class Groups:
    """The recipes of a log.

    Attributes
    ----------
    column : str
        The column that tells them.
    names : sequence of str
        Its values, the reference first: that with the most rows.
    group : ndarray of int, shape (rows,)
        Which each row has.
    """

    column: str
    names: Sequence[str]
    group: Ints

    def __len__(self) -> int:
        """Return the number of recipes."""
        return len(self.names)

    @property
    def counts(self) -> Ints:
        """How many rows each has, shape (groups,)."""
        return np.bincount(self.group, minlength=len(self))

    def spread(self, levels: Floats) -> Floats:
        """Return the level of every row, shape (rows,), from those of groups."""
        return levels[self.group]


def groups_of(runs: Runs, column: str) -> Groups:
    """Return the recipes that a column of the log tells.

    Raises
    ------
    ArgumentError
        If there is no such column, or it has one value, too many, or too few rows of one.
    """
    if column not in runs.cells:
        known = ", ".join(name for name in runs.cells if name not in runs.dims) or "none"
        raise _bad(f"there is no column {column!r}", f"the columns are: {known}")
    group, names = runs.cells[column].groups()
    counts = np.bincount(group, minlength=len(names))
    if blank := sum(int(count) for name, count in zip(names, counts, strict=True) if not str(name).strip()):
        raise _bad(f"the column {column!r} is empty in {blank} rows", "fill them in, or leave them out with `where`")
    if not 2 <= len(names) <= MOST_RECIPES:
        has = "one value" if len(names) == 1 else f"{len(names)} values"
        raise _bad(f"the column {column!r} has {has}", f"a factor has 2 to {MOST_RECIPES}; `where` keeps some rows")
    least = int(np.argmin(counts))
    if counts[least] < FEWEST_OF_A_RECIPE:
        message = f"{names[least]!r} of the column {column!r} has {counts[least]} rows"
        raise _bad(message, f"a factor needs {FEWEST_OF_A_RECIPE} or more; leave them out with `where`")
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return Groups(column, tuple(str(names[i]) for i in order), place[group])


def _bad(message: str, hint: str) -> ArgumentError:
    return ArgumentError(ErrorDetail("bad-group", message, hint))
