from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from changed import changed
from conftest import DIMS, SAMPLES, Program, additive_law, fit, fit_star, one, sweep
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.documents.files import published_law
from shapeplan.documents.law import law_document
from shapeplan.documents.writing import write_file
from shapeplan.errors import ArgumentError, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.numerics.arrays import nearest_multiple
from shapeplan.planning.recommend import recommend
from shapeplan.sweeps.grid import Start


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit_star(sweep(0.003, 2), replicates=100)


@pytest.mark.parametrize(
    ("flops", "published"),
    [(9e21, {"width": 1152, "depth": 27, "mlp_dim": 4304}), (1.85e20, {"width": 880, "depth": 18, "mlp_dim": 2320})],
)
def test_the_published_law_gives_the_published_shapes(flops: float, published: dict[str, int]) -> None:
    budget = recommend(published_law(), flops).budgets[0]
    for dim, value in published.items():
        assert abs(budget.shape[dim] / value - 1) < 0.21
        assert abs(budget.rounded[dim] / value - 1) < 0.21
    assert budget.heads == 16
    assert budget.flops_training == 3 * flops
    assert budget.loss is None
    assert "extrapolation" in [caution.code for caution in budget.cautions]


def test_the_recipe_by_hand() -> None:
    """PAPER: x_k = x0_k tau^(s_k / 3) with the published exponents."""
    budget = recommend(published_law(), 3.5e21).budgets[0]
    assert budget.shape["width"] == pytest.approx(608 * 1000 ** (0.22 / 3))
    assert budget.shape["depth"] == pytest.approx(10 * 1000 ** (0.45 / 3))
    assert budget.shape["mlp_dim"] == pytest.approx(928 * 1000 ** (0.60 / 3))


def test_at_t0_the_plan_is_the_start(fitted: Fit) -> None:
    assert fitted.start is not None
    budget = recommend(fitted, fitted.start.flops).budgets[0]
    assert budget.shape == pytest.approx(dict(fitted.start.shape))


@given(st.floats(1e16, 1e30))
def test_a_plan_never_spends_more_than_its_budget(flops: float) -> None:
    budget = recommend(published_law(), flops).budgets[0]
    assert budget.achieved_flops is not None
    assert budget.flops_per_example is not None
    assert budget.examples is not None
    assert budget.achieved_flops <= flops
    assert flops - budget.achieved_flops <= budget.flops_per_example * 1.0001 + 1e-9 * flops
    assert budget.rounded["width"] % 16 == budget.rounded["mlp_dim"] % 16 == 0


@given(st.floats(1e17, 1e25), st.floats(1.01, 100))
def test_shapes_grow_with_the_budget(flops: float, factor: float) -> None:
    small, large = recommend(published_law(), [flops, flops * factor]).budgets
    assert all(large.shape[dim] > small.shape[dim] for dim in DIMS)
    assert all(large.rounded[dim] >= small.rounded[dim] for dim in DIMS)


def test_intervals_hold_the_shape_and_widen_with_distance(fitted: Fit) -> None:
    near, far = recommend(fitted, [2e19, 1e22]).budgets
    for budget in (near, far):
        for dim in DIMS:
            interval = budget.ci[dim]
            assert interval is not None
            assert interval[0] < budget.shape[dim] < interval[1]

    def spread(budget_ci: tuple[float, float] | None) -> float:
        assert budget_ci is not None
        return budget_ci[1] / budget_ci[0]

    assert all(spread(far.ci[dim]) > spread(near.ci[dim]) for dim in DIMS)


def test_conventions_are_converted(fitted: Fit) -> None:
    forward = recommend(fitted, 1e21).budgets[0]
    training = recommend(fitted, 3e21, flops_convention="training").budgets[0]
    assert training.rounded == forward.rounded
    assert training.flops == pytest.approx(1e21)
    assert training.flops_training == pytest.approx(3e21)


def test_weights(fitted: Fit) -> None:
    only_width = recommend(fitted, 1e21, weights={"width": 1.0, "depth": 0.0, "mlp_dim": 0.0}).budgets[0]
    assert fitted.start is not None
    assert only_width.shape["depth"] == fitted.start.shape["depth"]
    for bad, message in (
        ("likely", "'likely' are no weights"),
        ({"width": 1.0}, "differ in depth, mlp_dim"),
        ({"width": 0.5, "depth": 0.5, "mlp_dim": 0.5}, "sum to 1.5"),
        ({"width": 1.5, "depth": -0.5, "mlp_dim": 0.0}, "weights are not negative"),
    ):
        with pytest.raises(ArgumentError, match=message):
            recommend(fitted, 1e21, weights=bad)


def test_multiples(fitted: Fit) -> None:
    budget = recommend(fitted, 1e21, multiples={"width": 128, "mlp_dim": 256, "depth": 2}).budgets[0]
    assert budget.rounded["width"] % 128 == 0
    assert budget.rounded["mlp_dim"] % 256 == 0
    assert budget.rounded["depth"] % 2 == 0
    with pytest.raises(ArgumentError, match="no dimension 'heads' to round"):
        recommend(fitted, 1e21, multiples={"heads": 2})


@given(st.floats(1, 1e5), st.integers(1, 512))
def test_rounding_is_to_the_nearest_multiple_in_ratio(value: float, multiple: int) -> None:
    here = float(nearest_multiple(np.array([value]), multiple)[0])
    assert here % multiple == 0
    assert here >= multiple
    distance = abs(math.log(here / value))
    for other in (here - multiple, here + multiple):
        if other > 0:
            assert distance <= abs(math.log(other / value)) + 1e-9


def test_heads_grow_with_width_or_stay(fitted: Fit) -> None:
    """Without a preset, heads are as the log has them."""

    def heads(rule: dict[str, int]) -> tuple[float, int | None]:
        found = replace(fitted, log=replace(fitted.log, heads=rule))
        budget = recommend(found, 1e20, preset="none").budgets[0]
        return budget.rounded["width"], budget.heads

    width, count = heads({"head_dim": 64})
    assert count == width / 64
    width, count = heads({"heads": 12})
    assert (width % 12, count) == (0, 12)
    assert heads({})[1] is None


def test_tied_and_fixed_dimensions_follow() -> None:
    star = sweep(0.001, law=additive_law()).take(np.arange(39))
    start = Start({"width": 608.0, "depth": 10.0}, 3.5e18, "test")
    budget = recommend(fit_star(star, replicates=0, start=start), 1e20).budgets[0]
    assert budget.rounded["mlp_dim"] == 6144
    assert budget.shape["mlp_dim"] == 6144.0


def test_extrapolation_is_told_in_factors(fitted: Fit) -> None:
    inside, beyond = recommend(fitted, [5e19, 1.684e21]).budgets
    assert {caution.code for caution in inside.cautions} <= {"ratio-extrapolation"}
    assert "the budget is 10x the largest compute behind the law" in beyond.cautions[0].message


def test_a_loss_that_the_grid_refutes_is_not_told(fitted: Fit) -> None:
    """The rehearsal world is not Eq. 3, and the rows beside the star show it; under Eq. 3 the loss is told."""
    assert not fitted.predicts_loss
    assert "off-star-misfit" in [caution.code for caution in fitted.cautions]
    assert recommend(fitted, 1e21).budgets[0].loss is None
    sound = fit_star(sweep(0.001, 2, additive_law()), replicates=100)
    assert "off-star-misfit" not in [caution.code for caution in sound.cautions]
    budget = recommend(sound, 1e20).budgets[0]
    assert budget.loss is not None
    assert budget.loss.ci is not None
    assert budget.loss.ci[0] < budget.loss.value < budget.loss.ci[1]
    true = additive_law().loss(**{dim: budget.rounded[dim] for dim in DIMS}, flops=1e20)
    assert budget.loss.value == pytest.approx(float(true), rel=0.02)
    assert budget.regret_of_rounding == pytest.approx(
        float(sound.law.loss(**{d: budget.rounded[d] for d in DIMS}, flops=1e20))
        / float(sound.law.loss(**{d: budget.shape[d] for d in DIMS}, flops=1e20))
        - 1
    )


def test_a_plan_that_the_log_beats_is_doubted(fitted: Fit) -> None:
    better = replace(fitted.front[-1], flops=5e19, loss=0.01, run="champion", line=7)
    beaten = changed(fitted, front=(better,))
    budget = recommend(beaten, 1e20).budgets[0]
    assert "run champion (line 7) reached 0.01 at 5e19 FLOPs" in budget.cautions[0].message
    assert "beaten-by-log" not in [c.code for c in recommend(beaten, 4e19).budgets[0].cautions]
    assert "beaten-by-log" not in [c.code for c in recommend(fitted, 1e21).budgets[0].cautions]


def test_a_start_of_ones_own_silences_warnings_about_the_grids(fitted: Fit) -> None:
    start = Start({"width": 608.0, "depth": 10.0, "mlp_dim": 928.0}, 3.5e18, "test")
    assert "grid-one-duration" in [c.code for c in recommend(fitted, 1e21).cautions]
    assert "grid-one-duration" not in [c.code for c in recommend(fitted, 1e21, start=start).cautions]


def test_tied_dimensions_follow_the_rounded_one() -> None:
    design = sweep().take(np.arange(39))
    shape = design.shape.copy()
    shape[:, 2] = 4 * shape[:, 0]
    start = Start({"width": 608.0, "depth": 10.0}, 3.5e18, "test")
    tied = fit_star(replace(design, shape=shape, architecture=None), replicates=0, start=start)
    for multiple in (16, 64, 128):
        rounded = recommend(tied, 1e20, multiples={"width": multiple}).budgets[0].rounded
        assert rounded["mlp_dim"] == 4 * rounded["width"]
    whole = replace(start, shape={**start.shape, "mlp_dim": 4 * 608.0})
    assert recommend(tied, 1e20, start=whole).budgets == recommend(tied, 1e20).budgets
    with pytest.raises(ArgumentError, match="has mlp_dim unlike the log's"):
        recommend(tied, 1e20, start=replace(start, shape={**start.shape, "mlp_dim": 999.0}))


def test_budgets_as_text(fitted: Fit) -> None:
    assert recommend(fitted, "500 EFLOP").budgets == recommend(fitted, 5e20).budgets
    assert repr(recommend(fitted, "1e21")).startswith("<Plan scale under star: 1e+21: {'width': ")
    assert len(repr(fitted)) < 300


def test_refusals(fitted: Fit) -> None:
    assert fitted.quality is not None
    untrusted = changed(fitted, quality=replace(fitted.quality, status="untrusted"))
    with pytest.raises(PlanError, match="not to be trusted") as error:
        recommend(untrusted, 1e21)
    assert "`force`" in str(error.value)
    assert recommend(untrusted, 1e21, force=True).budgets
    with pytest.raises(PlanError, match="no starting point"):
        recommend(changed(fitted, start=None), 1e21)
    with pytest.raises(PlanError, match="do not buy one"):
        recommend(fitted, 1e6)
    undefined = {**fitted.scaling_exponents, "depth": replace(fitted.scaling_exponents["depth"], value=math.nan)}
    with pytest.raises(PlanError, match="the growth of depth is not defined"):
        recommend(changed(fitted, scaling_exponents=undefined), 1e21)
    for bad in (0.0, -1e20, math.nan, math.inf, 1e41):
        with pytest.raises(ArgumentError, match="is out of range"):
            recommend(fitted, bad)


def test_without_examples_the_cost_is_unknown() -> None:
    runs = replace(sweep(), examples=None, architecture=None)
    budget = recommend(fit_star(runs, replicates=0), 1e21).budgets[0]
    assert budget.examples is None
    assert budget.flops_per_example is None
    assert budget.params is None


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory, planned: Fit) -> Path:
    path = tmp_path_factory.mktemp("law") / "law.json"
    write_file(path, law_document(planned).dumps(), ())
    return path


def test_the_star_may_be_asked_for_its_optimum() -> None:
    found = fit_star(sweep(), replicates=50)
    assert recommend(found, 1e20, max_params=1e9).method == "optimum"
    plan = recommend(found, 1e20, max_params=3e7)
    assert plan.budgets[0].loss is None, "the grid refutes it"
    assert plan.notes == ("planned by the optimum of the law, not by the recipe, which has no `max_params`",)
    for options in ({"inference_examples": 1e10}, {"max_examples": 1e9}):
        with pytest.raises(PlanError, match="does not say how shape and compute trade away from them"):
            one(found, 1e20, **options)


def test_the_program_answers_all_of_it(program: Program, law: Path) -> None:
    done = program(
        "recommend", "--law", law, "--flops", "1e21", "--versus", "ViT-g/14", "--gpus", "8xA100", "--json",
        "--max-params", "150M", "--fix", "depth=20", "--tolerance", "1%", "--trust", "3",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    budget = plan["budgets"][0]
    assert budget["rounded"]["depth"] == 20
    assert budget["params"] <= 150e6
    assert plan["trust"] == 3
    assert plan["tolerance"] == 0.01
    assert plan["fleet"]["accelerators"] == "A100"
    assert budget["versus"][0]["name"] == "ViT-g/14"
    assert "as a shape, width 1408, depth 40, mlp_dim 6144" in done.stderr


def test_csv_has_a_row_a_budget(program: Program, law: Path) -> None:
    done = program("recommend", "--law", law, "--flops", "1e20", "--flops", "1e21", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [float(row["forward_flops"]) for row in rows] == [1e20, 1e21]
    assert rows[1]["width"] == "1024"
    assert float(rows[1]["loss_lower"]) < float(rows[1]["loss"]) < float(rows[1]["loss_upper"])
    both = program("recommend", "--law", law, "--flops", "1e20", "--format", "csv", "--json")
    assert both.returncode == 2
    unknown = program("recommend", "--law", law, "--flops", "1e20", "--format", "cvs")
    assert "did you mean 'csv'" in unknown.stderr


def test_a_shape_that_scales_to_nothing_is_refused() -> None:
    found = fit(sweep(), law="star", replicates=0)
    steep = {dim: replace(s, value=900.0) for dim, s in found.scaling_exponents.items()}
    with pytest.raises(PlanError, match="the plan would be"):
        recommend(changed(found, scaling_exponents=steep), 1e17, weights="equal")


@pytest.mark.parametrize("start", [(1e300, 1e18), (608.0, 1e-300), (608.0, 1e300), (-5.0, 1e18)])
def test_starts_that_cannot_be(fitted: Fit, start: tuple[float, float]) -> None:
    shape = {"width": start[0], "depth": 10.0, "mlp_dim": 928.0}
    with pytest.raises(ArgumentError, match="is invalid"):
        recommend(fitted, 1e21, start=Start(shape, start[1], "test"))
    with pytest.raises(ArgumentError, match="is invalid"):
        fit_star(sweep(), start=Start(shape, start[1], "test"), replicates=0)


@pytest.mark.parametrize("option", ["--trust", "--tolerance"])
def test_what_only_the_optimum_obeys_is_not_ignored(program: Program, option: str) -> None:
    done = program("recommend", "--flops", "1e21", option, "3" if option == "--trust" else "5%")
    assert done.returncode == 2
    assert f"{option} is of the optimum of a law, and the recipe answers here" in done.stderr


def test_data_are_counted_as_the_law_does(program: Program, tmp_path: Path) -> None:
    law = tmp_path / "law.json"
    log, config = SAMPLES / "stdlib_lm" / "runs.csv", SAMPLES / "stdlib_lm" / "config.yaml"
    program("fit", log, "--config", config, "--law", "separable", "--replicates", "0", "-q", "-o", law)
    plans = [
        program("recommend", "--law", law, "--flops", "1e15", option, "10M")
        for option in ("--max-tokens", "--max-examples")
    ]
    rows = [[line for line in plan.stdout.splitlines() if not line.startswith("Next: ")] for plan in plans]
    assert rows[0] == rows[1]
    assert "note: --max-examples 10M is read as tokens, which the law counts" in plans[1].stderr
    assert "is read as tokens" not in plans[0].stderr
    both = program("recommend", "--law", law, "--flops", "1e15", "--max-tokens", "1M", "--max-examples", "1M")
    assert "--max-examples and --max-tokens both say how much data there is" in both.stderr
    images = program("recommend", "--flops", "1e21", "--max-tokens", "1B")
    assert images.returncode == 2
    assert "--max-tokens 1B is of tokens, and the law counts examples; give --max-examples" in images.stderr


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_plan_of_another_kind_than_all_rows_is_refused_unless_a_limit_or_the_user_asks_for_it(side: float) -> None:
    """Where losses of the deepest models were in bits, small models, trained for ever, seemed the best."""
    found = fit(sweep(), law="additive", replicates=0)
    flops, rows, logged = found.flops_range[1], found.rows, found.examples_per_param
    ratio = recommend(found, flops).budgets[0].examples_per_param
    assert rows is not None
    assert rows.examples is not None
    assert logged is not None
    assert ratio is not None

    def of_rows(apart: float) -> Fit:
        """Return the fit with rows so far from the plan in examples a parameter."""
        nearest = logged[1] if side > 0 else logged[0]
        factor = ratio / nearest / apart**side
        return changed(found, rows=replace(rows, examples=rows.examples * factor))

    assert recommend(of_rows(900.0), flops).budgets
    with pytest.raises(PlanError, match=r"beyond any row of the log .*: the law does not tell which size is best"):
        recommend(of_rows(1100.0), flops)
    assert recommend(of_rows(1100.0), 10 * flops).budgets, "the budget is beyond the rows too"
    assert recommend(of_rows(1100.0), flops, force=True).budgets
    assert recommend(of_rows(1100.0), flops, fix={"depth": 24}).budgets
