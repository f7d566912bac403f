"""A duel: predictions of a plan and its rivals, written before any of them is trained; then the outcome beside them."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from harness.campaign import DIMS, LOG, Run, add_options, train_all
from harness.campaign import DUEL as OUTCOMES
from harness.contenders import Contender, Duel
from rich import box
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

import shapeplan as sp

PREDICTION, PICTURE = "prediction.json", "duel.svg"
SEEDS = 2
"""Of the plan and of the rival of least predicted loss; all others have one."""
FIRST_SEED = 10
"""Seeds of a duel are none of those of the sweep."""


@dataclass(frozen=True)
class Outcome:
    """A metric of a contender: what was predicted of a run, and what its runs gave.

    Attributes
    ----------
    name : str
        The contender.
    predicted, lower, upper : float
        With the 90% interval of a run.
    observed : tuple of float
        One a seed; empty until it is trained.
    """

    name: str
    predicted: float
    lower: float
    upper: float
    observed: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over seeds."""
        return float(np.mean(self.observed)) if self.observed else float("nan")

    @property
    def inside(self) -> int:
        """How many of the runs are inside the interval."""
        return sum(self.lower <= one <= self.upper for one in self.observed)


def main(duel: Duel, description: str) -> None:
    """Read the command line: show the outcome, or predict, or train."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--predict", action="store_true", help=f"fit the log and write {PREDICTION}")
    parser.add_argument("--train", action="store_true", help=f"train what {PREDICTION} predicts, into {OUTCOMES}")
    add_options(parser, duel.campaign)
    arguments = parser.parse_args()
    folder = duel.campaign.folder
    if arguments.predict:
        made = _added(predict(duel), folder) if (folder / OUTCOMES).exists() else predict(duel)
        (folder / PREDICTION).write_text(json.dumps(made, indent=2) + "\n")
    prediction = _read(folder / PREDICTION)
    if arguments.train:
        train_all(duel.campaign, runs(prediction), OUTCOMES, arguments)
    show(duel, prediction)


def predict(duel: Duel) -> dict[str, Any]:
    """Return the contenders, and what the fit of every metric predicts of them.

    Intervals are those of a run: what one training run will measure.
    """
    logs = {metric: duel.read(metric) for metric in duel.metrics}
    fits = {metric: sp.fit(log) for metric, log in logs.items()}
    first = duel.metrics[0]
    contenders = duel.contenders(logs[first], fits[first])
    predictions = {metric: duel.predict(fit, contenders) for metric, fit in fits.items()}
    log = duel.campaign.folder / LOG
    return {
        "shapeplan": sp.__version__,
        "log_sha256": hashlib.sha256(log.read_bytes()).hexdigest(),
        "where": list(duel.where),
        "budget": duel.budget,
        "flops_convention": "training",
        "unit": duel.campaign.unit,
        "laws": {metric: fit.law.form.name for metric, fit in fits.items()},
        "contenders": [
            {**_described(duel, one), "predictions": {m: _prediction(p, i) for m, p in predictions.items()}}
            for i, one in enumerate(contenders)
        ],
    }


def runs(prediction: Mapping[str, Any]) -> list[Run]:
    """Return the runs of a duel: two seeds of the plan and of its best rival, one of the others; first seeds first."""
    contenders = prediction["contenders"]
    twice = {contenders[0]["name"], _best_rival(prediction)}
    found = []
    for seed in range(SEEDS):
        for one in contenders:
            if seed == 0 or one["name"] in twice:
                name = f"{one['name'].replace(' ', '-').replace('/', '-')}-seed{FIRST_SEED + seed}"
                shape = {dim: one[dim] for dim in DIMS}
                found.append(Run(name, shape, FIRST_SEED + seed, (one[prediction["unit"]],)))
    return found


def outcomes(folder: Path, prediction: Mapping[str, Any], metric: str) -> list[Outcome]:
    """Return what was predicted and observed of a metric, contender by contender."""
    observed = _observed(folder, metric)
    return [
        Outcome(
            one["name"],
            *(one["predictions"][metric][key] for key in ("predicted", "lower", "upper")),
            tuple(map(float, observed.get(_sizes(one), ()))),
        )
        for one in prediction["contenders"]
    ]


def summary(found: Sequence[Outcome], metric: str) -> str:
    """Return in one sentence how many runs were inside their intervals, and whether the order was right."""
    trained = [one for one in found if one.observed]
    count = sum(len(one.observed) for one in trained)
    if not count:
        return f"{metric}: nothing is trained yet"
    inside = sum(one.inside for one in trained)
    said = f"{metric}: {inside} of {count} runs are inside their 90% intervals"
    if len(trained) > 2:
        rank = spearmanr([one.predicted for one in trained], [one.mean for one in trained]).statistic
        said += f"; rank correlation of predicted and observed {rank:.2f}"
    plan, best = found[0], min(trained, key=lambda one: one.mean)
    if plan.observed:
        behind = f"{plan.mean / best.mean - 1:.2%} above the best, {best.name}"
        said += "; the plan is " + ("the best" if best is plan else behind)
    return said


def show(duel: Duel, prediction: Mapping[str, Any]) -> None:
    """Print the tables of all metrics and draw the picture of the first."""
    folder, console = duel.campaign.folder, Console()
    for metric in duel.metrics:
        found = outcomes(folder, prediction, metric)
        console.print(table(prediction, found, metric), summary(found, metric), "")
    draw(outcomes(folder, prediction, duel.metrics[0]), duel.metrics[0], folder / PICTURE)
    console.print(f"wrote {PICTURE}")


def table(prediction: Mapping[str, Any], found: Sequence[Outcome], metric: str) -> Table:
    """Return prediction beside outcome, contender by contender; a shape is width x depth x mlp_dim."""
    title = f"{metric} at {prediction['budget']:.3g} training FLOPs; shapes are width x depth x MLP dim"
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("contender", "shape", "predicted", "90% interval", "observed", "off by", "inside"):
        made.add_column(name, justify="left" if name == "contender" else "right", no_wrap=name == "shape")
    for one, outcome in zip(prediction["contenders"], found, strict=True):
        shape = "x".join(str(one[dim]) for dim in DIMS)
        observed = ", ".join(f"{value:.4f}" for value in outcome.observed) or "-"
        off = f"{outcome.predicted / outcome.mean - 1:+.2%}" if outcome.observed else "-"
        inside = f"{outcome.inside} of {len(outcome.observed)}" if outcome.observed else "-"
        interval = f"{outcome.lower:.4f} to {outcome.upper:.4f}"
        made.add_row(one["name"], shape, f"{outcome.predicted:.4f}", interval, observed, off, inside)
    return made


def draw(found: Sequence[Outcome], metric: str, path: Path) -> None:
    """Draw intervals with their predictions, and what was observed as points, the best prediction on top."""
    import altair as alt

    ordered = sorted(found, key=lambda one: one.predicted)
    names = [one.name for one in ordered]
    bars = [{"name": o.name, "predicted": o.predicted, "lower": o.lower, "upper": o.upper} for o in ordered]
    points = [{"name": o.name, "observed": value} for o in ordered for value in o.observed]
    rows = alt.Y("name:N", sort=names, title=None)
    scale = alt.Scale(zero=False)
    base = alt.Chart(alt.Data(values=bars)).encode(y=rows)
    interval = base.mark_bar(height=8, color="#c6d4e6").encode(
        x=alt.X("lower:Q", scale=scale, title=f"{metric}: interval and prediction (bar, line), runs (points)"),
        x2="upper:Q",
    )
    line = base.mark_tick(color="#30588c", thickness=2, height=16).encode(x=alt.X("predicted:Q", scale=scale))
    runs_of = alt.Chart(alt.Data(values=points)).mark_point(color="#b3261e", filled=True, size=60, opacity=1)
    runs_drawn = runs_of.encode(y=rows, x=alt.X("observed:Q", scale=scale))
    (interval + line + runs_drawn).properties(width=480, height=28 * len(names)).save(str(path))


def _added(made: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the prediction of a folder that has outcomes, with contenders of other shapes after those it has."""
    kept = _read(folder / PREDICTION) if (folder / PREDICTION).exists() else {"contenders": []}
    known = {_sizes(one) for one in kept["contenders"]} | _observed(folder, "run").keys()
    new = [one for one in made["contenders"] if _sizes(one) not in known]
    if not new or kept.get("log_sha256") != made["log_sha256"]:
        sys.exit(f"{OUTCOMES} has outcomes already: a prediction made now would be none")
    return {**kept, "contenders": [*kept["contenders"], *new]}


def _observed(folder: Path, column: str) -> dict[tuple[str, ...], list[str]]:
    """Return the cells of a column of the outcomes, by shape."""
    found: dict[tuple[str, ...], list[str]] = {}
    if (folder / OUTCOMES).exists():
        with (folder / OUTCOMES).open() as stream:
            for row in csv.DictReader(stream):
                found.setdefault(_sizes(row), []).append(row[column])
    return found


def _sizes(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[dim]) for dim in DIMS)


def _described(duel: Duel, one: Contender) -> dict[str, Any]:
    model = duel.campaign.architecture.model(one.shape)
    each = model.flops("training") // duel.campaign.example_units
    counted = {"params": model.params, duel.campaign.unit: one.units, "training_flops": each * one.units}
    return {"name": one.name, "source": one.source, **one.shape, **counted}


def _prediction(predictions: sp.Predictions, row: int) -> dict[str, float]:
    kinds = ("predicted", "lower", "upper", "law_lower", "law_upper")
    return {kind: round(float(getattr(predictions, kind)[row]), 6) for kind in kinds}


def _best_rival(prediction: Mapping[str, Any]) -> str:
    metric = next(iter(prediction["laws"]))
    rivals = prediction["contenders"][1:]
    return str(min(rivals, key=lambda one: one["predictions"][metric]["predicted"])["name"])


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        sys.exit(f"there is no {path.name} yet: python duel.py --predict, when the sweep is done")
    read: dict[str, Any] = json.loads(path.read_text())
    return read
