"""A table of one run beside its config: ``metrics.csv`` of Lightning, ``training.log`` of Keras, ``log.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shapeplan.readers.delimited import parse_delimited
from shapeplan.readers.numbers import as_number, is_blank
from shapeplan.readers.source import read_text
from shapeplan.readers.sources.config import config_beside, has_config
from shapeplan.readers.sources.finding import matching, run_name, start_of
from shapeplan.readers.sources.run_log import RunLog, is_of_sweep
from shapeplan.readers.sources.steps import STEPS, check_steps

NAME = "tables beside a config"
_PATTERNS = ("metrics.csv", "log.csv", "history.csv", "progress.csv", "train*.csv", "train*.log")


def finds(files: Sequence[Path]) -> list[Path]:
    """Return the tables that have steps and neither shapes nor runs, in folders with a configuration."""
    return [file for file in matching(files, *_PATTERNS) if has_config(file.parent) and _is_history(file)]


def read(path: Path, root: Path) -> list[RunLog]:
    """Return the run of a table; cells that are empty were not logged at that step.

    Raises
    ------
    InputError
        If it cannot be split into cells, or steps are counted anew in every epoch.
    """
    text = read_text(path)
    table = parse_delimited(text.body, str(path), ",")
    entries = [
        {column: number if (number := as_number(cell)) is not None else cell for column, cell in cells.items()}
        for cells in ({k: v for k, v in record.cells.items() if not is_blank(v)} for record in table.records)
    ]
    check_steps(entries, str(path))
    config, sources = config_beside(path.parent, root)
    return [RunLog(run_name(path.parent, root), str(path), config, entries, sources=[text.source, *sources])]


def _is_history(file: Path) -> bool:
    header = start_of(file, 2**16).decode("utf-8-sig", "replace").split("\n", 1)[0]
    columns = [column.strip(' "\r') for column in header.split(",")]
    return any(step in columns for step in STEPS) and not is_of_sweep(columns)
