"""What training tools write: one module a tool, each with `finds` and `read`.

A new one is added to `TOOLS`: `finds(files)` returns the runs among the files of a folder, or of one file;
`read(run, root)` what one of them logged. Tools that have a service are in `SERVICES` too, by how their
addresses begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from shapeplan.readers.sources import (
    csv_history,
    huggingface,
    json_lines,
    mlflow,
    tensorboard,
    text_log,
    training_text,
    wandb,
)
from shapeplan.readers.sources.run_log import RunLog


class Tool(Protocol):
    """How the runs of one tool are found and read."""

    NAME: str

    def finds(self, files: Sequence[Path]) -> list[Path]:
        """Return the runs among the files of a folder, at any depth, or of a file, sorted."""

    def read(self, path: Path, root: Path) -> list[RunLog]:
        """Return what the runs at a path that was found under a folder logged."""


class Service(Protocol):
    """How the runs of a tool are read from its service."""

    SCHEME: str

    def read_address(self, address: str) -> list[RunLog]:
        """Return what the runs at an address logged."""


TOOLS: tuple[Tool, ...] = (huggingface, mlflow, wandb, json_lines, csv_history, text_log, tensorboard)
"""In the order in which a folder is asked: trainers write TensorBoard's events beside their own logs."""
LAST: Tool = training_text
"""Asked where there are neither runs of these nor tables: other files are often accompanied by what was printed."""
SERVICES: tuple[Service, ...] = (wandb, mlflow)
