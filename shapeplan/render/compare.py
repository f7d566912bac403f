"""The laws side by side, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType

from shapeplan.render.parts import count, facts, table, title
from shapeplan.render.scores import score_table, unknown_scores

if TYPE_CHECKING:
    from shapeplan.fitting.compare import Comparison


def render_compare(found: Comparison) -> list[RenderableType]:
    """Return the tables of a comparison: the scores, what they mean, and the laws that are out."""
    parts: list[RenderableType] = [
        title(f"Laws for {found.metric}: relative errors on rows they did not see (* is the choice of fit)"),
        score_table(found.scores, found.chosen),
        facts(
            [
                ("backtest", "fitted below ever less compute, asked for all rows above; geometric mean over folds"),
                ("top decade", "fitted below a tenth of the largest compute, asked for the rest; bias is the mean"),
                ("new shape", "fitted without a shape, asked for it"),
                ("in sample", f"{count(found.rows, 'row')} of {count(found.runs, 'run')}, {found.objective} objective"),
                (
                    "dBIC",
                    "BIC over all rows, above the least: constants that it is strongly against (6) are dropped",
                ),
            ]
        ),
    ]
    parts += unknown_scores(found.scores)
    if found.refused:
        rows = [[law.law, law.reason or ""] for law in found.refused]
        parts += [title("Laws that the log cannot identify"), table(["law", "why"], rows, left=2)]
    return parts
