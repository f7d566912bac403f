"""Eq. 2 in one dimension: the trade-off between size and training (arXiv:2305.13035, Eq. 4)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shapeplan.numerics.arrays import Floats


def alone_exponents(dims: tuple[str, ...], constants: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return s_k = c / (a_k + b_k); NaN where a dimension shows no trade-off (alpha_k or beta_k is 0)."""
    exponents = {}
    for dim in dims:
        trades = (constants[f"alpha_{dim}"] > 0) & (constants[f"beta_{dim}"] > 0)
        exponents[dim] = np.where(trades, constants["c"] / (constants[f"a_{dim}"] + constants[f"b_{dim}"]), np.nan)
    return exponents


def held_alone(exponents: tuple[str, ...], dim: str, s: float) -> Floats:
    """Return the map of exponents that holds s_k at `s`: c gives way to ``s (a_k + b_k)``.

    Parameters
    ----------
    exponents : tuple of str
        Names of the exponents, in order.
    dim : str
        The dimension k.
    s : float
        Its scaling exponent.

    Returns
    -------
    ndarray, shape (exponents, exponents)
        All exponents are the map times all but c.
    """
    held = np.eye(len(exponents))
    c = exponents.index("c")
    held[c, c] = 0.0
    held[c, [exponents.index(f"a_{dim}"), exponents.index(f"b_{dim}")]] = s
    return held


def alone_optimum(dims: tuple[str, ...], constants: Mapping[str, Floats], log_flops: Floats) -> dict[str, Floats]:
    """Return x_k = (alpha_k a_k t^c / (beta_k b_k))^(1 / (a_k + b_k)); 0 or infinite where nothing is traded."""
    optimum = {}
    for dim in dims:
        a, b = constants[f"a_{dim}"], constants[f"b_{dim}"]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            gain = np.log(constants[f"alpha_{dim}"] * a) - np.log(constants[f"beta_{dim}"] * b)
            optimum[dim] = np.exp((gain + constants["c"] * log_flops) / (a + b))
    return optimum
