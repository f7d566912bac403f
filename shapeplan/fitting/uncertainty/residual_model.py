"""How rows scatter around a fit: a part that the rows of a run have in common, and a part of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtri, stdtrit

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats, Index, Ints

_LEAST_FREEDOM = 0.5
"""Degrees of freedom between runs below which nothing can be said about what the rows of a run have in common."""
_RANK = 1e-9


@frozen
class ResidualModel:
    """How rows scatter around a fit.

    Attributes
    ----------
    shape : ndarray, shape (rows,)
        Logarithmic residuals in units of their root mean square: what a replicate draws from.
    run : ndarray of int, shape (rows,)
        Run of every row, from 0 without gaps.
    sigma : float
        Standard deviation of a row, for the freedom the fit used up.
    common : float
        Share of the variance that rows of one run have in common, 0 where every row is a run.
    freedom : float
        Degrees of freedom behind the variance of what was fitted.
    between : float
        Degrees of freedom between runs that the fit left.
    counts : ndarray, shape (rows,), or None
        How many rows each of them is the mean of, where it is one.
    levels : ndarray, shape (rows, levels), or None
        Relative standard errors that rows have in common, since a level of their recipe was estimated.
    """

    shape: Floats
    run: Ints
    sigma: float
    common: float
    freedom: float
    between: float
    counts: Floats | None = None
    levels: Floats | None = None

    @property
    def runs(self) -> int:
        """Number of runs."""
        return int(self.run.max()) + 1

    @classmethod
    def of(cls, residuals: Floats, run: Ints, tangent: Floats) -> ResidualModel:
        """Measure the scatter of logarithmic residuals.

        The fit takes away some of what rows have of their own, and more of what differs between runs: with six runs and
        five parameters that only runs tell, little is left of it. The two variances are those whose expected sums of
        squares, after the projection onto what the fit cannot follow, are the observed ones (Henderson's method 3:
        Searle, Casella and McCulloch, Variance Components, 1992, ch. 5). Degrees of freedom are Satterthwaite's (1946).

        Parameters
        ----------
        residuals : ndarray, shape (rows,)
            Logarithmic residuals of the fit.
        run : ndarray of int, shape (rows,)
            Run of every row, from 0 without gaps.
        tangent : ndarray, shape (rows, parameters)
            Derivatives of the logarithm of the prediction by the parameters that were fitted.
        """
        rows, sizes = len(residuals), np.bincount(run).astype(float)
        total = float(residuals @ residuals)
        basis = orthonormal(tangent)
        fitted = basis.shape[1]
        # Sums over runs stand for the products with the runs' indicator matrix Z: W = Z'Q, and n_i the rows of run i.
        sums, taken = _by_run(run, residuals[:, None])[:, 0], _by_run(run, basis)
        square = float((taken**2).sum())
        fitted_between = float((taken**2 / sizes[:, None]).sum())
        between = len(sizes) - fitted_between
        within = rows - len(sizes) - (fitted - fitted_between)
        if total == 0.0:
            return cls(residuals, run, 0.0, 0.0, max(rows - fitted, 1.0), between)
        alone = total / max(rows - fitted, 1)
        of_run, of_row = 0.0, alone
        if len(sizes) < rows and between > _LEAST_FREEDOM:
            shared = rows - 2 * square + float(((taken.T / sizes) @ taken * (taken.T @ taken)).sum())
            expected = np.array([[shared, between], [rows - square, rows - fitted]])
            of_run, of_row = map(float, np.linalg.solve(expected, [float((sums**2 / sizes).sum()), total]))
            if of_run <= 0:
                of_run, of_row = 0.0, alone
            elif of_row <= 0:
                of_run, of_row = total / (rows - square), 0.0
        freedom = _satterthwaite(
            (square * of_run + fitted_between * of_row, between), ((fitted - fitted_between) * of_row, within)
        )
        variance = of_run + of_row
        shape = residuals / np.sqrt(total / rows)
        return cls(shape, run, float(np.sqrt(variance)), of_run / variance, freedom, between)

    def widening(self, level: float) -> float:
        """Return how much wider than the normal's Student's central interval of `level` is."""
        tail = (1 + level) / 2
        return float(stdtrit(max(self.freedom, 1.0), tail) / ndtri(tail))

    def at_points(self, row: Index, counts: Floats) -> ResidualModel:
        """Return how points scatter that each stand for some rows, one of which is `row`, both of shape (points,)."""
        levels = None if self.levels is None else self.levels[row]
        return replace(self, run=self.run[row], counts=None if (counts == 1.0).all() else counts, levels=levels)

    def draw(self, rng: np.random.Generator, replicates: int) -> Floats:
        """Return residuals of replicates, shape (replicates, rows): a part a run, a part a row, one a level."""

        def parts(size: int) -> Floats:
            signs = rng.choice([-1.0, 1.0], size=(replicates, size))
            return np.asarray(signs * self.shape[rng.integers(len(self.shape), size=(replicates, size))])

        rows = np.sqrt(1 - self.common) * parts(len(self.run))
        if self.counts is not None:
            rows /= np.sqrt(self.counts)
        if self.common:
            rows += np.sqrt(self.common) * parts(self.runs)[:, self.run]
        drawn = np.asarray(self.sigma * rows)
        if self.levels is not None:
            drawn += rng.standard_normal((replicates, self.levels.shape[1])) @ self.levels.T
        return drawn


def orthonormal(tangent: Floats) -> Floats:
    """Return an orthonormal basis of the columns, shape (rows, rank)."""
    if not tangent.size:
        return np.zeros((len(tangent), 0))
    lengths = np.sqrt((tangent**2).sum(axis=0))
    directions, strengths, _ = np.linalg.svd(tangent / np.where(lengths > 0, lengths, 1.0), full_matrices=False)
    return np.asarray(directions[:, strengths > _RANK * strengths[0]])


def _by_run(run: Ints, columns: Floats) -> Floats:
    """Return the sums of columns over the rows of every run, shape (runs, columns)."""
    sums = np.zeros((int(run.max()) + 1, columns.shape[1]))
    np.add.at(sums, run, columns)
    return sums


def _satterthwaite(*parts: tuple[float, float]) -> float:
    """Return the degrees of freedom of a sum of variances, each with its own."""
    spread = sum(variance**2 / max(freedom, _LEAST_FREEDOM) for variance, freedom in parts)
    return sum(variance for variance, _ in parts) ** 2 / spread if spread > 0 else max(parts[-1][1], 1.0)
