"""The range of a dimension with little excess loss, and the cost of being off the best size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import DIMS, loss, one

from shapeplan.errors import ArgumentError
from shapeplan.fitting.result import Fit
from shapeplan.planning.recommend import recommend


def test_the_valley_ends_where_the_loss_is_half_a_percent_above_the_best(planned: Fit) -> None:
    """SciPy re-optimizes the other dimensions at every end."""
    from scipy.optimize import minimize

    budget = one(planned)
    least = loss(planned, dict(budget.shape), 1e21)
    for dim, ends in budget.valley.items():
        rest = [other for other in DIMS if other != dim]
        for end in ends:
            found = minimize(
                lambda logs, d=dim, e=end, r=rest: loss(
                    planned, {d: e, **dict(zip(r, np.exp(logs), strict=True))}, 1e21
                ),
                np.log([budget.shape[other] for other in rest]),
                method="Nelder-Mead",
                options={"xatol": 1e-7, "fatol": 1e-12},
            )
            assert found.fun / least - 1 == pytest.approx(0.005, rel=1e-2)
        assert ends[0] < budget.shape[dim] < ends[1]


def test_a_wider_tolerance_is_a_wider_valley(planned: Fit) -> None:
    narrow, wide = one(planned, tolerance=0.001), one(planned, tolerance=0.02)
    for dim in DIMS:
        assert wide.valley[dim][0] < narrow.valley[dim][0] < narrow.valley[dim][1] < wide.valley[dim][1]
    huge = one(planned, tolerance=0.9)
    assert huge.valley["mlp_dim"] == pytest.approx(planned.bounds["mlp_dim"]), "it ends with the trust region"
    for bad in (0.0, -0.1, 1.0, math.nan):
        with pytest.raises(ArgumentError, match="a tolerance of"):
            one(planned, tolerance=bad)


def test_deviations_are_those_of_the_law(planned: Fit) -> None:
    budget = one(planned)
    least = loss(planned, dict(budget.shape), 1e21)
    assert {(d.dim, round(d.factor, 3)) for d in budget.deviations} == {
        (dim, factor) for dim in DIMS for factor in (0.5, 0.707, 1.414, 2.0)
    }
    for one_off in budget.deviations:
        shape = {**budget.shape, one_off.dim: one_off.factor * budget.shape[one_off.dim]}
        assert one_off.excess == pytest.approx(loss(planned, shape, 1e21) / least - 1, rel=1e-9)
        assert one_off.excess > 0
        assert one_off.ci is not None
        assert one_off.ci[0] < one_off.excess < one_off.ci[1]


def test_many_budgets_have_the_valleys_of_each_alone(planned: Fit) -> None:
    flops = np.geomspace(1e20, 1e24, 60)
    many = recommend(planned, list(flops)).budgets
    for i in (0, 31, 59):
        alone = one(planned, float(flops[i]))
        for dim in DIMS:
            assert many[i].valley[dim] == pytest.approx(alone.valley[dim], rel=5e-3)
