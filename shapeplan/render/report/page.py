"""From a fit, its figures and its plan to one HTML page that opens from disk and asks for nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shapeplan import __version__
from shapeplan.errors import Caution, PlanError
from shapeplan.figures.figure import Figure
from shapeplan.fitting.result import Fit
from shapeplan.quantities import format_flops
from shapeplan.render.charts.chart import spec
from shapeplan.render.fit import render_fit
from shapeplan.render.plan import render_plan
from shapeplan.render.report.blocks import Block, blocks
from shapeplan.render.text import html_of
from shapeplan.render.vega import make

if TYPE_CHECKING:
    from jinja2 import Template

    from shapeplan.planning.plan import Plan

_WIDE = 10_000
"""Columns: as wide as tables need."""
_SNIPPET = "window.shapeplanEmbed = vegaEmbed;"
"""What the page needs of Vega: one function."""


@dataclass(frozen=True)
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
        script=_script(),
        version=__version__,
    )


def page(
    fit: Fit,
    plan: Plan | None,
    figures: Sequence[Figure],
    left_out: Sequence[PlanError],
    commands: Sequence[str],
) -> str:
    """Return the report.

    Parameters
    ----------
    fit : Fit
        What it is about.
    plan : Plan or None
        For a few budgets; None where no plan can be made.
    figures : sequence of Figure
        In order.
    left_out : sequence of PlanError
        Why there are no others.
    commands : sequence of str
        What reproduces it.
    """
    cautions = dict.fromkeys((*fit.cautions, *(_of_plan(plan) if plan else ())))
    sections = []
    if plan:
        sections.append(("plan", "The plan", _plan_blocks(plan)))
    sections.append(("fit", "The fit", blocks(render_fit(fit))))
    low, high = fit.flops_range
    rows = f"{fit.quality.rows} rows of {fit.quality.runs} runs, " if fit.quality else ""
    return _template().render(
        title=f"Law {fit.law.form.name} for {fit.metric}",
        lead=f"{rows}{format_flops(low)} to {format_flops(high)} {fit.flops_convention} FLOPs",
        alarm="" if fit.status == "ok" else "This fit is not to be trusted: read the warnings before any number.",
        cautions=tuple(cautions),
        sections=tuple((name, title, _below(found)) for name, title, found in sections),
        pictures=tuple(Picture.of(figure) for figure in figures),
        left_out=tuple(error.details[0].message for error in left_out),
        provenance=_provenance(fit),
        commands=tuple(commands),
        script=_script(),
        version=__version__,
    )


def _of_plan(plan: Plan) -> list[Caution]:
    """Return the warnings of a plan; those of some budgets only say of which."""
    counts = Counter(caution for budget in plan.budgets for caution in dict.fromkeys(budget.cautions))
    found = list(plan.cautions)
    for budget in plan.budgets:
        place = f"at {format_flops(budget.flops)}: "
        for caution in dict.fromkeys(budget.cautions):
            everywhere = counts[caution] == len(plan.budgets) or caution.message.startswith(place)
            found.append(caution if everywhere else replace(caution, message=place + caution.message))
    return found


def _plan_blocks(plan: Plan) -> list[Block]:
    """Return everything about every budget, and once what all rest on."""
    found: list[Block] = []
    for budget in plan.budgets:
        *one, heading, basis = blocks(render_plan(replace(plan, budgets=(budget,)), _WIDE))
        found += one
    return [*found, heading, basis]


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
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["html_of"] = lambda text: Markup(html_of(text))
    return environment.get_template("page.html.j2")


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
