"""``rollout``: how far off every law is on rows above those it was fitted to, by how far above they are."""

from __future__ import annotations

from shapeplan.figures.figure import Figure, Table, about, no_figure
from shapeplan.fitting.result import Fit


def rollout(fit: Fit) -> Figure:
    """Return the error on held-out rows by law and distance.

    Raises
    ------
    PlanError
        If no laws were compared.
    """
    table: Table = tuple(
        {
            "law": score.law,
            "chosen": score.law == fit.law.form.name,
            "distance": horizon.distance,
            "error": horizon.rmse,
            "rows": horizon.rows,
        }
        for score in fit.selection
        for horizon in score.rollout
    )
    if not table:
        raise no_figure("rollout", "no laws were compared on this log", "fit without a law, so that all are compared")
    scores = sorted(
        ((score.rollout_rmse, score.law) for score in fit.selection if score.rollout_rmse is not None),
    )
    best = ", ".join(f"{law} {rmse:.2%}" for rmse, law in scores)
    summary = f"Backtest errors, means over the folds: {best}. The law of choice is {fit.law.form.name}."
    labels = {"distance": "compute of the rows / largest compute fitted", "error": "relative error (RMS)"}
    reading = (
        "Every law is fitted to the rows below a compute and asked for those above (the backtest). Thick: the law of"
        " choice, by its fit to all rows, these errors and BIC."
    )
    title = "Held-out error by law and distance"
    return Figure("rollout", title, about(fit), summary, reading, {"errors": table}, labels)
