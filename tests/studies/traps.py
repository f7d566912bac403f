"""Logs that are plausible and wrong: ``python tests/studies/traps.py [--only NAME] [--log NAME]``.

Thirty-five mistakes are made in three logs: `vit_sweep.csv` with examples and parameters, the real log of `stdlib_lm`
with its architecture, and `vit_sweep.csv` with shapes, compute and loss alone. Each trapped log is read, fitted and
planned from at ten times its largest compute. It is refused, or told by a code that the clean log does not have and
that names the cause, or else the plan must lose less than 0.5% more than the clean log's, under the clean log's law.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from worlds import in_parallel

from shapeplan.errors import ShapeplanError
from shapeplan.fitting.fit import fit
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_runs"
BEYOND = 10.0
HARMLESS = 0.005
REPLICATES = 20
Row = dict[str, str]


@dataclass(frozen=True)
class Log:
    """A clean log: its rows, and the columns that mistakes are made in; None where it has no such column."""

    name: str
    rows: tuple[Row, ...]
    flops: str
    examples: str | None = None
    params: str | None = None
    config: Path | None = None

    def largest(self) -> float:
        """Return the largest compute, as logged."""
        return max(float(row[self.flops]) for row in self.rows)


def logs() -> dict[str, Log]:
    """Return the three logs by name."""
    vit = _rows(
        SAMPLES / "vit_sweep.csv", ("run", "width", "depth", "mlp_dim", "params", "examples", "forward_flops", "loss")
    )
    lm = SAMPLES / "stdlib_lm"
    stdlib = _rows(lm / "runs.csv", ("run", "width", "depth", "mlp_dim", "params", "tokens", "training_flops", "loss"))
    bare = tuple({name: row[name] for name in ("width", "depth", "mlp_dim", "forward_flops", "loss")} for row in vit)
    found = (
        Log("vit_sweep", vit, "forward_flops", "examples", "params"),
        Log("stdlib_lm", stdlib, "training_flops", "tokens", "params", lm / "config.yaml"),
        Log("bare", bare, "forward_flops"),
    )
    return {log.name: log for log in found}


def _rows(path: Path, columns: tuple[str, ...]) -> tuple[Row, ...]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return tuple({name: row[name] for name in columns} for row in csv.DictReader(lines))


Trap = Callable[[Log, list[Row]], list[Row] | None]
"""Changes the rows of a log; None where the log has nothing to change."""


def scaled(column: str, factor: float, rows: Callable[[int], bool] | None = None) -> Trap:
    """Return a trap that multiplies a column, in those of the rows that are chosen by their number (all by default)."""

    def trap(log: Log, made: list[Row]) -> list[Row] | None:
        name = getattr(log, column, column)
        if name is None or name not in made[0]:
            return None
        for i, row in enumerate(made):
            if rows is None or rows(i):
                row[name] = f"{float(row[name]) * factor:.12g}"
        return made

    return trap


def counted(dim: str, factor: float, by: str) -> Trap:
    """Return a trap that counts a dimension otherwise in the upper half of the models by one."""

    def trap(log: Log, made: list[Row]) -> list[Row]:
        middle = float(np.median([float(row[by]) for row in made]))
        large = [float(row[by]) >= middle for row in made]
        for row, is_large in zip(made, large, strict=True):
            if is_large:
                row[dim] = f"{float(row[dim]) * factor:.12g}"
        return made

    return trap


def running_sum(log: Log, made: list[Row]) -> list[Row]:
    """Log the compute of a run and all before it."""
    for row, total in zip(made, np.cumsum([float(row[log.flops]) for row in made]), strict=True):
        row[log.flops] = f"{total:.12g}"
    return made


def utilized(log: Log, made: list[Row]) -> list[Row]:
    """Log the compute that the devices could have done: twice to four times as much, more for narrow models."""
    widest = max(float(row["width"]) for row in made)
    for row in made:
        row[log.flops] = f"{float(row[log.flops]) / (0.45 * (float(row['width']) / widest) ** 0.3):.12g}"
    return made


def with_means(log: Log, made: list[Row]) -> list[Row]:
    """Add a row of means."""
    means = {name: f"{np.mean([float(row[name]) for row in made]):.10g}" for name in made[0] if name != "run"}
    return [*made, {**({"run": "mean"} if "run" in made[0] else {}), **means}]


def swapped(rows: Callable[[int], bool], other: str = "depth") -> Trap:
    """Return a trap that swaps the width and another dimension."""

    def trap(log: Log, made: list[Row]) -> list[Row]:
        for i, row in enumerate(made):
            if rows(i):
                row["width"], row[other] = row[other], row["width"]
        return made

    return trap


def clipped(log: Log, made: list[Row]) -> list[Row] | None:
    """Log examples by a counter that ends where half of the rows are beyond it."""
    if log.examples is None:
        return None
    most = float(np.median([float(row[log.examples]) for row in made]))
    scale = (2**31 - 1) / most
    for row in made:
        row[log.examples] = f"{min(float(row[log.examples]) * scale, 2**31 - 1):.12g}"
        row[log.flops] = f"{float(row[log.flops]) * scale:.12g}"
    return made


def ratio(rows: Callable[[int], bool]) -> Trap:
    """Return a trap that writes the MLP dim as a multiple of the width."""

    def trap(log: Log, made: list[Row]) -> list[Row]:
        for i, row in enumerate(made):
            if rows(i):
                row["mlp_dim"] = f"{float(row['mlp_dim']) / float(row['width']):.4g}"
        return made

    return trap


def per_example(log: Log, made: list[Row]) -> list[Row] | None:
    """Log the compute of one example."""
    if log.examples is None:
        return None
    for row in made:
        row[log.flops] = f"{float(row[log.flops]) / float(row[log.examples]):.12g}"
    return made


def checkpoints(log: Log, made: list[Row]) -> list[Row]:
    """Add points of every fourth run before its decay: 70% of the compute, 4% above what a decayed run would have."""
    return made + _earlier(log, made[::4], 0.7, 1.10)


def warm_up(log: Log, made: list[Row]) -> list[Row]:
    """Add a point of warm-up to every eighth run: 0.5% of the compute, thrice the loss."""
    return made + _earlier(log, made[::8], 0.005, 3.0)


def _earlier(log: Log, rows: list[Row], share: float, loss: float) -> list[Row]:
    found = []
    for row in rows:
        scales = {log.flops: share, "loss": loss} | ({log.examples: share} if log.examples else {})
        found.append({**row, **{name: f"{float(row[name]) * factor:.10g}" for name, factor in scales.items()}})
    return found


def joined(log: Log, made: list[Row]) -> list[Row]:
    """Join a second study: every other run again, with a loss that is 8% higher."""
    second = [dict(row) for row in made[::2]]
    for row in second:
        row["loss"] = f"{float(row['loss']) * 1.08:.10g}"
        if "run" in row:
            row["run"] = f"b-{row['run']}"
    return made + second


def some(i: int) -> bool:
    """Choose every fifth row."""
    return i % 5 == 2


def one(i: int) -> bool:
    """Choose a row in the middle of the log."""
    return i == 50


TRAPS: dict[str, Trap] = {
    "compute 10x, one row": scaled("flops", 10, one),
    "compute 1/10, one row": scaled("flops", 0.1, one),
    "compute 1/10, last row": scaled("flops", 0.1, lambda i: i >= 119),
    "compute 3x, one row": scaled("flops", 3, one),
    "GFLOPs in some rows": scaled("flops", 1e-9, some),
    "GFLOPs in all rows": scaled("flops", 1e-9),
    "other convention in some rows": scaled("flops", 3, some),
    "compute of one example": per_example,
    "examples in millions": scaled("examples", 1e-6),
    "examples in thousands, some rows": scaled("examples", 1e-3, some),
    "examples a full counter, the larger half": clipped,
    "examples 10x, one row": scaled("examples", 10, one),
    "params in millions, some rows": scaled("params", 1e-6, some),
    "width and depth swapped": swapped(lambda i: True),
    "width and depth swapped, some rows": swapped(some),
    "width and depth swapped, one row": swapped(one),
    "width and mlp_dim swapped": swapped(lambda i: True, "mlp_dim"),
    "width and mlp_dim swapped, some rows": swapped(some, "mlp_dim"),
    "mlp_dim a ratio": ratio(lambda i: True),
    "mlp_dim a ratio in some rows": ratio(some),
    "width 10x, one row": scaled("width", 10, one),
    "depth 10x, one row": scaled("depth", 10, one),
    "mlp_dim 1/10, one row": scaled("mlp_dim", 0.1, one),
    "loss 10x, one row": scaled("loss", 10, one),
    "loss in bits, some rows": scaled("loss", 1 / np.log(2), some),
    "loss in percent, some rows": scaled("loss", 100, some),
    "points before the decay": checkpoints,
    "points of warm-up": warm_up,
    "two studies joined": joined,
    "depth in sublayers, wide half": counted("depth", 2, "width"),
    "mlp_dim of a gate twice, deep half": counted("mlp_dim", 2, "depth"),
    "width padded, deep half": counted("width", 1.5, "depth"),
    "compute a running sum": running_sum,
    "compute over a utilization": utilized,
    "a row of means": with_means,
}


CAUSES = {
    "broken-arithmetic", "flops-mismatch", "params-mismatch", "implausible-shape", "implausible-magnitude",
    "outlier", "mid-run-rows", "lack-of-fit",
}  # fmt: skip
"""Codes that name rows, or say that recipes or metrics are mixed."""


@dataclass(frozen=True)
class Outcome:
    """What came of a log: a refusal, or warnings by code, the fit and the rounded plan."""

    refused: str | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    fit: Fit | None = None
    shape: Mapping[str, float] = field(default_factory=dict)


def outcome(log: Log, rows: list[Row]) -> Outcome:
    """Read, fit and plan from the rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.csv"
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        try:
            runs = read_runs(path, config=log.config)
            found = fit(runs, replicates=REPLICATES)
            told = {caution.code: caution.message for caution in reversed(found.cautions)}
            if any(code in told for code in ("broken-arithmetic", "implausible-shape")):
                return Outcome(told["untrusted-fit"])
            plan = recommend(found, BEYOND * log.largest()).budgets[0]
            return Outcome(None, told, found, dict(plan.rounded))
        except ShapeplanError as error:
            return Outcome(f"{error.details[0].code}: {error.details[0].message}")


def loss(truth: Fit, shape: Mapping[str, float], flops: float) -> float:
    """Return the loss of a shape at a budget under a law."""
    place = {dim: np.asarray([float(shape[dim])]) for dim in truth.dims}
    variables = truth.cost_model.variables(truth.law.form, place, np.asarray([flops]))
    return float(truth.law.loss(**variables)[0])


def one_trap(name: str, trap: str) -> tuple[str, str]:
    """Return whether a trapped log is refused, named, harmless or missed, and the words."""
    log = logs()[name]
    made = TRAPS[trap](log, [dict(row) for row in log.rows])
    if made is None:
        return "-", ""
    found = outcome(log, made)
    if found.refused:
        return "refused", found.refused
    clean = outcome(log, [dict(row) for row in log.rows])
    assert clean.fit is not None
    flops = BEYOND * log.largest()
    lost = loss(clean.fit, found.shape, flops) / loss(clean.fit, clean.shape, flops) - 1
    new = {code: text for code, text in found.told.items() if clean.told.get(code) != text}
    named = {code: text for code, text in new.items() if code in CAUSES}
    verdict = "named" if named else "harmless" if lost < HARMLESS else "missed"
    return verdict, f"regret {lost:.2%}; " + "; ".join(f"{code}: {text}" for code, text in (named or new).items())


def main() -> None:
    """Print a row a trap and log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="traps whose names hold this")
    parser.add_argument("--log", default="", help="logs whose names hold this")
    arguments = parser.parse_args()
    tasks = [(name, trap) for trap in TRAPS for name in logs() if arguments.only in trap and arguments.log in name]
    results = in_parallel(one_trap, tasks)
    for (name, trap), (verdict, words) in zip(tasks, results, strict=True):
        print(f"{trap:36} {name:10} {verdict:9} {words[:300]}", flush=True)
    print(dict(Counter(verdict for verdict, _ in results)))


if __name__ == "__main__":
    main()
