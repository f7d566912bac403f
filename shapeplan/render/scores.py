"""The table of laws that a choice rests on."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from shapeplan.fitting.evidence import HeldOutError, Score
from shapeplan.render.parts import percent, table


def score_table(scores: Sequence[Score], chosen: str, *, unseen_shapes: bool = False) -> Table:
    """Return the laws with their errors, the best rollout first; the chosen law is marked."""
    headers = ["law", "params", "rollout", "+-", "top decade", "bias"]
    headers += ["new shape", "bias"] if unseen_shapes else []
    rows = []
    for score in sorted(scores, key=lambda score: (score.rollout_rmse is None, score.rollout_rmse)):
        row = [score.law + (" *" if score.law == chosen else ""), f"{score.parameters}"]
        row += [_error(score.rollout_rmse), percent(score.rollout_se), *_held_out(score.top_decade)]
        row += _held_out(score.unseen_shapes) if unseen_shapes else []
        rows.append([*row, percent(score.relative_rmse)])
    return table([*headers, "in sample"], rows)


def _held_out(error: HeldOutError | None) -> list[str]:
    return ["-", "-"] if error is None else [_error(error.rmse), _error(error.bias, signed=True)]


def _error(value: float | None, *, signed: bool = False) -> str:
    """Return a percentage; a law that has run away says so."""
    if value is None or abs(value) < 10:
        return percent(value, signed=signed)
    return "> 1000%" if value > 0 else "< -1000%"
