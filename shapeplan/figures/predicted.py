"""``fit``: every row as the law predicts it, against what was observed (the paper's Figure 4)."""

from __future__ import annotations

import numpy as np

from shapeplan.figures.figure import Figure, about, compute_label, finite, rows_behind
from shapeplan.fitting.result import Fit
from shapeplan.fitting.rows import BESIDE, CENTER, Rows
from shapeplan.numerics.arrays import plain

MOST_ROWS, FURTHEST_ROWS = 1000, 50
"""Rows that a picture shows at most, and how many of them are those furthest from the law."""
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
    errors = rows.residuals[rows.fitted] if rows.fitted.any() else np.zeros(1)
    summary = (
        f"The law {fit.law.form.name} misses the {int(rows.fitted.sum())} rows it was fitted to by"
        f" {np.sqrt(np.mean(errors**2)):.2%} (root mean square)"
    )
    if unseen:
        outside = rows.residuals[~rows.fitted]
        summary += f", and {unseen} rows it never saw by {np.sqrt(np.mean(outside**2)):.2%}"
    shown = shown_rows(rows)
    table = tuple(
        {
            **described(rows, i),
            "observed": float(rows.observed[i]),
            "predicted": finite(rows.predicted[i]) if rows.predicted[i] > 0 else None,
            "residual": finite(rows.residuals[i]),
        }
        for i in shown
    )
    labels = {
        "observed": f"observed {fit.metric}",
        "predicted": f"predicted {fit.metric}",
        "residual": "predicted / observed - 1",
        "flops": compute_label(fit),
    }
    reading = "On the dashed line the law is exact. Filled: the law was fitted to the row; hollow: predicted unseen."
    reading += thinned_note(rows)
    return Figure("fit", "Predicted against observed", about(fit), summary + ".", reading, {"rows": table}, labels)


def shown_rows(rows: Rows) -> list[int]:
    """Return the rows that pictures show: all of a few; of many, some evenly along the compute and the furthest off."""
    if len(rows) <= MOST_ROWS:
        return list(range(len(rows)))
    along = np.argsort(rows.flops, kind="stable")[:: -(-len(rows) // MOST_ROWS)]
    furthest = np.argsort(-np.nan_to_num(np.abs(rows.residuals)), kind="stable")[:FURTHEST_ROWS]
    return [int(i) for i in np.union1d(along, furthest)]


def thinned_note(rows: Rows) -> str:
    """Return that not all rows are shown, in a sentence that stands after another; nothing where all are."""
    shown = len(shown_rows(rows))
    return (
        ""
        if shown == len(rows)
        else f" {shown} of {len(rows)} rows are shown: evenly by compute, and the furthest off."
    )


def described(rows: Rows, i: int) -> dict[str, str | float | int | bool | None]:
    """Return what is known of a row: its run, line, shape, compute, and where it is in the star."""
    part = rows.parts[i]
    return {
        "run": rows.runs[i],
        "line": int(rows.lines[i]),
        "shape": ", ".join(f"{dim} {plain(sizes[i])}" for dim, sizes in rows.shape.items()),
        "flops": float(rows.flops[i]),
        "part": "rows" if set(rows.parts) == {BESIDE} else PARTS.get(part, f"{part} arm"),
        "fitted": bool(rows.fitted[i]),
    }
