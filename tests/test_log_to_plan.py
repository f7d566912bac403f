"""From a log to a plan, in any order of harmless and harmful changes (hypothesis, a rule-based state machine).

However the log is written, what is read, the law, its document and the plan are the same; a wrong cell is refused
where it is; an edited law document is refused, or plans with finite numbers.
"""

from __future__ import annotations

import csv
import io
import json
import math
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import SAMPLES
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import shapeplan as sp
from shapeplan.documents.base import Document
from shapeplan.errors import ShapeplanError
from shapeplan.fitting.result import Fit

BUDGET = 1e22
"""Forward FLOPs of the plans."""
LOG = SAMPLES / "vit_sweep.csv"
KEPT = ("run", "width", "depth", "mlp_dim", "examples", "forward_flops", "loss")
ALIASES = {
    "width": ("width", "d_model", "hidden_size", "embed_dim", "Width"),
    "depth": ("depth", "n_layer", "num_hidden_layers", "n_layers"),
    "mlp_dim": ("mlp_dim", "d_ff", "intermediate_size", "ffn_dim"),
    "examples": ("examples", "images_seen", "examples_seen"),
    "loss": ("loss", "val_loss", "eval/loss"),
}
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".yaml")
UNITS = {"forward_flops": 1.0, "forward_gflops": 1e9, "forward_exaflops": 1e18}
WRONG = ("-1", "0", "nan", "inf", "many", "1e999")
DIMS = ("width", "depth", "mlp_dim")
NUMBERS = (0, -1, 0.5, 1e308, 5e-324, 10**400, "1", None, True, [], {})
"""What a number of a law document is replaced by."""


def rows_of_the_log() -> list[dict[str, str]]:
    with LOG.open() as stream:
        return [{name: row[name] for name in KEPT} for row in csv.DictReader(stream)]


def fitted(runs: sp.Runs) -> Fit:
    return sp.fit(runs, law="separable", replicates=0)


def planned(fit: Fit) -> dict[str, Any]:
    """Return the plan's document, which is JSON."""
    return anonymous(sp.plan_document(sp.recommend(fit, BUDGET, force=True)))


def anonymous(document: Document) -> dict[str, Any]:
    """Return a document as JSON has it, but for the files that it was made from."""
    read: dict[str, Any] = json.loads(document.dumps(), parse_constant=pytest.fail)
    del read["inputs"]
    return read


def numbers_of(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all numbers of a document."""
    if isinstance(document, dict):
        return [found for key, value in document.items() for found in numbers_of(value, (*path, key))]
    if isinstance(document, list):
        return [found for i, value in enumerate(document) for found in numbers_of(value, (*path, i))]
    return [path] if isinstance(document, (int, float)) and not isinstance(document, bool) else []


def best_of(plan: dict[str, Any]) -> list[float]:
    """Return the numbers of a plan that its reader acts on."""
    (budget,) = plan["budgets"]
    return [budget["loss"]["value"], *(budget["shape"][dim] for dim in DIMS)]


class LogToPlan(RuleBasedStateMachine):
    """A log that is written in one way after another."""

    @initialize()
    def as_it_is(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.rows = rows_of_the_log()
        self.names = {name: name for name in KEPT}
        self.suffix, self.flops, self.beside = ".csv", "forward_flops", 0

    @rule(seed=st.integers(0, 99))
    def shuffle_rows(self, seed: int) -> None:
        random.Random(seed).shuffle(self.rows)

    @rule(order=st.permutations(KEPT))
    def move_columns(self, order: list[str]) -> None:
        self.rows = [{name: row[name] for name in order} for row in self.rows]

    @rule(role=st.sampled_from(sorted(ALIASES)), which=st.integers(0, 9))
    def rename_a_column(self, role: str, which: int) -> None:
        self.names[role] = ALIASES[role][which % len(ALIASES[role])]

    @rule(unit=st.sampled_from(sorted(UNITS)))
    def count_compute_in(self, unit: str) -> None:
        self.flops = unit

    @rule(suffix=st.sampled_from(SUFFIXES))
    def write_as(self, suffix: str) -> None:
        self.suffix = suffix

    @rule(count=st.integers(0, 2))
    def add_columns_that_say_nothing(self, count: int) -> None:
        self.beside = count

    @rule(row=st.integers(0, 10**6), column=st.sampled_from(KEPT[1:]), value=st.sampled_from(WRONG))
    def get_a_cell_wrong(self, row: int, column: str, value: str) -> None:
        index = row % len(self.rows)
        table = self.table()
        name = self.flops if column == "forward_flops" else self.names[column]
        table[index][name] = value
        with pytest.raises(ShapeplanError) as refused:
            sp.read_runs(self.written(table, "wrong"))
        said = "; ".join(str(detail) for detail in refused.value.details)
        assert name in said
        assert value in said

    @rule()
    def plan(self) -> None:
        fit = fitted(self.read())
        path = Path(self.folder.name) / "law.json"
        path.write_text(sp.law_document(fit).dumps())
        again = sp.read_law(path)
        assert anonymous(sp.law_document(again)) == anonymous(sp.law_document(fit))
        plan = planned(fit)
        assert planned(again) == plan
        np.testing.assert_allclose(best_of(plan), best_of(planned(reference()[1])), rtol=1e-6)

    @rule(where=st.integers(0, 10**6), value=st.sampled_from(NUMBERS))
    def edit_the_law(self, where: int, value: Any) -> None:
        document = json.loads(sp.law_document(reference()[1]).dumps())
        paths = numbers_of(document)
        *above, last = paths[where % len(paths)]
        holder = document
        for key in above:
            holder = holder[key]
        holder[last] = value
        path = Path(self.folder.name) / "edited.json"
        path.write_text(json.dumps(document))
        try:
            plan = planned(sp.read_law(path))
        except ShapeplanError:
            return
        assert all(math.isfinite(number) and number > 0 for number in best_of(plan))

    @invariant()
    def the_same_is_read(self) -> None:
        if not hasattr(self, "rows"):
            return
        read, first = self.read().canonical(), reference()[0].canonical()
        assert (read.dims, read.flops_convention) == (first.dims, first.flops_convention)
        assert read.run_names == first.run_names
        for one, other in ((read.shape, first.shape), (read.flops, first.flops), (read.loss, first.loss)):
            np.testing.assert_allclose(one, other, rtol=1e-12)

    def table(self) -> list[dict[str, str]]:
        """Return the rows as they would be written."""
        made = []
        for index, row in enumerate(self.rows):
            cells = {self.names[name]: value for name, value in row.items() if name != "forward_flops"}
            cells[self.flops] = repr(float(row["forward_flops"]) / UNITS[self.flops])
            made.append(cells | {f"note{i}": f"text {index}" for i in range(self.beside)})
        return made

    def written(self, table: list[dict[str, str]], stem: str) -> Path:
        path = Path(self.folder.name) / f"{stem}{self.suffix}"
        if self.suffix in (".csv", ".tsv"):
            text = io.StringIO()
            writer = csv.DictWriter(text, list(table[0]), delimiter="," if self.suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(table)
            path.write_text(text.getvalue())
            return path
        typed = [{name: _typed(value) for name, value in row.items()} for row in table]
        if self.suffix == ".json":
            path.write_text(json.dumps(typed))
        elif self.suffix == ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in typed))
        else:
            path.write_text(yaml.safe_dump(typed, sort_keys=False))
        return path

    def read(self) -> sp.Runs:
        return sp.read_runs(self.written(self.table(), "runs"))

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


def _typed(text: str) -> str | float:
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text


_REFERENCE: list[tuple[sp.Runs, Fit]] = []


def reference() -> tuple[sp.Runs, Fit]:
    """Return the log as it is, and its fit."""
    if not _REFERENCE:
        runs = sp.read_runs(LOG)
        _REFERENCE.append((runs, fitted(runs)))
    return _REFERENCE[0]


@pytest.mark.parametrize("examples", [2, pytest.param(40, marks=pytest.mark.long)])
def test_however_a_log_is_written_its_plan_is_the_same(examples: int) -> None:
    run_state_machine_as_test(
        LogToPlan,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
