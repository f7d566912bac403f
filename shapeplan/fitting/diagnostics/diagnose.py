"""Every diagnostic of a fit, and which of them make it not to be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shapeplan.errors import Caution
from shapeplan.fitting.diagnostics import warnings
from shapeplan.fitting.diagnostics.ignored_columns import what_ignored_explain
from shapeplan.fitting.diagnostics.influence import MonitoredQuantities, find_influences
from shapeplan.fitting.diagnostics.replicate_noise import measure_noise
from shapeplan.fitting.diagnostics.residual_trends import find_trends
from shapeplan.fitting.diagnostics.star_diagnostics import StarReport
from shapeplan.fitting.records import Influences, Noise, Outlier, Trend
from shapeplan.fitting.selection.identifiability import collinear_cautions
from shapeplan.fitting.uncertainty.estimates import Estimates
from shapeplan.laws import Law


@dataclass(frozen=True)
class Findings:
    """What is known and doubtful about a fit.

    Attributes
    ----------
    misfit : Misfit
        Residuals against the metric's range.
    outliers, trends, noise, influences
        As in `Fit`.
    grave : tuple of Caution
        What makes the fit not to be trusted; empty for one that is.
    cautions : tuple of Caution
        All of it, in the order in which it is told.
    """

    misfit: warnings.Misfit
    outliers: tuple[Outlier, ...]
    trends: dict[str, Trend]
    noise: Noise | None
    influences: Influences
    grave: tuple[Caution, ...]
    cautions: tuple[Caution, ...]


def diagnose(law: Law, monitored: MonitoredQuantities, estimates: Estimates, star: StarReport | None) -> Findings:
    """Return what is known and doubtful about a fit.

    Parameters
    ----------
    law : Law
        The law of choice, with its constants.
    monitored : MonitoredQuantities
        The candidates behind the law and the star, and their rows.
    estimates : Estimates
        The intervals.
    star : StarReport or None
        How Eq. 2 does on the arms, the centre and the rows beside them.
    """
    chosen, runs, draws = monitored.law, monitored.runs, estimates.bootstrap.draws
    problem, joint = chosen.problem, chosen.problem.form.joint
    residuals = problem.residuals(chosen.found.best)
    noise = measure_noise(runs)
    misfit = warnings.Misfit.of(runs.observed()[problem.all_rows], residuals)
    misfits = warnings.fit_cautions(misfit, noise)
    outliers = warnings.find_outliers(runs, problem, residuals)
    trends = find_trends(runs, problem, residuals, estimates.residuals)
    ignored = what_ignored_explain(runs, problem, chosen.found.best, estimates.residuals)
    influences = find_influences(monitored, runs, draws, estimates.bootstrap.exponents)
    unfinished = () if chosen.found.best.converged[0] else (warnings.NOT_CONVERGED,)
    collinear = collinear_cautions(runs, problem.form)
    vague = warnings.exponent_cautions(estimates.scaling, estimates.bootstrap.exponents)
    edges: dict[str, Caution] = {}
    drifts: dict[str, Caution] = {}
    if joint:
        at_edge = monitored.at_edge(draws) if draws else {}
        edges = warnings.edge_cautions(monitored.at_edge(law.arrays()), at_edge)
        drifts = warnings.growth_cautions(estimates.growth)
    lost = _lost(estimates, {**drifts, **edges} if joint else vague, joint=joint)
    grave = (*(misfits if misfit.untrustworthy else ()), *unfinished, *collinear, *lost)
    cautions = (
        *warnings.trust_cautions(grave),
        *runs.cautions,
        *misfits,
        *warnings.trend_cautions(trends),
        *warnings.ignored_cautions(ignored),
        *unfinished,
        *warnings.shape_cautions(runs, problem),
        *collinear,
        *warnings.replicate_cautions(estimates.bootstrap),
        *(() if estimates.ends_converged else (warnings.ENDS_NOT_CONVERGED,)),
        *warnings.run_cautions(estimates.residuals),
        *vague.values(),
        *edges.values(),
        *drifts.values(),
        *(star.cautions if star and not joint else ()),
        *(star.exponent_cautions if star else ()),
        *warnings.outlier_cautions(outliers),
        *warnings.influence_cautions(influences),
        *warnings.bound_cautions(problem, estimates.parameters),
    )
    return Findings(misfit, outliers, trends, noise, influences, grave, cautions)


def _lost(estimates: Estimates, doubted: dict[str, Caution], *, joint: bool) -> tuple[Caution, ...]:
    """Return the warnings about dimensions if none can be planned by.

    On a star every dimension is scaled by its own exponent; a joint law with one at the edge still has the others.
    """
    own = estimates.growth if joint else estimates.scaling
    undefined = not joint and not all(np.isfinite(s.value) for s in own.values())
    return tuple(doubted.values()) if own and (undefined or len(doubted) >= len(own)) else ()
