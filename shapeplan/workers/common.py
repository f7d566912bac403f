"""What all kinds of workers have in common: tasks ahead, and the errors of workers that are lost or not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from shapeplan.errors import ArgumentError, ErrorDetail, FitError

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


def cluster_library(name: str, extra: str) -> Any:
    """Return the library of a kind of cluster; raise `ArgumentError` where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        message = f"a scheduler of this kind needs {name}, which is not installed"
        hint = f"pip install 'shapeplan[{extra}]', or leave `scheduler` out"
        raise ArgumentError(ErrorDetail("missing-extra", message, hint)) from None


def no_cluster(kind: str, address: str, error: Exception, hint: str) -> ArgumentError:
    """Return the error of an address where no cluster answers."""
    message = f"no {kind} answers at {address!r} ({type(error).__name__})"
    return ArgumentError(ErrorDetail("no-scheduler", message, hint, value=address))
