"""How a run ended, by what it logged: as planned, before that, or with a loss above the one it began with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shapeplan.readers.metric_names import is_held_out, is_loss
from shapeplan.readers.names import claim_of
from shapeplan.readers.numbers import as_number
from shapeplan.readers.sources.steps import step_of

DIVERGED = "diverged"
LAST_STEP = frozenset(
    {"max_iters", "max_steps", "num_iterations", "total_steps", "num_steps", "train_steps", "train_iters"}
)
"""Settings that say how many steps a run is to have."""
PLANNED_DATA = {f"{path}{role}": role for path in ("", "config.", "params.") for role in ("tokens", "examples")}
"""Settings that say how much data a run is to see, as designs name it, with the role of each."""
WHOLE = 0.9
"""Share of what was planned after which a run has ended; evaluations are some steps apart."""
_FAR_ABOVE = 1.2
"""Factor by which a loss of single batches, which scatters, ends above its first."""
_FEWEST = 3
"""Evaluations that show where a loss goes."""


def state_of(config: Mapping[str, object], entries: Sequence[Mapping[str, object]], *, is_cut: bool) -> str | None:
    """Return ``finished``, ``unfinished``, ``cut off`` or ``diverged``; None where the log does not tell.

    A run that is unfinished may go on; one whose log ends inside a line was killed.

    Parameters
    ----------
    config : mapping of str to object
        What holds for the whole run, by name.
    entries : sequence of mapping
        What was logged, in order.
    is_cut : bool
        Whether the log ends inside a line.
    """
    if _rises(entries):
        return DIVERGED
    share = share_done(config, entries)
    if share is not None and share >= WHOLE:
        return "finished"
    if is_cut:
        return "cut off"
    return None if share is None else "unfinished"


def _rises(entries: Sequence[Mapping[str, object]]) -> bool:
    """Return whether every loss of data that was held out ends above its first value; of all data, far above it."""
    losses: dict[str, list[float]] = {}
    for entry in entries:
        for key, value in entry.items():
            if is_loss(key) and (number := as_number(value)) is not None:
                losses.setdefault(key, []).append(number)
    held_out = {key: found for key, found in losses.items() if is_held_out(key)}
    factor = 1.0 if held_out else _FAR_ABOVE
    told = (held_out or losses).values()
    return bool(told) and all(len(found) >= _FEWEST and found[-1] > max(found[0], factor * found[0]) for found in told)


def share_done(config: Mapping[str, object], entries: Sequence[Mapping[str, object]]) -> float | None:
    """Return the part that was done of what was planned, by the measure of which most was."""
    shares = []
    for key, value in config.items():
        planned = as_number(value)
        done: list[float] = []
        if key.rpartition(".")[2] in LAST_STEP:
            done = [step for entry in entries if (step := step_of(entry)) is not None]
        elif key in PLANNED_DATA:
            done = [number for entry in entries if (number := _logged(entry, PLANNED_DATA[key])) is not None]
        if done and planned is not None and planned > 0:
            shares.append(max(done) / planned)
    return max(shares, default=None)


def _logged(entry: Mapping[str, object], role: str) -> float | None:
    """Return what an entry says of a role."""
    numbers = (as_number(value) for key, value in entry.items() if (claim := claim_of(key)) and claim.role == role)
    return next((number for number in numbers if number is not None), None)
