"""Rehearsals: what a sweep would buy is what it then buys."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program, fit, fit_star, sweep

from shapeplan.design.power import power
from shapeplan.design.power_curve import Stage
from shapeplan.design.simulate import simulate
from shapeplan.design.sovit_protocol import CENTER, STAR_EXAMPLES, paper_architecture, paper_design
from shapeplan.design.star import design_star
from shapeplan.errors import ArgumentError, FitError
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs

DESIGN = design_star(CENTER, paper_architecture(), STAR_EXAMPLES).runs


@pytest.fixture(scope="module")
def prior() -> Fit:
    return fit(read_runs(SAMPLES / "vit_sweep.yaml"), law="separable", replicates=0)


@pytest.mark.study
def test_widths_are_those_of_fresh_sweeps(prior: Fit) -> None:
    design = paper_design()
    stage = power(design, prior, 1e21, noise=0.003, law="separable", sweeps=16, shares=(1,)).stages[-1]
    fresh: dict[str, list[float]] = {}
    for seed in range(1000, 1016):
        log = simulate(prior.law, design, noise=0.003, seed=seed)
        found = fit(log, law="separable", replicates=100, seed=seed)
        for dim, ci in recommend(found, 1e21, force=True).budgets[0].ci.items():
            assert ci is not None
            fresh.setdefault(dim, []).append(np.log(ci[1] / ci[0]))
    for dim, widths in fresh.items():
        assert np.log(stage.sizes[dim].median) == pytest.approx(np.median(widths), rel=0.25)


@pytest.mark.study
def test_more_runs_and_less_noise_buy_more(prior: Fit) -> None:
    noisy = power(DESIGN, prior, 1e21, noise=0.01, law="separable", sweeps=5, replicates=40)
    quiet = power(DESIGN, prior, 1e21, noise=0.001, law="separable", sweeps=5, replicates=40, shares=(1,))
    assert [stage.runs for stage in noisy.stages] == [28, 43, 57]
    assert all(np.diff([stage.flops for stage in noisy.stages]) > 0)

    def width(stage: Stage) -> float:
        return float(np.mean([np.log(stage.sizes[dim].median) for dim in CENTER]))

    assert width(noisy.stages[0]) > width(noisy.stages[-1]) > 2 * width(quiet.stages[-1])
    last = quiet.stages[-1]
    assert last.regret is not None
    assert 0 <= last.regret.median <= last.regret.p90 < 0.01
    assert last.refused == 0
    assert last.laws == {"separable": 1.0}


@pytest.mark.long
def test_processes_agree_with_one(prior: Fit) -> None:
    seen: list[tuple[int, int]] = []
    options = {"noise": 0.003, "law": "separable", "sweeps": 2, "replicates": 20, "shares": (1,)}
    alone = power(DESIGN, prior, 1e21, **options, done=lambda done, total: seen.append((done, total)))
    together = power(DESIGN, prior, 1e21, **options, jobs=2)
    assert alone.stages == together.stages
    assert seen == [(1, 2), (2, 2)]


def test_what_cannot_be_rehearsed_is_told(prior: Fit) -> None:
    for options, message in (
        ({"target": 0.0}, "a target of 0 FLOPs is out of range"),
        ({"sweeps": 1}, "1 sweeps is out of range"),
        ({"tails": 1.0}, "1 degrees of freedom"),
        ({"law": "separabel"}, "there is no law 'separabel'; did you mean 'separable'"),
        ({"replicates": -3}, "-3 replicates is out of range"),
    ):
        given = {"target": 1e21, "noise": 0.003, "sweeps": 2, **options}
        with pytest.raises(ArgumentError, match=message):
            power(DESIGN, prior, given.pop("target"), **given)
    with pytest.raises(FitError, match="predicts no loss to simulate"):
        power(DESIGN, fit_star(sweep(), replicates=0), 1e21, noise=0.003)


def test_points_of_training_are_no_runs_and_compute_is_counted_once(prior: Fit) -> None:
    shapes, points = 40, (0.25, 0.5, 1.0)
    ends = design_star(CENTER, paper_architecture(), STAR_EXAMPLES).runs.take(np.arange(shapes))
    assert ends.examples is not None
    rows = np.repeat(np.arange(shapes), len(points))
    share = np.tile(points, shapes)
    log = replace(
        ends.take(rows),
        run=rows,
        run_names=ends.run_names,
        flops=ends.flops[rows] * share,
        examples=ends.examples[rows] * share,
    )
    curve = power(log, prior, 1e21, noise=0.003, law="chinchilla", sweeps=2, replicates=0).stages
    assert [stage.runs for stage in curve] == [20, 30, 40]
    cheapest = np.sort(ends.flops)
    assert [stage.flops for stage in curve] == pytest.approx([cheapest[:count].sum() for count in (20, 30, 40)])


@pytest.mark.long
def test_the_command_prints_the_curve(program: Program, tmp_path: Path) -> None:
    log = SAMPLES / "vit_sweep.csv"
    assert program("fit", log, "--law", "separable", "--replicates", "0", "-o", "prior.json").returncode == 0
    arguments = ("design", "power", log, "--law", "prior.json", "--target", "1e21", "--sweeps", "2", "--jobs", "1")
    done = program(*arguments, "--replicates", "20", "--fit", "separable")
    assert done.returncode == 0, done.stderr
    assert "What the sweep would buy, for a plan at 1e21 forward FLOPs" in done.stdout
    assert "rehearsing" not in done.stderr, "no progress where there is no terminal"
    found = json.loads(program(*arguments, "--replicates", "20", "--fit", "separable", "--json").stdout)
    assert found["kind"] == "shapeplan.power"
    assert [stage["runs"] for stage in found["stages"]] == [60, 91, 121]
    wrong = program(*arguments[:3], "--law", "prior.json", "--target", "1e21", "--noise", "lots")
    assert wrong.returncode == 2
