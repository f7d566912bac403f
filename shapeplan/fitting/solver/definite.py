"""Which of many small matrices are positive definite."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpotrf

from shapeplan.numerics.arrays import Bools, Floats


def is_definite(matrices: Floats) -> Bools:
    """Return which of a batch of symmetric matrices, shape (batch, p, p), have a Cholesky decomposition.

    NumPy's raises for a batch that has one without, and eigenvalues of all cost six times as much.
    """
    finite = np.isfinite(matrices.sum(axis=(1, 2)))
    # LAPACK wants columns in a row, which are the rows of a symmetric matrix.
    factored = (dpotrf(matrix, clean=False)[1] == 0 for matrix in matrices.transpose(0, 2, 1))
    return np.asarray(np.fromiter(factored, dtype=bool, count=len(matrices)) & finite)
