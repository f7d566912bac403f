"""Fits and plans as a notebook shows them: the tables of the terminal, and as HTML."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from itertools import takewhile

from rich.console import Console, RenderableType

from shapeplan.errors import Caution
from shapeplan.fitting.result import Fit
from shapeplan.planning.plan import Plan
from shapeplan.render.fit import render_fit
from shapeplan.render.plan import render_plan
from shapeplan.render.report.blocks import Block, blocks
from shapeplan.render.text import html_of

_HTML_WIDTH, _PLAIN_WIDTH = 10_000, 120
_WORDS, _NUMBERS = "text-align:left", "text-align:right"


def html(shown: Fit | Plan) -> str:
    """Return a fit or a plan as a piece of HTML: the answer, warnings, tables."""
    found = blocks(_tables(shown, _HTML_WIDTH))
    first = len([*takewhile(lambda block: block.kind == "text", found)])
    cautions = "".join(_caution(caution) for caution in _cautions(shown))
    warned = f"<ul>{cautions}</ul>" if cautions else ""
    answer, rest = ("".join(map(_block, part)) for part in (found[:first], found[first:]))
    return f"<div>{answer}{warned}{rest}</div>"


def plain(shown: Fit | Plan) -> str:
    """Return a fit or a plan as text."""
    stream = io.StringIO()
    console = Console(file=stream, width=_PLAIN_WIDTH, color_system=None, highlight=False, markup=False, emoji=False)
    for part in _tables(shown, _PLAIN_WIDTH):
        console.print(part)
    for caution in _cautions(shown):
        console.print(f"warning: {caution}")
    return "\n".join(line.rstrip() for line in stream.getvalue().rstrip().split("\n"))


def _tables(shown: Fit | Plan, width: int) -> Sequence[RenderableType]:
    return render_fit(shown) if isinstance(shown, Fit) else render_plan(shown, width)


def _cautions(shown: Fit | Plan) -> list[Caution]:
    own = list(shown.cautions)
    if isinstance(shown, Plan):
        own += [caution for budget in shown.budgets for caution in budget.cautions]
    return list(dict.fromkeys(own))


def _caution(caution: Caution) -> str:
    return f"<li><code>{escape(caution.code)}</code> {html_of(caution.message)}; {html_of(caution.hint)}</li>"


def _block(block: Block) -> str:
    if block.kind == "alarm":
        return f'<p role="alert"><strong>{escape(block.text)}</strong></p>'
    if block.kind == "heading":
        return f"<h4>{escape(block.text)}</h4>"
    if block.kind == "text":
        return f"<p>{escape(block.text)}</p>"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in block.headers)
    rows = "".join(f"<tr>{_cells(block, row)}</tr>" for row in block.rows)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{rows}</tbody></table>"


def _cells(block: Block, row: Sequence[str]) -> str:
    words = len(row) if block.kind == "facts" else block.left
    return "".join(f'<td style="{_WORDS if i < words else _NUMBERS}">{escape(cell)}</td>' for i, cell in enumerate(row))
