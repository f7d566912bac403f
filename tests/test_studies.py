"""Long studies, run on demand with ``pytest -m study -s``; README quotes their last results."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import additive_law, sweep
from test_engine import random_starts, star_problem

from shapeplan.fitting.engine import polish
from shapeplan.fitting.fit import fit

TRUE = {"width": 0.35 / 2.0, "depth": 0.35 / 1.5, "mlp_dim": 0.35 / 1.2}


@pytest.mark.study
def test_the_search_is_global_on_200_sweeps() -> None:
    """Noise 0.1% to 3%, two kinds of truth: no random start of 200 ends 1e-8 below the search. Seeds 1000 to 1199."""
    missed = []
    for seed in range(1000, 1200):
        noise = (0.01, 0.003, 0.03, 0.001)[seed % 4]
        problem = star_problem(sweep(noise, seed, additive_law() if seed % 8 < 4 else None))
        found = problem.solve()
        others = polish(problem.blocks, random_starts(problem, 200, seed), *problem.bounds)
        if found.objective[0] > others.objective.min() * (1 + 1e-8):
            missed.append((seed, float(found.objective[0] / others.objective.min() - 1)))
    print(f"\nsweeps in which a random start was better: {missed or 'none'} of 200")
    assert not missed


@pytest.mark.study
@pytest.mark.parametrize("noise", [0.003, 0.01])
def test_intervals_cover(noise: float) -> None:
    """Nominal 90% intervals of s_k where Eq. 3 is the truth, over 100 sweeps. Seeds 5000 to 5099."""
    held = dict.fromkeys(TRUE, 0)
    defined = dict.fromkeys(TRUE, 0)
    for seed in range(5000, 5100):
        found = fit(sweep(noise, seed, additive_law()), replicates=200)
        for dim, s in TRUE.items():
            interval = found.scaling_exponents[dim].ci
            if interval is not None:
                defined[dim] += 1
                held[dim] += interval[0] <= s <= interval[1]
    print(f"\nnoise {noise:.1%}: 90% intervals held the true s_k {held} times of {defined}")
    assert all(np.array(list(held.values())) >= 0.85 * np.array(list(defined.values())))
