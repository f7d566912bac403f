"""What is known of the best shape at a target, and what a run would add to it, before it is run."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from shapeplan.errors import ErrorDetail, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, Index
from shapeplan.numerics.differences import derivatives, stencil
from shapeplan.optimum.cost_model import TRUST

_STEP = 1e-2
"""Distance in log-shape over which the loss is differentiated."""
_FEWEST_DRAWS = 20
_SAME = 1e-6
"""Spread of the log-shape over the draws that is none: all are at the edge of where they are looked for."""


@frozen
class Posterior:
    """What is known of the best shape and of the runs, as deviations of draws from their mean, one row a draw.

    Attributes
    ----------
    shape : ndarray, shape (draws, dims)
        Logarithm of the best shape at the target.
    runs : ndarray, shape (draws, runs)
        Logarithm of the loss of every candidate.
    curvature : ndarray, shape (dims, dims)
        Of the logarithm of the loss at the target, by log-shape.
    noise : float or ndarray, shape (runs,)
        Relative standard deviation of a run's metric.
    """

    shape: Floats
    runs: Floats
    curvature: Floats
    noise: float | Floats

    @classmethod
    def of(cls, fit: Fit, target: float, runs: Mapping[str, Floats], noise: float | Floats) -> Posterior:
        """Return what the draws of a fit say.

        Parameters
        ----------
        fit : Fit
            With draws.
        target : float
            Compute at which the best shape is asked for, in the convention of the law.
        runs : mapping of str to ndarray, shape (runs,)
            What could be run: the variables of the law.
        noise : float or ndarray, shape (runs,)
            Relative standard deviation of a run's metric, positive.

        Raises
        ------
        PlanError
            If too few draws tell a best shape, or all are at the edge of where it is looked for.
        """
        best = fit.best_shapes(fit.bootstrap.draws, np.array([target]))
        shape = np.log(np.column_stack([best[dim] for dim in fit.dims]))
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            seen = np.log(fit.law.loss_under(fit.bootstrap.columns(), **runs))
        sound = np.isfinite(shape).all(axis=1) & np.isfinite(seen).all(axis=1)
        if sound.sum() < _FEWEST_DRAWS:
            message = f"only {int(sound.sum())} draws of the law tell a best shape at the target"
            raise PlanError(ErrorDetail("no-draws", message, "fit with more `replicates`, or ask for a nearer target"))
        shape, seen = shape[sound], seen[sound]
        # Draws that agree because there is no noise have nothing against them.
        if not (np.ptp(shape, axis=0) > _SAME).any() and len(fit.at_edge(fit.best_at(target))) == len(fit.dims):
            message = (
                f"at the target, the optimum under every draw is at the search bound ({TRUST:g}x the trained range)"
            )
            raise PlanError(ErrorDetail("no-interior-optimum", message, "ask for a nearer `target`"))
        return cls(shape - shape.mean(axis=0), seen - seen.mean(axis=0), curvature_at(fit, target), noise)

    @property
    def covariance(self) -> Floats:
        """Covariance of the log-shape, shape (dims, dims)."""
        return np.asarray(self.shape.T @ self.shape / (len(self.shape) - 1))

    @property
    def regret(self) -> float:
        """Expected relative regret of the shape that is best on average."""
        return float(np.trace(self.curvature @ self.covariance)) / 2

    def gains(self) -> Floats:
        """Return by how much every run would shrink the expected regret, shape (runs,)."""
        draws = len(self.shape) - 1
        shared, spread = self.shape.T @ self.runs / draws, (self.runs**2).sum(axis=0) / draws
        return np.asarray(np.einsum("ic,ij,jc->c", shared, self.curvature, shared) / (2 * (spread + self.noise**2)))

    def error_of(self, run: int) -> float:
        """Return the standard deviation of the logarithm of the loss of a run."""
        return float(np.sqrt(self.runs[:, run] @ self.runs[:, run] / (len(self.runs) - 1)))

    def regret_after(self, seen: Index) -> float:
        """Return what the regret is expected to be once several runs are seen, in whatever order."""
        noise = np.broadcast_to(self.noise, self.runs.shape[1:])[seen]
        scaled = self.runs[:, seen] / (noise * math.sqrt(len(self.runs) - 1))
        # The update in the space of the draws (Woodbury), of which there are fewer than runs.
        known = np.linalg.solve(np.eye(len(scaled)) + scaled @ scaled.T, self.shape)
        return float(np.einsum("ij,ni,nj->", self.curvature, self.shape, known)) / (2 * (len(self.shape) - 1))

    def after(self, chosen: int) -> Posterior:
        """Return what will be known once a run is seen, whatever it shows.

        The square root of a Kalman update (Potter 1963), which moves the draws and keeps them draws: their covariance
        becomes that of the posterior, without a covariance of all runs ever being formed.
        """
        seen = self.runs[:, chosen]
        spread = float(seen @ seen) / (len(seen) - 1)
        noise = float(np.broadcast_to(self.noise, self.runs.shape[1:])[chosen])
        total = spread + noise**2
        share = 1 / (total * (1 + math.sqrt(noise**2 / total)) * (len(seen) - 1))
        shape, runs = (part - share * np.outer(seen, seen @ part) for part in (self.shape, self.runs))
        return Posterior(shape, runs, self.curvature, self.noise)


def curvature_at(fit: Fit, target: float) -> Floats:
    """Return the Hessian of the logarithm of the loss by log-shape at the best shape, without negative directions."""
    best = fit.best_at(target)
    around = stencil(len(best), _STEP)
    shapes = {dim: size * np.exp(around[:, k]) for k, (dim, size) in enumerate(best.items())}
    losses = np.log(fit.law.loss(**fit.variables(shapes, np.full(len(around), target))))
    _, _, (hessian,) = derivatives(losses[:, None], len(best), _STEP)
    if not np.isfinite(hessian).all():
        message = "the law gives no finite loss around its best shape at the target"
        raise PlanError(ErrorDetail("no-loss", message, "ask for a nearer target"))
    values, vectors = np.linalg.eigh(hessian)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)
