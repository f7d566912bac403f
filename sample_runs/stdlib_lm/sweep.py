"""Train the sweep: ``python sweep.py --jobs 2``. Kill it anywhere and start it again: it goes on where it was.

The shapes and durations are those of ``star.csv`` and ``grid.csv``, which `shapeplan design` laid out. Every finished
row goes to ``runs.csv`` at once; a run that fails, to ``failures.csv`` with the reason. With ``--tune``, three shapes
are trained at fractions and multiples of the rule for the learning rate instead, and go to ``tuning.csv``.
"""

from __future__ import annotations

import argparse
import csv
import fcntl
import json
import multiprocessing
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from corpus import Corpus, read_corpus
from training import DivergedError, Run, train

from shapeplan.architectures import Architecture
from shapeplan.readers.settings import read_settings

HERE = Path(__file__).parent
SEEDS = {"center": 3, "grid-64-3-192": 3}
"""Runs that are trained with several seeds, for the noise; all others with one."""
TUNED = {
    "small": {"width": 64, "depth": 3, "mlp_dim": 192},
    "deep": {"width": 64, "depth": 8, "mlp_dim": 192},
    "center": {"width": 160, "depth": 8, "mlp_dim": 640},
}
FACTORS = (1.0, 0.5, 2.0)
TUNING_TOKENS = 1_000_000


def designed(folder: Path) -> list[Run]:
    """Return the runs of the designs, cheap ones first."""
    designs: dict[tuple[int, ...], tuple[str, list[int]]] = {}
    for name in ("star.csv", "grid.csv"):
        with (folder / name).open() as stream:
            for row in csv.DictReader(stream):
                shape = (int(row["width"]), int(row["depth"]), int(row["mlp_dim"]))
                label, durations = designs.setdefault(shape, (row["run"].rsplit("-", 1)[0], []))
                durations.append(int(float(row["tokens"])))
                designs[shape] = (label, durations)
    runs = []
    for (width, depth, mlp_dim), (label, durations) in designs.items():
        shape = {"width": width, "depth": depth, "mlp_dim": mlp_dim}
        lengths = tuple(sorted(set(durations)))
        runs += [Run(f"{label}-seed{seed}", shape, seed, lengths) for seed in range(SEEDS.get(label, 1))]
    return sorted(runs, key=lambda run: (run.seed, _size(run) * max(run.durations)))


def tuned() -> list[Run]:
    """Return the runs that show whether the rule for the learning rate is any good."""
    return [
        Run(f"{name}-x{factor:g}", shape, 0, (TUNING_TOKENS,), factor)
        for name, shape in TUNED.items()
        for factor in FACTORS
    ]


def work(runs: Iterable[Run], log: Path, states: Path) -> None:
    """Train every run that no other process is at, and that is not done."""
    torch.set_num_threads(1)
    corpus, cost = read_corpus(), _architecture()
    for run in runs:
        with _claim(states, run) as mine:
            done = _done(log).get(run.name, set())
            if not mine or len(done) >= len(run.durations) or run.name in _done(_failures(log)):
                continue
            _train(run, corpus, cost, log, states / run.name, len(done))


def _train(run: Run, corpus: Corpus, cost: Architecture, log: Path, folder: Path, done: int) -> None:
    finished = frozenset(sorted(run.durations)[:done])
    model = cost.model(run.shape)
    each, rest = divmod(model.flops("training"), model.seq)
    assert rest == 0, "a sequence costs a whole number of FLOPs a token"
    try:
        for row in train(run, corpus, folder, finished):
            tokens = int(row["tokens"])
            _append(
                log,
                {
                    "run": run.name,
                    **run.shape,
                    "heads": model.head_count,
                    "params": model.params,
                    "seed": run.seed,
                    "tokens": tokens,
                    "training_flops": each * tokens,
                    "loss": round(row["loss"], 6),
                    "train_loss": round(row["train_loss"], 6),
                    "learning_rate": float(f"{run.rate:.6g}"),
                    "rate_factor": run.rate_factor,
                    "seconds": round(row["seconds"], 1),
                },
            )
    except DivergedError as error:
        _append(_failures(log), {"run": run.name, "reason": str(error)})
    shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Train in as many processes as asked, a thread each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, help="processes of one thread")
    parser.add_argument("--tune", action="store_true", help="train the runs of the learning rate instead")
    parser.add_argument("--states", type=Path, default=HERE / "states", help="folder of saved states")
    arguments = parser.parse_args()
    log = HERE / ("tuning.csv" if arguments.tune else "runs.csv")
    runs = tuned() if arguments.tune else designed(HERE)
    _check_corpus(HERE / "corpus.json", log)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=(runs, log, arguments.states)) for _ in range(arguments.jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _check_corpus(record: Path, log: Path) -> None:
    """Record the corpus; refuse to add to a log that was trained on another."""
    found = read_corpus().provenance()
    if log.exists() and json.loads(record.read_text()) != found:
        sys.exit(f"{log.name} was trained on another corpus than this Python's (see {record.name}): move it away first")
    record.write_text(json.dumps(found, indent=2) + "\n")


@contextmanager
def _claim(states: Path, run: Run) -> Iterator[bool]:
    """Hold a run as long as the block lasts; the system lets go of it if the process is killed."""
    states.mkdir(parents=True, exist_ok=True)
    with (states / f"{run.name}.lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _append(log: Path, row: Mapping[str, Any]) -> None:
    """Add a row in one piece, with the header if it is the first."""
    with log.open("a", newline="") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        writer = csv.DictWriter(stream, list(row), lineterminator="\n")
        if stream.tell() == 0:
            writer.writeheader()
        writer.writerow(row)


def _done(log: Path) -> dict[str, set[str]]:
    """Return the durations of every run that a log has."""
    found: dict[str, set[str]] = {}
    if log.exists():
        with log.open() as stream:
            for row in csv.DictReader(stream):
                found.setdefault(row["run"], set()).add(row.get("tokens", ""))
    return found


def _failures(log: Path) -> Path:
    return log.with_name("failures.csv")


def _architecture() -> Architecture:
    found = read_settings(HERE / "config.yaml").architecture
    assert found is not None, "config.yaml says the architecture"
    return found


def _size(run: Run) -> int:
    return run.shape["depth"] * run.shape["width"] * (2 * run.shape["width"] + run.shape["mlp_dim"])


if __name__ == "__main__":
    main()
