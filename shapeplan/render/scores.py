"""The table of laws that a choice rests on."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table

from shapeplan.fitting.records import HeldOutError, Score
from shapeplan.render.parts import facts, table, title
from shapeplan.wording import compact, percent

_FIGURES = {"rollout_rmse": "backtest", "top_decade": "top decade", "unseen_shapes": "new shape"}


def score_table(scores: Sequence[Score], chosen: str) -> Table:
    """Return the laws with their errors, least backtest error first, the choice marked."""
    ordered = sorted(scores, key=lambda score: (score.rollout_rmse is None, score.rollout_rmse))
    names = [score.law + (" *" if score.law == chosen else "") for score in ordered]
    own = [
        [
            f"{score.parameters}",
            _error(score.rollout_rmse),
            percent(score.relative_rmse),
            "-" if score.bic_excess is None else compact(score.bic_excess),
        ]
        for score in ordered
    ]
    unseen = [_held_out(score.top_decade) for score in ordered]
    headers, others = ["params", "backtest", "in sample", "dBIC"], ["top decade", "bias"]
    if any(score.unseen_shapes for score in ordered):
        others += ["new shape", "bias"]
        unseen = [row + _held_out(score.unseen_shapes) for row, score in zip(unseen, ordered, strict=True)]
    rows = [[name, *first, *second] for name, first, second in zip(names, own, unseen, strict=True)]
    return table(["law", *headers, *others], rows)


def unknown_scores(scores: Sequence[Score]) -> list[RenderableType]:
    """Return why figures of the table are not known, where some are not."""
    laws: dict[tuple[str, str], list[str]] = {}
    for score in scores:
        for figure, reason in score.reasons.items():
            laws.setdefault((_FIGURES[figure], reason), []).append(score.law)
    if not laws:
        return []
    told = [(figure, f"{', '.join(names)}: {reason}") for (figure, reason), names in sorted(laws.items())]
    return [title("What is not known (-), and why"), facts(told)]


def _held_out(error: HeldOutError | None) -> list[str]:
    return ["-", "-"] if error is None else [_error(error.rmse), _error(error.bias, signed=True)]


def _error(value: float | None, *, signed: bool = False) -> str:
    """Return a percentage; a law that has run away says so."""
    if value is None or abs(value) < 10:
        return percent(value, signed=signed)
    return "> 1000%" if value > 0 else "< -1000%"
