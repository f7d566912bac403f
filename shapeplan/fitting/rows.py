"""The rows behind a fit: the metric observed, and predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Ints
from shapeplan.wording import place

if TYPE_CHECKING:
    # The record alone needs neither a log nor an optimizer.
    from shapeplan.fitting.selection.candidate import Candidate
    from shapeplan.runs import Runs
    from shapeplan.sweeps.star import StarSweep

CENTER = "center"
BESIDE = ""


@frozen
class Rows:
    """Every row of the log, in the order of its files and lines; arrays have one entry a row.

    Attributes
    ----------
    runs : tuple of str
        Name of the row's run.
    lines : ndarray of int
        Line of the log.
    files : tuple of str
        Input of every row; empty where the log has one.
    shape : mapping of str to ndarray
        Dimensions of the log; ``params`` alone where it has no shape.
    flops : ndarray
        Compute, in the convention of the law.
    examples : ndarray or None
        Examples seen, where the log tells them.
    observed, predicted : ndarray
        The metric observed, and predicted by the law.
    parts : tuple of str
        Where the row is in the star: the dimension of its arm, ``center``, or nothing.
    fitted : ndarray of bool
        Whether the law was fitted to the row; if not, it is predicted unseen.
    """

    runs: tuple[str, ...]
    lines: Ints
    files: tuple[str, ...]
    shape: Mapping[str, Floats]
    flops: Floats
    examples: Floats | None
    observed: Floats
    predicted: Floats
    parts: tuple[str, ...]
    fitted: Bools

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.flops)

    def place(self, row: int) -> str:
        """Return where a row stands, in words."""
        return place(int(self.lines[row]), self.files[row] if self.files else "")

    @property
    def residuals(self) -> Floats:
        """predicted/observed - 1, shape (rows,)."""
        return self.predicted / self.observed - 1.0


def rows_of(runs: Runs, chosen: Candidate, star: StarSweep | None) -> Rows:
    """Return the rows of a log under the law of choice.

    Parameters
    ----------
    runs : Runs
        The log.
    chosen : Candidate
        The law that was fitted.
    star : StarSweep or None
        The star in the log.
    """
    problem, observed = chosen.problem, runs.observed()
    columns = runs.variables()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        predicted = np.array(chosen.law.loss(**{name: columns[name] for name in problem.form.variables}))
    # On an arm, Eq. 2 has constants of its own; Eq. 3 adds the arms up.
    seen = problem.all_rows
    predicted[seen] = observed[seen] * (1.0 + problem.residuals(chosen.found.best))
    fitted = np.zeros(len(runs), dtype=bool)
    fitted[seen] = True
    parts = [BESIDE] * len(runs)
    if star is not None:
        for name, rows in ((CENTER, star.center_rows), *star.arms.items()):
            for row in rows:
                parts[row] = name
    shape = {dim: runs.values(dim) for dim in runs.dims}
    if not runs.dims and runs.params is not None:
        shape["params"] = runs.params
    order = np.lexsort((runs.lines, np.array(runs.files or [""] * len(runs))))
    return Rows(
        runs=tuple(runs.run_names[i] for i in runs.run[order]),
        lines=runs.lines[order],
        files=tuple(runs.files[i] for i in order) if runs.files else (),
        shape={name: column[order] for name, column in shape.items()},
        flops=runs.flops[order],
        examples=None if runs.examples is None else runs.examples[order],
        observed=observed[order],
        predicted=predicted[order],
        parts=tuple(parts[i] for i in order),
        fitted=fitted[order],
    )
