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
        features = _features(pool)
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
        shared = self.features @ self.covariance
        own = np.einsum("rf,rf->r", shared, self.features)
        shrinks = np.einsum("rf,rf->r", shared @ self.products, shared) / (own + NOISE**2)
        return np.asarray(shrinks / self.integrated_variance())

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


def _features(pool: Runs) -> Floats:
    """Return features whose coefficients have a prior standard deviation of 1, shape (runs, features)."""
    logs = log_axes(pool)
    z = (logs - logs.min(axis=0)) / np.ptp(logs, axis=0) - 0.5
    one, other = np.triu_indices(z.shape[1])
    products = np.where(one == other, 1.0, np.sqrt(2.0)) * z[:, one] * z[:, other]
    order = np.argsort(pool.flops, kind="stable")
    some = z[order[np.linspace(0, len(z) - 1, min(len(z), _LANDMARKS)).round().astype(int)]]
    # The departure at the landmarks as independent coefficients (the Nystroem approximation; exact for all of a pool).
    root = np.linalg.cholesky(_kernel(some, some) + _RIDGE * np.eye(len(some)))
    departure = np.linalg.solve(root, _kernel(some, z)).T
    return np.column_stack([np.full(len(z), _SLOPE), _SLOPE * z, _CURVATURE * products, departure])


def _kernel(one: Floats, other: Floats) -> Floats:
    """Return the covariance of the departure at two sets of points, a squared exponential, shape (one, other)."""
    distance = ((one[:, None] - other[None]) ** 2).sum(axis=-1)
    return np.asarray(np.exp(-distance / (2 * _LENGTH_SCALE**2)))
