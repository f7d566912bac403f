"""What a report holds: all figures that a fit can give, and the plan for a few budgets."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

import numpy as np

from shapeplan.errors import PlanError, ShapeplanError
from shapeplan.figures.catalogue import FIGURES, figure
from shapeplan.figures.figure import Figure
from shapeplan.fitting.result import Fit, check_is_fit
from shapeplan.planning.plan import Plan
from shapeplan.planning.recommend import recommend
from shapeplan.render.report.beside import side_by_side
from shapeplan.render.report.page import Contents, page

COMMAND = "shapeplan report law.json -o report.html"
FACTORS = (10.0, 1.0, 100.0)
"""Budgets over the largest compute of the log that the table always has, where none are given; the first is shown."""
STEPS = 25
"""Budgets of the slider."""
_NEAR = 0.02
"""Distance of budgets, in the logarithm, below which they are the same to a reader."""


def report_page(
    fit: Fit, flops: Sequence[float] = (), command: str = COMMAND, law: str = "law.json", also: Fit | None = None
) -> str:
    """Return the report of a fit as one HTML page.

    Parameters
    ----------
    fit : Fit
        Any; one that is not to be trusted is reported with that on top.
    flops : sequence of float
        Budgets to plan for, in the convention of the law; by default `FACTORS` of the log. The page opens at the first,
        and its slider goes from the least compute of the log beyond the largest budget.
    command, law : str
        What made it, and the law document that it was made from, as they are told to readers.
    also : Fit, optional
        Another fit, to set at its side.

    Raises
    ------
    PlanError
        If budgets are given and no plan can be made for them.
    """
    for one in (fit,) if also is None else (fit, also):
        check_is_fit(one)
    figures: list[Figure] = []
    left_out: list[PlanError] = []
    for name in FIGURES:
        both = [fit, also] if also is not None and name == "exponents" else fit
        try:
            figures.append(figure(name, both))
        except PlanError as error:
            left_out.append(error)
    shown = [*flops] or [factor * fit.flops_range[1] for factor in FACTORS]
    return page(
        Contents(
            fit=fit,
            plan=_plan(fit, shown, asked=bool(flops)),
            shown=shown,
            figures=figures,
            left_out=left_out,
            commands=[*_fitted_by(fit, law), command],
            law=law,
            beside=side_by_side(fit, also, shown) if also is not None else (),
        )
    )


def _plan(fit: Fit, shown: Sequence[float], *, asked: bool) -> Plan | None:
    try:
        return recommend(fit, _steps(fit, shown), force=True)
    except ShapeplanError:
        # The law may know no shape at all, or leave nothing to plan: the report then has no plan, as its law. Or it
        # has none at some budget of the slider, which then has only those that are shown.
        pass
    try:
        return recommend(fit, sorted(set(shown)), force=True)
    except ShapeplanError:
        if asked:
            raise
        return None


def _steps(fit: Fit, shown: Sequence[float]) -> list[float]:
    """Return the budgets of the slider: those that are shown, and others evenly between them in the logarithm."""
    ends = min(*shown, fit.flops_range[0]), max(*shown, FACTORS[0] * fit.flops_range[1])
    between = np.geomspace(*ends, max(STEPS - len(set(shown)), 2))
    # Next to a budget that is shown, another tells nothing.
    apart = [step for step in between.tolist() if min(abs(math.log(step / one)) for one in shown) > _NEAR]
    return sorted({*shown, *apart})


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
