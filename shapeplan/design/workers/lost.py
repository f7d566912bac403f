"""What all kinds of workers have in common: how many tasks they have ahead, and what is said when they are lost."""

from __future__ import annotations

from shapeplan.errors import ErrorDetail, FitError

AHEAD = 4
"""Tasks under way for every worker, so that memory does not grow with their number."""
LOSSES = 3
"""How often in a row workers may be lost without a result."""
PATIENCE = 10
"""Seconds that a cluster has to answer, and to have a worker."""


def lost_workers() -> FitError:
    """Return the error of workers that are lost again and again."""
    message = f"worker processes ended without a result {LOSSES + 1} times in a row"
    return FitError(ErrorDetail("lost-workers", message, "see whether memory runs out; use fewer processes"))
