"""Where a result comes from: its inputs, and the rows of them that it leaves out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """An input that a result rests on: its name as the user gave it, and the digest of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True)
class DroppedRow:
    """A row of an input that was left out: its line, why, and the input."""

    line: int
    reason: str
    file: str = ""
