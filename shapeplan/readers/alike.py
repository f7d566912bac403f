"""A log that is read as another was: what was said of the other counts where this one has columns of the same names."""

from __future__ import annotations

from collections.abc import Sequence

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.provenance import ReadAs
from shapeplan.readers.columns import NONE, SIX_ND
from shapeplan.readers.settings import Settings


def as_before(before: ReadAs, columns: Sequence[str]) -> tuple[Settings, bool]:
    """Return what was said of another log as settings of one with `columns`, and whether its metric is an accuracy.

    What the compute column counts is left out: that depends on its name.

    Raises
    ------
    ArgumentError
        If what is given is something else.
    """
    if not isinstance(before, ReadAs):
        message = f"how another log was read is a {type(before).__name__}, not a ReadAs"
        raise ArgumentError(ErrorDetail("wrong-type", message, "give fit.log.read_as, or runs.read_as"))
    anywhere = (NONE, SIX_ND)
    roles = {role: name for role, name in before.columns.items() if name in columns or name in anywhere}
    metric, is_accuracy = before.metric, before.higher_is_better
    if is_accuracy and metric not in columns:
        as_error = [column for column in columns if column in (f"1 - {metric}", f"100 - {metric}")]
        metric, is_accuracy = next(iter(as_error), metric), False
    said = [f"{role} from {name!r}" for role, name in roles.items() if name in columns]
    notes = (f"read as the log of the law was: {', '.join(said)}",) if said else ()
    return Settings(metric=metric, columns=roles, notes=notes), is_accuracy
