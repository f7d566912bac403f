"""Predictions of a fitted law for rows, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shapeplan.arrays import Floats
from shapeplan.errors import Complaint, FitError
from shapeplan.fitting.result import Fit
from shapeplan.quantities import convert_flops
from shapeplan.runs import Runs


@dataclass(frozen=True)
class Predictions:
    """What the law says of rows, in their order.

    Attributes
    ----------
    runs : Runs
        The rows.
    flops : ndarray, shape (rows,)
        Compute in the law's convention.
    predicted : ndarray, shape (rows,)
        The loss under the law.
    lower, upper : ndarray, shape (rows,), or None
        Interval of that loss over the bootstrap replicates: how sure the law is, not how noisy a run is.
    residual : ndarray, shape (rows,), or None
        predicted/observed - 1 where the metric is there.
    """

    runs: Runs
    flops: Floats
    predicted: Floats
    lower: Floats | None
    upper: Floats | None
    residual: Floats | None


def predict(fit: Fit, runs: Runs) -> Predictions:
    """Predict the loss of rows.

    Parameters
    ----------
    fit : Fit
        With a law that has constants.
    runs : Runs
        Rows with every dimension of the law; their compute is converted to the law's convention.

    Raises
    ------
    FitError
        If the law has no constants, or the rows lack a dimension of it.
    """
    form = fit.law.form
    if not fit.law.has_loss:
        message = "the law gives growth exponents but no constants, so it predicts no loss"
        raise FitError(Complaint("no-constants", message, "fit a law to a log of your own"))
    missing = [dim for dim in form.dims if dim not in runs.dims]
    if missing:
        there = f"the rows have {', '.join(runs.dims)}"
        raise FitError(Complaint("missing-dimension", f"the law is in {', '.join(missing)} too", there))
    variables = {dim: runs.values(dim) for dim in form.dims}
    variables["flops"] = convert_flops(runs.flops, runs.flops_convention, fit.flops_convention)
    predicted = np.asarray(fit.law.loss(**variables))
    interval = fit.loss_interval(**variables)
    lower, upper = interval if interval else (None, None)
    residual = None if runs.loss is None else predicted / runs.loss - 1.0
    return Predictions(runs, variables["flops"], predicted, lower, upper, residual)
