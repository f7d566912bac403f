"""What limits, hardware and repeated data cost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Program, loss, one
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.counting.price import Price, parse_price
from shapeplan.errors import ArgumentError, InputError, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.optimum.cost_model import Limits
from shapeplan.planning.recommend import recommend
from shapeplan.profile import Profile
from shapeplan.readers.profile import read_profile


def test_every_limit_has_its_cost(planned: Fit) -> None:
    """In loss against the plan without it, and as the share of the compute that is enough without it."""
    plan = one(planned, 1e21, max_params=1e8, fix={"depth": 40})
    free = one(planned, 1e21, preset="none")
    assert [cost.name for cost in plan.limit_costs] == ["max_params", "fix_depth", "rounding"]
    alone = one(planned, 1e21, fix={"depth": 40}, preset="none")
    params, depth, rounding = plan.limit_costs
    best = loss(planned, dict(plan.shape), 1e21)
    assert params.excess == pytest.approx(best / loss(planned, dict(alone.shape), 1e21) - 1)
    assert params.compute is not None
    same = one(planned, params.compute * 1e21, fix={"depth": 40}, preset="none")
    assert loss(planned, dict(same.shape), params.compute * 1e21) == pytest.approx(best, rel=1e-6)
    assert depth.excess is not None
    assert depth.excess > 0.001
    assert rounding.excess == pytest.approx(plan.regret_of_rounding)
    assert plan.unlimited is not None
    assert plan.unlimited.regret is not None
    assert plan.unlimited.regret < -0.01
    assert not plan.unlimited.keeps_limits
    assert [cost.name for cost in free.limit_costs] == ["rounding"]
    assert free.unlimited is None


@pytest.mark.long
def test_costs_where_the_budget_cannot_be_spent(planned: Fit) -> None:
    """Beyond the data more compute buys nothing: shares are of the compute that is used."""
    plan = one(planned, 1e22, max_params=1e8, max_examples=2e9)
    assert "budget-left-over" in {caution.code for caution in plan.cautions}
    for cost in plan.limit_costs:
        assert cost.compute is not None
        assert 0 < cost.compute < 1.001
    assert plan.limit_costs[-1].compute == pytest.approx(1, abs=0.05)


def test_the_comparison_stays_when_limits_are_given(planned: Fit) -> None:
    plan = one(planned, 1e21, max_params=5e7)
    assert plan.recipe is not None
    assert not plan.recipe.keeps_limits


@given(st.floats(0.1, 300))
def test_repeated_examples_are_worth_less(epochs: float) -> None:
    limits = Limits(examples=1e9, epochs=max(epochs, 1.0))
    seen = epochs * 1e9
    worth = float(limits.worth(np.asarray(seen)))
    assert worth <= seen * (1 + 1e-12)
    assert (worth == pytest.approx(seen)) == (epochs <= 1) or epochs < 1.01
    assert worth <= 1e9 * (1 + 15.387756)


@pytest.mark.long
def test_four_epochs_are_nearly_as_good_as_fresh_data(planned: Fit) -> None:
    """Muennighoff et al. 2023: up to four epochs of repeated data are almost as good as new."""
    fresh = one(planned, 1e21)
    assert fresh.examples is not None
    repeated = one(planned, 1e21, max_examples=fresh.examples / 4, epochs=4)
    once = one(planned, 1e21, max_examples=fresh.examples / 4)
    assert fresh.loss is not None
    assert repeated.loss is not None
    assert once.loss is not None
    assert fresh.loss.value < repeated.loss.value < once.loss.value
    assert repeated.loss.value / fresh.loss.value < 1.005
    assert repeated.epochs is not None
    assert 1 < repeated.epochs <= 4
    assert repeated.worth == pytest.approx(4 * 0.91 * fresh.examples / 4, rel=0.1)
    with pytest.raises(ArgumentError, match="how often examples are seen, and not how many there are"):
        one(planned, epochs=4)
    with pytest.raises(ArgumentError, match=r"`epochs` cannot be 0\.5"):
        one(planned, epochs=0.5, max_examples=1e9)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("2.5/gpu-hour", Price(2.5)),
        ("2.5", Price(2.5)),
        ("$2.5", Price(2.5, "$")),
        ("2.50 USD/h", Price(2.5, "USD")),
        ("EUR 3 per GPU hour", Price(3, "EUR")),
        ("1.2 $ a chip hour", Price(1.2, "$")),
        (".9/tpu-hour", Price(0.9)),
    ],
)
def test_prices_as_people_write_them(text: str, price: Price) -> None:
    assert parse_price(text) == price


@pytest.mark.parametrize("text", ["", "free", "-2", "0", "2.5/day", "1e9", "2.5/gpu", "$2 USD", "2,5/gpu-hour"])
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(ArgumentError, match="is no price of an hour"):
        parse_price(text)


def test_money(planned: Fit) -> None:
    plan = recommend(planned, 1e21, gpus="64xH100", price="$2.5/gpu-hour")
    budget = plan.budgets[0]
    assert budget.days is not None
    assert budget.price == pytest.approx(budget.days * 24 * 64 * 2.5)
    with pytest.raises(ArgumentError, match="`price` requires `gpus`"):
        recommend(planned, 1e21, price="2.5")


SHAPES = {
    "width": np.array([512.0, 1024.0, 2048.0]),
    "depth": np.array([8.0, 20.0, 48.0]),
    "mlp_dim": np.array([1024.0, 3072.0, 8192.0]),
}


def test_utilization_is_interpolated_between_measured_shapes(planned: Fit) -> None:
    measured = Profile(SHAPES, np.array([0.3, 0.4, 0.5]), None, "mfu.csv")
    plan = recommend(planned, 1e21, gpus="64xH100", mfu=measured)
    mfu = plan.budgets[0].mfu
    assert mfu is not None
    assert 0.3 < mfu < 0.5
    assert plan.mfu is None
    flat = recommend(planned, 1e21, gpus="64xH100", mfu=mfu).budgets[0]
    assert plan.budgets[0].days == pytest.approx(flat.days)
    at = one(planned, 1e21, gpus="64xH100", mfu=measured, fix={"width": 1024, "depth": 20, "mlp_dim": 3072})
    assert at.mfu == pytest.approx(0.4)


def test_days_at_a_utilization_that_depends_on_the_shape(planned: Fit) -> None:
    """The budget is what the fleet delivers at the utilization of the shape that is best for it."""
    measured = Profile(SHAPES, np.array([0.2, 0.4, 0.5]), None, "mfu.csv")
    budget = recommend(planned, gpus="64xH100", days=2, mfu=measured, preset="none").budgets[0]
    assert budget.days == pytest.approx(2, rel=1e-3)


def test_a_shape_that_is_trained_faster_is_named_with_what_it_gains(planned: Fit) -> None:
    def told(shares: list[float], **options: object) -> list[str]:
        profile = Profile(SHAPES, np.array(shares), None, "mfu.csv")
        plan = one(planned, None, gpus="64xH100", days=1, mfu=profile, **options)
        return [caution.message for caution in plan.cautions if caution.code == "faster-shape"]

    slow = one(planned, None, gpus="64xH100", days=1, mfu=Profile(SHAPES, np.array([0.1, 0.6, 0.1]), None, "mfu.csv"))
    assert slow.loss is not None
    (said,) = told([0.1, 0.6, 0.1])
    assert said.startswith(
        "width 1,024, depth 20, mlp_dim 3,072 was measured at 60% of the peak, and this shape is at "
    )
    held = {"width": 1024, "depth": 20, "mlp_dim": 3072}
    fast = one(planned, 64 * 989.4e12 * 0.6 * 86400, flops_convention="training", fix=held)
    assert fast.loss is not None
    gain = 1 - fast.loss.value / slow.loss.value
    assert gain > 1e-3
    assert said.endswith(f"in the same days it reaches a loss {gain:.1%} lower")
    assert not told([0.3, 0.3, 0.3])
    assert not told([0.1, 0.6, 0.1], max_params=1e9), "what limits allow is not asked"


def test_beyond_the_measured_shapes_nothing_is_invented(planned: Fit) -> None:
    small = {dim: sizes / 8 for dim, sizes in SHAPES.items()}
    measured = Profile(small, np.array([0.3, 0.4, 0.5]), None, "mfu.csv")
    plan = one(planned, 1e21, gpus="64xH100", mfu=measured, price="2.5")
    assert (plan.days, plan.mfu, plan.price) == (None, None, None)
    (said,) = [caution.message for caution in plan.cautions if caution.code == "mfu-not-measured"]
    assert said.startswith("the days of this shape are not told: width ")
    assert "(measured: 64 to 256)" in said
    with pytest.raises(PlanError, match="what 2 days deliver is not known: the best shape has width"):
        recommend(planned, gpus="64xH100", days=2, mfu=measured)


def test_step_times_are_a_utilization(planned: Fit, tmp_path: Path) -> None:
    assert planned.cost is not None
    each = 3 * planned.cost.flops_per_example(SHAPES)
    seconds = each * 4096 / (8 * 989.4e12 * np.array([0.3, 0.4, 0.5]))
    rows = zip(*SHAPES.values(), seconds, strict=True)
    path = tmp_path / "steps.csv"
    lines = [",".join(f"{value!r}" for value in map(float, row)) + ",4096,8" for row in rows]
    path.write_text("n_embd,n_layer,d_ff,step_time,images_per_step,gpus\n" + "\n".join(lines) + "\n")
    share = Profile(SHAPES, np.array([0.3, 0.4, 0.5]), None, "mfu.csv")
    timed, told = (one(planned, 1e21, gpus="8xH100", mfu=mfu) for mfu in (read_profile(path), share))
    assert timed.mfu == pytest.approx(told.mfu)
    faster = replace(read_profile(path), examples_per_second=np.full(3, 1e9))
    with pytest.raises(InputError, match=r"a step has a utilization of .* of the peak of H100"):
        one(planned, 1e21, gpus="8xH100", mfu=faster)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("width,mfu\n512,1.4\n", "a utilization .MFU. of 1.4 is no share"),
        ("width,mfu\n512,fast\n", "fast"),
        ("mfu\n0.4\n", "no column is a dimension of a shape"),
        ("width,step_time\n512,0.1\n", "nothing says what share of the peak was reached"),
        ("width,d_model,mfu\n512,512,0.4\n", "both say width"),
    ],
)
def test_wrong_measurements_are_told(tmp_path: Path, body: str, message: str) -> None:
    path = tmp_path / "mfu.csv"
    path.write_text(body)
    with pytest.raises(InputError, match=message):
        read_profile(path)


def test_percents_of_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "mfu.csv"
    path.write_text("width,depth,mlp_dim,mfu\n512,8,1024,35%\n1024,20,3072,41.5 %\n")
    found = read_profile(path).mfu
    assert found is not None
    assert found.tolist() == pytest.approx([0.35, 0.415])


def test_the_program_reads_a_profile(program: Program, tmp_path: Path) -> None:
    (tmp_path / "mfu.csv").write_text("width,depth,mlp_dim,mfu\n128,2,256,0.3\n4096,96,16384,0.5\n")
    done = program("recommend", "--flops", "9e21", "--gpus", "64xTPUv4", "--mfu", "mfu.csv", "--price", "$3", "--json")
    document = json.loads(done.stdout)
    assert document["fleet"]["mfu"] is None
    assert document["fleet"]["profile"] == "mfu.csv"
    assert document["fleet"]["price_per_hour"] == 3
    budget = document["budgets"][0]
    assert 0.3 < budget["mfu"] < 0.5
    assert budget["price"] == pytest.approx(budget["days"] * 24 * 64 * 3)
    wrong = program("recommend", "--flops", "9e21", "--gpus", "64xTPUv4", "--mfu", "none.csv")
    assert wrong.returncode == 1
    assert "none.csv" in wrong.stderr
