"""The least loss with one dimension held, the others re-optimized: what isoFLOP curves and the valley are made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from shapeplan.fitting.result import Fit
from shapeplan.laws import Law, Star
from shapeplan.numerics.arrays import Floats


def profile(fit: Fit, dim: str, sizes: Floats, flops: float) -> Floats:
    """Return the least loss at sizes of a dimension and a compute, shape (sizes,); on an arm for the law of a star."""
    if not fit.law.form.joint:
        return arm_loss(fit, dim, sizes, flops)
    bounds: dict[str, tuple[ArrayLike, ArrayLike]] = {**fit.bounds, dim: (sizes, sizes)}
    compute = np.full(len(sizes), flops)
    best = fit.best_shapes(fit.law.arrays(), compute, bounds)
    return np.asarray(fit.law.loss(**fit.variables({**best, dim: sizes}, compute)))


def arm_loss(fit: Fit, dim: str, sizes: Floats, flops: ArrayLike) -> Floats:
    """Return the loss of Eq. 2 on the arm of a dimension, the others as at the centre."""
    law = fit.law
    arm = Law(Star((dim,), {dim: fit.star_center[dim] / law.units[dim]}), law.constants, law.units)
    return np.asarray(arm.loss(**{dim: sizes, "flops": flops}))


def held_loss(fit: Fit, best: Mapping[str, float], dim: str, sizes: Floats, flops: float) -> Floats:
    """Return the loss at sizes of a dimension, the others as they are best, shape (sizes,)."""
    shape = {name: sizes if name == dim else np.full(len(sizes), size) for name, size in best.items()}
    return np.asarray(fit.law.loss(**fit.variables(shape, np.full(len(sizes), flops))))
