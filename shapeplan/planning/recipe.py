"""The paper's recipe: scale a good small shape jointly, every dimension by its own exponent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shapeplan.arrays import Number
from shapeplan.errors import ArgumentError, Complaint

_SUM_TOLERANCE = 1e-3


def scale(
    start: Mapping[str, float], tau: float, exponents: Mapping[str, Number], weights: Mapping[str, float]
) -> dict[str, Number]:
    """Return ``x_k = x0_k tau^(w_k s_k)`` (arXiv:2305.13035, section 3.3).

    Parameters
    ----------
    start : mapping of str to float
        x0.
    tau : float
        Budget over the compute of the start, t / t0.
    exponents : mapping of str to float or ndarray
        s_k, or draws of it.
    weights : mapping of str to float
        w_k, of sum one.
    """
    with np.errstate(over="ignore"):
        return {dim: start[dim] * np.power(tau, weights[dim] * np.asarray(exponents[dim])) for dim in start}


def recipe_weights(given: Mapping[str, float] | str, dims: tuple[str, ...]) -> dict[str, float]:
    """Return the weights of the recipe.

    Parameters
    ----------
    given : str or mapping of str to float
        ``equal`` for 1/D each (the paper's), or one weight a dimension.
    dims : tuple of str
        Dimensions of the law.

    Raises
    ------
    ArgumentError
        If the weights are of other dimensions, negative, or their sum is not one.
    """
    if isinstance(given, str):
        if given != "equal":
            hint = "write equal, or e.g. " + ",".join(f"{dim}={1 / len(dims):.2g}" for dim in dims)
            raise ArgumentError(Complaint("bad-weights", f"{given!r} are no weights", hint, value=given))
        return {dim: 1 / len(dims) for dim in dims}
    if set(given) != set(dims):
        wrong = sorted(set(given) ^ set(dims))
        message = f"the weights and the law differ in {', '.join(wrong)}"
        raise ArgumentError(Complaint("bad-weights", message, f"weigh {', '.join(dims)}"))
    total = sum(given.values())
    if min(given.values()) < 0 or abs(total - 1) > _SUM_TOLERANCE:
        said = ", ".join(f"{dim}={weight:g}" for dim, weight in given.items())
        message = f"the weights {said} sum to {total:g}"
        raise ArgumentError(Complaint("bad-weights", message, "weights are not negative and sum to 1"))
    return {dim: given[dim] / total for dim in dims}
