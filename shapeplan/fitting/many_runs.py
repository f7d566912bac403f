"""Logs of more runs than a fit needs: a sample of them, drawn at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shapeplan.runs import Runs

MOST_RUNS = 5000
"""Runs beyond which a sample of so many is fitted: its intervals are narrow already, and time grows with runs."""


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
