"""Simulated truths: random constants for every law, with the best shape among those of the paper's sweep."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from shapeplan.design.simulate import simulate
from shapeplan.design.sovit_protocol import CENTER, paper_architecture, paper_design
from shapeplan.laws import FORMS, OUTER, Law
from shapeplan.optimum.cost_model import CostModel
from shapeplan.runs import Runs
from shapeplan.sweeps.dimensions import Dimensions
from shapeplan.workers.executor import Executor

DIMS = ("width", "depth", "mlp_dim")
MIDDLE = {"width": 900.0, "depth": 14.0, "mlp_dim": 1500.0}
"""Where the best shape lies, up to a jitter, at `MIDDLE_FLOPS`."""
MIDDLE_FLOPS = 6e19
STAR_ROWS = 57
"""Rows of the paper's design before its grid."""
SURROUNDINGS = CostModel(Dimensions(DIMS, {}, {}), paper_architecture(), "forward")


def world(name: str, seed: int) -> Law:
    """Return a law of that name with random constants."""
    plain = FORMS[name].plain
    return _raised(name, world(plain, seed), seed) if plain else _plain(name, seed)


def _raised(name: str, inside: Law, seed: int) -> Law:
    """Return a law with an outer power whose best shape, and loss there, are those of the law inside."""
    power = float(np.exp(np.random.default_rng((seed, 1)).uniform(np.log(0.4), np.log(2.5))))
    floor = inside.constants["eps"]
    total = sum(inside.constants[name] for name in inside.form.coefficients) - floor
    constants = {name: inside.constants[name] / power for name in inside.form.exponents}
    constants |= {name: inside.constants[name] * total ** (1 / power - 1) for name in inside.form.coefficients}
    return Law(FORMS[name].over(inside.form.dims), {**constants, "eps": floor, OUTER: power}, inside.units)


def _plain(name: str, seed: int) -> Law:
    rng = np.random.default_rng(seed)
    examples = MIDDLE_FLOPS / float(paper_architecture().flops_per_example(MIDDLE))
    params = float(paper_architecture().params(MIDDLE))
    a = {dim: rng.uniform(0.6, 1.5) for dim in DIMS}
    b = {dim: rng.uniform(0.4, 1.1) for dim in DIMS}
    jitter = {dim: float(np.exp(0.15 * rng.standard_normal())) for dim in DIMS}
    c, floor = rng.uniform(0.3, 0.6), rng.uniform(0.08, 0.15)
    beta, xi = rng.uniform(0.02, 0.04), rng.uniform(0.005, 0.02)
    cost = {dim: _elasticity(dim) for dim in DIMS}
    constants: dict[str, float] = {"c": c, "eps": floor}
    if name == "additive":
        share = {dim: beta * rng.uniform(0.3, 0.6) for dim in DIMS}
        alpha = {dim: share[dim] * b[dim] / a[dim] for dim in DIMS}
        constants |= {f"b_{dim}": b[dim] for dim in DIMS} | {f"beta_{dim}": share[dim] for dim in DIMS} | {"xi": xi}
    elif name == "product":
        alpha = {dim: beta * b[dim] / a[dim] for dim in DIMS}
        constants |= {f"b_{dim}": b[dim] for dim in DIMS} | {"beta": beta, "xi": xi}
    elif name == "interaction":
        b = {dim: value / 3 for dim, value in b.items()}
        alpha = {dim: (beta * (b[dim] + c * cost[dim]) + xi * c * cost[dim]) / a[dim] for dim in DIMS}
        constants |= {f"b_{dim}": b[dim] for dim in DIMS} | {"beta": beta, "xi": xi}
    elif name == "separable":
        alpha = {dim: 2 * beta * c * cost[dim] / a[dim] for dim in DIMS}
        constants |= {"beta": 2 * beta}
    else:
        size = rng.uniform(0.3, 0.6)
        units = {"params": params, "examples": examples}
        return Law(
            FORMS[name].over(()), {"c": c, "eps": floor, "a": size, "alpha": beta, "beta": beta * size / c}, units
        )
    constants |= {f"a_{dim}": a[dim] for dim in DIMS} | {f"alpha_{dim}": alpha[dim] * jitter[dim] for dim in DIMS}
    units = {**MIDDLE, "flops": MIDDLE_FLOPS, "examples": examples}
    form = FORMS[name].over(DIMS)
    return Law(form, constants, {variable: units[variable] for variable in form.variables})


def sweep(law: Law, design: str, noise: float, seed: int) -> Runs:
    """Return the paper's star, or its star and grid, under a law.

    In a ``star of runs`` the three durations of a shape are points of one run, which have the noise in common and a
    third of it each.
    """
    plan, run_noise = paper_design(), 0.0
    if "of runs" in design:
        plan, noise, run_noise = one_run_a_shape(plan), noise / 3, noise
    runs = simulate(law, plan, noise=noise, run_noise=run_noise, seed=seed)
    return runs if design.endswith("+grid") else runs.take(np.arange(len(runs)) < STAR_ROWS)


def one_run_a_shape(design: Runs) -> Runs:
    """Return the design with all rows of a shape as points of one run."""
    _, run = np.unique(design.shape, axis=0, return_inverse=True)
    names = tuple(map(str, range(int(run.max()) + 1)))
    return replace(design, run=run.ravel(), run_names=names)


def in_parallel(function: Callable[..., object], arguments: Iterable[tuple[object, ...]]) -> list[object]:
    """Return the results in order, by as many processes as there are cores."""
    return list(Executor(os.cpu_count() or 1).map(_call, [(function, given) for given in arguments]))


def _call(task: tuple[Callable[..., object], tuple[object, ...]]) -> object:
    function, given = task
    return function(*given)


def _elasticity(dim: str) -> float:
    cost, step = paper_architecture(), 1.001
    above, below = ({**MIDDLE, dim: MIDDLE[dim] * factor} for factor in (step, 1 / step))
    return float(np.log(cost.flops_per_example(above) / cost.flops_per_example(below)) / (2 * np.log(step)))


__all__ = ["CENTER", "DIMS", "SURROUNDINGS", "in_parallel", "sweep", "world"]
