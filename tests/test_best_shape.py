from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from changed import changed
from conftest import additive_law, fit, sweep
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from shapeplan.design.sovit_protocol import paper_architecture, rehearsal_law
from shapeplan.laws import Law, Product
from shapeplan.numerics.arrays import Floats
from shapeplan.optimum.best_shape import best_shape
from shapeplan.optimum.cost_model import CostModel
from shapeplan.sweeps.dimensions import Dimensions

DIMS = ("width", "depth", "mlp_dim")
SURROUNDINGS = CostModel(Dimensions(DIMS, {}, {}), paper_architecture(), "forward")
WIDE = {"width": (16.0, 1e5), "depth": (1.0, 1e3), "mlp_dim": (16.0, 1e6)}


def best(law: Law, flops: float, bounds: Mapping[str, tuple[float, float]] = WIDE) -> dict[str, Floats]:
    constants = {name: np.asarray([value]) for name, value in law.constants.items()}
    return best_shape(law.form, law.units, constants, np.asarray(flops), SURROUNDINGS, bounds)


def loss(law: Law, log_shape: Floats, flops: float) -> float:
    shape = {dim: np.exp(np.asarray(value)) for dim, value in zip(DIMS, log_shape, strict=True)}
    return float(law.loss(**SURROUNDINGS.variables(law.form, shape, np.asarray(flops))))


@settings(max_examples=20)
@given(st.floats(17.0, 24.0), st.integers(0, 1000))
def test_no_optimizer_finds_a_better_shape(log_flops: float, seed: int) -> None:
    """SciPy from random starts, on the rehearsal law with its exact count."""
    law, flops = rehearsal_law(), 10**log_flops
    found = best(law, flops)
    here = loss(law, np.log([found[dim][0] for dim in DIMS]), flops)
    rng = np.random.default_rng(seed)
    low, high = np.log([WIDE[dim] for dim in DIMS]).T
    for _ in range(3):
        other = minimize(
            lambda z: loss(law, z, flops), rng.uniform(low, high), bounds=list(zip(low, high, strict=True))
        )
        assert here <= other.fun * (1 + 1e-9)


def test_the_rehearsal_law_is_best_where_it_was_built_to_be() -> None:
    found = best(rehearsal_law(), 3.5e18)
    assert {dim: float(found[dim][0]) for dim in DIMS} == pytest.approx(
        {"width": 608, "depth": 10, "mlp_dim": 928}, rel=1e-3
    )


@pytest.mark.parametrize("name", ["additive", "product"])
def test_closed_forms_agree_with_the_descent(name: str) -> None:
    constants = dict(additive_law().constants)
    if name == "product":
        constants["beta"] = constants["beta_width"]
    law = Law(Product(DIMS) if name == "product" else additive_law().form, constants, additive_law().units)
    closed = best(law, 1e20)
    # One dimension held at its best value sends the others through the descent.
    narrow = {**WIDE, "depth": (float(closed["depth"][0]) * 1.000001, 1e3)}
    descended = best(law, 1e20, narrow)
    for dim in DIMS:
        assert descended[dim][0] == pytest.approx(closed[dim][0], rel=1e-4)


def test_a_binding_bound_moves_the_rest() -> None:
    law = rehearsal_law()
    free, bound = best(law, 1e21), best(law, 1e21, {**WIDE, "depth": (1.0, 8.0)})
    assert bound["depth"][0] == pytest.approx(8.0)
    assert bound["width"][0] > free["width"][0]


def test_a_fit_knows_its_best_shape_and_how_sure_it_is() -> None:
    found = fit(sweep(0.003, 6), law="separable", replicates=100)
    truth = best(rehearsal_law(), 1e21)
    for dim, estimate in found.optimum(1e21).items():
        assert estimate.ci is not None
        assert estimate.ci[0] < estimate.value < estimate.ci[1]
        assert estimate.value == pytest.approx(truth[dim][0], rel=0.1)
    assert found.growth_exponents["width"].value == pytest.approx(0.075, rel=0.1)


def test_a_law_without_shape_or_cost_has_none() -> None:
    assert fit(sweep(), law="chinchilla", replicates=0).optimum(1e21) == {}
    from dataclasses import replace

    bare = replace(sweep(), examples=None, params=None, architecture=None)
    assert fit(bare, law="product", replicates=0).optimum(1e21).keys() == set(DIMS)
    assert changed(fit(sweep(), law="separable", replicates=0), cost=None).optimum(1e21) == {}
