"""Where a result comes from: its inputs, and the rows of them that it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from shapeplan.frozen import frozen
from shapeplan.quantities import Convention


@frozen
class Source:
    """An input that a result rests on: its name as the user gave it, and the digest of its bytes."""

    name: str
    sha256: str


@frozen
class DroppedRow:
    """A row of an input that was left out: its line, why, and the input."""

    line: int
    reason: str
    file: str = ""


@frozen
class ReadAs:
    """How a log was read where its user, or its settings, said so: another log of the same kind is read alike.

    Attributes
    ----------
    metric : str
        Column of the metric.
    higher_is_better : bool
        Whether it is an accuracy.
    columns : mapping of str to str
        Columns by role.
    flops_convention : {"forward", "training"} or None
        What the compute column counts.
    """

    metric: str = "loss"
    higher_is_better: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    flops_convention: Convention | None = None
