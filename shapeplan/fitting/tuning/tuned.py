"""What a log tells of how its runs were trained: best values as power laws, and what all runs share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from shapeplan.fitting.recipes.groups import groups_of
from shapeplan.fitting.tuning.optima import Optimum, optima_of
from shapeplan.fitting.tuning.power_law import PowerLaw, Tuned, Tuning
from shapeplan.fitting.tuning.regress import power_law
from shapeplan.numerics.arrays import Floats, Ints
from shapeplan.numerics.grouping import group_alike, is_function
from shapeplan.runs import Runs

NAMES = {"lr": "learning rate", "batch": "batch"}
_ALIKE = 1e-3
"""Spread of a column, relative, up to which it is the same in every run."""


def tuning_of(runs: Runs, level: float, group: str | None = None) -> Tuning | None:
    """Return what a log tells of its recipe; None where it has no column of learning rates, batches or warm-up.

    Parameters
    ----------
    runs : Runs
        The log, with a metric; of one that `best_of` chose from, all that it chose from counts.
    level : float
        Coverage of intervals.
    group : str, optional
        Column whose values are recipes: the rows of the reference count, the one with the most.
    """
    runs = runs.tried or runs
    if not runs.recipe:
        return None
    if group is not None and group in runs.cells:
        groups = groups_of(runs, group)
        runs = runs.take(groups.group == 0)
    scheduled = [name for name, values in runs.recipe.items() if not is_function(values, runs.run)]
    rows = runs.take(runs.last_rows())
    rows = replace(rows, recipe={name: values for name, values in rows.recipe.items() if name not in scheduled})
    mixed = [
        column for column in rows.recipe_columns if _is_text(rows, column) and not rows.cells[column].is_constant()
    ]
    optima = [] if mixed else optima_of(rows, _others(rows))
    batches = [one.at_batch for one in optima if one.lr is not None and one.at_batch is not None]
    return Tuning(
        lr=_tuned(rows, "lr", optima, lambda one: one.lr, mixed, scheduled, level),
        batch=_tuned(rows, "batch", optima, lambda one: one.batch, mixed, scheduled, level),
        batches=(min(batches), max(batches)) if batches else None,
        warmup_steps=_shared(rows, "warmup_steps"),
        warmup_share=_shared(rows, "warmup_share"),
    )


def tuning_notes(tuning: Tuning | None) -> tuple[str, ...]:
    """Return what a fit says of best values that it found."""
    named = {} if tuning is None else {"lr": tuning.lr.law, "batch": tuning.batch.law}
    return tuple(
        f"the best {NAMES[name]} goes {law.said}; a plan with `format` has it" for name, law in named.items() if law
    )


def _tuned(
    rows: Runs,
    name: str,
    optima: Sequence[Optimum],
    best: Callable[[Optimum], float | None],
    mixed: Sequence[str],
    scheduled: Sequence[str],
    level: float,
) -> Tuned:
    """Return what a log tells of one hyperparameter."""
    if name in scheduled:
        return Tuned(reason=f"the column of the {NAMES[name]} changes within runs: it is no setting of theirs")
    if name not in rows.recipe:
        return Tuned(reason=f"the log has no column that tells the {NAMES[name]}")
    constant = _shared(rows, name)
    if constant is not None:
        return Tuned(constant=constant, reason=f"every run of the log has the same {NAMES[name]}, {constant:.4g}")
    if mixed:
        return Tuned(reason=f"the log has several recipes, by {', '.join(mixed)}: fit the rows of one with `where`")
    some = [one for one in optima if best(one) is not None]
    if not some:
        return Tuned(
            reason=f"within no shape and duration are there three values of the {NAMES[name]} with the best in between"
        )
    found = power_law(_points(some), np.array([best(one) for one in some], dtype=float), level)
    return Tuned(law=found) if isinstance(found, PowerLaw) else Tuned(reason=found)


def _points(optima: Sequence[Optimum]) -> dict[str, Floats]:
    columns = {name: [getattr(one, name) for one in optima] for name in ("flops", "params", "examples")}
    return {name: np.array(values, dtype=float) for name, values in columns.items() if None not in values}


def _shared(rows: Runs, name: str) -> float | None:
    """Return the value that all rows have, if they do."""
    values = rows.recipe.get(name)
    if values is None or not len(values) or np.ptp(values) > _ALIKE * np.abs(values).max():
        return None
    return float(np.median(values))


def _others(rows: Runs) -> Ints:
    """Return which rows are alike in the columns of the recipe that are neither learning rate nor batch nor warm-up."""
    columns = [rows.cells[column].groups()[0] for column in rows.recipe_columns]
    return group_alike(*columns) if columns else np.zeros(len(rows), dtype=int)


def _is_text(rows: Runs, column: str) -> bool:
    return rows.cells[column].numbers() is None
