"""Predictions as a table."""

from __future__ import annotations

from rich.console import RenderableType

from shapeplan.fitting.predict import Predictions
from shapeplan.fitting.result import Fit
from shapeplan.quantities import format_flops
from shapeplan.render.parts import compact, percent, table, title


def render_predictions(fit: Fit, predictions: Predictions) -> list[RenderableType]:
    """Return the table of predictions: a row a row of the input, in its order."""
    runs = predictions.runs
    with_loss = runs.loss is not None
    headers = ["run", *runs.dims, "FLOPs", *([runs.metric] if with_loss else []), "predicted", "lower", "upper"]
    headers += ["residual"] if with_loss else []
    rows = []
    for i in range(len(runs)):
        row = [runs.run_names[runs.run[i]], *(compact(value, 4) for value in runs.shape[i])]
        row.append(format_flops(float(runs.flops[i])))
        if runs.loss is not None:
            row.append(compact(float(runs.loss[i]), 4))
        row.append(compact(float(predictions.predicted[i]), 4))
        for bound in (predictions.lower, predictions.upper):
            row.append("-" if bound is None else compact(float(bound[i]), 4))
        if predictions.residual is not None:
            row.append(percent(float(predictions.residual[i]), signed=True))
        rows.append(row)
    heading = f"{runs.metric} under the law {fit.law.form.name} ({fit.bootstrap.level:.0%} intervals of the law)"
    return [title(heading), table(headers, rows)]
