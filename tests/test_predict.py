"""Predictions of a law for rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program, fit, fit_star, sweep

import shapeplan as sp
from shapeplan.errors import FitError
from shapeplan.fitting.predict import predict
from shapeplan.fitting.result import Fit
from shapeplan.readers.read import read_runs
from shapeplan.sweeps.star import find_star

DIMS = ("width", "depth", "mlp_dim")


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit_star(read_runs(SAMPLES / "vit_sweep.yaml"), replicates=20)


def test_predictions_far_away_or_of_another_metric_are_doubted(fitted: Fit) -> None:
    runs = sweep()
    assert "extrapolation" in [c.code for c in predict(fitted, replace(runs, flops=runs.flops * 100)).cautions]
    star = find_star(runs, DIMS)
    inside = runs.take(np.concatenate(list(star.arms.values())))
    assert predict(fitted, inside).cautions == ()
    assert "metric-differs" in [c.code for c in predict(fitted, replace(inside, metric="acc")).cautions]
    negative = predict(fitted, replace(inside, flops=inside.flops * 1e-9, shape=inside.shape * 1e-2))
    assert {"extrapolation"} <= {c.code for c in negative.cautions}


def test_predictions_off_a_tie_are_doubted() -> None:
    design = sweep().take(np.arange(39))
    shape = design.shape.copy()
    shape[:, 2] = 4 * shape[:, 0]
    tied = fit_star(replace(design, shape=shape, architecture=None), replicates=0)
    on = replace(design, shape=shape)
    assert "tied" not in [c.code for c in predict(tied, on).cautions]
    shape = shape.copy()
    shape[3, 2] = 9.0
    assert "1 rows have a mlp_dim" in predict(tied, replace(on, shape=shape)).cautions[0].message


def test_columns_that_are_named_like_predictions_are_kept(program: Program, tmp_path: Path) -> None:
    program("fit", SAMPLES / "vit_sweep.yaml", "--law", "separable", "--replicates", "0", "-o", "law.json")
    (tmp_path / "rows.csv").write_text("width,depth,mlp_dim,examples,predicted,lower\n768,12,3072,1e8,5,6\n")
    done = program("predict", "law.json", "rows.csv", "-o", "out.csv")
    assert "are kept: predicted as predicted_of_rows, lower as lower_of_rows\n" in done.stderr
    header, row = (tmp_path / "out.csv").read_text().splitlines()
    assert header.startswith("width,depth,mlp_dim,examples,predicted_of_rows,lower_of_rows,predicted,lower,upper,")
    assert row.startswith("768,12,3072,1e8,5,6,0.23")
    document = json.loads(program("predict", "law.json", "rows.csv", "--json").stdout)
    assert document["rows"][0]["predicted_of_rows"] == 5
    assert document["rows"][0]["predicted"] < 1


def test_examples_are_not_taken_for_tokens() -> None:
    fitted = fit(sweep(), law="separable", replicates=0)
    assert fitted.examples_unit == "examples"
    assert "examples" in fitted.law.form.variables
    with pytest.raises(FitError, match="the law counts examples, and the rows tokens; if these are examples, name the"):
        predict(fitted, replace(sweep(), examples_unit="tokens"))
    assert predict(fitted, replace(sweep(), examples=None)).predicted.size == len(sweep()), "they follow from compute"


def test_an_interval_widens_with_examples_beyond_the_log_at_the_same_compute(fitted: Fit) -> None:
    error, seen = fitted.uncertainty.run_error, fitted.examples_range
    assert error is not None
    assert seen is not None
    flops = np.full(3, fitted.flops_range[1])
    examples = np.array([seen[1], 10 * seen[1], seen[0] / 10])
    assert fitted.distance(flops, examples) == pytest.approx([1, 10, 10])
    assert fitted.distance(10 * flops, examples) == pytest.approx([10, 10, 10])
    assert fitted.distance(flops) == pytest.approx([1, 1, 1])
    largest = int(np.argmax(sweep().flops))
    row = sweep().take(np.array([largest]))
    assert row.examples is not None
    drifting = replace(fitted, uncertainty=replace(fitted.uncertainty, run_error=replace(error, drift=0.01)))
    far = replace(row, examples=np.maximum(row.examples, 10 * seen[1]))
    widths = []
    for one in (row, far):
        found = predict(drifting, one)
        assert found.lower is not None
        assert found.upper is not None
        widths.append(float(np.log(found.upper / found.lower)[0]))
    assert widths[1] > widths[0]


def test_what_is_no_loss_is_left_empty(program: Program, tmp_path: Path) -> None:
    """Eq. 3 is a difference away from the star: far below its compute it may fall under zero."""
    law, rows = tmp_path / "star.json", tmp_path / "rows.csv"
    program("fit", SAMPLES / "vit_sweep.yaml", "--law", "star", "--replicates", "20", "-q", "-o", law)
    near, far = "1968,40,6144,1e20", "284,4,6151,1e14"
    rows.write_text(f"width,depth,mlp_dim,forward_flops\n{near}\n{far}\n")
    shown = program("predict", law, rows)
    assert (
        "the law gives no loss above zero for 1 of 2 rows (the lowest on line 3); the law does not hold there"
        in shown.stderr
    )
    cells = shown.stdout.splitlines()[-1].split()
    assert cells[-3:] == ["-", "-", "-"]
    program("predict", law, rows, "-o", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines()[-1] == f"{far},,,,,,"
    document = json.loads(program("predict", law, rows, "--json").stdout)
    assert document["rows"][0]["predicted"] > 0
    assert [document["rows"][1][name] for name in ("predicted", "lower", "upper", "residual")] == [None] * 4


def told(law: Fit, rows: list[dict[str, object]], code: str) -> list[str]:
    runs = read_runs(rows, like=law.log.read_as, architecture=law.architecture, require_metric=False)
    return [caution.message for caution in predict(law, runs).cautions if caution.code == code]


def as_records(**change: object) -> list[dict[str, object]]:
    runs = read_runs(SAMPLES / "vit_sweep.csv").take(np.arange(20))
    names = ("width", "depth", "mlp_dim")
    rows = [{name: float(runs.values(name)[i]) for name in names} for i in range(len(runs))]
    for i, row in enumerate(rows):
        row |= {"run": f"r{i}", "forward_flops": float(runs.flops[i]), "loss": float(runs.observed()[i])}
        row |= {"examples": float(runs.examples[i])}  # type: ignore[index]
    return [{**row, **{name: call(row) for name, call in change.items()}} for row in rows]  # type: ignore[operator]


def test_rows_whose_columns_do_not_belong_together_are_doubted(fitted: Fit) -> None:
    """One row alone is enough: the law knows what a shape costs."""
    assert told(fitted, as_records(), "broken-arithmetic") == []
    off = as_records(examples=lambda row: row["examples"] / 1e6)[:1]
    (message,) = told(fitted, off, "broken-arithmetic")
    assert message.startswith("the compute of 1 of 1 rows is 1e+06 times what their shape and examples cost under")


@pytest.mark.parametrize(("factor", "odd"), [(1.0, False), (1.04, False), (1.4427, True), (10.0, True)])
def test_a_metric_of_another_unit_is_doubted(fitted: Fit, factor: float, odd: bool) -> None:
    found = told(fitted, as_records(loss=lambda row: row["loss"] * factor), "metric-differs")
    assert bool(found) is odd
    if odd:
        assert found[0].startswith(f"the law is off by {1 / factor - 1:+.0%}"[:-3])


def test_sizes_that_follow_say_nothing_of_rows_where_they_do_not(tmp_path: Path) -> None:
    """A ladder ties depth to width: rows off it cost otherwise, and are told as that alone."""
    rows = [
        {"run": f"r{i}", "width": w, "depth": w // 64, "tokens": t, "flops": 72 * w**2 * (w // 64) * t}
        | {"loss": 1.7 + 60 * w**-0.8 + 300 * t**-0.3}
        for i, (w, t) in enumerate((w, t) for w in range(256, 1537, 128) for t in (1e9, 4e9, 1.6e10))
    ]
    law = sp.fit(sp.read_runs(rows), law="separable", replicates=0)
    deep = [{**row, "depth": 3 * row["depth"], "flops": 3 * row["flops"]} for row in rows]
    codes = [caution.code for caution in predict(law, sp.read_runs(deep)).cautions]
    assert "tied" in codes
    assert "broken-arithmetic" not in codes


def test_rows_that_are_predicted_twice_are_no_copies(fitted: Fit) -> None:
    rows = as_records()
    twice = [*rows, *({**row, "run": f"again-{row['run']}"} for row in rows)]
    read = read_runs(twice, architecture=fitted.architecture, require_metric=False)
    assert "copied-rows" not in {caution.code for caution in read.cautions}
