"""The coefficients of a block at given exponents, and what the objective is with them."""

from __future__ import annotations

import numpy as np

from shapeplan.fitting.solver.losses import Objective
from shapeplan.fitting.solver.model import Block
from shapeplan.fitting.solver.outer_power import better_coefficients, good_coefficients
from shapeplan.numerics.arrays import Floats


def project(objective: Objective, block: Block, theta: Floats, columns: Floats, guess: Floats | None = None) -> Floats:
    """Return good non-negative coefficients of a block: the best, where they can be solved for.

    Parameters
    ----------
    objective : Objective
        What is minimized.
    block : Block
        Observations and weights.
    theta, columns : ndarray, shape (batch, exponents) and (batch, columns, rows)
        The exponents, and the columns there.
    guess : ndarray, shape (batch, columns), optional
        Coefficients that may be nearly right.
    """
    if block.inside is None:
        positive = None if guess is None else guess > 0
        return objective.project(columns, block.observed, block.weights, positive)
    if guess is None:
        return good_coefficients(columns, block.inside, theta[:, -1], block.observed, block.weights)
    return better_coefficients(columns, block.inside, theta[:, -1], block.observed, block.weights, guess)


def least(objective: Objective, block: Block, theta: Floats, guess: Floats | None = None) -> Floats:
    """Return the objective with good coefficients at many exponents, shape (batch,); infinite where undefined.

    `guess`, of shape (batch, columns), is as for `project`.
    """
    columns = block.columns(theta)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        predicted = block.predicted(theta, columns, project(objective, block, theta, columns, guess))
        value = objective.value(predicted, block.observed, block.weights)
    return np.where(np.isfinite(value), value, np.inf)
