"""What a fit minimizes: a sum over rows of a misfit of prediction and observation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, weighted_sum
from shapeplan.numerics.box_qp import solve_nnls

DELTA = 1e-3
"""Where the log-Huber misfit turns from square to linear (Hoffmann et al. 2022; Besiroglu et al. 2024)."""
_REWEIGHTINGS = 6
_TINY = 1e-300


class Local(NamedTuple):
    """The misfit of every row near a prediction, each of shape (batch, rows).

    `slope` and `curvature` are its derivatives by the prediction; `bound` is a curvature under which a parabola
    stays above the misfit, so that a step on it cannot fail.
    """

    slope: Floats
    curvature: Floats
    bound: Floats


class Objective(ABC):
    """A sum over rows of a misfit."""

    name: str
    """As users write it after ``objective``."""
    says: str
    """What the number is, for tables."""
    projects: bool
    """Whether `project` gives the best coefficients exactly."""
    smooth: bool
    """Whether it has a second derivative everywhere."""
    averages: bool
    """Whether neighbouring rows may be averaged before the fit: not where outliers are to be left alone."""
    damping: float
    """Where the damping of a descent starts."""

    @abstractmethod
    def value(self, predicted: Floats, observed: Floats, weights: Floats) -> Floats:
        """Return the sum over rows, shape (batch,)."""

    @abstractmethod
    def local(self, predicted: Floats, observed: Floats, weights: Floats) -> Local:
        """Return derivatives of the misfit of every row by its prediction."""

    @abstractmethod
    def project(self, columns: Floats, observed: Floats, weights: Floats, positive: Bools | None = None) -> Floats:
        """Return good non-negative coefficients of the columns, shape (batch, columns, rows), as (batch, columns).

        `positive` is a guess at which are.
        """


class Relative(Objective):
    """Least squares of ``predicted / observed - 1``: the paper's."""

    name = "relative"
    says = "sum of squares"
    projects = True
    smooth = True
    averages = True
    damping = 1e-3

    def value(self, predicted: Floats, observed: Floats, weights: Floats) -> Floats:
        """Return the weighted sum of squares."""
        residual = predicted / observed - 1.0
        return np.asarray((weights * residual * residual).sum(axis=-1))

    def local(self, predicted: Floats, observed: Floats, weights: Floats) -> Local:
        """Return the derivatives of a parabola, whose own curvature is the bound."""
        curvature = np.broadcast_to(2.0 * weights / observed**2, predicted.shape)
        return Local(curvature * (predicted - observed), curvature, curvature)

    def project(self, columns: Floats, observed: Floats, weights: Floats, positive: Bools | None = None) -> Floats:
        """Return the coefficients that fit best."""
        return _least_squares(columns, 1.0 / observed, weights, positive)


@frozen
class LogHuber(Objective):
    """The sum of Huber's misfit of ``log predicted - log observed``: square up to `delta`, linear beyond."""

    delta: float = DELTA
    name = "log-huber"
    says = f"sum of Huber's misfit, delta {DELTA:g}, of log residuals"
    projects = False
    smooth = False
    averages = False
    damping = 1.0

    def value(self, predicted: Floats, observed: Floats, weights: Floats) -> Floats:
        """Return the weighted sum of Huber's misfits."""
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.abs(np.log(predicted / observed))
        misfit = np.where(size <= self.delta, size * size / 2, self.delta * (size - self.delta / 2))
        return np.asarray((weights * misfit).sum(axis=-1))

    def local(self, predicted: Floats, observed: Floats, weights: Floats) -> Local:
        """Return derivatives; the bound is that of iteratively reweighted least squares."""
        residual = np.log(predicted / observed)
        size = np.abs(residual)
        square = weights / predicted**2
        slope = weights * np.clip(residual, -self.delta, self.delta) / predicted
        bound = square * np.minimum(1.0, self.delta / np.maximum(size, _TINY))
        return Local(slope, np.where(size <= self.delta, square, 0.0), bound)

    def project(self, columns: Floats, observed: Floats, weights: Floats, positive: Bools | None = None) -> Floats:
        """Return coefficients by a few rounds of reweighted least squares."""
        scale = np.broadcast_to(1.0 / observed, (len(columns), columns.shape[2]))
        found = _least_squares(columns, scale, weights, positive)
        for _ in range(_REWEIGHTINGS):
            with np.errstate(divide="ignore"):
                size = np.abs(np.log(weighted_sum(columns, found) * scale))
            found = _least_squares(columns, scale, weights * np.minimum(1.0, self.delta / np.maximum(size, _TINY)))
        return found


def _least_squares(columns: Floats, scale: Floats, weights: Floats, positive: Bools | None = None) -> Floats:
    """Minimize ``sum_r weights_r (scale_r (x columns)_r - 1)^2`` over ``x >= 0``."""
    root = np.sqrt(weights)
    scaled = columns * np.atleast_2d(root * scale)[:, None]
    return solve_nnls(scaled @ scaled.transpose(0, 2, 1), (scaled @ root[..., None])[..., 0], positive)


RELATIVE = Relative()
LOG_HUBER = LogHuber()
OBJECTIVES: dict[str, Objective] = {objective.name: objective for objective in (RELATIVE, LOG_HUBER)}
"""Every objective by the name users write."""
