"""Intervals of s_k from the likelihood: where they end, and what they say of a log that does not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from conftest import additive_law, fit_star, sweep
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares, nnls

from shapeplan.fitting.solver import Block, descend
from shapeplan.fitting.star import StarSolution, solve_star
from shapeplan.fitting.uncertainty.bootstrap import bootstrap
from shapeplan.fitting.uncertainty.profile_likelihood import ExponentIntervals, crossings, exponent_intervals
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.laws.trade import held_alone
from shapeplan.numerics.arrays import Floats, Index
from shapeplan.sweeps.star import find_star

DIMS = ("width", "depth", "mlp_dim")


def solution(noise: float, seed: int) -> StarSolution:
    """Return Eq. 2 fitted to a simulated star, of which it is true."""
    runs = sweep(noise, seed, additive_law())
    return solve_star(runs, find_star(runs, runs.dims))


def scatter_of(star: StarSolution) -> ResidualModel:
    """Return the scatter of a star whose rows are runs."""
    residuals = star.problem.residuals(star.found.best)
    return ResidualModel.of(residuals, np.arange(len(residuals)), star.problem.tangent(star.found.best))


def intervals_of(
    star: StarSolution, scatter: ResidualModel | None = None, level: float = 0.9, seed: int = 0
) -> Mapping[str, tuple[float, float]]:
    """Return the intervals of s_k from 99 replicates."""
    return told_of(star, scatter or scatter_of(star), level, seed).by_dim


def told_of(star: StarSolution, scatter: ResidualModel, level: float = 0.9, seed: int = 0) -> ExponentIntervals:
    """Return what 99 replicates tell of s_k."""
    refits = bootstrap(star.problem, star.found, scatter, replicates=99, seed=seed, level=level, keep=99)
    return exponent_intervals(star.problem, star.found, scatter, refits, level=level)


def least_with(star: StarSolution, dim: str, s: float) -> float:
    """Return the least sum of squares with s_k held, by another optimizer over the exponents."""
    problem = star.problem
    names, (lower, upper) = problem.form.exponents, problem.bounds
    a, b, c = (names.index(name) for name in (f"a_{dim}", f"b_{dim}", "c"))

    def residuals(theta: Floats) -> Floats:
        full = theta.copy()
        full[c] = s * (theta[a] + theta[b])
        parts = []
        for block in problem.blocks:
            columns = block.columns(full[None])[0].T / block.observed[:, None]
            coefficients, _ = nnls(columns, np.ones(block.rows))
            parts.append(columns @ coefficients - 1)
        return np.concatenate(parts)

    best = np.inf
    for optimum in star.found.optima[:8]:
        start = optimum.copy()
        start[[a, b]] *= optimum[c] / (s * (optimum[a] + optimum[b]))
        inside = np.clip(start, lower * (1 + 1e-9), upper * (1 - 1e-9))
        best = min(best, 2 * least_squares(residuals, inside, bounds=(lower, upper), xtol=1e-12, ftol=1e-12).cost)
    return best


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.study)])
def test_all_ends_fit_equally_worse(seed: int) -> None:
    """Another optimizer finds one ratio of objectives that is reached at every end, to 5% of the interval."""
    star = solution(0.003, seed)
    intervals = intervals_of(star)
    least = float(star.found.best.objective[0])
    constants = {name: value[0] for name, value in star.problem.constants(star.found.best).items()}
    within, beyond = [], []
    for dim, ends in intervals.items():
        estimate = constants["c"] / (constants[f"a_{dim}"] + constants[f"b_{dim}"])
        for end in ends:
            inner, outer = (estimate * (end / estimate) ** distance for distance in (0.95, 1.05))
            within.append(least_with(star, dim, inner) / least - 1)
            beyond.append(least_with(star, dim, outer) / least - 1)
    assert max(within) < min(beyond)
    assert 1 < min(beyond) * scatter_of(star).freedom < 6, "about the 2.8 of the F test"


def test_an_exact_log_has_intervals_of_no_width() -> None:
    star = solution(0.0, 0)
    intervals = intervals_of(star)
    for low, high in intervals.values():
        assert low == pytest.approx(high, rel=1e-6)


@pytest.mark.long
def test_an_exact_log_without_a_trade_off_has_no_interval() -> None:
    law = additive_law()
    flat = {name: 0.0 if name.startswith(("beta", "xi")) else value for name, value in law.constants.items()}
    found = fit_star(sweep(0.0, 0, replace(law, constants=flat)), replicates=20)
    undefined = [s for s in found.scaling_exponents.values() if np.isnan(s.value)]
    assert undefined
    assert all(s.ci is None for s in undefined)


def test_no_replicates_no_intervals() -> None:
    found = fit_star(sweep(0.003), replicates=0)
    assert all(s.ci is None for s in found.scaling_exponents.values())


@pytest.mark.long
def test_they_grow_with_the_level_and_follow_the_seed() -> None:
    star = solution(0.003, 2)

    def intervals(level: float, seed: int = 0) -> dict[str, tuple[float, float]]:
        return intervals_of(star, level=level, seed=seed)

    found = {level: intervals(level) for level in (0.5, 0.9, 0.98)}
    for dim in DIMS:
        half, most, nearly_all = (one[dim] for one in found.values())
        assert nearly_all[0] < most[0] < half[0] < half[1] < most[1] < nearly_all[1]
    other = intervals(0.9, seed=1)
    assert intervals(0.9) == found[0.9]
    assert other != found[0.9]
    assert other["width"] == pytest.approx(found[0.9]["width"], rel=0.3)


def test_the_unit_of_the_metric_does_not_matter() -> None:
    runs = sweep(0.003)
    one = fit_star(runs, replicates=99)
    other = fit_star(replace(runs, loss=runs.loss * 1e4), replicates=99)
    for dim in DIMS:
        assert one.scaling_exponents[dim].ci == pytest.approx(other.scaling_exponents[dim].ci, rel=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("seed", [2, pytest.param(5, marks=pytest.mark.study)])
def test_the_huber_objective_has_intervals_of_about_the_same_size(seed: int) -> None:
    runs = sweep(0.003, seed)
    square, huber = (fit_star(runs, replicates=99, objective=name) for name in ("relative", "log-huber"))
    for dim in DIMS:
        mine, other = square.scaling_exponents[dim], huber.scaling_exponents[dim]
        assert mine.ci is not None
        assert other.ci is not None
        assert other.ci[0] < other.value < other.ci[1]
        assert 1 / 2.5 < np.log(other.ci[1] / other.ci[0]) / np.log(mine.ci[1] / mine.ci[0]) < 2.5


@pytest.mark.long
def test_few_runs_of_many_points_are_less_sure_than_the_ratio_knows() -> None:
    """Few degrees of freedom widen intervals, more so where it is the part that rows of a run share which has few."""
    star = solution(0.003, 1)
    residual_model = scatter_of(star)

    def width(residual_model: ResidualModel) -> float:
        found = intervals_of(star, residual_model)
        return float(np.log(found["width"][1] / found["width"][0]))

    few, shared = replace(residual_model, freedom=4.0), replace(residual_model, common=0.9)
    alone = width(few) / width(residual_model)
    assert 1 < alone < 1.2
    assert width(replace(few, common=0.9)) > 1.05 * alone * width(shared)
    of_runs = replace(shared, run=residual_model.run // 3)
    assert width(of_runs) > 1.3 * width(shared)
    assert told_of(star, residual_model).wider < 1.1 < told_of(star, replace(of_runs, freedom=4.0)).wider


def test_c_stays_within_its_bounds() -> None:
    """A truth with c below the search puts c at its bound: s could be anything, rather than what a lower c allows."""
    law = additive_law()
    found = fit_star(sweep(0.001, 0, replace(law, constants={**law.constants, "c": 0.015})), replicates=99)
    assert found.parameters["c"].value == pytest.approx(0.02)
    for s in found.scaling_exponents.values():
        assert s.ci is not None
        assert s.ci[0] <= s.value <= s.ci[1]
    assert "at-bound" in {caution.code for caution in found.cautions}


def test_crossings_of_plain_functions() -> None:
    slopes = np.array([1.0, 0.02, 50.0, 1e-3])
    calls = []

    def rise(distance: Floats, which: Index) -> Floats:
        calls.append(distance)
        return slopes[which] * distance

    found = crossings(rise, np.full(4, 5.0), 0.05)
    assert found[:3] == pytest.approx([0.05, 2.5, 0.001], rel=0.05)
    assert found[3] == 5.0, "never reached"
    assert len(calls) <= 16
    assert max(np.max(distance) for distance in calls) <= 5.0
    stepped = crossings(lambda distance, _: np.where(distance > 2, np.inf, 0.1 * distance), np.array([5.0]), 0.5)
    assert stepped == pytest.approx([2.0], rel=0.05)


@pytest.mark.long
def test_an_arm_without_a_trade_off_ends_where_the_search_does() -> None:
    """If larger is always better, beta is zero: any b fits, and so does any s that a and c leave."""
    runs = sweep(0.001)
    star = find_star(runs, runs.dims)
    loss = runs.observed().copy()
    rows = star.arms["mlp_dim"]
    fades = 0.1 * (runs.flops[rows] / 1e20) ** -0.35
    luck = np.exp(0.001 * np.random.default_rng(0).standard_normal(len(rows)))
    loss[rows] = (0.1 + 0.2 * (runs.values("mlp_dim")[rows] / 2000) ** -0.5 + fades) * luck
    found = fit_star(replace(runs, loss=loss), replicates=99)
    ci = found.scaling_exponents["mlp_dim"].ci
    assert ci is not None
    assert ci[1] / ci[0] > 5
    assert "unidentified" in {caution.code for caution in found.cautions}


@given(st.lists(st.floats(0.02, 4.0), min_size=7, max_size=7), st.sampled_from(DIMS), st.floats(0.01, 2.0))
def test_holding_s_moves_c_alone(theta: list[float], dim: str, s: float) -> None:
    names = (*(f"a_{one}" for one in DIMS), *(f"b_{one}" for one in DIMS), "c")
    held = dict(zip(names, held_alone(names, dim, s) @ np.array(theta), strict=True))
    given_ = dict(zip(names, theta, strict=True))
    assert held.pop("c") == pytest.approx(s * (given_[f"a_{dim}"] + given_[f"b_{dim}"]))
    given_.pop("c")
    assert held == given_


@pytest.mark.long
@given(st.integers(0, 1000))
def test_a_block_with_maps_is_the_block_with_its_columns_replaced(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, t = np.exp(rng.uniform(-2, 2, (2, 20)))
    columns = np.zeros((20, 3, 3))
    columns[:, 0, 0], columns[:, 1, 1], columns[:, 1, 2] = -np.log(x), np.log(x), -np.log(t)
    observed = (x**-0.5 + 0.3 * x**0.4 * t**-0.3 + 0.2) * np.exp(0.01 * rng.standard_normal(20))
    maps = np.array([[1.0, 0, 0], [0, 1, 0], [0.4, 0.4, 0]])
    block = Block(columns, observed, np.ones(20), maps)
    plain = Block(columns @ maps, observed, np.ones(20))
    np.testing.assert_array_equal(block.uses, plain.uses)
    starts = rng.uniform(0.1, 1.0, (3, 3))
    bounds = np.full(3, 0.02), np.full(3, 4.0)
    one, other = descend([block], starts, *bounds), descend([plain], starts, *bounds)
    np.testing.assert_allclose(one.objective, other.objective, rtol=1e-9)
    one_map_a_start = replace(block, maps=np.repeat(maps[None], 3, axis=0))
    np.testing.assert_allclose(descend([one_map_a_start], starts, *bounds).objective, one.objective, rtol=1e-9)
