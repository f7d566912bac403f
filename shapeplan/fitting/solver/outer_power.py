"""An outer power: the prediction is a floor plus a power of the sum of the other columns times their coefficients.

With ``g`` the sum inside and ``kappa`` the power, ``prediction = floor + g^kappa``. Given floor and power, a prediction
that is right has ``g = (observed - floor)^(1 / kappa)``, which is linear in the coefficients: that is where a descent
starts, on all of them together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shapeplan.numerics.arrays import Floats, weighted_sum
from shapeplan.numerics.box_qp import solve_nnls

_TINY = 1e-300
_FLOORS = (0.0, 0.5, 0.8, 0.95)
"""Shares of the least observation at which floors are tried before the coefficients are improved together."""
_ROUNDS = 3


class Lift(NamedTuple):
    """``g^kappa`` and what its derivatives are made of: arrays of shape (batch, rows), and the power of (batch, 1)."""

    power: Floats
    log: Floats
    value: Floats
    first: Floats

    @classmethod
    def of(cls, inside: Floats, power: Floats) -> Lift:
        """Raise sums of shape (batch, rows) to powers of shape (batch,); `first` is the derivative by the sum."""
        g, kappa = np.maximum(inside, _TINY), power[:, None]
        log = np.log(g)
        value = np.maximum(np.exp(kappa * log), _TINY)
        return cls(kappa, log, value, kappa * value / g)

    def second_derivatives(self, jacobian: Floats, weights: Floats, place: int, inside: int) -> Floats:
        """Return what the power adds to the second derivatives of the prediction, summed over weighted rows.

        Parameters
        ----------
        jacobian : ndarray, shape (batch, size, rows)
            First derivatives of the prediction: by exponents, then by coefficients.
        weights : ndarray, shape (batch, rows)
            Of every row in the sum.
        place : int
            Where the power is among the parameters; the coefficients follow.
        inside : int
            How many coefficients are inside.
        """
        curved = weights * (self.power - 1) / (self.power * self.value)
        second = (jacobian * curved[:, None]) @ jacobian.transpose(0, 2, 1)
        mixed = (jacobian @ (weights * (1 / self.power + self.log))[..., None])[..., 0]
        outside = [place, *range(place + 1 + inside, jacobian.shape[1])]
        second[:, outside, :] = second[:, :, outside] = mixed[:, outside] = 0.0
        second[:, place, :] += mixed
        second[:, :, place] += mixed
        second[:, place, place] += (weights * self.value * self.log**2).sum(axis=1)
        return np.asarray(second)


def predicted(columns: Floats, inside: int, power: Floats, coefficients: Floats) -> Floats:
    """Return the floor plus the power of the sum inside, shape (batch, rows), as in `good_coefficients`."""
    raised = weighted_sum(columns[:, :inside], coefficients[:, :inside]) ** power[:, None]
    return np.asarray(raised + weighted_sum(columns[:, inside:], coefficients[:, inside:]))


def good_coefficients(columns: Floats, inside: int, power: Floats, observed: Floats, weights: Floats) -> Floats:
    """Return good non-negative coefficients by squares of ``prediction / observed - 1``, shape (batch, columns).

    Floors are tried one after the other, and the best improved by rounds of Gauss and Newton's.

    Parameters
    ----------
    columns : ndarray, shape (batch, columns, rows)
        The columns, of which the first `inside` are inside the power.
    inside : int
        How many; the others are the floor.
    power : ndarray, shape (batch,)
        The power.
    observed, weights : ndarray, shape (rows,) or (batch, rows)
        What is to be predicted, and how much every row counts.
    """
    batch, width, rows = columns.shape
    observed, weights = (np.broadcast_to(each, (batch, rows)) for each in (observed, weights))
    best, least = np.zeros((batch, width)), np.full(batch, np.inf)
    lowest = np.where(weights > 0, observed, np.inf).min(axis=1, keepdims=True)

    def keep_lower(found: Floats) -> None:
        squares = _squares(columns, inside, power, observed, weights, found)
        lower = squares < least
        best[lower], least[lower] = found[lower], squares[lower]

    for share in _FLOORS if inside < width else _FLOORS[:1]:
        floor = share * lowest
        raised = np.maximum(observed - floor, _TINY)
        target = raised ** (1 / power[:, None])
        found = np.repeat(floor, width, axis=1)
        own = np.where(weights > 0, weights * (power[:, None] * raised / observed) ** 2, 0.0)
        found[:, :inside] = _solve(columns[:, :inside] / target[:, None], np.ones_like(target), own)
        keep_lower(found)
    for _ in range(_ROUNDS):
        keep_lower(_gauss_newton(columns, inside, power, observed, weights, best))
    return best


def better_coefficients(
    columns: Floats, inside: int, power: Floats, observed: Floats, weights: Floats, guess: Floats
) -> Floats:
    """Return a guess at the coefficients after one round of Gauss and Newton's, or as it was where that is no better.

    Parameters and result are as in `good_coefficients`; `guess` has the shape of the result.
    """
    found = _gauss_newton(columns, inside, power, observed, weights, guess)
    before, after = (_squares(columns, inside, power, observed, weights, each) for each in (guess, found))
    return np.where((after < before)[:, None], found, guess)


def _squares(
    columns: Floats, inside: int, power: Floats, observed: Floats, weights: Floats, coefficients: Floats
) -> Floats:
    """Return the weighted sum of squares of relative residuals, shape (batch,)."""
    residual = predicted(columns, inside, power, coefficients) / observed - 1.0
    return np.asarray((weights * residual**2).sum(axis=1))


def _gauss_newton(
    columns: Floats, inside: int, power: Floats, observed: Floats, weights: Floats, coefficients: Floats
) -> Floats:
    """Return the best non-negative coefficients of the prediction's tangent at others, shape (batch, columns)."""
    lift = Lift.of(weighted_sum(columns[:, :inside], coefficients[:, :inside]), power)
    slopes = columns.copy()
    slopes[:, :inside] *= lift.first[:, None]
    short = observed - lift.value - weighted_sum(columns[:, inside:], coefficients[:, inside:])
    target = short + weighted_sum(slopes, coefficients)
    scale = np.atleast_2d(1.0 / observed)
    return _solve(slopes * scale[:, None], target * scale, np.broadcast_to(weights, target.shape))


def _solve(columns: Floats, target: Floats, weights: Floats) -> Floats:
    """Return the non-negative least squares of ``x @ columns - target``."""
    weighted = columns * weights[:, None]
    return solve_nnls(weighted @ columns.transpose(0, 2, 1), (weighted @ target[..., None])[..., 0])
