"""All runs of a campaign, as processes that share a log; kill it anywhere, start it again.

Every finished row goes to the log at once; a run that fails, to ``failures.csv`` with the reason. A process claims a
run by a lock that the system lets go of when the process ends.
"""

from __future__ import annotations

import argparse
import csv
import fcntl
import json
import multiprocessing
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from harness.campaign import DUEL, FAILURES, LOG, TUNING, Campaign, Run
from harness.training import DivergedError, Task, steps, train

from shapeplan.workers.processes import end_with_parent


def train_all(campaign: Campaign, runs: Sequence[Run], log: str, options: argparse.Namespace) -> None:
    """Train runs in as many processes as asked; on a device they share it."""
    check_source(campaign)
    context = multiprocessing.get_context("spawn")
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    given = (campaign, runs, campaign.folder / log, options.states, device)
    workers = [context.Process(target=_work_with_parent, args=given) for _ in range(options.jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _work_with_parent(campaign: Campaign, runs: Iterable[Run], log: Path, states: Path, device: str) -> None:
    """Work until all is done or the parent is killed, which would leave its processes at work otherwise."""
    end_with_parent()
    work(campaign, runs, log, states, device)


def work(campaign: Campaign, runs: Iterable[Run], log: Path, states: Path, device: str = "cpu") -> None:
    """Train every run that no other process is at, and that is not done."""
    torch.set_num_threads(1)
    task = campaign.task(torch.device(device))
    for run in runs:
        with _claim(states, run) as mine:
            logged = _done(log, task.unit).get(run.name, set())
            done = frozenset(d for d in run.durations if str(steps(task, d) * task.step_units) in logged)
            if not mine or done.issuperset(run.durations) or run.name in _done(_failures(log), "run"):
                continue
            _train(campaign, task, run, log, states / run.name, done)


def check_source(campaign: Campaign) -> None:
    """Record what the data are; refuse to add to logs that were trained on others."""
    record, found = campaign.folder / campaign.source, campaign.provenance()
    logs = [name for name in (LOG, TUNING, DUEL) if (campaign.folder / name).exists()]
    if logs and json.loads(record.read_text()) != found:
        sys.exit(f"trained on other data than this machine's (see {record.name}): {', '.join(logs)}; move away first")
    record.write_text(json.dumps(found, indent=2) + "\n")


def _train(campaign: Campaign, task: Task, run: Run, log: Path, folder: Path, done: frozenset[int]) -> None:
    model = campaign.architecture.model(run.shape)
    each, rest = divmod(model.flops("training"), campaign.example_units)
    assert rest == 0, "an example costs a whole number of FLOPs a unit"
    try:
        for row in train(task, run, folder, done):
            units = int(row.pop(task.unit))
            seconds = row.pop("seconds")
            known = {"run": run.name, **run.shape, "heads": model.head_count, "params": model.params, "seed": run.seed}
            cost = {task.unit: units, "training_flops": each * units}
            measured = {name: round(value, 6) for name, value in row.items()}
            rate = {"learning_rate": float(f"{task.recipe.rate(run):.6g}"), "rate_factor": run.rate_factor}
            _append(log, {**known, **cost, **measured, **rate, "seconds": round(seconds, 1), "device": _name(task)})
    except DivergedError as error:
        _append(_failures(log), {"run": run.name, "reason": str(error)})
    shutil.rmtree(folder, ignore_errors=True)


def _name(task: Task) -> str:
    return torch.cuda.get_device_name(task.device) if task.device.type == "cuda" else task.device.type


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


def _done(log: Path, column: str) -> dict[str, set[str]]:
    """Return the values of a column of every run that a log has."""
    found: dict[str, set[str]] = {}
    if log.exists():
        with log.open() as stream:
            for row in csv.DictReader(stream):
                found.setdefault(row["run"], set()).add(row[column])
    return found


def _failures(log: Path) -> Path:
    return log.with_name(FAILURES)
