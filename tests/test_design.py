"""The sweep to run: stars, grids, budgets, and the way back from a filled log to a plan."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Program
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shapeplan.architectures import Architecture
from shapeplan.architectures import architecture as make_architecture
from shapeplan.design.grid import design_grid
from shapeplan.design.grid_budget import grid_for_budget
from shapeplan.design.simulate import simulate
from shapeplan.design.sovit_protocol import (
    ARMS,
    CENTER,
    GRID,
    STAR_EXAMPLES,
    paper_architecture,
    paper_design,
    rehearsal_law,
)
from shapeplan.design.star import design_star
from shapeplan.design.star_budget import star_for_budget
from shapeplan.documents.log import log_text
from shapeplan.errors import ArgumentError, InputError
from shapeplan.fitting.check import check
from shapeplan.laws import Law, Separable
from shapeplan.readers.read import read_runs

VIT = paper_architecture()
LLAMA = make_architecture({"family": "llama", "vocab": 32000, "seq": 2048, "head_dim": 64})
DURATIONS = (64e6, 128e6, 256e6)
SETTINGS = "architecture: {family: vit, patch: 14, image: 224, heads: 16, pool: map}\n"


def test_the_papers_star() -> None:
    """18 shapes and the centre at three durations; the total is that of their MACs, in both conventions."""
    star = design_star(CENTER, VIT, STAR_EXAMPLES, arms=ARMS)
    shapes = {tuple(map(int, row)) for row in star.runs.shape}
    arms = {tuple({**CENTER, dim: value}.values()) for dim, values in ARMS.items() for value in values}
    assert shapes == arms | {tuple(CENTER.values())}
    assert len(arms) == 18
    assert len(star.runs) == 57
    by_hand = sum(
        2 * VIT.model(dict(zip(CENTER, shape, strict=True))).macs * int(n) for shape in shapes for n in STAR_EXAMPLES
    )
    assert star.flops("forward") == pytest.approx(by_hand, rel=1e-12)
    assert star.flops("training") == pytest.approx(3 * by_hand, rel=1e-12)
    assert star.cautions == ()
    assert np.array_equal(paper_design().shape[:57], star.runs.shape)


def test_the_papers_grid_is_a_grid() -> None:
    grid = design_grid({dim: values[1] for dim, values in GRID.items()}, VIT, (600e6,), values=GRID)
    assert grid.shapes == 64
    assert len(grid.boundary) == 64 - 8
    assert [caution.code for caution in grid.cautions] == ["grid-one-duration"]


def test_arms_are_spaced_in_ratio_below_the_centre() -> None:
    star = design_star({"width": 2048, "depth": 40, "mlp_dim": 8192}, VIT, DURATIONS)
    for i, (dim, size) in enumerate({"width": 2048, "depth": 40, "mlp_dim": 8192}.items()):
        values = np.unique(star.runs.shape[:, i])
        assert values[-1] == size
        assert len(values) == 7
        assert values[-2] == pytest.approx(size / 1.25, rel=0.03)
        assert np.diff(np.log(values)) == pytest.approx(np.log(1.25), abs=0.06), dim
    assert (star.runs.shape[:, 0] % 16 == 0).all()
    assert star.cautions == ()


@settings(max_examples=25)
@given(st.integers(60, 200), st.integers(20, 80), st.integers(3, 6), st.floats(1.25, 1.6))
def test_every_star_is_found_again_in_its_log(width: int, depth: int, points: int, ratio: float) -> None:
    assume(depth * ratio**-points > 3)
    star = design_star({"width": 16 * width, "depth": depth}, VIT_RATIO, DURATIONS, points=points, ratio=ratio)
    found = check(simulate(rehearsal_like(star.runs.dims), star.runs, noise=0.001)).star
    assert found is not None
    assert dict(found.center) == {"width": 16.0 * width, "depth": float(depth)}


VIT_RATIO = type(VIT).of(VIT.family, {**VIT.settings, "mlp_ratio": 4})


def rehearsal_like(dims: tuple[str, ...]) -> Law:
    constants = {f"alpha_{dim}": 0.02 for dim in dims} | {f"a_{dim}": 1.0 for dim in dims}
    constants |= {"beta": 0.1, "c": 0.3, "eps": 0.1}
    return Law(Separable(dims), constants, dict.fromkeys((*dims, "examples"), 1e3))


@pytest.mark.parametrize("suffix", ["csv", "yaml", "json", "jsonl", "TSV"])
def test_a_design_is_read_again_without_a_warning(tmp_path: Path, suffix: str) -> None:
    star = design_star({"width": 1024, "depth": 24, "mlp_dim": 4096}, VIT, DURATIONS).runs
    path = tmp_path / f"design.{suffix}"
    path.write_text(log_text(star, suffix.lower()))
    again = read_runs(path, require_metric=False, architecture=VIT)
    assert again.cautions == ()
    assert np.array_equal(again.shape, star.shape)
    assert np.array_equal(again.flops, star.flops)
    with pytest.raises(InputError, match="loss"):
        read_runs(path, architecture=VIT)


@pytest.mark.parametrize("convention", ["forward", "training"])
@pytest.mark.parametrize("budget", [1e18, 1e20, 3e22])
def test_a_budget_chooses_the_star(convention: str, budget: float) -> None:
    star = star_for_budget(budget, VIT, flops_convention=convention)
    assert 0.7 * budget < star.flops(convention) <= budget
    assert not {"center-bottleneck", "close-to-center"} & {caution.code for caution in star.cautions}
    center = star.runs.center
    assert center is not None
    assert center["mlp_dim"] / center["width"] == pytest.approx(6144 / 1968, rel=0.15)


def test_a_budget_fits_durations_to_a_centre_or_a_centre_to_durations() -> None:
    center = {"width": 1024.0, "depth": 24.0, "mlp_dim": 4096.0}
    given_center = star_for_budget(1e21, VIT, center=center)
    assert given_center.runs.center == center
    assert 0.8e21 < given_center.flops("forward") <= 1e21
    given_durations = star_for_budget(1e21, VIT, durations=DURATIONS)
    assert set(given_durations.runs.examples) == set(DURATIONS)
    assert 0.7e21 < given_durations.flops("forward") <= 1e21


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"durations": (64e6,)}, "1 duration cannot show how loss falls with compute; give 2 or more"),
        ({"durations": (64e6, 64e6)}, "a duration is given twice"),
        ({"durations": (0.0, 64e6)}, "0 examples is out of range"),
        ({"arms": {"depth": [8]}}, "an arm of 1 depth value shows no law; give 3 values or more"),
        ({"arms": {"depth": [8, 8, 10]}}, "the depth arm has a value twice"),
        ({"arms": {"heads": [8, 10, 12]}}, "an arm of heads, which the centre has not"),
        ({"points": 0}, "0 points is out of range"),
        ({"ratio": 1.0}, "a ratio of 1 is out of range"),
        ({"center": {"width": 1024, "depth": 3, "mlp_dim": 4096}}, "below 3 there is room for 2 values of depth"),
        ({"center": {"width": 1024.5, "depth": 24, "mlp_dim": 4096}}, "the centre has a width of 1024.5"),
    ],
)
def test_stars_that_cannot_be(options: dict[str, Any], message: str) -> None:
    given = {"center": {"width": 1024, "depth": 24, "mlp_dim": 4096}, "durations": DURATIONS, **options}
    with pytest.raises(ArgumentError, match=message):
        design_star(given.pop("center"), VIT, given.pop("durations"), **given)


def test_a_budget_that_buys_nothing() -> None:
    with pytest.raises(ArgumentError, match="1e9 FLOPs do not buy a star; the smallest costs"):
        star_for_budget(1e9, VIT)
    with pytest.raises(ArgumentError, match="an arm of 1 width value shows no law"):
        star_for_budget(1e20, VIT, points=1)
    with pytest.raises(ArgumentError, match="an arm of 2 width values shows no law"):
        star_for_budget(1e20, VIT, arms={"width": [64, 128]})
    assert [caution.code for caution in star_for_budget(1e35, VIT).cautions] == ["budget-left-over"]
    for bad in (0.0, -1.0, float("nan"), 1e41):
        with pytest.raises(ArgumentError, match="is out of range"):
            star_for_budget(bad, VIT)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(InputError, match="width"):
        design_star({"width": 1000, "depth": 24, "mlp_dim": 4096}, VIT, DURATIONS)


def test_broken_rules_of_the_paper_are_told() -> None:
    center = {"width": 1024, "depth": 24, "mlp_dim": 4096}

    def codes(arms: dict[str, list[int]]) -> set[str]:
        return {caution.code for caution in design_star(center, VIT, DURATIONS, arms=arms).cautions}

    assert codes({"depth": [8, 10, 12, 16, 20, 32]}) == {"center-bottleneck"}
    assert codes({"depth": [10, 12, 15, 18, 23]}) == {"close-to-center"}
    assert codes({"depth": [4, 5, 6, 12, 15]}) == {"uneven-spacing"}
    assert codes({"depth": [8, 10, 12]}) == {"too-few-runs"}


@pytest.mark.parametrize("architecture", [VIT, LLAMA], ids=["images", "tokens"])
@pytest.mark.parametrize("budget", [1e20, 1e22])
def test_a_budget_chooses_the_grid(architecture: Architecture, budget: float) -> None:
    grid = grid_for_budget(budget, architecture)
    assert 0.7 * budget < grid.flops("forward") <= budget
    assert grid.shapes == 64
    assert len(grid.boundary) == 64 - 8
    assert grid.cautions == ()
    middle = np.median(grid.runs.shape, axis=0)
    assert middle[0] / middle[1] == pytest.approx(608 / 10, rel=0.35)
    params = np.median(grid.runs.params)
    tokens = float(grid.runs.examples.max()) * (256 if architecture is VIT else 1)
    assert tokens / params == pytest.approx(5200 if architecture is VIT else 40, rel=0.25)


def test_a_grid_for_a_budget_keeps_what_is_given() -> None:
    around = {"width": 608, "depth": 10, "mlp_dim": 928}
    given_shape = grid_for_budget(1e21, VIT, around=around)
    assert 0.7e21 < given_shape.flops("forward") <= 1e21
    assert np.unique(given_shape.runs.shape[:, 1]).tolist() == [8, 9, 11, 13]
    given_durations = grid_for_budget(1e21, VIT, durations=DURATIONS)
    assert np.unique(given_durations.runs.examples).tolist() == list(DURATIONS)
    with pytest.raises(ArgumentError, match="do not buy a grid; the smallest costs"):
        grid_for_budget(1e12, VIT)
    with pytest.raises(ArgumentError, match="some are the same"):
        grid_for_budget(1e21, VIT, values={"depth": [2, 2, 3]})
    with pytest.raises(ArgumentError, match="2 points is out of range"):
        grid_for_budget(1e21, VIT, points=2)
    with pytest.raises(ArgumentError, match="is out of range"):
        grid_for_budget(float("nan"), VIT)


def test_a_shape_that_cannot_be_is_named() -> None:
    with pytest.raises(ArgumentError, match="the centre has the dimension 'mlp', which vit does not count"):
        design_star({"width": 1024, "depth": 16, "mlp": 2816}, VIT, DURATIONS)
    with pytest.raises(ArgumentError, match="the shape has a width of 1e\\+300"):
        design_grid({"width": 1e300, "depth": 16, "mlp_dim": 2816}, VIT, DURATIONS)
    for make in (design_star, design_grid):
        with pytest.raises(ArgumentError, match="4000 points is out of range"):
            make({"width": 1024, "depth": 16, "mlp_dim": 2816}, VIT, DURATIONS, points=4000)
    uneven = design_grid({"width": 256, "depth": 5}, VIT_RATIO, (1e8, 2e8), values={"depth": [2, 4, 5]})
    assert [caution.code for caution in uneven.cautions] == ["uneven-spacing"]


def test_widths_are_multiples_of_grouped_heads() -> None:
    grouped = make_architecture({"family": "llama", "vocab": 32000, "seq": 2048, "head_dim": 64, "kv_heads": 4})
    star = design_star({"width": 2048, "depth": 32, "mlp_dim": 8192}, grouped, (1e9, 2e9), ratio=1.25, points=3)
    assert (star.runs.shape[:, 0] % 256 == 0).all()


def test_a_grid_holds_its_shape_inside() -> None:
    grid = design_grid({"width": 608, "depth": 10, "mlp_dim": 928}, VIT, (300e6, 600e6))
    for i, size in enumerate((608, 10, 928)):
        values = np.unique(grid.runs.shape[:, i])
        assert len(values) == 4
        assert values[0] < size < values[-1]
        assert values[-1] / values[0] == pytest.approx(1.2**3, rel=0.1)
    assert grid.shapes - len(grid.boundary) == 8
    assert grid.cautions == ()
    with pytest.raises(ArgumentError, match="2 points is out of range; give 3 to 100"):
        design_grid({"width": 608}, VIT_RATIO, (300e6,), points=2)
    with pytest.raises(ArgumentError, match="depth would have the values 1, 1, 1, 1: some are the same"):
        design_grid({"width": 608, "depth": 1}, VIT_RATIO, (300e6,), ratio=1.05)


# --- Noise of a rehearsal


def test_noise_is_what_was_asked_for() -> None:
    design = paper_design()
    many = [simulate(rehearsal_law(), design, noise=0.01, seed=seed).observed() for seed in range(40)]
    clean = simulate(rehearsal_law(), design).observed()
    relative = np.array(many) / clean - 1
    assert relative.std() == pytest.approx(0.01, rel=0.05)
    heavy = np.array([simulate(rehearsal_law(), design, noise=0.01, tails=3, seed=s).observed() for s in range(40)])
    off = heavy / clean - 1
    assert np.abs(off).max() > 1.5 * np.abs(relative).max()
    assert np.quantile(np.abs(off), 0.5) < 0.85 * np.quantile(np.abs(relative), 0.5)
    with pytest.raises(ArgumentError, match="2 degrees of freedom has no standard deviation"):
        simulate(rehearsal_law(), design, noise=0.01, tails=2.0)


def test_rows_of_a_run_may_share_their_noise() -> None:
    design = paper_design()
    shared = replace(design, run=np.arange(len(design)) // 3, run_names=tuple(map(str, range(len(design) // 3 + 1))))
    clean = simulate(rehearsal_law(), shared).observed()
    off = simulate(rehearsal_law(), shared, run_noise=0.01, seed=1).observed() / clean - 1
    assert np.ptp(off[:3]) < 1e-12
    assert np.std(off[::3]) == pytest.approx(0.01, rel=0.4)


# --- The program


@pytest.mark.long
def test_the_round_trip_as_a_process(program: Program, tmp_path: Path) -> None:
    """design -> simulate -> fit -> recommend."""
    (tmp_path / "vit.yaml").write_text(SETTINGS)
    star = program(
        "design", "star", "--center", "width=1968,depth=40,mlp_dim=6144", "--durations", "64M,128M,256M",
        "--architecture", "vit.yaml", "--gpus", "64xTPUv4", "-o", "star.csv",
    )  # fmt: skip
    assert star.returncode == 0, star.stderr
    assert "57 runs of 19 shapes" in star.stderr
    assert "days on 64 x TPUv4" in star.stderr
    assert "warning" not in star.stderr
    grid = program(
        "design", "grid", "--around", "width=608,depth=10,mlp_dim=928", "--durations", "300M,600M",
        "--architecture", "vit.yaml",
    )  # fmt: skip
    assert "8 shapes are inside; 56 are the boundary ring" in grid.stderr
    (tmp_path / "design.csv").write_text((tmp_path / "star.csv").read_text() + grid.stdout.split("\n", 1)[1])
    truth = program(
        "fit", Path(__file__).parents[1] / "sample_runs" / "vit_sweep.yaml", "--replicates", "0", "-o", "truth.json"
    )
    assert truth.returncode == 0, truth.stderr
    filled = program("simulate", "truth.json", "design.csv", "--noise", "0.3%", "--run-noise", "0.1%", "-o", "log.yaml")
    assert filled.returncode == 0, filled.stderr
    fitted = program("fit", "log.yaml", "--replicates", "50", "-o", "law.json")
    assert fitted.returncode == 0, fitted.stderr
    assert "grid-one-duration" not in fitted.stderr
    plan = program("recommend", "--law", "law.json", "--flops", "1e21")
    assert plan.returncode == 0, plan.stderr
    again = program("simulate", "truth.json", "design.csv", "--noise", "0.3%", "--run-noise", "0.1%", "--tails", "4")
    assert len(list(csv.DictReader(io.StringIO(again.stdout)))) == 57 + 128


def test_a_budget_on_the_command_line(program: Program, tmp_path: Path) -> None:
    (tmp_path / "vit.yaml").write_text(SETTINGS)
    done = program("design", "star", "--budget", "1e20", "--architecture", "vit.yaml", "--points", "5")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert sum(float(row["forward_flops"]) for row in rows) <= 1e20
    assert len(rows) == 3 * 16
    written = program(
        "design", "star", "--budget", "1e20", "--architecture", "vit.yaml", "--points", "5", "-o", "my runs.csv"
    )
    assert "then: shapeplan fit 'my runs.csv' --config vit.yaml" in written.stderr
    for arguments, message in (
        (("--center", "width=64"), "a star needs --center and --durations, or a --budget"),
        (("--budget", "1e9"), "do not buy a star"),
        (("--budget", "1e20", "--values", "depth"), "is not name=number,number"),
        (("--budget", "1e20", "--ratio", "0"), "a ratio of 0 is out of range"),
        (("--budget", "1e20", "--gpus", "64xH100", "--mfu", "0"), "a utilization (MFU) of 0 is not above 1e-06"),
        (("--budget", "1e20", "--mfu", "0.4"), "a utilization says nothing without accelerators"),
    ):
        wrong = program("design", "star", "--architecture", "vit.yaml", *arguments)
        assert wrong.returncode == 2
        assert message in wrong.stderr
    (tmp_path / "none.yaml").write_text("metric: loss\n")
    bare = program("design", "star", "--architecture", "none.yaml", "--budget", "1e20")
    assert "the file says no architecture" in bare.stderr
