"""What a report holds: all figures that a fit can give, and the plan for a few budgets."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from shapeplan.errors import PlanError, ShapeplanError
from shapeplan.figures.catalogue import FIGURES, figure
from shapeplan.figures.figure import Figure
from shapeplan.fitting.result import Fit
from shapeplan.planning.plan import Plan
from shapeplan.planning.recommend import recommend
from shapeplan.render.report.page import page

COMMAND = "shapeplan report law.json -o report.html"
FACTORS = (1.0, 10.0, 100.0)
"""Budgets over the largest compute of the log, where none are given."""


def report_page(fit: Fit, flops: Sequence[float] = (), command: str = COMMAND, law: str = "law.json") -> str:
    """Return the report of a fit as one HTML page.

    Parameters
    ----------
    fit : Fit
        Any; one that is not to be trusted is reported with that on top.
    flops : sequence of float
        Budgets to plan for, in the convention of the law; by default `FACTORS` of the log.
    command, law : str
        What made it, and the law document that it was made from, as they are told to readers.

    Raises
    ------
    PlanError
        If budgets are given and no plan can be made for them.
    """
    figures: list[Figure] = []
    left_out: list[PlanError] = []
    for name in FIGURES:
        try:
            figures.append(figure(name, fit))
        except PlanError as error:
            left_out.append(error)
    return page(fit, _plan(fit, flops), figures, left_out, [*_fitted_by(fit, law), command])


def _plan(fit: Fit, flops: Sequence[float]) -> Plan | None:
    if flops:
        return recommend(fit, list(flops), force=True)
    try:
        return recommend(fit, [factor * fit.flops_range[1] for factor in FACTORS], force=True)
    except ShapeplanError:
        # The law may know no shape at all, or leave nothing to plan: the report then has no plan, as its law.
        return None


def _fitted_by(fit: Fit, law: str) -> list[str]:
    """Return the command that fits the law again, where there was a fit."""
    if fit.quality is None:
        return []
    if fit.command is not None:
        return [f"{fit.command} -o {shlex.quote(law)}"]
    log = next((source.name for source in (*fit.origins, *fit.sources)), "LOG")
    chosen = "auto" if len(fit.selection) > 1 else fit.law.form.name
    words = ["shapeplan", "fit", log, "--metric", fit.metric, "--law", chosen]
    words += ["--objective", fit.quality.objective, "--replicates", f"{fit.bootstrap.replicates}"]
    return [shlex.join([*words, "--seed", f"{fit.bootstrap.seed}", "-o", law])]
