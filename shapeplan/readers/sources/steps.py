"""What orders the entries of a log."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.readers.numbers import as_number

STEPS = ("step", "_step", "global_step", "trainer/global_step", "iteration", "iter", "training_iteration", "epoch")
"""Names of what orders the entries, the first that is there."""


def step_of(entry: Mapping[str, object]) -> float | None:
    """Return the step of an entry, where it has one."""
    step = next((entry[name] for name in STEPS if name in entry), None)
    number = None if isinstance(step, str) else as_number(step)
    return number if number is not None and math.isfinite(number) else None


def check_steps(logged: Iterable[Mapping[str, object]], file: str) -> None:
    """Raise `InputError` where steps are counted anew in every epoch: entries of several epochs would be one step.

    Parameters
    ----------
    logged : iterable of mapping
        The entries in their order, of which some tell a step and an epoch.
    file : str
        Where they are from.
    """
    before: tuple[float, float] | None = None
    for entry in logged:
        if (epoch := as_number(entry.get("epoch"))) is None or (step := step_of(entry)) is None:
            continue
        if before is not None and epoch > before[0] and step < before[1]:
            message = (
                f"step {step:g} of epoch {epoch:g} comes after step {before[1]:g} of epoch {before[0]:g}: "
                "steps are counted anew in every epoch"
            )
            hint = "log the steps of the whole run, or leave the run out"
            raise InputError(ErrorDetail("restarted-steps", message, hint, file, column="step", value=f"{step:g}"))
        before = epoch, step
