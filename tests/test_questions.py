"""The questions a plan answers: how flat, against what, within which limits, and the other way round."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SAMPLES, Program, fit, fit_star, sweep
from hypothesis import given, settings
from hypothesis import strategies as st

from shapeplan.architectures import architecture
from shapeplan.documents.files import published_law, read_law, write_file
from shapeplan.documents.law import law_document
from shapeplan.documents.plan import plan_document
from shapeplan.errors import ArgumentError, PlanError
from shapeplan.fitting.result import Fit, Rival
from shapeplan.laws import Law
from shapeplan.planning.plan import BudgetPlan
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs

DIMS = ("width", "depth", "mlp_dim")


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit(read_runs(SAMPLES / "vit_sweep.yaml"), replicates=200)


@pytest.fixture(scope="module")
def rivalled() -> Fit:
    """The fit of a log whose rollout cannot tell two laws apart."""
    return fit(sweep(0.003, 0), replicates=200)


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory, fitted: Fit) -> Path:
    path = tmp_path_factory.mktemp("law") / "law.json"
    write_file(path, law_document(fitted).dumps(), ())
    return path


def one(fit: Fit, flops: float | None = 1e21, **options: Any) -> BudgetPlan:
    return recommend(fit, flops, **options).budgets[0]


def loss(fit: Fit, shape: dict[str, float], flops: float) -> float:
    return float(fit.law.loss(**{dim: float(shape[dim]) for dim in DIMS}, flops=flops))


# --- The valley


def test_the_valley_ends_where_the_loss_is_half_a_percent_above_the_best(fitted: Fit) -> None:
    """SciPy re-optimizes the other dimensions at every end."""
    from scipy.optimize import minimize

    budget = one(fitted)
    least = loss(fitted, dict(budget.shape), 1e21)
    for dim, ends in budget.valley.items():
        rest = [other for other in DIMS if other != dim]
        for end in ends:
            found = minimize(
                lambda logs, d=dim, e=end, r=rest: loss(
                    fitted, {d: e, **dict(zip(r, np.exp(logs), strict=True))}, 1e21
                ),
                np.log([budget.shape[other] for other in rest]),
                method="Nelder-Mead",
                options={"xatol": 1e-7, "fatol": 1e-12},
            )
            assert found.fun / least - 1 == pytest.approx(0.005, rel=1e-2)
        assert ends[0] < budget.shape[dim] < ends[1]


def test_a_wider_tolerance_is_a_wider_valley(fitted: Fit) -> None:
    narrow, wide = one(fitted, tolerance=0.001), one(fitted, tolerance=0.02)
    for dim in DIMS:
        assert wide.valley[dim][0] < narrow.valley[dim][0] < narrow.valley[dim][1] < wide.valley[dim][1]
    huge = one(fitted, tolerance=0.9)
    assert huge.valley["mlp_dim"] == pytest.approx(fitted.bounds["mlp_dim"]), "it ends with the trust region"
    for bad in (0.0, -0.1, 1.0, math.nan):
        with pytest.raises(ArgumentError, match="a tolerance of"):
            one(fitted, tolerance=bad)


def test_deviations_are_those_of_the_law(fitted: Fit) -> None:
    budget = one(fitted)
    least = loss(fitted, dict(budget.shape), 1e21)
    assert {(d.dim, round(d.factor, 3)) for d in budget.deviations} == {
        (dim, factor) for dim in DIMS for factor in (0.5, 0.707, 1.414, 2.0)
    }
    for one_off in budget.deviations:
        shape = {**budget.shape, one_off.dim: one_off.factor * budget.shape[one_off.dim]}
        assert one_off.excess == pytest.approx(loss(fitted, shape, 1e21) / least - 1, rel=1e-9)
        assert one_off.excess > 0
        assert one_off.ci is not None
        assert one_off.ci[0] < one_off.excess < one_off.ci[1]


def test_many_budgets_have_the_valleys_of_each_alone(fitted: Fit) -> None:
    flops = np.geomspace(1e20, 1e24, 60)
    many = recommend(fitted, list(flops)).budgets
    for i in (0, 31, 59):
        alone = one(fitted, float(flops[i]))
        for dim in DIMS:
            assert many[i].valley[dim] == pytest.approx(alone.valley[dim], rel=5e-3)


# --- Other shapes


def test_versus_by_name_and_by_sizes(fitted: Fit) -> None:
    plan = recommend(
        fitted, 1e21, versus=["ViT-g/14", "24x1024x4096", "1024 x 24 x 4096", "width=1024,depth=24,mlp_dim=4096"]
    )
    giant, *same = plan.budgets[0].versus
    assert giant.shape == {"width": 1408, "depth": 40, "mlp_dim": 6144}
    assert all(other.shape == {"width": 1024, "depth": 24, "mlp_dim": 4096} for other in same)
    assert giant.params == 1036448384, "FLOPS.md: ViT-g/14 with the MAP head at 224"
    assert giant.loss == pytest.approx(loss(fitted, dict(giant.shape), 1e21))
    here = plan.budgets[0].loss
    assert here is not None
    assert giant.regret == pytest.approx(giant.loss / here.value - 1)
    assert giant.regret_ci is not None
    assert giant.regret_ci[0] < giant.regret < giant.regret_ci[1]
    assert "24x1024x4096 is width 1024, depth 24, mlp_dim 4096" in plan.notes


def test_the_same_loss_for_less(fitted: Fit) -> None:
    giant = one(fitted, versus=["ViT-g/14"]).versus[0]
    same = giant.same_loss
    assert same is not None
    assert 0 < same.compute < 1
    assert same.compute == pytest.approx(same.flops / 1e21)
    assert same.compute_ci is not None
    assert same.compute_ci[0] < same.compute < same.compute_ci[1]
    cheap = one(fitted, same.flops)
    assert loss(fitted, dict(cheap.shape), same.flops) == pytest.approx(giant.loss, rel=1e-8)
    assert giant.flops_per_example is not None
    exact = float(fitted.cost_model.flops_per_example({dim: np.asarray(cheap.shape[dim]) for dim in DIMS}))
    assert same.inference == pytest.approx(exact / giant.flops_per_example)


@pytest.mark.parametrize(
    ("versus", "message"),
    [
        ("ViT-q/14", "there is no model 'ViT-q/14'"),
        ("24x1024", "there is no model '24x1024'"),
        ("0x1024x4096", "has a depth of 0; give a whole number from 1"),
        ("width=1024,depth=24", "lacks mlp_dim; write e.g. ViT-g/14"),
        ("width=1024,depth=24,mlp=4096", "the law has no dimension mlp"),
        ("width=1024.5,depth=24,mlp_dim=4096", "has a width of 1024.5"),
    ],
)
def test_versus_that_cannot_be(fitted: Fit, versus: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        one(fitted, versus=[versus])


def test_a_law_without_loss_still_counts_what_others_cost() -> None:
    giant = one(published_law(), 9e21, versus=["ViT-g/14"]).versus[0]
    assert giant.params == 1036448384
    assert giant.loss is giant.regret is giant.regret_ci is giant.same_loss is None


# --- Limits


def test_limits_are_kept_by_the_shape_to_train(fitted: Fit) -> None:
    free = one(fitted)
    assert free.params is not None
    small = one(fitted, max_params=1e8)
    assert small.params is not None
    assert 0.9e8 < small.params <= 1e8
    cheap = one(fitted, max_flops_per_example=5e10)
    assert cheap.flops_per_example_forward is not None
    assert 4.5e10 < cheap.flops_per_example_forward <= 5e10
    for plan in (small, cheap):
        assert plan.loss is not None
        assert free.loss is not None
        assert plan.loss.value > free.loss.value
        assert plan.loss.ci is not None
        assert plan.achieved_flops == pytest.approx(1e21, rel=1e-6)
    slack = one(fitted, max_params=1e10, max_flops_per_example=1e13, max_examples=1e15)
    assert slack.rounded == free.rounded


@settings(max_examples=15)
@given(st.floats(6.5, 10.0), st.floats(9.5, 12.0))
def test_no_plan_breaks_its_limits(log_params: float, log_forward: float) -> None:
    found = _CACHE.setdefault("fit", fit(read_runs(SAMPLES / "vit_sweep.yaml"), law="separable", replicates=0))
    plan = one(found, max_params=10**log_params, max_flops_per_example=10**log_forward)
    assert plan.params is not None
    assert plan.flops_per_example_forward is not None
    assert plan.params <= 10**log_params
    assert plan.flops_per_example_forward <= 10**log_forward


_CACHE: dict[str, Fit] = {}


def test_a_fixed_dimension_stays_and_the_rest_adapts(fitted: Fit) -> None:
    plan, free = one(fitted, fix={"depth": 12}), one(fitted)
    assert plan.rounded["depth"] == 12
    assert plan.ci["depth"] == pytest.approx((12, 12))
    assert plan.shape["width"] > free.shape["width"]
    assert "depth" not in plan.valley
    assert "depth" not in {off.dim for off in plan.deviations}
    wide = one(fitted, fix={"width": 100_000 * 16})
    assert wide.rounded["width"] == 1_600_000, "the user may leave the trust region"
    assert wide.extrapolation["width"] > 100


def test_data_that_run_out_make_the_model_grow(fitted: Fit) -> None:
    free, scarce = one(fitted), one(fitted, max_examples=1e9)
    assert free.examples is not None
    assert free.examples > 1e9
    assert scarce.examples is not None
    assert 0.9e9 < scarce.examples <= 1e9
    assert scarce.params is not None
    assert free.params is not None
    assert scarce.params > 5 * free.params
    assert scarce.loss is not None
    here = loss(fitted, dict(scarce.rounded), 1e9 * float(scarce.flops_per_example or 0))
    assert scarce.loss.value == pytest.approx(here, rel=1e-3)


def test_other_shapes_that_break_the_limits_are_marked(fitted: Fit) -> None:
    small = one(fitted, max_params=2e7, versus=["12x768x3072", "6x256x1024"])
    assert [other.keeps_limits for other in small.versus] == [False, True]
    assert {off.factor for off in small.deviations if off.dim == "width"} <= {0.5, 0.5**0.5}
    assert all(off.excess > 0 for off in small.deviations)
    served = recommend(fitted, 1e21, inference_examples=1e10, versus=["ViT-g/14"])
    giant = served.budgets[0].versus[0]
    assert giant.loss is giant.regret is giant.regret_ci is None, "serving it takes more than the budget"
    assert not giant.keeps_limits
    plan_document(served).dumps()


def test_what_serving_takes_counts_as_spent(fitted: Fit) -> None:
    plan = one(fitted, max_examples=4e9, inference_examples=4e10)
    assert plan.achieved_flops is not None
    assert plan.serving is not None
    assert plan.achieved_flops + plan.serving.flops > 0.99e21
    assert plan.serving.flops_forward == pytest.approx(3 * plan.serving.flops)
    assert "budget-left-over" not in {caution.code for caution in plan.cautions}
    held = one(fitted, max_params=1e8, max_examples=4e9)
    caution = next(caution for caution in held.cautions if caution.code == "budget-left-over")
    assert "--max-params keeps the model from growing" in caution.hint


def test_runs_of_the_log_are_no_match_for_limits(fitted: Fit) -> None:
    assert "beaten-by-log" not in {caution.code for caution in one(fitted, max_params=8e6).cautions}


def test_examples_may_run_out_before_the_budget_is_spent(fitted: Fit) -> None:
    plan = one(fitted, 1e25, max_examples=1e8)
    assert plan.achieved_flops is not None
    assert plan.achieved_flops < 1e25
    assert "budget-left-over" in {caution.code for caution in plan.cautions}


def test_serving_is_paid_from_the_budget(fitted: Fit) -> None:
    free, served = one(fitted), one(fitted, inference_examples=1e10)
    assert served.serving is not None
    assert served.flops_per_example is not None
    assert served.serving.flops == pytest.approx(1e10 * served.flops_per_example / 3)
    assert served.achieved_flops is not None
    assert served.serving.flops + served.achieved_flops <= 1e21
    assert served.serving.flops + served.achieved_flops == pytest.approx(1e21, rel=1e-6)
    assert all(served.shape[dim] < free.shape[dim] for dim in DIMS)
    for other in ({"width": 960, "depth": 24, "mlp_dim": 2256}, {"width": 800, "depth": 18, "mlp_dim": 1600}):
        each = float(fitted.cost_model.flops_per_example({dim: np.asarray(float(s)) for dim, s in other.items()}))
        assert served.loss is not None
        assert served.loss.value < loss(fitted, other, 1e21 - 1e10 * each / 3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_params": 1e4}, PlanError, "no shape keeps the limits: even the smallest in the trust region"),
        ({"max_flops_per_example": 1e6}, PlanError, "FLOPs an example, more than 1e"),
        ({"inference_examples": 1e18}, PlanError, r"spends the whole budget of 1e21 FLOPs on serving 1e\+18 examples"),
        ({"max_params": 0.0}, ArgumentError, "--max-params cannot be 0"),
        ({"max_params": math.nan}, ArgumentError, "--max-params cannot be nan"),
        ({"max_examples": -1.0}, ArgumentError, "--max-examples cannot be -1"),
        ({"inference_examples": math.inf}, ArgumentError, "--inference-examples cannot be inf"),
        ({"trust": 0.5}, ArgumentError, "--trust cannot be 0.5"),
        ({"fix": {"depth": 2.5}}, ArgumentError, "depth cannot be fixed at 2.5"),
        ({"fix": {"heads": 8}}, ArgumentError, "there is no dimension 'heads' to fix"),
        (
            {"fix": {"width": 1000}},
            ArgumentError,
            "--fix width=1000 is no multiple of 16, .* fix width=992",
        ),
        ({"fix": {"depth": 24}, "pipeline_parallel": 7}, ArgumentError, "--fix depth=24 is no multiple of 7"),
        ({"fix": {"mlp_dim": 4100}, "tensor_parallel": 8}, ArgumentError, "--fix mlp_dim=4100 is no multiple of 8"),
        ({"fix": {"depth": 24}, "multiples": {"depth": 7}}, ArgumentError, "--fix depth=24 is no multiple of 7"),
        ({"max_params": 1e8, "method": "scale"}, ArgumentError, "--max-params is answered by the optimum"),
        ({"tensor_parallel": 3}, ArgumentError, "16 heads cannot be shared by 3 devices; give --heads 48"),
        ({"heads": 8, "head_dim": 64}, ArgumentError, "both set the heads"),
        ({"pipeline_parallel": 0}, ArgumentError, "--pipeline-parallel cannot be 0"),
    ],
)
def test_what_cannot_be_kept_is_told(
    fitted: Fit, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        one(fitted, **options)


def test_limits_need_to_know_what_shapes_cost(fitted: Fit) -> None:
    runs = replace(sweep(), architecture=None, params=None)
    with pytest.raises(PlanError, match="does not know the parameters of a shape, for --max-params"):
        one(fit(runs, law="product", replicates=0), max_params=1e8)
    bare = replace(sweep(), architecture=None, params=None, examples=None)
    with pytest.raises(PlanError, match="does not know the FLOPs of an example of a shape, for --max-examples"):
        one(fit(bare, law="product", replicates=0), max_examples=1e9)
    with pytest.raises(PlanError, match="gives exponents but no loss, so --fix cannot be planned"):
        one(published_law(), fix={"depth": 24})


# --- Rounding


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({"max_params": 1e8, "multiples": {"width": 512}}, "params"),
        ({"max_params": 5e7, "pipeline_parallel": 8}, "params"),
        ({"max_flops_per_example": 5e10, "head_dim": 64, "tensor_parallel": 8}, "flops_per_example_forward"),
        ({"max_params": 1.5e8, "pipeline_parallel": 8}, "params"),
    ],
)
def test_coarse_steps_are_paid_along_the_limit(fitted: Fit, options: dict[str, Any], limit: str) -> None:
    """Every shape of the whole lattice is tried here; next to the limit the best may be far in a fine dimension."""
    plan = one(fitted, **options)
    most = options.get("max_params") or options["max_flops_per_example"]
    assert getattr(plan, limit) <= most
    width = 512 if "head_dim" in options or "multiples" in options else 16
    mlp_dim, depth = (128 if "head_dim" in options else 16), (8 if "pipeline_parallel" in options else 1)
    axes = (np.arange(width, 2000, width), np.arange(depth, 60, depth), np.arange(mlp_dim, 5000, mlp_dim))
    places = dict(zip(DIMS, (axis.ravel().astype(float) for axis in np.meshgrid(*axes)), strict=True))
    around = fitted.cost_model
    used = around.params(places) if limit == "params" else around.flops_per_example(places)
    found = np.where(np.asarray(used) <= most, fitted.law.loss(**places, flops=1e21), np.inf)
    assert plan.loss is not None
    assert plan.loss.value <= float(found.min()) * (1 + 1e-4)


def test_hardware_that_shares_a_layer_gets_whole_parts(fitted: Fit) -> None:
    """29568 = 231 x 128 could not be split over 8 devices in groups of 128: here every device holds whole groups."""
    plan = one(fitted, head_dim=64, tensor_parallel=8, pipeline_parallel=4, multiples={"mlp_dim": 128})
    assert plan.rounded["mlp_dim"] % (8 * 128) == 0
    assert plan.rounded["width"] % (8 * 64) == 0
    assert plan.rounded["depth"] % 4 == 0
    assert plan.heads == plan.rounded["width"] // 64
    assert plan.heads % 8 == 0
    assert one(fitted, heads=12).rounded["width"] % 48 == 0
    assert one(fitted, heads=12).heads == 12


def test_heads_are_shared_by_key_and_value_heads(fitted: Fit) -> None:
    llama = architecture({"family": "llama", "vocab": 32000, "seq": 2048, "head_dim": 64, "kv_heads": 6})
    found = fit(replace(sweep(), architecture=llama), law="product", replicates=0)
    for flops in (1e19, 1e20, 1e21):
        heads = one(found, flops).heads
        assert heads is not None
        assert heads % 6 == 0
        split = one(found, flops, tensor_parallel=4).heads
        assert split is not None
        assert split % 12 == 0
    with pytest.raises(ArgumentError, match="16 heads cannot be shared by 6 key and value heads; give --heads 48"):
        one(found, heads=16)


def test_steps_so_coarse_that_the_rest_must_move(fitted: Fit) -> None:
    plan = one(fitted, multiples={"depth": 1000})
    best = one(fitted, fix={"depth": 1000})
    assert plan.loss is not None
    assert best.loss is not None
    assert plan.loss.value == pytest.approx(best.loss.value, rel=1e-4)
    assert "coarse-rounding" in {caution.code for caution in plan.cautions}
    assert "coarse-rounding" not in {caution.code for caution in one(fitted).cautions}


def test_shapes_to_train_stay_in_the_trust_region(fitted: Fit) -> None:
    for flops in (1e10, 1e24):
        plan = one(fitted, flops, trust=1)
        for dim, (low, high) in fitted.shape_range.items():
            assert low <= plan.rounded[dim] <= high


def test_the_lattice_is_searched_jointly(fitted: Fit) -> None:
    """Coarse steps make rounding dimension by dimension worse than the best of the lattice."""
    coarse = {"width": 512, "mlp_dim": 2048}
    plan = one(fitted, 3e21, multiples=coarse)
    here = loss(fitted, dict(plan.rounded), 3e21)
    assert plan.regret_of_rounding == pytest.approx(here / loss(fitted, dict(plan.shape), 3e21) - 1)
    for width in (512, 1024, 1536):
        for mlp_dim in (2048, 4096):
            for depth in range(10, 60):
                assert here <= loss(fitted, {"width": width, "depth": depth, "mlp_dim": mlp_dim}, 3e21) * (1 + 1e-12)


# --- The other way round


def test_the_least_compute_for_a_loss(fitted: Fit) -> None:
    plan = one(fitted, None, loss=0.14)
    assert plan.loss is not None
    assert plan.loss.value == pytest.approx(0.14, rel=1e-8)
    assert plan.flops_ci is not None
    assert plan.flops_ci[1] is not None
    assert plan.flops_ci[0] < plan.flops < plan.flops_ci[1]
    less = one(fitted, plan.flops * 0.99)
    assert less.loss is not None
    assert less.loss.value > 0.14
    many = recommend(fitted, loss=[0.2, 0.17, 0.14]).budgets
    assert many[0].flops < many[1].flops < many[2].flops
    assert many[2].flops == pytest.approx(plan.flops, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        (0.2, {"multiples": {"width": 4096, "depth": 32, "mlp_dim": 16384}}),
        (0.15, {"multiples": {"width": 512, "depth": 8, "mlp_dim": 2048}}),
        (0.16, {"inference_examples": 3e10, "multiples": {"width": 512, "depth": 8, "mlp_dim": 2048}}),
    ],
)
def test_a_loss_is_reached_by_a_shape_that_can_be_built(fitted: Fit, loss: float, options: dict[str, Any]) -> None:
    plan = one(fitted, None, loss=loss, **options)
    assert plan.loss is not None
    assert plan.loss.value <= loss * (1 + 1e-6)
    assert plan.flops_ci is not None
    assert plan.flops_ci[0] < plan.flops < (plan.flops_ci[1] or math.inf)
    less = one(fitted, plan.flops * 0.98, **options)
    assert less.loss is not None
    assert less.loss.value > loss


def test_a_loss_that_no_shape_to_build_reaches(fitted: Fit) -> None:
    options = {"max_params": 5e7, "multiples": {"width": 512, "mlp_dim": 1024}}
    with pytest.raises(PlanError, match=r"no shape that can be built reaches a loss of 0\.13"):
        one(fitted, None, loss=0.13, **options)


def test_a_loss_with_serving_minimizes_both_together(fitted: Fit) -> None:
    plain, served = one(fitted, None, loss=0.14), one(fitted, None, loss=0.14, inference_examples=1e10)
    assert served.serving is not None
    assert served.achieved_flops is not None
    assert plain.flops_per_example is not None
    assert served.achieved_flops > plain.flops, "a smaller model trains longer"
    assert served.flops < plain.flops + 1e10 * plain.flops_per_example / 3, "and the whole is cheaper"
    assert served.params is not None
    assert plain.params is not None
    assert served.params < plain.params


def test_a_loss_out_of_reach(fitted: Fit) -> None:
    with pytest.raises(PlanError, match=r"no compute reaches a loss of 0.05 under the law: it levels off at 0.09"):
        one(fitted, None, loss=0.05)
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(ArgumentError, match="cannot be"):
            one(fitted, None, loss=bad)
    with pytest.raises(PlanError, match="gives exponents but no loss, so --loss cannot be planned"):
        one(published_law(), None, loss=0.1)
    with pytest.raises(PlanError, match="'star' tells no loss that could be reached"):
        one(fit_star(sweep(), replicates=0), None, loss=0.14)


def test_days_on_a_fleet_are_a_budget_and_back(fitted: Fit) -> None:
    plan = recommend(fitted, gpus="64xH100", days=14, mfu=0.4)
    training = 64 * 989.4e12 * 0.4 * 14 * 86400
    assert plan.budgets[0].flops_training == pytest.approx(training)
    assert plan.budgets[0].days == pytest.approx(14)
    again = recommend(fitted, training, flops_convention="training", gpus="64xH100").budgets[0]
    assert again.days == pytest.approx(14)
    assert again.rounded == plan.budgets[0].rounded
    for options, message in (
        ({"days": 14}, "are of --gpus"),
        ({"gpus": "64xH100"}, "nothing says what is to be spent"),
        ({"gpus": "64xH100", "days": 0}, "0 days cannot be"),
        ({"gpus": "64xH100", "days": 14, "loss": 0.1}, "--loss and --days"),
        ({"gpus": "64xH900", "days": 14}, "no accelerator 'H900'"),
    ):
        with pytest.raises(ArgumentError, match=message):
            one(fitted, None, **options)


@pytest.mark.parametrize("loss", [1e8, 1e300])
def test_a_loss_that_needs_no_training(fitted: Fit, loss: float) -> None:
    with pytest.raises(PlanError, match="is reached with no training at all"):
        one(fitted, None, loss=loss)
    tiny = one(fitted, versus=["1x1x1"]).versus[0]
    assert tiny.same_loss is None or tiny.same_loss.compute < 1e-3


# --- Numbers of any kind


def test_numbers_of_any_kind_are_numbers(fitted: Fit) -> None:
    plain = one(fitted, max_params=1e8, heads=16, trust=5.0)
    assert one(fitted, np.float64(1e21), max_params=np.int64(10**8), heads=16.0, trust=5) == plain
    assert recommend(fitted, np.array([1e20, 1e21])).budgets == recommend(fitted, ["1e20", 1e21]).budgets
    assert recommend(fitted, np.array(1e21)).budgets == recommend(fitted, 10**21).budgets
    assert one(fitted, versus="ViT-g/14").versus == one(fitted, versus=["ViT-g/14"]).versus


@pytest.mark.parametrize(
    ("flops", "options", "message"),
    [
        ([], {}, "--flops is empty"),
        ([None], {}, "--flops is no number: None"),
        (10**400, {}, "--flops is no number"),
        (b"1e21", {}, "--flops is empty"),
        (None, {"loss": []}, "--loss is empty"),
        (None, {"loss": ["0.14"]}, "--loss is no number: 0.14"),
        (1e21, {"max_params": "1e8"}, "--max-params is no number: 1e8"),
        (1e21, {"trust": True}, "--trust is no number: True"),
        (1e21, {"heads": 16.5}, "--heads is not whole: 16.5"),
        (1e21, {"fix": {"depth": "24"}}, "--fix is no number: 24"),
        (1e21, {"fix": "depth=24"}, "--fix is no mapping"),
        (1e21, {"start": {}}, "a start is a shapeplan.Start"),
    ],
)
def test_what_is_no_number_is_told(fitted: Fit, flops: object, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        one(fitted, flops, **options)


# --- Law uncertainty


def test_laws_as_good_are_asked_too(rivalled: Fit) -> None:
    assert [rival.law.form.name for rival in rivalled.rivals] == ["interaction"]
    other = one(rivalled).laws[0]
    assert other.law == "interaction"
    assert other.loss.ci is not None
    assert other.loss.ci[0] < other.loss.value < other.loss.ci[1]
    assert -1e-9 <= other.regret < 0.005
    assert all(other.ci[dim] is not None for dim in DIMS)


def test_laws_that_disagree_are_told(rivalled: Fit) -> None:
    assert "laws-disagree" not in {caution.code for caution in one(rivalled).cautions}
    rival = rivalled.rivals[0]
    deep = {**rival.law.constants, "alpha_depth": 6 * rival.law.constants["alpha_depth"]}
    draws = {name: np.full(50, value) for name, value in deep.items()}
    odd = replace(rivalled, rivals=(Rival(Law(rival.law.form, deep, rival.law.units, rival.law.derive), draws),))
    caution = next(caution for caution in one(odd).cautions if caution.code == "laws-disagree")
    assert "interaction: optimum 875.6 x 69.03 x 1959" in caution.message
    assert ", apart in width, depth, mlp_dim; there this plan loses" in caution.message
    floor = {**rival.law.constants, "eps": 0.8 * rival.law.constants["eps"]}
    low = {name: np.full(50, value) for name, value in floor.items()}
    odd = replace(rivalled, rivals=(Rival(Law(rival.law.form, floor, rival.law.units, rival.law.derive), low),))
    caution = next(caution for caution in one(odd).cautions if caution.code == "laws-disagree")
    assert "interaction agrees on the shape, but expects 0.1" in caution.message
    # Intervals so wide that they overlap: that a plan loses much under the other law is told all the same.
    wide = {name: np.repeat([rival.law.constants[name], value], 25) for name, value in deep.items()}
    odd = replace(rivalled, rivals=(Rival(Law(rival.law.form, deep, rival.law.units, rival.law.derive), wide),))
    caution = next(caution for caution in one(odd).cautions if caution.code == "laws-disagree")
    assert "; there this plan loses" in caution.message
    assert "apart in" not in caution.message
    # A law whose best shape has no end is no law to compare with, and says so.
    endless = {**rival.law.constants, "alpha_depth": 1e6 * rival.law.constants["alpha_depth"]}
    odd = replace(rivalled, rivals=(Rival(Law(rival.law.form, endless, rival.law.units, rival.law.derive), {}),))
    budget = one(odd)
    assert budget.laws[0].at_edge == ("depth",)
    assert "laws-disagree" not in {caution.code for caution in budget.cautions}
    coarse = one(rivalled, multiples={"width": 512, "mlp_dim": 4096})
    assert "laws-disagree" not in {caution.code for caution in coarse.cautions}, "rounding is no disagreement"


def test_rivals_are_part_of_the_hand_over(rivalled: Fit, tmp_path: Path) -> None:
    law = tmp_path / "law.json"
    write_file(law, law_document(rivalled).dumps(), ())
    again = read_law(law)
    assert plan_document(recommend(again, 1e21)).budgets == plan_document(recommend(rivalled, 1e21)).budgets
    assert [rival.law.form.name for rival in again.rivals] == ["interaction"]
    old = json.loads(law.read_text())
    del old["rivals"]
    law_without = law.with_name("old.json")
    law_without.write_text(json.dumps(old))
    assert read_law(law_without).rivals == ()


def test_a_law_that_is_asked_for_has_no_rivals() -> None:
    assert fit(sweep(), law="separable", replicates=0).rivals == ()
    assert one(fit(sweep(), law="separable", replicates=0)).laws == ()


# --- The star, and what the log does not vary


def test_the_star_may_be_asked_for_its_optimum() -> None:
    found = fit_star(sweep(), replicates=50)
    assert recommend(found, 1e20, max_params=1e9).method == "optimum"
    plan = recommend(found, 1e20, max_params=3e7)
    assert plan.budgets[0].loss is None, "the grid refutes it"
    assert plan.notes == ("planned by the optimum of the law, not by the recipe, which knows no --max-params",)
    for options in ({"inference_examples": 1e10}, {"max_examples": 1e9}):
        with pytest.raises(PlanError, match="does not say how shape and compute trade away from them"):
            one(found, 1e20, **options)


def test_fixing_what_the_log_ties_or_never_varies() -> None:
    rows = sweep().take(np.arange(39))
    found = fit(rows, law="product", replicates=0)
    assert found.dimensions.fixed == {"mlp_dim": 6144.0}
    assert one(found, 1e20, fix={"mlp_dim": 6144}).rounded["mlp_dim"] == 6144
    with pytest.raises(ArgumentError, match="mlp_dim never varied in the log: it is 6144"):
        one(found, 1e20, fix={"mlp_dim": 4096})
    assert one(found, 1e20, tensor_parallel=16).rounded["mlp_dim"] == 6144, "it can be split as it is"


# --- The program


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
    assert [float(row["flops"]) for row in rows] == [1e20, 1e21]
    assert rows[1]["width"] == "960"
    assert float(rows[1]["loss_lower"]) < float(rows[1]["loss"]) < float(rows[1]["loss_upper"])
    both = program("recommend", "--law", law, "--flops", "1e20", "--format", "csv", "--json")
    assert both.returncode == 2
    unknown = program("recommend", "--law", law, "--flops", "1e20", "--format", "cvs")
    assert "did you mean 'csv'" in unknown.stderr


def test_heads_divide_a_width_that_never_varied(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = ["width,depth,mlp_dim,heads,examples,flops,loss"]
    for depth, mlp_dim, examples in itertools.product((4, 8, 12, 16), (1024, 2048, 4096), (1e8, 3e8, 1e9)):
        loss = 1.5 + (depth / 8) ** -1.2 + 0.5 * (mlp_dim / 2048) ** -0.9 + (examples / 3e8) ** -0.3
        flops = 6 * depth * 512 * (4 * 512 + 2 * mlp_dim) * examples
        rows.append(f"512,{depth},{mlp_dim},8,{examples:g},{flops:g},{loss:.9g}")
    log.write_text("\n".join(rows) + "\n")
    found = fit(read_runs(log), law="separable", replicates=0)
    for options in ({"heads": 12}, {"head_dim": 96}):
        budget = recommend(found, 3e18, force=True, **options).budgets[0]
        assert budget.heads is not None
        assert budget.rounded["width"] % budget.heads == 0
    assert recommend(found, 3e18, force=True).budgets[0].rounded["width"] == 512


def test_a_dimension_that_the_law_never_had_is_not_compared(fitted: Fit) -> None:
    runs = sweep()
    law = fit(replace(runs, dims=("width", "depth"), shape=runs.shape[:, :2], architecture=None), replicates=0)
    budget = recommend(law, 1e21, versus=["24x1024x4096"], force=True)
    assert "24x1024x4096: the law knows no mlp_dim; its 4096 is not compared" in budget.notes


def test_dimensions_that_are_no_whole_numbers_stay_so(tmp_path: Path) -> None:
    """Their least and largest trained values may be whole all the same."""
    log = tmp_path / "log.csv"
    rows = ["width,expansion,examples,flops,loss"]
    for width, expansion, examples in itertools.product((256, 512, 1024), (1, 1.5, 2.5, 4, 6), (1e8, 3e8, 1e9)):
        loss = 1.5 + (width / 512) ** -1.0 + 0.5 * (expansion / 3) ** -0.9 + (examples / 3e8) ** -0.3
        rows.append(f"{width},{expansion},{examples:g},{12 * width**2 * (1 + expansion) * examples:g},{loss:.9g}")
    log.write_text("\n".join(rows) + "\n")
    found = fit(read_runs(log, dims=("width", "expansion")), law="separable", replicates=0)
    budget = recommend(found, 1e16, force=True, versus=["width=512,expansion=2.5"]).budgets[0]
    assert budget.rounded["expansion"] != round(budget.rounded["expansion"])
    assert budget.rounded["expansion"] == pytest.approx(budget.shape["expansion"], rel=0.05)
    assert [row.shape["expansion"] for row in budget.versus if row.name.startswith("width")] == [2.5]
    held = recommend(found, 1e16, force=True, fix={"expansion": 2.5}).budgets[0]
    assert held.rounded["expansion"] == 2.5
