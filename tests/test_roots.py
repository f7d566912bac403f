from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.numerics.arrays import Floats, Index
from shapeplan.numerics.differences import derivatives, stencil
from shapeplan.numerics.roots import roots


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=8), st.floats(0.2, 9.0))
def test_roots_of_powers_are_found_together(places: list[float], power: float) -> None:
    wanted = np.array(places)

    def function(place: Floats, which: Index) -> Floats:
        return place**power - wanted[which] ** power

    low, high, every = np.zeros_like(wanted), np.ones_like(wanted), np.arange(len(wanted))
    found = roots(function, low, high, function(low, every), function(high, every), width=1e-12, residual=0.0)
    assert found == pytest.approx(wanted, rel=1e-9)
    assert (function(found, every) >= -1e-15).all(), "an answer reaches zero"


@pytest.mark.parametrize("power", [0.3, 1.0, 2.0, 5.0])
def test_the_end_that_moved_last_is_trusted_so_that_smooth_functions_take_few_steps(power: float) -> None:
    """Halving a bracket to 1e-12 would take 40 evaluations; near the root steps are superlinear."""
    taken = 0

    def function(place: Floats, which: Index) -> Floats:
        nonlocal taken
        taken += 1
        return place**power - 0.4**power

    one = np.ones(1)
    found = roots(
        function,
        0.01 * one,
        3 * one,
        function(0.01 * one, np.arange(1)),
        function(3 * one, np.arange(1)),
        width=1e-12,
        residual=1e-13,
    )
    assert found == pytest.approx([0.4], rel=1e-11)
    assert taken <= 25


def test_a_step_and_an_undefined_side_are_closed_in_on() -> None:
    def step(place: Floats, which: Index) -> Floats:
        return np.where(place > 0.3, np.inf, -1.0)

    one = np.ones(1)
    found = roots(step, 0 * one, one, -one, np.inf * one, width=1e-9, residual=1e-9)
    assert found == pytest.approx([0.3], rel=1e-8)


def test_functions_that_are_not_bracketed_keep_their_upper_end_and_cost_nothing() -> None:
    def never(place: Floats, which: Index) -> Floats:
        raise AssertionError

    signs = np.array([1.0, -1.0])
    assert roots(never, np.zeros(2), np.ones(2), signs, signs, width=1e-9, residual=0.0).tolist() == [1.0, 1.0]


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_derivatives_of_a_quadratic_are_exact(dims: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    half, slope, step = rng.normal(size=(dims, dims)), rng.normal(size=dims), 1e-2
    hessian = half + half.T
    places = stencil(dims, step)
    values = 3.0 + places @ slope + np.einsum("ni,ij,nj->n", places, hessian, places) / 2
    value, gradient, found = derivatives(values[:, None], dims, step)
    assert value == pytest.approx([3.0])
    assert gradient[0] == pytest.approx(slope, abs=1e-9)
    assert found[0] == pytest.approx(hessian, abs=1e-8)
