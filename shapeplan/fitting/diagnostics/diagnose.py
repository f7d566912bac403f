"""Every diagnostic of a fit, and which of them make it not to be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.fitting.diagnostics import warnings
from shapeplan.fitting.diagnostics.ignored_columns import what_ignored_explain
from shapeplan.fitting.diagnostics.influence import MonitoredQuantities, find_influences
from shapeplan.fitting.diagnostics.mid_run import measure_bumps, measure_first, measure_mid_run, mid_run_cautions
from shapeplan.fitting.diagnostics.replicate_noise import measure_noise
from shapeplan.fitting.diagnostics.residual_trends import find_trends
from shapeplan.fitting.diagnostics.star_diagnostics import StarReport
from shapeplan.fitting.diagnostics.wrong_cells import wrong_cells
from shapeplan.fitting.evidence import Diagnostics, Uncertainty
from shapeplan.fitting.records import Quality, Status
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.selection.identifiability import collinear_cautions
from shapeplan.fitting.uncertainty.estimates import Estimates
from shapeplan.laws import Law
from shapeplan.runs import Runs

_BROKEN_LOG = frozenset({codes.BROKEN_ARITHMETIC, codes.IMPLAUSIBLE_SHAPE})
"""Doubts about a log with which no plan should rest on it."""


def diagnose(
    law: Law,
    monitored: MonitoredQuantities,
    estimates: Estimates,
    star: StarReport | None,
    of_log: Sequence[Caution],
) -> Diagnostics:
    """Return what is known and doubtful about a fit; cautions in the order in which they are told.

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
    of_log : sequence of Caution
        What is doubtful about the log, whatever its law; told last.
    """
    chosen, runs, uncertainty = monitored.law, monitored.runs, estimates.uncertainty
    draws, exponent_draws = uncertainty.bootstrap.draws, uncertainty.bootstrap.exponents
    problem, joint = chosen.problem, chosen.problem.form.joint
    residuals = problem.residuals(chosen.found.best)
    noise = measure_noise(runs)
    misfit = warnings.Misfit.of(runs.observed()[problem.all_rows], residuals)
    misfits = warnings.fit_cautions(misfit, noise)
    outliers = warnings.find_outliers(runs, problem, residuals)
    mistyped = wrong_cells(chosen, runs, problem.all_rows[warnings.outlying(residuals)])
    trends = find_trends(runs, problem, residuals, estimates.residuals)
    ignored = what_ignored_explain(runs, problem, chosen.found.best, estimates.residuals)
    influences = find_influences(monitored, runs, draws, exponent_draws)
    unfinished = () if chosen.found.best.converged[0] else (warnings.NOT_CONVERGED,)
    collinear = collinear_cautions(runs, problem.form)
    vague = warnings.exponent_cautions(uncertainty.scaling_exponents, exponent_draws)
    edges: dict[str, Caution] = {}
    drifts: dict[str, Caution] = {}
    if joint:
        at_edge = monitored.at_edge(draws) if draws else {}
        edges = warnings.edge_cautions(monitored.at_edge(law.arrays()), at_edge)
        drifts = warnings.growth_cautions(uncertainty.growth_exponents)
    lost = _lost(uncertainty, {**drifts, **edges} if joint else vague, joint=joint)
    broken = tuple(caution for caution in runs.cautions if caution.code in _BROKEN_LOG)
    grave = (*broken, *(misfits if misfit.untrustworthy else ()), *unfinished, *collinear, *lost)
    cautions = (
        *warnings.trust_cautions(grave),
        *runs.cautions,
        *misfits,
        *mid_run_cautions(measure_mid_run(runs, problem, residuals), measure_bumps(runs), measure_first(chosen, runs)),
        *warnings.trend_cautions(trends),
        *warnings.ignored_cautions(ignored),
        *unfinished,
        *warnings.shape_cautions(runs, problem),
        *collinear,
        *warnings.replicate_cautions(uncertainty.bootstrap),
        *warnings.backtest_cautions(uncertainty.run_error),
        *(() if estimates.ends_converged else (warnings.ENDS_NOT_CONVERGED,)),
        *warnings.run_cautions(estimates.residuals),
        *vague.values(),
        *edges.values(),
        *drifts.values(),
        *(star.cautions if star and not joint else ()),
        *(star.exponent_cautions if star else ()),
        *warnings.outlier_cautions(outliers, mistyped),
        *warnings.influence_cautions(influences, problem.objective.name),
        *warnings.bound_cautions(problem, uncertainty.parameters),
        *of_log,
    )
    quality = _quality(runs, chosen, misfit, "untrusted" if grave else "ok")
    return Diagnostics(quality, outliers, trends, noise, influences, cautions)


def _quality(runs: Runs, chosen: Candidate, misfit: warnings.Misfit, status: Status) -> Quality:
    rows = chosen.problem.all_rows
    return Quality(
        objective=chosen.problem.objective.name,
        objective_value=chosen.problem.misfit(chosen.found.best),
        relative_rmse=misfit.rmse,
        rows=len(rows),
        runs=len(np.unique(runs.run[rows])),
        status=status,
    )


def _lost(uncertainty: Uncertainty, doubted: Mapping[str, Caution], *, joint: bool) -> tuple[Caution, ...]:
    """Return the warnings about dimensions if none can be planned by.

    On a star every dimension is scaled by its own exponent; a joint law with one at the edge still has the others.
    """
    own = uncertainty.growth_exponents if joint else uncertainty.scaling_exponents
    undefined = not joint and not all(np.isfinite(s.value) for s in own.values())
    return tuple(doubted.values()) if own and (undefined or len(doubted) >= len(own)) else ()
