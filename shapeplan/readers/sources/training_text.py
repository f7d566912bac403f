"""What trainers print of training alone: ``step: 100  loss: 3.2`` of torchtitan, MaxText, Megatron and others.

Such a text is read where nothing else tells a loss of the run: the loss is that of a batch, or of a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shapeplan.readers.sources import printed_lines as printed
from shapeplan.readers.sources.run_log import RunLog
from shapeplan.readers.sources.text_log import run_of, texts_that_tell

NAME = "printed losses of training"
_NOTE = "no loss of held-out data is printed: the last loss of training of every run is read, which scatters"


def finds(files: Sequence[Path]) -> list[Path]:
    """Return the texts in which a loss of training is told with its step."""
    return texts_that_tell(files, printed.training)


def read(path: Path, root: Path) -> list[RunLog]:
    """Return the run of a text."""
    return [run_of(path, root, printed.training, _NOTE)]
