"""What runs were trained with, where columns tell: peak learning rate, batch, warm-up, and the rest of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shapeplan.numerics.arrays import Floats
from shapeplan.readers.columns import Columns
from shapeplan.readers.metric_names import may_be_factor
from shapeplan.readers.names import RECIPE, SYNONYMS, word_of
from shapeplan.readers.table import Table
from shapeplan.runs import FEWEST_OF_A_RECIPE, MOST_RECIPES

_RATES = ("peak_lr", "max_lr", "base_lr", "learning_rate", "lr")
"""Words for the peak of the learning rate, the surest first."""
_WARMUP_STEPS = ("warmup_steps", "warmup_iters", "warmup_iterations", "num_warmup_steps", "lr_warmup_iters")
_WARMUP_SHARE = ("warmup_ratio", "warmup_frac", "warmup_fraction", "warmup_share", "lr_warmup_fraction")
_BATCH = ("batch_size", *SYNONYMS["batch_size"], "batch_tokens", *SYNONYMS["batch_tokens"])
_NUMBERS = frozenset({*_RATES, *_WARMUP_STEPS, *_WARMUP_SHARE, "warmup", *_BATCH})
_MOST_SHARE, _FEWEST_STEPS = 0.5, 2.0
"""``warmup`` up to the one is a share of the steps, from the other on steps; in between it may be either."""
_WHOLE = 0.02
"""How far the tokens of an example may be from a whole number, relative: logs round."""


def recipe_of(
    values: Mapping[str, Any], columns: Columns, table: Table, examples: Floats | None, unit: str
) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Return ``lr``, ``batch`` (in the unit of examples), ``warmup_steps`` and ``warmup_share`` by row.

    What the log does not tell is left out; with them come the other columns that tell the recipe.

    Parameters
    ----------
    values : mapping of str to ndarray, shape (rows,)
        Numbers by role.
    columns, table : Columns, Table
        The log.
    examples, unit : ndarray or None, and str
        Examples or tokens by row, and which they are.
    """
    found: dict[str, Floats | None] = {
        "lr": _of_role(table, columns.roles.get("lr")) if "lr" in columns.roles else _named(table, _RATES),
        "batch": _batch(values, table, examples, unit),
        "warmup_steps": _named(table, _WARMUP_STEPS),
        "warmup_share": _named(table, _WARMUP_SHARE),
    }
    warmup = _named(table, ("warmup",))
    if warmup is not None and (warmup <= _MOST_SHARE).all():
        found["warmup_share"] = warmup
    elif warmup is not None and (warmup >= _FEWEST_STEPS).all():
        found["warmup_steps"] = warmup
    told = {name: numbers for name, numbers in found.items() if numbers is not None}
    return told, tuple(_others(columns, table)) if told else ()


def _batch(values: Mapping[str, Any], table: Table, examples: Floats | None, unit: str) -> Floats | None:
    """Return the batch in the unit of examples; None where it may count sequences."""
    in_tokens = values.get("batch_tokens")
    if in_tokens is not None:
        return in_tokens if unit == "tokens" else None
    batch = values.get("batch_size")
    if batch is None:
        return None
    if "steps" not in values or examples is None:
        return batch if unit == "examples" else None
    ratio = examples / (values["steps"] * batch)
    each = round(float(np.median(ratio)))
    if each < 1 or np.abs(ratio / each - 1).max() > _WHOLE:
        return None
    return np.asarray(batch * each)


def _named(table: Table, words: tuple[str, ...]) -> Floats | None:
    """Return the one column of the first of the words that any has, if all its cells are positive numbers."""
    for word in words:
        named = [column for column in table.columns if word_of(column) == word]
        if named:
            return _of_role(table, named[0]) if len(named) == 1 else None
    return None


def _of_role(table: Table, column: str | None) -> Floats | None:
    numbers = table.cells[column].numbers() if column is not None else None
    return numbers if numbers is not None and np.isfinite(numbers).all() and (numbers > 0).all() else None


def _others(columns: Columns, table: Table) -> list[str]:
    """Return the other columns that tell the recipe: by their name, or by a few words that many rows have."""
    taken = {*columns.roles.values(), columns.metric, columns.flops.name if columns.flops else None}
    free = [column for column in table.columns if column not in taken and word_of(column) not in _NUMBERS]
    return [column for column in free if word_of(column) in RECIPE or _tells_recipes(table, columns, column)]


def _tells_recipes(table: Table, columns: Columns, column: str) -> bool:
    if column not in columns.ignored or not may_be_factor(column) or table.cells[column].numbers() is not None:
        return False
    group, names = table.cells[column].groups()
    return 2 <= len(names) <= MOST_RECIPES and int(np.bincount(group).min()) >= FEWEST_OF_A_RECIPE
