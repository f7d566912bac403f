"""A campaign: runs that `shapeplan design` laid out, trained by `harness.work` into a log."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shapeplan.architectures import Architecture
from shapeplan.readers.settings import read_settings

HEAD_DIM = 16
"""Of all models."""
FACTORS = (1.0, 0.5, 2.0)
"""Of the learning rate's rule, when it is tested."""
TUNED = {
    "small": {"width": 64, "depth": 3, "mlp_dim": 192},
    "deep": {"width": 64, "depth": 8, "mlp_dim": 192},
    "center": {"width": 160, "depth": 8, "mlp_dim": 640},
}
"""Shapes that test it."""
SEEDS = {"center": 3, "grid-64-3-192": 3}
"""Rows of the designs that are trained with several seeds; all others with one."""
DIMS = ("width", "depth", "mlp_dim")
LOG, TUNING, DUEL, FAILURES = "runs.csv", "tuning.csv", "duel.csv", "failures.csv"
"""Logs of the designs, of the tests of the rate, of a duel, and of what failed."""


@dataclass(frozen=True)
class Run:
    """A run: a shape and the seed of its weights, at durations in the task's unit."""

    name: str
    shape: Mapping[str, int]
    seed: int
    durations: tuple[int, ...]
    rate_factor: float = 1.0


@dataclass(frozen=True)
class Campaign:
    """A folder with designs, and the task that they are trained on.

    Attributes
    ----------
    folder : Path
        Where ``config.yaml``, the designs and the logs are.
    task : callable
        Takes a ``torch.device``, returns a `harness.training.Task`; a function of a module, since processes import it.
    step_units : int
        Units of a duration in a step.
    example_units : int
        Units of a duration in an example: tokens of a sequence; 1 where examples are counted.
    tuning_duration : int
        How long the rule for the learning rate is tested.
    source : str
        File that records what the data are, from `provenance`.
    provenance : callable
        Returns what must be known to get the same data.
    designs : tuple of str
        Files of `shapeplan design` in the folder.
    """

    folder: Path
    task: Callable[[Any], Any]
    step_units: int
    example_units: int
    tuning_duration: int
    source: str
    provenance: Callable[[], Any]
    designs: tuple[str, ...] = ("star.csv", "grid.csv")

    @property
    def architecture(self) -> Architecture:
        """What counts the runs."""
        found = read_settings(self.folder / "config.yaml").architecture
        assert found is not None, "config.yaml says the architecture"
        return found

    @property
    def unit(self) -> str:
        """The column of durations in designs and logs."""
        return "tokens" if self.example_units > 1 else "examples"

    def designed(self) -> list[Run]:
        """Return the runs of the designs, cheap ones first, further seeds last."""
        found: dict[tuple[int, ...], tuple[str, set[int]]] = {}
        for name in self.designs:
            with (self.folder / name).open() as stream:
                for row in csv.DictReader(stream):
                    shape = tuple(int(row[dim]) for dim in DIMS)
                    _, durations = found.setdefault(shape, (row["run"].rsplit("-", 1)[0], set()))
                    durations.add(int(float(row[self.unit])))
        runs = [
            Run(f"{label}-seed{seed}", dict(zip(DIMS, shape, strict=True)), seed, tuple(sorted(durations)))
            for shape, (label, durations) in found.items()
            for seed in range(SEEDS.get(label, 1))
        ]
        return sorted(runs, key=lambda run: (run.seed, _size(run) * max(run.durations)))

    def tests_of_the_rate(self) -> list[Run]:
        """Return the runs that show whether the rule for the learning rate is any good."""
        return [
            Run(f"{name}-x{factor:g}", shape, 0, (self.tuning_duration,), factor)
            for name, shape in TUNED.items()
            for factor in FACTORS
        ]


def main(campaign: Campaign, description: str) -> None:
    """Read the command line, and train in as many processes as asked, a thread each."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tune", action="store_true", help="train the runs of the learning rate instead")
    add_options(parser, campaign)
    arguments = parser.parse_args()
    if arguments.tune:
        train_all(campaign, campaign.tests_of_the_rate(), TUNING, arguments)
    else:
        train_all(campaign, campaign.designed(), LOG, arguments)


def add_options(parser: argparse.ArgumentParser, campaign: Campaign) -> None:
    """Add the options of `train_all`."""
    parser.add_argument("--jobs", type=int, default=2, help="processes of one thread")
    parser.add_argument("--states", type=Path, default=campaign.folder / "states", help="folder of saved states")
    parser.add_argument("--device", help="of torch; by default CUDA's where there is one")


def train_all(campaign: Campaign, runs: Sequence[Run], log: str, options: argparse.Namespace) -> None:
    """Train runs with `harness.work`, which alone needs what the extra ``train`` installs."""
    try:
        from harness import work

        work.train_all(campaign, runs, log, options)
    except ModuleNotFoundError as missing:
        sys.exit(f"training needs {missing.name}: pip install '.[train]' at the top of the project")


def _size(run: Run) -> int:
    return run.shape["depth"] * run.shape["width"] * (2 * run.shape["width"] + run.shape["mlp_dim"])
