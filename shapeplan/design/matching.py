"""Which row of a design a run is: by its name, else by its shape and compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.numerics.arrays import Bools, Floats, Ints
from shapeplan.runs import Runs

_SAME_SIZE = 1e-6
LONG_ENOUGH = 0.98
"""Part of its planned compute from which a run is at its end: steps are whole, and costs are rounded."""


def matched(
    design: Runs, names: Sequence[str], shapes: Mapping[str, Floats], flops: Floats, lines: Sequence[tuple[str, int]]
) -> Ints:
    """Return the row of the design that every run is, shape (runs,); -1 where it is none.

    Names come first. A run without a name of the design is the row of its shape, in the dimensions that both have,
    that plans the least compute which the run has not exceeded, of those that no other run is; the longest where it
    exceeds all.

    Parameters
    ----------
    design : Runs
        One row a run.
    names : sequence of str
        Names of the runs.
    shapes : mapping of str to ndarray, shape (runs,)
        Their dimensions.
    flops : ndarray, shape (runs,)
        Their compute so far, in the convention of the design.
    lines : sequence of (str, int)
        File and line of every run, for errors.

    Raises
    ------
    InputError
        If a run has the name of a row and another shape.
    """
    dims = [dim for dim in design.dims if dim in shapes]
    of_design = {dim: design.values(dim) for dim in dims}
    rows = {design.run_names[run]: row for row, run in enumerate(design.run.tolist())}
    found = np.array([rows.get(name, -1) for name in names], dtype=int)
    wrong = []
    for run in np.flatnonzero(found >= 0).tolist():
        off = [dim for dim in dims if not _same(of_design[dim][found[run]], shapes[dim][run])]
        if off:
            dim, (file, line) = off[0], lines[run]
            planned = f"{of_design[dim][found[run]]:g}"
            message = f"the run {names[run]!r} has {dim} {shapes[dim][run]:g}, and {planned} in the design"
            hint = "a run has the name of a row of the design only if it is that row: rename it"
            wrong.append(ErrorDetail("other-shape", message, hint, file, line, dim, f"{shapes[dim][run]:g}"))
    if wrong:
        raise InputError(*wrong)
    free = np.ones(len(design), dtype=bool)
    free[found[found >= 0]] = False
    # Longer runs choose first: a shorter one may still be under way.
    for run in sorted(np.flatnonzero(found < 0).tolist(), key=lambda run: (-flops[run], run)) if dims else ():
        same = free & np.all([_same(of_design[dim], shapes[dim][run]) for dim in dims], axis=0)
        if same.any():
            found[run] = _of_length(design.flops, same, float(flops[run]))
            free[found[run]] = False
    return found


def _of_length(planned: Floats, same: Bools, spent: float) -> int:
    enough = same & (planned >= LONG_ENOUGH * spent)
    return int(np.argmin(np.where(enough, planned, np.inf)) if enough.any() else np.argmax(np.where(same, planned, 0)))


def _same(planned: Floats, size: Floats) -> Bools:
    return np.asarray(np.abs(planned / size - 1) <= _SAME_SIZE)
