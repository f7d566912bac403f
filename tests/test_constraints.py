"""Limits, held dimensions and serving."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import DIMS, SAMPLES, fit, loss, one, sweep
from hypothesis import given, settings
from hypothesis import strategies as st

from shapeplan.documents.files import published_law
from shapeplan.documents.plan import plan_document
from shapeplan.errors import ArgumentError, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs

_CACHE: dict[str, Fit] = {}


def test_limits_are_kept_by_the_shape_to_train(planned: Fit) -> None:
    free = one(planned)
    assert free.params is not None
    small = one(planned, max_params=1e8)
    assert small.params is not None
    assert 0.9e8 < small.params <= 1e8
    cheap = one(planned, max_flops_per_example=5e10)
    assert cheap.flops_per_example_forward is not None
    assert 4.5e10 < cheap.flops_per_example_forward <= 5e10
    for plan in (small, cheap):
        assert plan.loss is not None
        assert free.loss is not None
        assert plan.loss.value > free.loss.value
        assert plan.loss.ci is not None
        assert plan.achieved_flops == pytest.approx(1e21, rel=1e-6)
    slack = one(planned, max_params=1e10, max_flops_per_example=1e13, max_examples=1e15)
    assert slack.rounded == free.rounded


@pytest.mark.long
@settings(max_examples=15)
@given(st.floats(6.5, 10.0), st.floats(9.5, 12.0))
def test_no_plan_breaks_its_limits(log_params: float, log_forward: float) -> None:
    found = _CACHE.setdefault("fit", fit(read_runs(SAMPLES / "vit_sweep.yaml"), law="separable", replicates=0))
    plan = one(found, max_params=10**log_params, max_flops_per_example=10**log_forward)
    assert plan.params is not None
    assert plan.flops_per_example_forward is not None
    assert plan.params <= 10**log_params
    assert plan.flops_per_example_forward <= 10**log_forward


def test_a_fixed_dimension_stays_and_the_rest_adapts(planned: Fit) -> None:
    plan, free = one(planned, fix={"depth": 12}), one(planned)
    assert plan.rounded["depth"] == 12
    assert plan.ci["depth"] == pytest.approx((12, 12))
    assert plan.shape["width"] > free.shape["width"]
    assert "depth" not in plan.valley
    assert "depth" not in {off.dim for off in plan.deviations}
    wide = one(planned, fix={"width": 100_000 * 16})
    assert wide.rounded["width"] == 1_600_000, "the user may leave the trust region"
    assert wide.extrapolation["width"] > 100


def test_data_that_run_out_make_the_model_grow(planned: Fit) -> None:
    free, scarce = one(planned), one(planned, max_examples=1e9)
    assert free.examples is not None
    assert free.examples > 1e9
    assert scarce.examples is not None
    assert 0.9e9 < scarce.examples <= 1e9
    assert scarce.params is not None
    assert free.params is not None
    assert scarce.params > 5 * free.params
    assert scarce.loss is not None
    here = loss(planned, dict(scarce.rounded), 1e9 * float(scarce.flops_per_example or 0))
    assert scarce.loss.value == pytest.approx(here, rel=1e-3)


@pytest.mark.long
def test_other_shapes_that_break_the_limits_are_marked(planned: Fit) -> None:
    small = one(planned, max_params=2e7, versus=["12x768x3072", "6x256x1024"])
    assert [other.keeps_limits for other in small.versus] == [False, True]
    assert {off.factor for off in small.deviations if off.dim == "width"} <= {0.5, 0.5**0.5}
    assert all(off.excess > 0 for off in small.deviations)
    served = recommend(planned, 1e21, inference_examples=1e10, versus=["ViT-g/14"])
    giant = served.budgets[0].versus[0]
    assert giant.loss is giant.regret is giant.regret_ci is None, "serving it takes more than the budget"
    assert not giant.keeps_limits
    plan_document(served).dumps()


@pytest.mark.long
def test_what_serving_takes_counts_as_spent(planned: Fit) -> None:
    plan = one(planned, max_examples=4e9, inference_examples=4e10)
    assert plan.achieved_flops is not None
    assert plan.serving is not None
    assert plan.achieved_flops + plan.serving.flops > 0.99e21
    assert plan.serving.flops_forward == pytest.approx(3 * plan.serving.flops)
    assert "budget-left-over" not in {caution.code for caution in plan.cautions}
    held = one(planned, max_params=1e8, max_examples=4e9)
    caution = next(caution for caution in held.cautions if caution.code == "budget-left-over")
    assert "`max_params` keeps the model from growing" in caution.hint


@pytest.mark.long
def test_runs_of_the_log_are_no_match_for_limits(planned: Fit) -> None:
    assert "beaten-by-log" not in {caution.code for caution in one(planned, max_params=8e6).cautions}


def test_examples_may_run_out_before_the_budget_is_spent(planned: Fit) -> None:
    plan = one(planned, 1e25, max_examples=1e8)
    assert plan.achieved_flops is not None
    assert plan.achieved_flops < 1e25
    assert "budget-left-over" in {caution.code for caution in plan.cautions}


def test_serving_is_paid_from_the_budget(planned: Fit) -> None:
    free, served = one(planned), one(planned, inference_examples=1e10)
    assert served.serving is not None
    assert served.flops_per_example is not None
    assert served.serving.flops == pytest.approx(1e10 * served.flops_per_example / 3)
    assert served.achieved_flops is not None
    assert served.serving.flops + served.achieved_flops <= 1e21
    assert served.serving.flops + served.achieved_flops == pytest.approx(1e21, rel=1e-6)
    assert all(served.shape[dim] < free.shape[dim] for dim in DIMS)
    for other in ({"width": 960, "depth": 24, "mlp_dim": 2256}, {"width": 800, "depth": 18, "mlp_dim": 1600}):
        each = float(planned.cost_model.flops_per_example({dim: np.asarray(float(s)) for dim, s in other.items()}))
        assert served.loss is not None
        assert served.loss.value < loss(planned, other, 1e21 - 1e10 * each / 3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_params": 1e4}, PlanError, "no shape keeps the limits: even the smallest in the trust region"),
        ({"max_flops_per_example": 1e6}, PlanError, "FLOPs an example, more than 1e"),
        ({"inference_examples": 1e18}, PlanError, r"spends the whole budget of 1e21 FLOPs on serving 1e\+18 examples"),
        ({"max_params": 0.0}, ArgumentError, "`max_params` cannot be 0"),
        ({"max_params": math.nan}, ArgumentError, "`max_params` cannot be nan"),
        ({"max_examples": -1.0}, ArgumentError, "`max_examples` cannot be -1"),
        ({"inference_examples": math.inf}, ArgumentError, "`inference_examples` cannot be inf"),
        ({"trust": 0.5}, ArgumentError, "`trust` cannot be 0.5"),
        ({"fix": {"depth": 2.5}}, ArgumentError, "depth cannot be fixed at 2.5"),
        ({"fix": {"heads": 8}}, ArgumentError, "there is no dimension 'heads' to fix"),
        (
            {"fix": {"width": 1000}, "preset": "none"},
            ArgumentError,
            "`fix=width=1000` is no multiple of 16, .* fix width=992",
        ),
        ({"fix": {"depth": 24}, "pipeline_parallel": 7}, ArgumentError, "`fix=depth=24` is no multiple of 7"),
        ({"fix": {"mlp_dim": 4100}, "tensor_parallel": 8}, ArgumentError, "`fix=mlp_dim=4100` is no multiple of 8"),
        ({"fix": {"depth": 24}, "multiples": {"depth": 7}}, ArgumentError, "`fix=depth=24` is no multiple of 7"),
        ({"max_params": 1e8, "method": "scale"}, ArgumentError, "`max_params` is answered by the optimum"),
        ({"tensor_parallel": 3}, ArgumentError, "16 heads cannot be shared by 3 devices; give `heads=48`"),
        ({"heads": 8, "head_dim": 64}, ArgumentError, "both set the heads"),
        ({"pipeline_parallel": 0}, ArgumentError, "`pipeline_parallel` cannot be 0"),
    ],
)
def test_what_cannot_be_kept_is_told(
    planned: Fit, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        one(planned, **options)


def test_limits_need_to_know_what_shapes_cost(planned: Fit) -> None:
    runs = replace(sweep(), architecture=None, params=None)
    with pytest.raises(PlanError, match="does not know the parameters of a shape, for `max_params`"):
        one(fit(runs, law="product", replicates=0), max_params=1e8)
    bare = replace(sweep(), architecture=None, params=None, examples=None)
    with pytest.raises(PlanError, match="does not know the FLOPs of an example of a shape, for `max_examples`"):
        one(fit(bare, law="product", replicates=0), max_examples=1e9)
    with pytest.raises(PlanError, match="gives exponents but no loss, so `fix` cannot be planned"):
        one(published_law(), fix={"depth": 24})


def test_shapes_to_train_stay_in_the_trust_region(planned: Fit) -> None:
    for flops in (1e10, 1e24):
        plan = one(planned, flops, trust=1)
        for dim, (low, high) in planned.shape_range.items():
            assert low <= plan.rounded[dim] <= high


def test_fixing_what_the_log_ties_or_never_varies() -> None:
    rows = sweep().take(np.arange(39))
    found = fit(rows, law="product", replicates=0)
    assert found.dimensions.fixed == {"mlp_dim": 6144.0}
    assert one(found, 1e20, fix={"mlp_dim": 6144}).rounded["mlp_dim"] == 6144
    with pytest.raises(ArgumentError, match="mlp_dim never varied in the log: it is 6144"):
        one(found, 1e20, fix={"mlp_dim": 4096})
    assert one(found, 1e20, tensor_parallel=16).rounded["mlp_dim"] == 6144, "it can be split as it is"
