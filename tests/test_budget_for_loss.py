"""The least compute for a loss, and days on a fleet."""

from __future__ import annotations

import math
from typing import Any

import pytest
from conftest import fit_star, one, sweep

from shapeplan.documents.files import published_law
from shapeplan.errors import ArgumentError, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend


def test_the_least_compute_for_a_loss(planned: Fit) -> None:
    plan = one(planned, None, loss=0.14)
    assert plan.loss is not None
    assert plan.loss.value == pytest.approx(0.14, rel=1e-8)
    assert plan.flops_ci is not None
    assert plan.flops_ci[1] is not None
    assert plan.flops_ci[0] < plan.flops < plan.flops_ci[1]
    less = one(planned, plan.flops * 0.99)
    assert less.loss is not None
    assert less.loss.value > 0.14
    many = recommend(planned, loss=[0.2, 0.17, 0.14]).budgets
    assert many[0].flops < many[1].flops < many[2].flops
    assert many[2].flops == pytest.approx(plan.flops, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        (0.2, {"multiples": {"width": 4096, "depth": 32, "mlp_dim": 16384}}),
        (0.15, {"multiples": {"width": 512, "depth": 8, "mlp_dim": 2048}}),
        pytest.param(
            0.16,
            {"inference_examples": 3e10, "multiples": {"width": 512, "depth": 8, "mlp_dim": 2048}},
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_loss_is_reached_by_a_shape_that_can_be_built(planned: Fit, loss: float, options: dict[str, Any]) -> None:
    plan = one(planned, None, loss=loss, **options)
    assert plan.loss is not None
    assert plan.loss.value <= loss * (1 + 1e-6)
    assert plan.flops_ci is not None
    assert plan.flops_ci[0] < plan.flops < (plan.flops_ci[1] or math.inf)
    less = one(planned, plan.flops * 0.98, **options)
    assert less.loss is not None
    assert less.loss.value > loss


@pytest.mark.long
def test_a_loss_that_no_shape_to_build_reaches(planned: Fit) -> None:
    options = {"max_params": 5e7, "multiples": {"width": 512, "mlp_dim": 1024}}
    with pytest.raises(PlanError, match=r"no shape that can be built reaches a loss of 0\.13"):
        one(planned, None, loss=0.13, **options)


def test_a_loss_with_serving_minimizes_both_together(planned: Fit) -> None:
    plain, served = one(planned, None, loss=0.14), one(planned, None, loss=0.14, inference_examples=1e10)
    assert served.serving is not None
    assert served.achieved_flops is not None
    assert plain.flops_per_example is not None
    assert served.achieved_flops > plain.flops, "a smaller model trains longer"
    assert served.flops < plain.flops + 1e10 * plain.flops_per_example / 3, "and the whole is cheaper"
    assert served.params is not None
    assert plain.params is not None
    assert served.params < plain.params


def test_a_loss_out_of_reach(planned: Fit) -> None:
    with pytest.raises(PlanError, match=r"no compute reaches a loss of 0.05 under the law at 5x .*levels off at 0.09"):
        one(planned, None, loss=0.05)
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(ArgumentError, match="must be positive"):
            one(planned, None, loss=bad)
    with pytest.raises(PlanError, match="gives exponents but no loss, so `loss` cannot be planned"):
        one(published_law(), None, loss=0.1)
    with pytest.raises(PlanError, match="'star' predicts no loss that could be reached"):
        one(fit_star(sweep(), replicates=0), None, loss=0.14)


def test_days_on_a_fleet_are_a_budget_and_back(planned: Fit) -> None:
    plan = recommend(planned, gpus="64xH100", days=14, mfu=0.4)
    training = 64 * 989.4e12 * 0.4 * 14 * 86400
    assert plan.budgets[0].flops_training == pytest.approx(training)
    assert plan.budgets[0].days == pytest.approx(14)
    again = recommend(planned, training, flops_convention="training", gpus="64xH100").budgets[0]
    assert again.days == pytest.approx(14)
    assert again.rounded == plan.budgets[0].rounded
    for options, message in (
        ({"days": 14}, "requires `gpus`"),
        ({"gpus": "64xH100"}, "nothing says what is to be spent"),
        ({"gpus": "64xH100", "days": 0}, "0 days is out of range"),
        ({"gpus": "64xH100", "days": 14, "loss": 0.1}, "`loss` and `days`"),
        ({"gpus": "64xH900", "days": 14}, "no accelerator 'H900'"),
    ):
        with pytest.raises(ArgumentError, match=message):
            one(planned, None, **options)


@pytest.mark.parametrize("loss", [1e8, 1e300])
def test_a_loss_that_needs_no_training(planned: Fit, loss: float) -> None:
    with pytest.raises(PlanError, match="is reached with no training at all"):
        one(planned, None, loss=loss)
    tiny = one(planned, versus=["1x1x1"]).versus[0]
    assert tiny.same_loss is None or tiny.same_loss.compute < 1e-3
