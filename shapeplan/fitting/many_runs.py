"""Logs of more rows than a fit needs: a sample of very many runs, and of long runs their merged checkpoints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shapeplan.fitting.checkpoints import with_stretches
from shapeplan.fitting.solver import Objective
from shapeplan.runs import Runs

MOST_RUNS = 5000
"""Runs beyond which a sample of so many is fitted: its intervals are narrow already, and time grows with runs."""


def fewer_rows(runs: Runs, objective: Objective) -> Runs:
    """Return the log as it is fitted unless every row is asked for; `runs` in canonical order."""
    sample = sample_runs(runs)
    return with_stretches(sample) if objective.averages else sample


def sample_runs(runs: Runs) -> Runs:
    """Return the log, or where its runs are very many a sample of them with all their rows.

    Parameters
    ----------
    runs : Runs
        In canonical order, so that the sample does not depend on that of the log.
    """
    total = len(runs.run_names)
    if total <= MOST_RUNS:
        return runs
    drawn = np.zeros(total, dtype=bool)
    drawn[np.random.default_rng(0).choice(total, MOST_RUNS, replace=False)] = True
    note = f"of {total:,} runs {MOST_RUNS:,} are fitted, drawn at random (`every_row` fits all)"
    return replace(runs.take(drawn[runs.run]), notes=(*runs.notes, note))
