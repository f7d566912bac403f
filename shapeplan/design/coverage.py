"""How well runs cover a pool: what they leave uncertain of a smooth surface over its shapes and compute.

The surface is a Gaussian process in the logarithms: a quadratic whose coefficients are next to unknown, and a smooth
departure from it. No law is asked, so that runs that cover a pool tell where a law is wrong, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.runs import Runs

_SLOPE, _CURVATURE = 3.0, 2.0
"""Prior standard deviations of the quadratic's coefficients, over the range of the pool; that of the departure is 1."""
_LENGTH_SCALE = 0.5
"""Of the departure, as a share of the range of the pool."""
NOISE = 0.1
"""Noise of a run, in the same units: what is left to tell of a run seen twice."""
_LANDMARKS = 200
"""Runs that the departure is spanned by (inducing points); all of a pool that has no more."""
_RIDGE = 1e-6
_TOP, _STEP = 0.2, 0.05
"""Share of the runs, those that cost most, whose shapes slopes are taken at; and the step of a finite difference."""


@frozen
class Coverage:
    """What is known of the surface.

    Attributes
    ----------
    features : ndarray, shape (runs, features)
        Of every run of the pool; the surface is linear in them.
    products : ndarray, shape (features, features)
        Of the features, summed over all runs.
    covariance : ndarray, shape (features, features)
        Of the coefficients, given the runs that were seen.
    """

    features: Floats
    products: Floats
    covariance: Floats

    @classmethod
    def of(cls, pool: Runs, done: Sequence[int]) -> Coverage:
        """Return what some rows of a pool tell of it."""
        features = _Basis.of(pool).at(log_axes(pool))
        seen = features[list(done)]
        known = np.eye(features.shape[1]) + seen.T @ seen / NOISE**2
        return cls(features, features.T @ features, np.asarray(np.linalg.inv(known), dtype=float))

    def integrated_variance(self) -> float:
        """Return the variance of the surface, summed over all runs of the pool."""
        return float(np.einsum("fg,fg->", self.products, self.covariance))

    def variance_reduction(self) -> Floats:
        """Return by which part of itself every run would shrink the integrated variance, shape (runs,).

        The criterion of integrated mean squared error (Sacks et al. 1989; Cohn 1996).
        """
        shared, noisy = self._shared()
        shrinks = np.einsum("rf,rf->r", shared @ self.products, shared) / noisy
        return np.asarray(shrinks / self.integrated_variance())

    def slope_variance_reduction(self, slopes: Floats) -> Floats:
        """Return by which part of itself every run would shrink the variance of slopes, in the mean, shape (runs,).

        `slopes` are those of `slopes_at_the_top`.
        """
        if not len(slopes):
            return np.zeros(len(self.features))
        shared, noisy = self._shared()
        before = np.einsum("sf,fg,sg->s", slopes, self.covariance, slopes)
        shrinks = (shared @ slopes.T) ** 2 / noisy[:, None]
        return np.asarray((shrinks / before).mean(axis=1))

    def _shared(self) -> tuple[Floats, Floats]:
        """Return the covariance of every run with the coefficients, and the variance of what it would show."""
        shared = self.features @ self.covariance
        return shared, np.asarray(np.einsum("rf,rf->r", shared, self.features) + NOISE**2)

    def after(self, row: int) -> Coverage:
        """Return what is known once a run is seen."""
        return Coverage(self.features, self.products, kalman_update(self.covariance, self.features[row]))


def kalman_update(covariance: Floats, features: Floats) -> Floats:
    """Return the covariance of coefficients, shape (features, features), once a run with some features is seen."""
    seen = covariance @ features
    return np.asarray(covariance - np.outer(seen, seen) / (features @ seen + NOISE**2))


def log_axes(pool: Runs) -> Floats:
    """Return the logarithms of the sizes and of compute that vary, shape (runs, axes)."""
    logs = np.log(np.column_stack([pool.shape, pool.flops]))
    return np.asarray(logs[:, np.ptp(logs, axis=0) > 0])


@frozen
class _Basis:
    """What the surface is linear in, over the range of a pool; its coefficients have a prior standard deviation of 1.

    Attributes
    ----------
    least, span : ndarray, shape (axes,)
        Least logarithms of the pool, and how far it reaches.
    landmarks : ndarray, shape (landmarks, axes)
        Runs that the departure is spanned by, on axes from -1/2 to 1/2.
    root : ndarray, shape (landmarks, landmarks)
        Cholesky factor of the departure's covariance at them.
    """

    least: Floats
    span: Floats
    landmarks: Floats
    root: Floats

    @classmethod
    def of(cls, pool: Runs) -> _Basis:
        """Return the basis over the runs of a pool."""
        logs = log_axes(pool)
        least, span = logs.min(axis=0), np.ptp(logs, axis=0)
        order = np.argsort(pool.flops, kind="stable")
        some = logs[order[np.linspace(0, len(logs) - 1, min(len(logs), _LANDMARKS)).round().astype(int)]]
        landmarks = (some - least) / span - 0.5
        root = np.linalg.cholesky(_kernel(landmarks, landmarks) + _RIDGE * np.eye(len(landmarks)))
        return cls(least, span, landmarks, np.asarray(root, dtype=float))

    def at(self, logs: Floats) -> Floats:
        """Return the features at points, shape (points, features)."""
        z = (logs - self.least) / self.span - 0.5
        one, other = np.triu_indices(z.shape[1])
        products = np.where(one == other, 1.0, np.sqrt(2.0)) * z[:, one] * z[:, other]
        # The departure at landmarks as independent coefficients (the Nystroem approximation, exact for all of a pool).
        departure = np.linalg.solve(self.root, _kernel(self.landmarks, z)).T
        return np.column_stack([np.full(len(z), _SLOPE), _SLOPE * z, _CURVATURE * products, departure])


def slopes_at_the_top(pool: Runs) -> Floats:
    """Return how the features change with the logarithm of every size where compute is largest.

    Where these slopes are known, so is in which direction the best shape lies. They are taken at the mean shape of the
    fifth of the runs that costs most.

    Returns
    -------
    slopes : ndarray, shape (sizes that vary, features)
    """
    logs, basis = log_axes(pool), _Basis.of(pool)
    top = logs[pool.flops >= np.quantile(pool.flops, 1 - _TOP)].mean(axis=0)
    sizes = len(top)
    if np.ptp(pool.flops) > 0:
        top[-1] = logs[:, -1].max()
        sizes -= 1
    steps = _STEP * np.eye(len(top))[:sizes]
    return np.asarray((basis.at(top + steps) - basis.at(top - steps)) / (2 * _STEP))


def _kernel(one: Floats, other: Floats) -> Floats:
    """Return the covariance of the departure at two sets of points, a squared exponential, shape (one, other)."""
    distance = ((one[:, None] - other[None]) ** 2).sum(axis=-1)
    return np.asarray(np.exp(-distance / (2 * _LENGTH_SCALE**2)))
