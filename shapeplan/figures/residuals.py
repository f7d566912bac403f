"""``residuals``: what is left of every row, against compute and every dimension that varies."""

from __future__ import annotations

import numpy as np

from shapeplan.figures.figure import Figure, about, compute_label, finite, rows_behind
from shapeplan.figures.predicted import described, shown_rows, thinned_note
from shapeplan.fitting.result import Fit


def residuals(fit: Fit) -> Figure:
    """Return the residuals of the rows, once for every variable.

    Raises
    ------
    PlanError
        If the fit has no rows.
    """
    rows = rows_behind(fit, "residuals")
    columns = {"flops": rows.flops} | {dim: sizes for dim, sizes in rows.shape.items() if np.ptp(sizes) > 0}
    shown = shown_rows(rows)
    label = {"flops": compute_label(fit)}
    table = tuple(
        {
            **described(rows, i),
            "variable": label.get(name, name),
            "value": float(values[i]),
            "observed": float(rows.observed[i]),
            "residual": finite(rows.residuals[i]),
        }
        for name, values in columns.items()
        for i in shown
    )
    worst = int(np.argmax(np.nan_to_num(np.abs(np.where(rows.fitted, rows.residuals, 0.0)))))
    trends = [name for name, trend in fit.trends.items() if trend.chance < 1e-3]
    summary = (
        f"The furthest of the fitted rows is {rows.runs[worst]} ({rows.place(worst)}),"
        f" predicted {rows.residuals[worst]:+.2%} off. "
        + (f"Residuals go with {', '.join(trends)}." if trends else "No trend stands out.")
    )
    labels = {"residual": "predicted / observed - 1", "flops": compute_label(fit)}
    reading = "Above zero the law predicts too much. Every panel has the same rows."
    reading += thinned_note(rows)
    return Figure("residuals", "Residuals", about(fit), summary, reading, {"rows": table}, labels)
