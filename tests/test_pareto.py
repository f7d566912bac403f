from __future__ import annotations

import numpy as np
import pytest

from shapeplan.numerics.pareto import front_rows


@pytest.mark.parametrize(("rows", "values"), [(1, 3), (300, 4), (300, 10**6), (25_000, 50), (25_000, 10**6)])
def test_the_front_is_that_of_a_walk_along_the_cost(rows: int, values: int) -> None:
    rng = np.random.default_rng(rows + values)
    cost = rng.integers(1, values, rows).astype(float)
    loss = rng.integers(1, values, rows) + 1e3 / cost
    walk, best = [], np.inf
    for row in np.lexsort((loss, cost)):
        if loss[row] < best:
            walk.append(int(row))
            best = loss[row]
    assert front_rows(cost, loss).tolist() == walk
