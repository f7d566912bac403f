from __future__ import annotations

import numpy as np
import pytest
from conftest import SAMPLES, additive_law, sweep
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares, nnls

from shapeplan.fitting.problem import Problem, solve
from shapeplan.fitting.solver import Block, descend, search
from shapeplan.fitting.solver.definite import solve_definite
from shapeplan.fitting.star import solve_star
from shapeplan.numerics.box_qp import solve_box_qp, solve_nnls
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs
from shapeplan.sweeps.star import find_star

DIMS = ("width", "depth", "mlp_dim")


def raised_block(seed: int, rows: int = 40) -> Block:
    """Return a block of two columns inside an outer power and a floor, with exact observations."""
    rng = np.random.default_rng(seed)
    logs = np.zeros((rows, 3, 3))
    logs[:, 0, 0], logs[:, 1, 1] = -rng.uniform(-2, 2, rows), -rng.uniform(-2, 2, rows)
    theta, coefficients = rng.uniform(0.3, 0.9, 3), rng.uniform(0.2, 0.6, 3)
    theta[2] = np.exp(rng.uniform(-1, 1))
    block = Block(logs, np.ones(rows), np.ones(rows), inside=2)
    exact = block.predicted(theta[None], block.columns(theta[None]), coefficients[None])[0]
    return Block(logs, exact, np.ones(rows), inside=2)


@given(st.integers(0, 1000))
def test_derivatives_under_an_outer_power_are_those_of_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    block = raised_block(seed)
    place = rng.uniform(0.3, 1.2, 6)
    weights = rng.standard_normal((1, block.rows))
    used = np.arange(3)

    def predicted(at: np.ndarray) -> np.ndarray:
        return block.predicted(at[None, :3], block.columns(at[None, :3]), at[None, 3:])[0]

    def slopes(at: np.ndarray) -> np.ndarray:
        return block.at(at[None, :3], block.columns(at[None, :3]), at[None, 3:], used).jacobian[0].T

    here = block.at(place[None, :3], block.columns(place[None, :3]), place[None, 3:], used)
    np.testing.assert_allclose(here.predicted[0], predicted(place), rtol=1e-12)
    second = here.second_derivatives(weights)[0]
    for i in range(6):
        step = 1e-6 * np.eye(6)[i]
        by_difference = (predicted(place + step) - predicted(place - step)) / 2e-6
        np.testing.assert_allclose(here.jacobian[0][i], by_difference, rtol=1e-6, atol=1e-7)
        bend = weights[0] @ (slopes(place + step) - slopes(place - step)) / 2e-6
        np.testing.assert_allclose(second[i], bend, rtol=1e-5, atol=1e-5)


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_a_planted_outer_power_is_found(seed: int) -> None:
    block = raised_block(seed)
    lower, upper = np.array([0.02, 0.02, 0.1]), np.array([4.0, 4.0, 10.0])
    found = search([block], lower, upper).best
    assert found.objective[0] < 1e-12
    predicted = block.predicted(found.exponents, block.columns(found.exponents), found.coefficients[0])
    np.testing.assert_allclose(predicted[0], block.observed, rtol=1e-5)


@given(st.integers(0, 10_000), st.integers(2, 8), st.integers(1, 6))
def test_batched_nnls_agrees_with_scipy(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    matrices = rng.standard_normal((5, rows + columns, columns)) + 0.5
    targets = rng.standard_normal((5, rows + columns))
    found = solve_nnls(np.einsum("bni,bnj->bij", matrices, matrices), np.einsum("bni,bn->bi", matrices, targets))
    for matrix, target, solution in zip(matrices, targets, found, strict=True):
        expected, _ = nnls(matrix, target)
        np.testing.assert_allclose(solution, expected, atol=1e-8 * max(1.0, float(np.abs(expected).max())))


@given(st.integers(0, 10_000), st.integers(1, 7))
def test_box_programs_meet_their_optimality_conditions(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((4, size + 2, size))
    hessian = root.transpose(0, 2, 1) @ root
    gradient = rng.standard_normal((4, size))
    lower, upper = -rng.random((4, size)), rng.random((4, size))
    found = solve_box_qp(hessian, gradient, lower, upper)
    force = (hessian @ found[..., None])[..., 0] + gradient
    inside = (found > lower + 1e-12) & (found < upper - 1e-12)
    assert np.all(found >= lower - 1e-12)
    assert np.all(found <= upper + 1e-12)
    assert np.all(np.abs(force[inside]) < 1e-7)
    assert np.all(force[found <= lower + 1e-12] > -1e-7)
    assert np.all(force[found >= upper - 1e-12] < 1e-7)


def test_dependent_and_empty_columns_are_left_out_without_harm() -> None:
    column = np.array([1.0, 2.0, 3.0])
    matrix = np.column_stack([column, column, np.zeros(3)])
    solution = solve_nnls((matrix.T @ matrix)[None], (matrix.T @ column)[None])[0]
    assert solution[2] == 0
    np.testing.assert_allclose(matrix @ solution, column, rtol=1e-6)


def test_systems_that_are_definite_are_solved_and_others_named() -> None:
    sound, indefinite = [[4.0, 1.0], [1.0, 3.0]], [[1.0, 2.0], [2.0, 1.0]]
    matrices = np.array([sound, indefinite, [[np.inf, 0.0], [0.0, 1.0]], [[np.nan, 0.0], [0.0, 1.0]], sound])
    right = np.arange(10.0).reshape(5, 2)
    solutions, definite = solve_definite(matrices, right)
    assert definite.tolist() == [True, False, False, False, True]
    expected = np.linalg.solve(matrices[definite], right[definite][..., None])[..., 0]
    np.testing.assert_allclose(solutions[definite], expected, rtol=1e-14)


def star_problem(runs: Runs) -> Problem:
    return solve_star(runs, find_star(runs, DIMS)).problem


def random_starts(problem: Problem, count: int, seed: int) -> np.ndarray:
    lower, upper = problem.bounds
    draws = np.random.default_rng(seed).uniform(np.log(lower), np.log(upper), (count, len(lower)))
    return np.exp(draws)


@pytest.mark.parametrize(
    "seed", ["sample", *range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 20))]
)
def test_the_search_is_global(seed: int | str) -> None:
    """No random start of 200 ends below the search, on sample_runs and on noisy sweeps of two kinds of truth."""
    if isinstance(seed, str):
        runs, seed = read_runs(SAMPLES / "vit_sweep.csv"), 0
    else:
        runs = sweep(0.003 if seed % 2 else 0.01, seed, additive_law() if seed % 4 < 2 else None)
    problem = star_problem(runs)
    found = search(problem.blocks, *problem.bounds).best
    others = descend(problem.blocks, random_starts(problem, 200, seed), *problem.bounds)
    assert found.converged.all()
    assert found.objective[0] == pytest.approx(others.objective.min(), rel=1e-8)


def test_the_polish_agrees_with_an_independent_optimizer() -> None:
    """SciPy's trust-region least squares over exponents and coefficients together never ends lower."""
    problem = star_problem(sweep(0.003, 3))
    found = solve(problem).best
    lower, upper = problem.bounds
    sizes = [block.log_columns.shape[1] for block in problem.blocks]
    cuts = np.cumsum([len(lower), *sizes])[:-1]

    def residuals(point: np.ndarray) -> np.ndarray:
        exponents, *coefficients = np.split(point, cuts)
        return np.concatenate(
            [
                np.exp(block.log_columns @ exponents) @ part / block.observed - 1
                for block, part in zip(problem.blocks, coefficients, strict=True)
            ]
        )

    low = np.concatenate([lower, np.zeros(sum(sizes))])
    high = np.concatenate([upper, np.full(sum(sizes), np.inf)])
    rng = np.random.default_rng(0)
    best = np.inf
    starts = [np.concatenate([found.exponents[0], *(part[0] for part in found.coefficients)])]
    starts += [np.concatenate([start, rng.random(sum(sizes))]) for start in random_starts(problem, 5, 0)]
    for start in starts:
        inside = np.clip(start, low + 1e-9, np.minimum(high, 1e6) - 1e-9)
        tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": 2000}
        best = min(best, 2 * least_squares(residuals, inside, bounds=(low, high), **tight).cost)
    assert found.objective[0] <= best * (1 + 1e-8)
    assert found.objective[0] == pytest.approx(best, rel=1e-3)


def test_a_shared_exponent_ties_blocks_together() -> None:
    x = np.geomspace(0.1, 10, 12)
    columns = np.zeros((12, 1, 1))
    columns[:, 0, 0] = -np.log(x)
    blocks = [Block(columns, 3 * x**-0.4, np.ones(12)), Block(columns, 5 * x**-0.6, np.ones(12))]
    both = search(blocks, np.array([0.02]), np.array([2.0])).best
    alone = [search([block], np.array([0.02]), np.array([2.0])).best for block in blocks]
    assert [float(one.exponents[0, 0]) for one in alone] == pytest.approx([0.4, 0.6], rel=1e-9)
    assert 0.4 < both.exponents[0, 0] < 0.6


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_a_batch_of_polishes_is_the_polishes_one_by_one(seed: int) -> None:
    problem = star_problem_cached()
    starts = random_starts(problem, 3, seed)
    together = descend(problem.blocks, starts, *problem.bounds)
    for i, start in enumerate(starts):
        alone = descend(problem.blocks, start[None], *problem.bounds)
        assert together.objective[i] == pytest.approx(alone.objective[0], rel=1e-9)


_CACHE: dict[str, Problem] = {}


def star_problem_cached() -> Problem:
    if not _CACHE:
        _CACHE["problem"] = star_problem(sweep(0.003, 0))
    return _CACHE["problem"]
