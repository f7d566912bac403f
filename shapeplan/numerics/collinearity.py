"""How much of a variable follows from others as a product of their powers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from shapeplan.numerics.arrays import Floats

_BLOCK = 2**16
_TINY = 1e-300


class LogProducts:
    """The centred products of the logarithms of columns, worked out once for all choices of them.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (rows,)
        Positive numbers.
    """

    def __init__(self, columns: Mapping[str, Floats]) -> None:
        self._columns = columns

    def explained(self, names: Sequence[str]) -> dict[str, float]:
        """Return the share of the variance of the logarithm of some columns that the others of them explain."""
        place = {name: i for i, name in enumerate(self._columns)}
        some = [place[name] for name in names]
        products = self._products[np.ix_(some, some)]
        shares = {}
        for i, name in enumerate(names):
            others = np.arange(len(names)) != i
            cross = products[i, others]
            fitted = cross @ np.linalg.lstsq(products[np.ix_(others, others)], cross, rcond=None)[0]
            shares[name] = float(fitted / max(products[i, i], _TINY))
        return shares

    @cached_property
    def _products(self) -> Floats:
        columns = list(self._columns.values())
        rows, start = len(columns[0]), np.log([column[0] for column in columns])
        total, products = np.zeros(len(columns)), np.zeros((len(columns), len(columns)))
        for first in range(0, rows, _BLOCK):
            # About the first row, so that no digits are lost, and in blocks, so that no memory is.
            logs = np.log([column[first : first + _BLOCK] for column in columns]) - start[:, None]
            total += logs.sum(axis=1)
            products += logs @ logs.T
        return np.asarray(products - np.outer(total, total) / rows)
