"""What orders the entries of a log."""

from __future__ import annotations

import math
from collections.abc import Mapping

from shapeplan.readers.numbers import as_number

STEPS = ("step", "_step", "global_step", "trainer/global_step", "iteration", "iter", "training_iteration", "epoch")
"""Names of what orders the entries, the first that is there."""


def step_of(entry: Mapping[str, object]) -> float | None:
    """Return the step of an entry, where it has one."""
    step = next((entry[name] for name in STEPS if name in entry), None)
    number = None if isinstance(step, str) else as_number(step)
    return number if number is not None and math.isfinite(number) else None
