"""A design with the file that starts its runs."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from shapeplan.documents.launch import hydra, jsonl, slurm, wandb
from shapeplan.documents.launch.jobs import Jobs
from shapeplan.documents.launch.template import default_command, parse_template
from shapeplan.documents.log import log_rows, log_text
from shapeplan.documents.writing import write_files
from shapeplan.errors import ArgumentError, ErrorDetail, check_choice
from shapeplan.frozen import frozen
from shapeplan.readers.formats import SUFFIXES
from shapeplan.runs import Runs


@frozen
class LaunchFile:
    """The file of a launcher.

    Attributes
    ----------
    path : Path
        Beside the design, with its name and the launcher's suffix.
    text : str
        Its content.
    usage : str
        How it is used: a command, or a sentence.
    """

    path: Path
    text: str
    usage: str


class Launcher(Protocol):
    """How the runs of a design are started by one tool.

    Attributes
    ----------
    SUFFIX : str
        Of its file.
    RUNS_COMMAND : bool
        Whether it needs a command: without one the default is taken.
    """

    SUFFIX: str
    RUNS_COMMAND: bool

    def text(self, jobs: Jobs) -> str:
        """Return its file."""

    def usage(self, path: str, jobs: Jobs) -> str:
        """Return how the file is used: a command, or a sentence."""


LAUNCHERS: Mapping[str, Launcher] = {"slurm": slurm, "wandb": wandb, "hydra": hydra, "jsonl": jsonl}


def launch_file(runs: Runs, path: str | Path, launcher: str, command: str | None = None) -> LaunchFile:
    """Return the file that starts the runs of a design; nothing is written.

    Parameters
    ----------
    runs : Runs
        A row a run: `runs` of a `Design`.
    path : str or Path
        Of the design, after which the file and the campaign are called.
    launcher : {"slurm", "wandb", "hydra", "jsonl"}
        For whom: an array script, a sweep's YAML, a list of overrides, or a JSON object a run.
    command : str, optional
        How a run is trained: text for a shell in which ``{column}`` is the value of a column of the design, quoted, and
        ``{{`` and ``}}`` are braces. By default ``python train.py`` with every column as an option; for Hydra and JSON
        none.

    Raises
    ------
    ArgumentError
        If there is no such launcher, the command cannot be read, a run has several rows, or there are too many runs.
    """
    check_choice("launcher", launcher, tuple(LAUNCHERS))
    how, rows = LAUNCHERS[launcher], log_rows(runs)
    name, count = Counter(str(row["run"]) for row in rows).most_common(1)[0]
    if count > 1:
        message = f"the run {name!r} has {count} rows, and a job trains a run of one"
        raise ArgumentError(ErrorDetail("run-twice", message, "give every row a name of its own", value=name))
    if command is None and how.RUNS_COMMAND:
        command = default_command(tuple(rows[0]))
    template = None if command is None else parse_template(command, tuple(rows[0]))
    design = Path(path)
    jobs = Jobs(design.stem, rows, template)
    place = design.with_name(design.stem + how.SUFFIX)
    return LaunchFile(place, how.text(jobs), how.usage(shlex.quote(str(place)), jobs))


def save_design(
    runs: Runs, path: str | Path, *, launch: str | None = None, command: str | None = None
) -> tuple[Path, ...]:
    """Write a design, and the file that starts its runs beside it: both, or none.

    Parameters
    ----------
    runs : Runs
        A row a run: `runs` of a `Design`.
    path : str or Path
        Of the design: CSV, or what its suffix asks for.
    launch, command : str, optional
        As `launcher` and `command` of `launch_file`.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    ArgumentError
        As `launch_file`, and if there is a command without a launcher.
    OutputError
        If a file cannot be written.
    """
    files = {Path(path): log_text(runs, SUFFIXES.get(Path(path).suffix.lower(), "csv"))}
    if launch is not None:
        started = launch_file(runs, path, launch, command)
        files[started.path] = started.text
    elif command is not None:
        message = "`command` is for the file of a launcher, and there is none"
        raise ArgumentError(ErrorDetail("no-launcher", message, f"give `launch`: {', '.join(LAUNCHERS)}"))
    write_files(files)
    return tuple(files)
