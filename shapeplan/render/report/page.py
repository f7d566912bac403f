"""From a fit, its figures and its plan to one HTML page that opens from disk and asks for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shapeplan import __version__
from shapeplan.errors import PlanError
from shapeplan.figures.figure import Figure
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.quantities import format_flops
from shapeplan.render.charts.chart import spec
from shapeplan.render.fit import render_fit
from shapeplan.render.plan import basis
from shapeplan.render.report.blocks import Block, blocks
from shapeplan.render.report.budgets import budget_parts, grouped, moving
from shapeplan.render.text import html_of, without_controls
from shapeplan.render.vega import make

if TYPE_CHECKING:
    from jinja2 import Template

    from shapeplan.planning.plan import Plan

_SNIPPET = "window.shapeplanEmbed = vegaEmbed;"
"""What the page needs of Vega: one function."""


@frozen
class Picture:
    """A figure on a page: its words, and its chart as JSON that cannot end a script element."""

    name: str
    title: str
    summary: str
    reading: str
    chart: str

    @classmethod
    def of(cls, figure: Figure) -> Picture:
        """Return the picture of a figure."""
        made = spec(figure, titled=False)
        # The page's own colours show through, and charts follow its light and dark.
        made["config"]["background"] = "transparent"
        return cls(figure.name, figure.title, figure.summary, figure.reading, _for_script(made))


def page_of_figure(figure: Figure) -> str:
    """Return a page with one figure and nothing else."""
    return _template().render(
        title=figure.title,
        lead=figure.about,
        pictures=(Picture.of(figure),),
        states="[]",
        start=0,
        script=_script(),
        version=__version__,
    )


@frozen
class Contents:
    """What a report is made of.

    Attributes
    ----------
    fit : Fit
        What it is about.
    plan : Plan or None
        For the budgets of the slider; None where no plan can be made.
    shown : sequence of float
        Budgets that the table of budgets always has; the first is where the slider starts.
    figures : sequence of Figure
        In order.
    left_out : sequence of PlanError
        Why there are no others.
    commands : sequence of str
        What reproduces it.
    law : str
        The law document that it was made from.
    beside : sequence of Block
        Another fit at its side.
    """

    fit: Fit
    plan: Plan | None
    shown: Sequence[float]
    figures: Sequence[Figure]
    left_out: Sequence[PlanError]
    commands: Sequence[str]
    law: str
    beside: Sequence[Block] = ()


def page(contents: Contents) -> str:
    """Return the report."""
    fit, plan = contents.fit, contents.plan
    low, high = fit.flops_range
    rows = f"{fit.quality.rows} rows of {fit.quality.runs} runs, " if fit.quality else ""
    headers, parts = budget_parts(plan, contents.shown, contents.law) if plan else ((), ())
    start = [budget.flops for budget in plan.budgets].index(contents.shown[0]) if plan else 0
    names = {figure.name for figure in contents.figures}
    states = moving(fit, plan, names) if plan else []
    return _template().render(
        title=f"Plan for {fit.metric}" if plan else f"Law {fit.law.form.name} for {fit.metric}",
        lead=f"Law {fit.law.form.name} from {rows}{format_flops(low)} to {format_flops(high)} "
        f"{fit.flops_convention} FLOPs",
        alarm="" if fit.status == "ok" else "This fit is not to be trusted: read the warnings before any number.",
        warnings=grouped(fit.cautions),
        headers=headers,
        parts=parts,
        start=start,
        labels=json.dumps([part.label for part in parts]),
        basis=_below(blocks([basis(plan)])) if plan else (),
        fit=_below(blocks(render_fit(fit))),
        beside=tuple(contents.beside),
        pictures=tuple(Picture.of(_with_state(figure, states, start)) for figure in contents.figures),
        states=_for_script(states),
        left_out=tuple(error.details[0].message for error in contents.left_out),
        provenance=_provenance(fit),
        commands=tuple(contents.commands),
        script=_script(),
        version=__version__,
    )


def _with_state(figure: Figure, states: Sequence[Mapping[str, Any]], start: int) -> Figure:
    """Return a figure with what follows the slider as it is when the page opens."""
    state = states[start].get(figure.name) if states else None
    if state is None or not all(state["data"].values()):
        return figure
    return replace(figure, summary=state["said"], tables={**figure.tables, **state["data"]})


def _below(found: Sequence[Block]) -> tuple[Block, ...]:
    """Return blocks without alarms, which stand on top of the page."""
    return tuple(block for block in found if block.kind != "alarm")


def _provenance(fit: Fit) -> tuple[tuple[str, str], ...]:
    pairs = [(source.name, f"sha256 {source.sha256}") for source in dict.fromkeys((*fit.origins, *fit.sources))]
    pairs.append(("bootstrap", f"{fit.bootstrap.replicates} replicates, seed {fit.bootstrap.seed}"))
    return (*pairs, ("shapeplan", __version__))


def _template() -> Template:
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    loader = PackageLoader("shapeplan.render.report", "")
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_without_controls
    )
    environment.filters["html_of"] = lambda text: Markup(html_of(text))
    return environment.get_template("page.html.j2")


def _without_controls(value: Any) -> Any:
    """Return what goes into the page; markup is ours, or was made safe before."""
    return without_controls(value) if type(value) is str else value


def _script() -> str:
    """Return Vega's own code, so that the page asks for nothing; a script element must not be ended by it."""
    bundle = make("javascript_bundle", _SNIPPET).decode()
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _for_script(value: Any) -> str:
    """Return JSON that is safe within a script element, whatever texts it holds."""
    text = json.dumps(value, allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
