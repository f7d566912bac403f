"""Fitting: the engine, the bootstrap, the diagnostics, and the fit that puts them together.

`fit` itself is imported from `shapeplan.fitting.fit`, so that reading a result loads no optimizer.
"""

from __future__ import annotations

from shapeplan.fitting.predict import Predictions, predict
from shapeplan.fitting.result import (
    Arm,
    Bootstrap,
    CenterError,
    CenterRow,
    Estimate,
    Fit,
    Interval,
    Outlier,
    Parameter,
    Quality,
    Score,
    Status,
)

__all__ = [
    "Arm",
    "Bootstrap",
    "CenterError",
    "CenterRow",
    "Estimate",
    "Fit",
    "Interval",
    "Outlier",
    "Parameter",
    "Predictions",
    "Quality",
    "Score",
    "Status",
    "predict",
]
