"""Rows to predict of recipes that a law knows the levels of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shapeplan.fitting.evidence import RecipeFactor
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.runs import Runs


@frozen
class RecipeLevels:
    """What rows have beside the reference, arrays of shape (rows,).

    Attributes
    ----------
    compute, times, plus : ndarray
        A factor of compute and examples, a factor of the loss, and what is added to it.
    unknown : tuple of str
        Recipes of rows that the law never saw; they are taken for the reference.
    said : str
        The recipe that rows are of, for a note.
    """

    compute: Floats
    times: Floats
    plus: Floats
    unknown: tuple[str, ...]
    said: str


def levels_of(recipes: Sequence[RecipeFactor], runs: Runs) -> RecipeLevels | None:
    """Return the levels of rows by the column that tells their recipe; None for a law of one recipe."""
    if not recipes:
        return None
    column, reference = recipes[0].column, recipes[0].name
    levels = {form: np.ones(len(runs)) for form in ("compute", "loss")} | {"eps": np.zeros(len(runs))}
    if column not in runs.cells:
        said = f"the rows have no column {column!r}: they are predicted as of the recipe {reference!r}"
        return RecipeLevels(levels["compute"], levels["loss"], levels["eps"], (), said)
    group, names = runs.cells[column].groups()
    known = {one.name: one for one in recipes}
    unknown = tuple(str(name) for name in names if str(name) not in known)
    for index, name in enumerate(names):
        one = known.get(str(name))
        if one is not None and one.level is not None:
            levels[one.form][group == index] = one.level.value
    said = f"rows are predicted as of their recipe by {column!r}, with the levels of the fit"
    return RecipeLevels(levels["compute"], levels["loss"], levels["eps"], unknown, said)
