"""The coefficients of a block at given exponents, and what the objective is with them."""

from __future__ import annotations

import numpy as np

from shapeplan.fitting.solver.losses import Objective
from shapeplan.fitting.solver.model import Block
from shapeplan.fitting.solver.outer_power import good_coefficients
from shapeplan.numerics.arrays import Bools, Floats


def project(
    objective: Objective, block: Block, theta: Floats, columns: Floats, positive: Bools | None = None
) -> Floats:
    """Return good non-negative coefficients of a block: the best, where they can be solved for.

    Parameters
    ----------
    objective : Objective
        What is minimized.
    block : Block
        Observations and weights.
    theta, columns : ndarray, shape (batch, exponents) and (batch, columns, rows)
        The exponents, and the columns there.
    positive : ndarray of bool, shape (batch, columns), optional
        A guess at which are not zero.
    """
    if block.inside is None:
        return objective.project(columns, block.observed, block.weights, positive)
    return good_coefficients(columns, block.inside, theta[:, -1], block.observed, block.weights)


def least(objective: Objective, block: Block, theta: Floats) -> Floats:
    """Return the objective with good coefficients at many exponents, shape (batch,); infinite where undefined."""
    columns = block.columns(theta)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        predicted = block.predicted(theta, columns, project(objective, block, theta, columns))
        value = objective.value(predicted, block.observed, block.weights)
    return np.where(np.isfinite(value), value, np.inf)
