"""Rows that break the arithmetic of their log are named; logs that do not are left alone."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, SHARED, Program
from hypothesis import given, settings
from hypothesis import strategies as st

import shapeplan as sp
from shapeplan.errors import Caution
from shapeplan.readers.arithmetic import doubt_arithmetic

Row = dict[str, str]
COLUMNS = ("run", "width", "depth", "mlp_dim", "params", "examples", "forward_flops", "loss")
KINDS = {"broken-arithmetic", "flops-mismatch", "params-mismatch", "implausible-shape"}


@pytest.fixture(scope="module")
def sweep() -> list[Row]:
    text = (SAMPLES / "vit_sweep.csv").read_text()
    return [{name: row[name] for name in COLUMNS} for row in csv.DictReader(text.splitlines())]


def read(tmp_path: Path, rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> sp.Runs:
    path = tmp_path / "runs.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return sp.read_runs(path)


def told(tmp_path: Path, rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> list[Caution]:
    return [caution for caution in read(tmp_path, rows, columns).cautions if caution.code in KINDS]


def scaled(rows: list[Row], column: str, factor: float, chosen: set[int]) -> list[Row]:
    return [
        {**row, column: f"{float(row[column]) * factor:.12g}"} if i in chosen else dict(row)
        for i, row in enumerate(rows)
    ]


@settings(max_examples=30)
@given(
    st.sampled_from(["forward_flops", "examples", "params", "width"]),
    st.sampled_from([0.01, 0.1, 1 / 3, 3.0, 10.0, 1e3, 1e5]),
    st.integers(0, 120),
)
def test_a_cell_that_is_off_by_a_factor_is_named(
    tmp_path_factory: pytest.TempPathFactory, sweep: list[Row], column: str, factor: float, row: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    rows = scaled(sweep, column, factor, {row})
    if column == "width":
        # A run trains one shape.
        rows[row]["run"] = "alone"
    (caution,) = told(folder, rows)
    assert caution.code == "broken-arithmetic"
    assert caution.message.startswith(f"line {row + 2}: ")


@pytest.mark.parametrize("chosen", [{7}, set(range(2, 121, 5)), set(range(0, 121, 3))])
def test_rows_in_another_unit_are_counted_and_the_factor_told(
    tmp_path: Path, sweep: list[Row], chosen: set[int]
) -> None:
    (caution,) = told(tmp_path, scaled(sweep, "forward_flops", 1e-9, chosen))
    first = ", ".join(str(i + 2) for i in sorted(chosen)[:5])
    where = f"line {first}" if len(chosen) == 1 else f"{len(chosen)} of 121 rows (lines {first}, ...)"
    assert caution.message.startswith(f"{where}: the compute per example is ")
    assert "e-09" in caution.message or "e-10" in caution.message
    assert caution.hint.startswith("check 'forward_flops', 'examples' and the shape there")


def test_what_is_told_of_a_digit_too_many(tmp_path: Path, sweep: list[Row]) -> None:
    (caution,) = told(tmp_path, scaled(sweep, "forward_flops", 10, {50}))
    assert caution.message == "line 52: the compute per example is 10 times what the shape gives by the other rows"
    assert caution.hint == "check 'forward_flops', 'examples' and the shape there, or remove it"


def test_a_wrong_shape_is_told_from_wrong_counts(tmp_path: Path, sweep: list[Row]) -> None:
    rows = [dict(row) for row in sweep]
    rows[50] |= {"width": "19680", "run": "alone"}
    (caution,) = told(tmp_path, rows)
    assert caution.message.startswith("line 52: parameters and compute per example are 0.03")
    assert caution.hint == "check the shape there, or remove it"


def test_a_smaller_factor_is_no_reason_to_refuse(tmp_path: Path, sweep: list[Row]) -> None:
    (caution,) = told(tmp_path, scaled(sweep, "params", 1.8, {50}))
    assert caution.code == "params-mismatch"
    runs = [{**row, "run": row["run"].rpartition("-")[0]} for row in sweep]
    (caution,) = told(tmp_path, scaled(runs, "forward_flops", 1.2, {50}))
    assert caution.code == "flops-mismatch"
    assert caution.message == "line 52: the compute per example is 1.2 times that of the other rows of the run"


@settings(max_examples=30)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(0, 3),
    st.floats(0, 0.03),
    st.sampled_from([("width", "depth", "mlp_dim"), ("width", "depth"), ("width",), ("depth", "mlp_dim")]),
)
def test_logs_whose_cost_is_smooth_are_left_alone(
    tmp_path_factory: pytest.TempPathFactory, seed: int, embeddings: float, scatter: float, dims: tuple[str, ...]
) -> None:
    random = np.random.default_rng(seed)
    sizes = {
        "width": random.choice([64, 128, 192, 256, 512, 1024], 40),
        "depth": random.choice([2, 4, 6, 8, 12, 24], 40),
        "mlp_dim": random.choice([256, 512, 768, 1024, 2048], 40),
    }
    whole = {"width": np.full(40, 256), "depth": np.full(40, 6), "mlp_dim": np.full(40, 1024)}
    whole |= {dim: sizes[dim] for dim in dims}
    width, depth, mlp_dim = whole["width"], whole["depth"], whole["mlp_dim"]
    blocks = depth * (4.0 * width**2 + 2 * width * mlp_dim)
    params = (blocks + embeddings * 1e4 * width) * np.exp(random.normal(0, scatter, 40))
    tokens = random.choice([1e9, 2e9, 4e9], 40)
    rows = [
        {
            "run": f"r{i}",
            **{dim: str(sizes[dim][i]) for dim in dims},
            "params": f"{params[i]:.6g}",
            "tokens": f"{tokens[i]:.6g}",
            "flops": f"{6 * params[i] * tokens[i]:.6g}",
            "loss": f"{3 + random.random():.4f}",
        }
        for i in range(40)
    ]
    assert told(tmp_path_factory.mktemp("log"), rows, tuple(rows[0])) == []


def test_compute_that_follows_nothing_is_not_told(tmp_path: Path, sweep: list[Row]) -> None:
    random = np.random.default_rng(0)
    rows = [{**row, "forward_flops": f"{float(row['forward_flops']) * random.uniform(0.2, 5):.8g}"} for row in sweep]
    runs = read(tmp_path, rows)
    assert {caution.code for caution in runs.cautions} & KINDS <= {"broken-arithmetic"}


def test_rows_that_tell_neither_examples_nor_parameters(tmp_path: Path, sweep: list[Row]) -> None:
    bare = ("width", "depth", "mlp_dim", "forward_flops", "loss")
    assert told(tmp_path, sweep, bare) == []
    (caution,) = told(tmp_path, scaled(sweep, "forward_flops", 1e-9, {3, 4}), bare)
    assert caution.code == "broken-arithmetic"
    assert caution.message.startswith("2 of 121 rows (lines 5, 6): the compute is about ")


@pytest.mark.parametrize("columns", [COLUMNS, ("width", "depth", "mlp_dim", "forward_flops", "loss")])
def test_swapped_headers_and_ratios_are_questioned(tmp_path: Path, sweep: list[Row], columns: tuple[str, ...]) -> None:
    swapped = [{**row, "width": row["depth"], "depth": row["width"]} for row in sweep]
    (caution,) = told(tmp_path, swapped, columns)
    assert caution.code == "implausible-shape"
    assert caution.message == "every row: the depth is 416 to 1.97e+03, the width 6 to 40"
    ratios = [{**row, "mlp_dim": f"{float(row['mlp_dim']) / float(row['width']):.3g}"} for row in sweep]
    (caution,) = told(tmp_path, ratios, columns)
    assert caution.message.startswith("every row: 'mlp_dim' is 0.553 to 10.1, where the width is 416")
    assert caution.hint == "`columns=mlp_ratio='mlp_dim'` reads multiples"


def test_swapped_sizes_of_some_rows(tmp_path: Path, sweep: list[Row]) -> None:
    bare = ("width", "depth", "mlp_dim", "forward_flops", "loss")
    rows = [{**row, "width": row["depth"], "depth": row["width"]} if i == 9 else row for i, row in enumerate(sweep)]
    (caution,) = told(tmp_path, rows, bare)
    assert (caution.code, caution.hint) == ("implausible-shape", "are they swapped there?")
    assert caution.message.startswith("line 11: ")


def test_an_mlp_dim_of_very_many_widths(tmp_path: Path, sweep: list[Row]) -> None:
    bare = ("width", "depth", "mlp_dim", "forward_flops", "loss")
    rows = [
        {**row, "mlp_dim": f"{10 * float(row['mlp_dim']):g}"} if i in (4, 5) else row for i, row in enumerate(sweep)
    ]
    (caution,) = [one for one in told(tmp_path, rows, bare) if one.code == "implausible-shape"]
    assert caution.message.startswith("2 of 121 rows (lines 6, 7): 'mlp_dim' is ")
    assert caution.message.endswith(" in the others")
    assert caution.hint == "check 'mlp_dim' and the width there"


def test_networks_that_are_deeper_than_wide_are_left_alone(tmp_path: Path) -> None:
    """Wide residual networks have a width of 1 to 10 and a depth of 16 to 40: their cost tells."""
    shapes = [(width, depth) for width in (1, 2, 4, 8, 10) for depth in (16, 22, 28, 40)]
    rows = [
        {
            "width": str(width),
            "depth": str(depth),
            "params": f"{3e4 * depth * width**2:.6g}",
            "examples": "1e7",
            "flops": f"{4e8 * depth * width**2 * 1e7:.6g}",
            "loss": f"{0.5 / (width * depth) ** 0.2:.5g}",
        }
        for width, depth in shapes
    ]
    assert told(tmp_path, rows, tuple(rows[0])) == []


def test_no_plan_rests_on_broken_arithmetic(program: Program, tmp_path: Path, sweep: list[Row]) -> None:
    read(tmp_path, scaled(sweep, "forward_flops", 10, {50}))
    fitted = program("fit", "runs.csv", "--law", "separable", "--replicates", "0", "-o", "law.json")
    assert fitted.returncode == 0
    assert "[untrusted-fit]" in fitted.stderr
    refused = program("recommend", "--law", "law.json", "--flops", "1e22")
    assert refused.returncode == 1
    assert "line 52: the compute per example is 10 times" in refused.stderr
    assert program("recommend", "--law", "law.json", "--flops", "1e22", "--force").returncode == 0


def test_real_sweeps_keep_their_arithmetic() -> None:
    if not SHARED.exists():
        pytest.skip("the public sweeps lie beside the project, and are not here")
    for path in sorted((SHARED / "sweeps").glob("*.csv")):
        found = [caution for caution in sp.read_runs(path).cautions if caution.code in KINDS]
        assert not found, (path.name, found)


def test_with_an_architecture_exact_counts_are_compared_instead(tmp_path: Path, sweep: list[Row]) -> None:
    runs = sp.read_runs(SAMPLES / "vit_sweep.yaml")
    assert runs.architecture is not None
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(scaled(sweep, "forward_flops", 10, {50}))
    (tmp_path / "runs.csv").write_text(text.getvalue())
    (tmp_path / "config.yaml").write_text("architecture: {family: vit, patch: 14, image: 224, heads: 16, pool: map}\n")
    (caution,) = sp.read_runs(tmp_path / "runs.csv", config=tmp_path / "config.yaml").cautions
    assert caution.code == "broken-arithmetic"
    assert "1 of 121 rows (line 52) are 10 times the forward FLOPs" in caution.message


def test_few_rows_tell_no_function(sweep: list[Row], tmp_path: Path) -> None:
    assert told(tmp_path, scaled(sweep[:6], "forward_flops", 1.5, {2}))[:0] == []
    runs = read(tmp_path, sweep[:6])
    assert doubt_arithmetic(runs, None) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_parameters_of_half_the_rows_in_another_unit_are_named(tmp_path: Path, sweep: list[Row], unit: float) -> None:
    some = set(range(0, len(sweep), 2))
    columns = tuple(name for name in COLUMNS if name != "examples")
    (found,) = [
        one for one in told(tmp_path, scaled(sweep, "params", 1 / unit, some), columns) if "unit of" in one.hint
    ]
    assert found.code == "broken-arithmetic"
    assert "the parameters are about 1e-06 times those" in found.message or "1e+06 times those" in found.message
    assert "check the unit of 'params' there" in found.hint
    assert not [one for one in told(tmp_path, sweep, columns) if "unit of" in one.hint]
