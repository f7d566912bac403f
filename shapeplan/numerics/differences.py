"""Gradients and Hessians by central differences."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from shapeplan.numerics.arrays import Floats


def stencil(dims: int, step: float) -> Floats:
    """Return the places, around one, at which `derivatives` needs a function; shape (places, dims)."""
    unit = step * np.eye(dims)
    places = [np.zeros(dims)]
    places += [sign * unit[i] for i in range(dims) for sign in (1, -1)]
    places += [sign * (unit[i] + unit[j]) for j, i in combinations(range(dims), 2) for sign in (1, -1)]
    return np.array(places)


def derivatives(values: Floats, dims: int, step: float) -> tuple[Floats, Floats, Floats]:
    """Return value, gradient and Hessian from the values at the places of the stencil.

    Parameters
    ----------
    values : ndarray, shape (places, problems)
        Of a function of each problem, in the order of `stencil`.
    dims, step : int, float
        Those of the stencil.

    Returns
    -------
    value, gradient, hessian : ndarray, shapes (problems,), (problems, dims), (problems, dims, dims)
        With errors of the order of the square of the step.
    """
    problems = values.shape[1]
    gradient, hessian = np.zeros((problems, dims)), np.zeros((problems, dims, dims))
    for i in range(dims):
        above, below = values[1 + 2 * i], values[2 + 2 * i]
        gradient[:, i] = (above - below) / (2 * step)
        hessian[:, i, i] = (above - 2 * values[0] + below) / step**2
    for n, (j, i) in enumerate(combinations(range(dims), 2)):
        both, neither = values[1 + 2 * dims + 2 * n : 3 + 2 * dims + 2 * n]
        alone = values[1 + 2 * i] + values[2 + 2 * i] + values[1 + 2 * j] + values[2 + 2 * j]
        hessian[:, i, j] = hessian[:, j, i] = (both + neither - alone + 2 * values[0]) / (2 * step**2)
    return values[0], gradient, hessian
