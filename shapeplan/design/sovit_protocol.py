"""The paper's protocol as a design, and the simulated world in which sample_runs rehearses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shapeplan.architectures import Architecture, architecture
from shapeplan.design.grid import design_grid
from shapeplan.design.layout import joined
from shapeplan.design.star import design_star
from shapeplan.laws import Law, Separable
from shapeplan.runs import Runs

CENTER = {"width": 1968, "depth": 40, "mlp_dim": 6144}
ARMS: dict[str, tuple[int, ...]] = {
    "width": (608, 768, 928, 1088, 1328, 1648),
    "depth": (8, 10, 12, 16, 20, 24),
    "mlp_dim": (1088, 1360, 1728, 2160, 2592, 3072),
}
GRID: dict[str, tuple[int, ...]] = {
    "width": (416, 512, 608, 768),
    "depth": (6, 8, 10, 12),
    "mlp_dim": (768, 928, 1088, 1360),
}
STAR_EXAMPLES = (64_000_000, 128_000_000, 256_000_000)
"""500K, 1M and 2M steps at batch 128."""
GRID_EXAMPLES = 600_000_000

TRUE_EXPONENTS = {"a_width": 2.8, "a_depth": 1.4, "a_mlp_dim": 1.05, "c": 0.35}
TRUE_FLOOR = 0.10
TRUE_DATA_TERM = 0.08
"""B n^-c at the optimum for `OPTIMAL_FLOPS`."""
OPTIMAL_SHAPE = {"width": 608.0, "depth": 10.0, "mlp_dim": 928.0}
OPTIMAL_FLOPS = 3.5e18


def paper_architecture() -> Architecture:
    """Return ViT/14 at 224 px with 16 heads and MAP pooling, as in the paper."""
    return architecture({"family": "vit", "patch": 14, "image": 224, "heads": 16, "pool": "map"})


def paper_design() -> Runs:
    """Return the design of arXiv:2305.13035: star (18 shapes and the centre, 3 durations each) and grid (64 shapes).

    Compute is forward FLOPs times examples. Every row is a run of its own: it was trained to the end.
    """
    cost, inside = paper_architecture(), {dim: values[1] for dim, values in GRID.items()}
    star = design_star(CENTER, cost, STAR_EXAMPLES, arms=ARMS)
    grid = design_grid(inside, cost, (GRID_EXAMPLES,), values=GRID)
    return replace(joined([star.runs, grid.runs]), center=None)


def rehearsal_law() -> Law:
    """Return the truth behind sample_runs: ``sum_k alpha_k x_k^-a_k + B n^-c + eps`` with n = t / F(x).

    At fixed t the first-order condition in log x_k is ``a_k alpha_k x_k^-a_k = c B n^-c dlogF / dlogx_k``. It places
    the optimum for `OPTIMAL_FLOPS` at `OPTIMAL_SHAPE` and so fixes every alpha_k.
    """
    cost = paper_architecture()
    examples = OPTIMAL_FLOPS / float(cost.flops_per_example(OPTIMAL_SHAPE))
    c = TRUE_EXPONENTS["c"]
    alphas = {
        f"alpha_{dim}": c * TRUE_DATA_TERM * _elasticity(cost, OPTIMAL_SHAPE, dim) / TRUE_EXPONENTS[f"a_{dim}"]
        for dim in OPTIMAL_SHAPE
    }
    constants = {**alphas, "beta": TRUE_DATA_TERM, "eps": TRUE_FLOOR, **TRUE_EXPONENTS}
    return Law(Separable(tuple(OPTIMAL_SHAPE)), constants, {**OPTIMAL_SHAPE, "examples": examples})


def _elasticity(cost: Architecture, shape: Mapping[str, float], dim: str) -> float:
    """Return dlogF / dlogx; F is a quadratic with whole values, so a central difference of step 1 is exact."""
    above = float(cost.flops_per_example({**shape, dim: shape[dim] + 1}))
    below = float(cost.flops_per_example({**shape, dim: shape[dim] - 1}))
    return (above - below) / 2 * shape[dim] / float(cost.flops_per_example(shape))
