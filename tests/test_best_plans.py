"""What must hold of every plan, on random laws: never beaten, never above the budget, ever better with more."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from changed import changed
from conftest import fit, sweep
from studies.worlds import DIMS, SURROUNDINGS, world

from shapeplan.fitting.result import Fit
from shapeplan.laws import Law
from shapeplan.numerics.arrays import Floats
from shapeplan.optimum.best_shape import best_shape
from shapeplan.optimum.cost_model import NO_LIMITS, Limits
from shapeplan.planning.recommend import recommend

NAMES = ("additive", "product", "interaction", "separable", "chinchilla")
BOX = {"width": (84.0, 9840.0), "depth": (1.2, 200.0), "mlp_dim": (150.0, 30000.0)}
LIMITS = (
    Limits(params=1e8),
    Limits(flops_per_example=4e10),
    Limits(examples=3e9),
    Limits(examples=3e9, epochs=4),
    Limits(examples=3e9, epochs=100),
    Limits(served=1e11),
    Limits(params=2e8, flops_per_example=9e10, served=1e10),
    Limits(params=1e9, examples=3e9),
)


@cache
def _template() -> Fit:
    return fit(sweep(), law="separable", replicates=0)


def fit_of(law: Law) -> Fit:
    """Return a fit whose law is the given one, on the paper's protocol."""
    return changed(_template(), law=replace(law, derive=SURROUNDINGS.variables), growth_exponents={})


def best(law: Law, flops: float, limits: Limits = NO_LIMITS) -> dict[str, Floats]:
    constants = {name: np.asarray([value]) for name, value in law.constants.items()}
    return best_shape(law.form, law.units, constants, flops, SURROUNDINGS, BOX, limits)


def losses(law: Law, shape: dict[str, Floats], flops: float, limits: Limits = NO_LIMITS) -> Floats:
    """Return the loss of shapes, infinite where they break a limit: the limits once more, in the plainest words."""
    forward = SURROUNDINGS.flops_per_example(shape) / SURROUNDINGS.flops_per_forward
    each = forward if SURROUNDINGS.convention == "forward" else 3 * forward
    training = np.minimum(flops - limits.served * each / 3, limits.examples * limits.epochs * each)
    if limits.epochs > 1:
        repeats = np.maximum(training / each / limits.examples - 1, 0)
        fresh = limits.examples * (1 + 15.387756 * (1 - np.exp(-repeats / 15.387756)))
        training = np.minimum(training, fresh * each)
    kept = (training > 0) & (forward <= limits.flops_per_example)
    kept &= np.asarray(SURROUNDINGS.params(shape)) <= limits.params
    safe = np.where(training > 0, training, 1.0)
    loss = law.loss(**SURROUNDINGS.variables(law.form, shape, safe))
    return np.where(kept, loss, np.inf)


def lattice(points: int, around: dict[str, float] | None = None, reach: float = 0.1) -> dict[str, Floats]:
    ends = (
        BOX
        if around is None
        else {
            dim: (max(BOX[dim][0], size * (1 - reach)), min(BOX[dim][1], size * (1 + reach)))
            for dim, size in around.items()
        }
    )
    axes = [np.geomspace(*ends[dim], points) for dim in DIMS]
    return {dim: values.ravel() for dim, values in zip(DIMS, np.meshgrid(*axes, indexing="ij"), strict=True)}


def searched(law: Law, flops: float, limits: Limits = NO_LIMITS) -> float:
    """Return the least loss of a lattice over the whole box, refined around its best."""
    places, least = lattice(24), np.inf
    for reach in (0.2, 0.04, 0.008):
        found = losses(law, places, flops, limits)
        here = int(np.argmin(found))
        least = min(least, float(found[here]))
        places = lattice(15, {dim: float(values[here]) for dim, values in places.items()}, reach)
    return min(least, float(losses(law, places, flops, limits).min()))


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("name", NAMES[:-1])
def test_no_lattice_finds_a_better_shape(name: str, seed: int) -> None:
    """100 random laws, at 3e19 to 3e24 FLOPs."""
    law, flops = world(name, seed), 3e19 * 10 ** (seed % 6)
    found = best(law, flops)
    assert float(losses(law, found, flops)[0]) <= searched(law, flops) * (1 + 1e-6)


@pytest.mark.parametrize("limits", LIMITS, ids=str)
@pytest.mark.parametrize("name", NAMES[:-1])
def test_no_lattice_finds_a_better_shape_within_limits(name: str, limits: Limits) -> None:
    for seed in range(2):
        law = world(name, seed)
        found = best(law, 1e22, limits)
        mine = {dim: values * (1 - 1e-9) for dim, values in found.items()}
        here = float(losses(law, mine, 1e22, replace(limits, examples=limits.examples * (1 + 1e-9)))[0])
        assert here <= searched(law, 1e22, limits) * (1 + 1e-6)


def test_limits_that_no_shape_keeps_have_no_answer() -> None:
    law = world("separable", 0)
    for limits in (Limits(params=1e3), Limits(flops_per_example=1e3), Limits(served=1e20)):
        assert all(np.isnan(values).all() for values in best(law, 1e22, limits).values())


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_keeps_its_budget_and_gains_by_it(name: str) -> None:
    budgets = np.geomspace(1e19, 1e25, 25)
    for seed in range(4):
        found = fit_of(world(name, seed))
        plans = recommend(found, list(budgets)).budgets
        told = [plan.loss.value for plan in plans if plan.loss]
        assert all(np.diff(told) < 0)
        assert len(told) == len(budgets)
        for plan, flops in zip(plans, budgets, strict=True):
            assert plan.achieved_flops is not None
            assert plan.achieved_flops <= flops
            assert plan.regret_of_rounding is not None
            assert plan.regret_of_rounding <= 0.002


@pytest.mark.parametrize("name", NAMES[:-1])
def test_best_shapes_grow_with_the_budget(name: str) -> None:
    for seed in range(4):
        plans = recommend(fit_of(world(name, seed)), list(np.geomspace(1e18, 1e24, 13))).budgets
        for dim, (low, high) in fit_of(world(name, seed)).bounds.items():
            sizes = np.array([plan.shape[dim] for plan in plans])
            inside = (sizes[:-1] > low * 1.001) & (sizes[1:] < high * 0.999)
            assert (np.diff(sizes)[inside] > 0).all()


def test_a_law_that_knows_no_shape_grows_all_dimensions_and_says_so() -> None:
    found = fit_of(world("chinchilla", 0))
    small, large = recommend(found, [1e21, 1e23]).budgets
    assert all(large.shape[dim] > 1.2 * small.shape[dim] for dim in DIMS)
    assert "no-shape-law" in [caution.code for caution in small.cautions]
    a, c = found.law.constants["a"], found.law.constants["c"]
    params = [float(SURROUNDINGS.params({dim: np.asarray(plan.shape[dim]) for dim in DIMS})) for plan in (small, large)]
    assert np.log10(params[1] / params[0]) / 2 == pytest.approx(c / (a + c), rel=0.1), "N ~ t^(c / (a + c))"


@pytest.mark.parametrize("name", ["chinchilla", "kaplan"])
def test_limits_leave_the_shape_of_a_law_of_parameters_where_it_was(name: str) -> None:
    found = fit_of(world(name, 0))
    plain = recommend(found, 1e21).budgets[0]
    assert plain.params is not None
    assert recommend(found, 1e21, max_params=100 * plain.params).budgets[0].rounded == plain.rounded
    for limits in ({"max_params": plain.params / 3}, {"inference_examples": 1e9}):
        limited = recommend(found, 1e21, **limits).budgets[0]
        for dim in DIMS:
            assert limited.rounded[dim] / limited.shape[dim] == pytest.approx(1, abs=0.35), (limits, dim)
