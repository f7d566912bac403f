"""Columns of the recipe in which rows of one shape and compute differ: noise to a law that does not know them."""

from __future__ import annotations

import numpy as np

from shapeplan.numerics.arrays import Floats
from shapeplan.numerics.grouping import is_function
from shapeplan.readers.columns import Columns
from shapeplan.readers.names import RECIPE, word_of
from shapeplan.runs import FEWEST_OF_A_RECIPE, MOST_RECIPES, Runs


def differing(runs: Runs, columns: Columns) -> tuple[str, ...]:
    """Return the columns of the recipe in which rows of one shape and compute differ."""
    recipe = [column for column in runs.cells if word_of(column) in RECIPE or column == columns.roles.get("lr")]
    recipe += [column for column in runs.factors if column not in recipe and _tells_recipes(runs, column)]
    if not recipe:
        return ()
    group = runs.alike()
    varied = [
        column for column in recipe if (values := _levels(runs, column)) is not None and not is_function(values, group)
    ]
    return tuple(varied)


def _tells_recipes(runs: Runs, column: str) -> bool:
    """Return whether a column has a few words, none in a few rows alone; numbers may be seeds."""
    if runs.cells[column].finite_numbers() is not None:
        return False
    group, names = runs.cells[column].groups()
    return 2 <= len(names) <= MOST_RECIPES and int(np.bincount(group).min()) >= FEWEST_OF_A_RECIPE


def _levels(runs: Runs, column: str) -> Floats | None:
    """Return the values of a column as numbers, those of text by their order; None where it is neither."""
    values = runs.cells[column].finite_numbers()
    return values if values is not None or column not in runs.factors else runs.cells[column].groups()[0].astype(float)
