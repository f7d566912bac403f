"""Runs of a campaign that is under way, and how each of them ended, by what the log says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from shapeplan.cells import ABSENT
from shapeplan.errors import InputError
from shapeplan.frozen import frozen
from shapeplan.quantities import Convention
from shapeplan.readers.in_memory import paths_of
from shapeplan.readers.read import read_under_way
from shapeplan.readers.states import End, ends, may_tell
from shapeplan.runs import Runs


@frozen
class UnderWay:
    """Runs that may not have ended.

    Attributes
    ----------
    runs : Runs
        Their rows; the metric is NaN where a row has none, or one that is not finite.
    ends : tuple
        How every run ended, by its last row; None where nothing says so.
    """

    runs: Runs
    ends: tuple[End | None, ...]


def read_campaign(
    path: str | Path | Sequence[str | Path],
    *,
    metric: str | None = None,
    dims: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    config: str | Path | None = None,
    flops_convention: Convention | None = None,
    where: Sequence[str] = (),
    design: Runs | None = None,
) -> UnderWay | None:
    """Read the runs of a campaign; arguments and errors are those of `read_runs`, and `where` that of `Selection`.

    Where the log and settings tell no architecture it is that of the `design`; where the log tells no shape, a run has
    that of the row of the design whose name it has.

    A run diverged where its last metric is written as one that is not finite, whatever its state says. Folders without
    a file hold no run yet, nor does a log of which every row is of step 0: then it is None.
    """
    places = [Path(one) for one in paths_of(path)]
    if all(place.is_dir() and not any(one.is_file() for one in place.rglob("*")) for place in places):
        return None
    try:
        runs = read_under_way(
            path,
            metric=metric,
            dims=dims,
            columns=columns,
            config=config,
            flops_convention=flops_convention,
            where=where,
            architecture=design.architecture if design is not None else None,
            design=design,
        )
    except InputError as error:
        if all(found.code == "step-zero" for found in error.details):
            return None
        raise
    told: list[End | None] = [None] * len(runs.run_names)
    last = runs.last_rows().tolist()
    for column, cells in runs.cells.items():
        written = ["" if cell is ABSENT or cell is None else str(cell).strip() for cell in cells]
        if may_tell(column):
            means = ends(column, written)
            told = [known or means.get(written[row]) for known, row in zip(told, last, strict=True)]
        elif column == runs.metric and runs.loss is not None:
            lost = [bool(written[row]) and not np.isfinite(runs.loss[row]) for row in last]
            told = ["diverged" if off else known for known, off in zip(told, lost, strict=True)]
    return UnderWay(runs, tuple(told))
