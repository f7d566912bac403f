"""Where a design goes: a log to fill in, and the file that starts its runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shapeplan.cli.output import LOG_FORMATS, Target, output_target
from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen
from shapeplan.render.console import Console

if TYPE_CHECKING:
    from shapeplan.runs import Runs


class LauncherName(StrEnum):
    """What starts the runs of a design."""

    slurm = "slurm"
    wandb = "wandb"
    hydra = "hydra"
    jsonl = "jsonl"


Launch = Annotated[
    LauncherName | None,
    typer.Option("--launch", help="Beside -o: a Slurm array, a W&B sweep, Hydra's overrides, or JSON a run."),
]
Command = Annotated[
    str | None,
    typer.Option(
        "--command",
        metavar="TEXT",
        help="For --launch: 'python train.py --width {width}'. [default: python train.py with every column]",
    ),
]


@frozen
class DesignTarget:
    """Where a design goes.

    Attributes
    ----------
    file : Target or None
        What ``-o`` names; None for stdout.
    launcher : str or None
        What is to start the runs.
    command : str or None
        How a run is trained.
    """

    file: Target | None
    launcher: str | None
    command: str | None

    def write(self, console: Console, runs: Runs, text: str) -> None:
        """Write the design and the file of its launcher, both or none, and say so; without a file show the design.

        Parameters
        ----------
        console : Console
            Of the command.
        runs : Runs
            The design.
        text : str
            The design as it is written.
        """
        if self.file is None:
            console.text(text)
        elif self.launcher is None:
            self.file.write(console, text)
        else:
            from shapeplan.documents.launch.launch import launch_file
            from shapeplan.documents.writing import write_files

            started = launch_file(runs, self.file.path, self.launcher, self.command)
            write_files({self.file.path: text, started.path: started.text}, self.file.inputs)
            console.note(f"wrote {self.file.path} and {started.path}: {started.usage}")


def design_target(
    output: Path | None, inputs: Sequence[str | Path | None], launch: LauncherName | None, command: str | None
) -> DesignTarget:
    """Return where a design goes, checked before the work.

    Raises
    ------
    ArgumentError
        As `output_target`; and if there is a launcher without a file, or a command without a launcher.
    OutputError
        As `output_target`.
    """
    if launch is None and command is not None:
        message = "--command is for the file of --launch, and there is none"
        raise ArgumentError(ErrorDetail("no-launcher", message, f"give --launch: {', '.join(LauncherName)}"))
    if launch is not None and (
        output is None or (os.path.exists(output) and not (os.path.isfile(output) or os.path.isdir(output)))
    ):
        message = "--launch writes a file beside that of -o, and there is none"
        raise ArgumentError(ErrorDetail("no-output", message, "give -o design.csv"))
    return DesignTarget(output_target(output, inputs, LOG_FORMATS), launch and launch.value, command)
