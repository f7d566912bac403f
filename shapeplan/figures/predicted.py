"""``fit``: every row as the law predicts it, against what was observed (the paper's Figure 4)."""

from __future__ import annotations

import numpy as np

from shapeplan.figures.figure import Figure, about, compute_label, finite, rows_behind
from shapeplan.fitting.result import Fit
from shapeplan.fitting.rows import BESIDE, CENTER, Rows

PARTS = {CENTER: "centre", BESIDE: "other rows"}


def predicted(fit: Fit) -> Figure:
    """Return predicted and observed losses, row by row, with where each row is in the star and whether it was fitted.

    Raises
    ------
    PlanError
        If the fit has no rows.
    """
    rows = rows_behind(fit, "fit")
    unseen = int((~rows.fitted).sum())
    errors = rows.residuals[rows.fitted]
    summary = (
        f"The law {fit.law.form.name} misses the {len(errors)} rows it was fitted to by"
        f" {np.sqrt(np.mean(errors**2)):.2%} (root mean square)"
    )
    if unseen:
        outside = rows.residuals[~rows.fitted]
        summary += f", and {unseen} rows it never saw by {np.sqrt(np.mean(outside**2)):.2%}"
    table = tuple(
        {
            **described(rows, i),
            "observed": float(rows.observed[i]),
            "predicted": finite(rows.predicted[i]),
            "residual": finite(rows.residuals[i]),
        }
        for i in range(len(rows))
    )
    labels = {
        "observed": f"observed {fit.metric}",
        "predicted": f"predicted {fit.metric}",
        "residual": "predicted / observed - 1",
        "flops": compute_label(fit),
    }
    reading = "On the dashed line the law is exact. Filled: the law was fitted to the row; hollow: predicted unseen."
    return Figure("fit", "Predicted against observed", about(fit), summary + ".", reading, {"rows": table}, labels)


def described(rows: Rows, i: int) -> dict[str, str | float | int | bool | None]:
    """Return what is known of a row: its run, line, shape, compute, and where it is in the star."""
    part = rows.parts[i]
    return {
        "run": rows.runs[i],
        "line": int(rows.lines[i]),
        **{dim: float(sizes[i]) for dim, sizes in rows.shape.items()},
        "flops": float(rows.flops[i]),
        "part": "rows" if set(rows.parts) == {BESIDE} else PARTS.get(part, f"{part} arm"),
        "fitted": bool(rows.fitted[i]),
    }
