from __future__ import annotations

import numpy as np
import pytest
from conftest import additive_law
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.design.sovit_protocol import rehearsal_law
from shapeplan.laws import FORMS, Law, Star

DIMS = ("width", "depth", "mlp_dim")


def test_eq_3_by_hand() -> None:
    law = additive_law()
    shape = {"width": 1216.0, "depth": 20.0, "mlp_dim": 1856.0}
    size = 0.020 * 2**-1.1 + 0.015 * 2**-0.9 + 0.012 * 2**-0.7
    data = 0.010 * 2**0.9 + 0.012 * 2**0.6 + 0.008 * 2**0.5 + 0.02
    assert law.loss(**shape, flops=3.5e19) == pytest.approx(size + data * 10**-0.35 + 0.1, rel=1e-14)


def test_losses_broadcast_and_missing_variables_are_named() -> None:
    law = additive_law()
    assert law.loss(width=np.ones((4, 1)), depth=np.ones(5), mlp_dim=1.0, flops=1e18).shape == (4, 5)
    with pytest.raises(ValueError, match="needs depth, mlp_dim, flops"):
        law.loss(width=1.0)
    with pytest.raises(ValueError, match="has no constants"):
        Law(law.form).loss(width=1.0)


def test_every_form_says_what_it_is() -> None:
    for name, form in FORMS.items():
        made = form(() if name == "chinchilla" else DIMS)
        assert made.name == name
        assert made.source
        assert len(set(made.coefficients)) == len(made.terms)
        for exponent in made.exponents:
            low, high = made.bounds(exponent)
            assert 0 < low < high


def star_law(**changes: float) -> Law:
    """Return the star law that Eq. 3 of `additive_law` implies on arms around (1968, 40, 6144)."""
    base = additive_law()
    center = {"width": 1968.0, "depth": 40.0, "mlp_dim": 6144.0}
    known = base.constants
    constants = {"c": known["c"]}
    for dim in DIMS:
        others = [other for other in DIMS if other != dim]
        rest = {other: center[other] / base.units[other] for other in others}
        constants |= {name: known[name] for name in (f"alpha_{dim}", f"a_{dim}", f"beta_{dim}", f"b_{dim}")}
        constants[f"xi_{dim}"] = known["xi"] + sum(known[f"beta_{o}"] * rest[o] ** known[f"b_{o}"] for o in others)
        constants[f"eps_{dim}"] = known["eps"] + sum(known[f"alpha_{o}"] * rest[o] ** -known[f"a_{o}"] for o in others)
    form = Star(DIMS, {dim: center[dim] / base.units[dim] for dim in DIMS})
    return Law(form, {**constants, **changes}, base.units)


@given(st.floats(100, 4000), st.floats(2, 80), st.floats(200, 12000), st.floats(1e17, 1e22))
def test_a_star_that_eq_3_implies_is_eq_3_everywhere(width: float, depth: float, mlp: float, flops: float) -> None:
    point = {"width": width, "depth": depth, "mlp_dim": mlp, "flops": flops}
    assert star_law().loss(**point) == pytest.approx(float(additive_law().loss(**point)), rel=1e-9)


def test_on_an_arm_the_star_is_its_own_eq_2() -> None:
    law = star_law(eps_depth=0.5)
    here = law.loss(width=1968, depth=10, mlp_dim=6144, flops=1e20)
    without = star_law().loss(width=1968, depth=10, mlp_dim=6144, flops=1e20)
    assert here - without == pytest.approx(0.5 - star_law().constants["eps_depth"], rel=1e-9)


def test_scaling_exponents_are_eq_4_and_undefined_without_a_trade_off() -> None:
    assert star_law().scaling_exponents() == pytest.approx(
        {"width": 0.35 / 2.0, "depth": 0.35 / 1.5, "mlp_dim": 0.35 / 1.2}
    )
    assert np.isnan(star_law(beta_depth=0.0).scaling_exponents()["depth"])
    assert np.isnan(star_law(alpha_width=0.0).scaling_exponents()["width"])


def test_eq_4_is_where_the_arm_is_lowest() -> None:
    law = star_law()
    grid = np.geomspace(50, 50_000, 200_001)
    found = [grid[np.argmin(law.loss(width=grid, depth=40, mlp_dim=6144, flops=t))] for t in (1e19, 1e21)]
    growth = np.log(found[1] / found[0]) / np.log(100)
    assert growth == pytest.approx(law.scaling_exponents()["width"], rel=1e-3)


def test_the_rehearsal_law_has_its_optimum_where_it_was_placed() -> None:
    from shapeplan.design.sovit_protocol import OPTIMAL_FLOPS, OPTIMAL_SHAPE, paper_architecture

    law, cost = rehearsal_law(), paper_architecture()

    def loss(**shape: float) -> float:
        return float(law.loss(**shape, examples=OPTIMAL_FLOPS / cost.flops_per_example(shape)))

    best = loss(**OPTIMAL_SHAPE)
    assert best == pytest.approx(0.224335665, abs=1e-8)
    for dim in DIMS:
        for factor in (0.99, 1.01):
            assert loss(**{**OPTIMAL_SHAPE, dim: OPTIMAL_SHAPE[dim] * factor}) > best
