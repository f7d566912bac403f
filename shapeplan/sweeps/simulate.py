"""Synthetic logs: a law, a design, and noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shapeplan.errors import Complaint, FitError
from shapeplan.laws import Law
from shapeplan.runs import Runs


def simulate(law: Law, design: Runs, *, noise: float = 0.0, seed: int = 0) -> Runs:
    """Return the design with a metric drawn from the law.

    Parameters
    ----------
    law : Law
        The truth.
    design : Runs
        Shapes, compute and (for laws of examples) examples of every row, in the convention of the law.
    noise : float
        Standard deviation of the relative, normal, independent noise of a row.
    seed : int
        Seed of NumPy's PCG64; the same seed gives the same log.

    Raises
    ------
    FitError
        If the design lacks a variable of the law.
    """
    variables = design.variables()
    missing = [name for name in law.form.variables if name not in variables]
    if missing:
        message = f"the law {law.form.name!r} needs {', '.join(missing)}, which the design does not say"
        raise FitError(Complaint("missing-variable", message, "add the column, or an architecture to derive it"))
    clean = law.loss(**{name: variables[name] for name in law.form.variables})
    factor = 1 + noise * np.random.default_rng(seed).standard_normal(len(design))
    return replace(design, loss=clean * factor)
