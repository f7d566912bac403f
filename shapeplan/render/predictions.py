"""Predictions as a table."""

from __future__ import annotations

import numpy as np
from rich.console import RenderableType

from shapeplan.fitting.predict import Predictions
from shapeplan.fitting.result import Fit
from shapeplan.numerics.arrays import Floats
from shapeplan.quantities import format_flops
from shapeplan.render.parts import coverage, table, title
from shapeplan.wording import compact, percent


def render_predictions(fit: Fit, predictions: Predictions) -> list[RenderableType]:
    """Return the table of predictions: a row a row of the input, in its order."""
    runs = predictions.runs
    columns: dict[str, list[str]] = {"run": [runs.run_names[i] for i in runs.run]}
    columns |= {dim: [compact(value, 4) for value in runs.values(dim)] for dim in runs.dims}
    columns[f"{fit.flops_convention} FLOPs"] = [format_flops(flops) for flops in predictions.flops]
    if runs.loss is not None:
        columns[runs.metric] = [compact(loss, 4) for loss in runs.loss]
    columns["predicted"] = _losses(predictions.predicted)
    for name, bound in (("lower", predictions.lower), ("upper", predictions.upper)):
        columns[name] = ["-"] * len(runs) if bound is None else _losses(bound)
    if predictions.residual is not None:
        known = [None if np.isnan(residual) else float(residual) for residual in predictions.residual]
        columns["residual"] = [percent(residual, signed=True) for residual in known]
    level = coverage(fit.bootstrap.level)
    whose = " of the law, not of a run" if _of_law(predictions) else " of a run"
    heading = f"{runs.metric} under the law {fit.law.form.name} ({level} intervals{whose})"
    return [title(heading), table(list(columns), zip(*columns.values(), strict=True))]


def _losses(values: Floats) -> list[str]:
    return ["-" if np.isnan(loss) else compact(float(loss), 4) for loss in values]


def _of_law(predictions: Predictions) -> bool:
    return predictions.lower is not None and predictions.lower is predictions.law_lower
