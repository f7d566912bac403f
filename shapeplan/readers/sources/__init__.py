"""Folders that training tools write: one module a tool, each with `finds` and `read`.

A new one is added to `TOOLS`: `finds(folder)` returns the runs in a folder, `read(run)` the records of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from shapeplan.readers.sources import huggingface
from shapeplan.readers.table import Record
from shapeplan.runs import Source


class Tool(Protocol):
    """How the runs of one tool are found and read."""

    NAME: str

    def finds(self, folder: Path) -> list[Path]:
        """Return the files in a folder, at any depth, that are a run each, sorted."""

    def read(self, run: Path) -> tuple[Sequence[Record], Sequence[Source], Sequence[str]]:
        """Return the records of a run, the files they are from, and what was understood."""


TOOLS: tuple[Tool, ...] = (huggingface,)
