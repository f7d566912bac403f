"""What is doubtful about a fit, in coded warnings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import fdtrc

from shapeplan.arrays import Floats
from shapeplan.errors import Caution
from shapeplan.fitting.problem import Problem
from shapeplan.fitting.result import (
    HELD_OUT_TOLERANCE,
    Arm,
    Estimate,
    FrontRow,
    HeldOutError,
    Outlier,
    Parameter,
)
from shapeplan.runs import Runs

POOR_FIT, HOPELESS_FIT = 0.02, 0.05
"""Relative RMSE above which the law is doubted, and above which no plan should rest on it."""
VAGUE = 10.0
"""Ratio of the ends of an interval above which a scaling exponent is called unidentified."""
FEW_DEFINED = 0.95
"""Share of replicates in which a scaling exponent must be defined."""
_FAR = 5.0
_MAD_TO_SIGMA = 1.4826
_EXACT = 1e-9
_SIGNIFICANCE = 0.01


def find_at_bound(problem: Problem, constants: Mapping[str, float]) -> frozenset[str]:
    """Return the exponents at the edge of their range and the coefficients that are zero."""
    zero = {name for name in problem.form.coefficients if constants[name] == 0}
    edge = set()
    for name in problem.form.exponents:
        low, high = problem.form.bounds(name)
        if constants[name] <= low * (1 + 1e-9) or constants[name] >= high * (1 - 1e-9):
            edge.add(name)
    return frozenset(zero | edge)


def bound_cautions(problem: Problem, parameters: Mapping[str, Parameter]) -> list[Caution]:
    """Return a caution for exponents at their bounds, and one for irreducible losses that are zero."""
    cautions = []
    moot = {
        power.exponent
        for term in problem.form.terms
        for power in term.powers
        if parameters[term.coefficient].value == 0 and power.exponent != "c"
    }
    stuck = [name for name in problem.form.exponents if parameters[name].at_bound and name not in moot]
    if stuck:
        said = ", ".join(f"{name} = {parameters[name].value:g}" for name in stuck)
        hint = "the rows do not determine it; add values of that dimension, or longer and shorter runs"
        cautions.append(Caution("at-bound", f"at the edge of the search: {said}", hint))
    touching = [
        name
        for name in problem.form.exponents
        if name not in moot and not parameters[name].at_bound and _touches(problem.form.bounds(name), parameters[name])
    ]
    if touching:
        hint = "treat them as unknown on that side; add values of that dimension"
        cautions.append(Caution("at-bound", f"intervals end at the edge of the search: {', '.join(touching)}", hint))
    floors = [name for name in problem.form.coefficients if name.startswith("eps") and parameters[name].at_bound]
    if floors:
        message = f"no irreducible loss is identified ({', '.join(floors)} = 0)"
        hint = "the loss far beyond the data may be predicted too low; longer runs would show where it levels off"
        cautions.append(Caution("at-bound", message, hint))
    return cautions


def _touches(bounds: tuple[float, float], parameter: Parameter) -> bool:
    ci = parameter.ci
    return ci is not None and (ci[0] <= bounds[0] * (1 + 1e-6) or ci[1] >= bounds[1] * (1 - 1e-6))


def exponent_cautions(estimates: Mapping[str, Estimate], draws: Mapping[str, Floats]) -> list[Caution]:
    """Return a caution for every scaling exponent that the rows do not determine."""
    cautions = []
    for dim, estimate in estimates.items():
        defined = float(np.mean(np.isfinite(draws[dim]))) if dim in draws else 1.0
        hint = f"add values of {dim}, smaller and larger, at more durations"
        if not np.isfinite(estimate.value):
            message = f"s_{dim} is not defined: the {dim} arm shows no trade-off between size and training"
        elif estimate.ci is not None and (estimate.ci[1] > VAGUE * estimate.ci[0] or defined < FEW_DEFINED):
            message = f"s_{dim} is anywhere from {estimate.ci[0]:.2g} to {estimate.ci[1]:.2g}"
            if defined < FEW_DEFINED:
                message += f", and undefined in {1 - defined:.0%} of the replicates"
        else:
            continue
        cautions.append(Caution("unidentified", message, hint))
    return cautions


def fit_cautions(relative_rmse: float) -> list[Caution]:
    """Return a caution where the law is far from its own rows."""
    if relative_rmse <= POOR_FIT:
        return []
    message = f"the law misses its own rows by {relative_rmse:.1%} (root mean square)"
    return [Caution("lack-of-fit", message, "check the log for mixed recipes or metrics")]


def compute_exponent_cautions(shared: float, separate: float, rows: int, parameters: int, arms: int) -> list[Caution]:
    """Return a caution where arms fitted apart, each with its own c, are better than chance allows (F test).

    Parameters
    ----------
    shared, separate : float
        Sum of squared residuals with one c, and with one c an arm.
    rows, parameters : int
        Rows, and parameters of the fit with one c an arm.
    arms : int
        Number of arms.
    """
    extra, freedom = arms - 1, rows - parameters
    if extra < 1 or freedom < 1 or separate <= rows * _EXACT**2:
        return []
    statistic = max(shared - separate, 0.0) / extra / (separate / freedom)
    chance = float(fdtrc(extra, freedom, statistic))
    if chance >= _SIGNIFICANCE:
        return []
    message = f"the arms disagree about c (F = {statistic:.1f}, p = {chance:.1g})"
    return [Caution("c-differs", message, "see the c of each arm; the paper finds one c for all dimensions")]


def center_cautions(center: HeldOutError | None, relative_rmse: float) -> list[Caution]:
    """Return a caution where the held-out centre is missed by more than 2% and three times the scatter."""
    if center is None:
        hint = "train the centre too: predicting it unseen is the best test of the law"
        return [Caution("no-center", "the log has no row of the centre", hint)]
    if center.rmse <= max(HELD_OUT_TOLERANCE, 3 * relative_rmse):
        return []
    message = f"the held-out centre is missed by {center.rmse:.1%} (root mean square)"
    return [Caution("center-missed", message, "the law does not carry to large shapes; do not trust its loss there")]


def grid_cautions(grid: HeldOutError | None, relative_rmse: float) -> list[Caution]:
    """Return a caution where the rows beside the star are missed by more than 2% and three times the scatter."""
    if grid is None or grid.rmse <= max(HELD_OUT_TOLERANCE, 3 * relative_rmse):
        return []
    message = f"the {grid.rows} rows beside the star are missed by {grid.rmse:.0%} (mean {grid.bias:+.0%})"
    hint = "Eq. 3 does not hold away from the arms, so plans give no loss"
    return [Caution("off-star-misfit", message, hint)]


def find_front(runs: Runs) -> tuple[FrontRow, ...]:
    """Return the rows that no row with as little compute beats, in order of compute."""
    loss = runs.observed()
    order = np.lexsort((loss, runs.flops))
    best = np.minimum.accumulate(loss[order])
    rows = order[np.flatnonzero(best < np.concatenate([[np.inf], best[:-1]]))]
    return tuple(
        FrontRow(runs.run_names[runs.run[i]], int(runs.lines[i]), float(runs.flops[i]), float(loss[i])) for i in rows
    )


def find_outliers(runs: Runs, problem: Problem, residuals: Floats) -> tuple[Outlier, ...]:
    """Return the rows whose residual is more than five robust standard deviations from the median."""
    middle = float(np.median(residuals))
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(residuals - middle)))
    far = np.flatnonzero(np.abs(residuals - middle) > max(_FAR * sigma, _EXACT))
    rows = problem.all_rows
    found = [Outlier(runs.run_names[runs.run[rows[i]]], int(runs.lines[rows[i]]), float(residuals[i])) for i in far]
    return tuple(sorted(found, key=lambda outlier: (-abs(outlier.residual), outlier.line)))


def outlier_cautions(outliers: tuple[Outlier, ...]) -> list[Caution]:
    """Return one caution that names the worst outliers."""
    if not outliers:
        return []
    named = ", ".join(f"{o.run} (line {o.line}, {o.residual:+.1%})" for o in outliers[:3])
    more = f" and {len(outliers) - 3} more" if len(outliers) > 3 else ""
    message = f"{len(outliers)} row{'s lie' if len(outliers) > 1 else ' lies'} far from the law: {named}{more}"
    return [Caution("outlier", message, "check these runs; they are part of the fit")]


def arm_report(runs: Runs, problem: Problem, residuals: Floats, c_alone: Mapping[str, float]) -> dict[str, Arm]:
    """Return how the law does on every arm."""
    arms, start = {}, 0
    for dim, rows in problem.rows.items():
        mine = residuals[start : start + len(rows)]
        start += len(rows)
        arms[dim] = Arm(
            values=tuple(map(float, np.unique(runs.values(dim)[rows]))),
            rows=len(rows),
            runs=len(np.unique(runs.run[rows])),
            relative_rmse=float(np.sqrt(np.mean(mine**2))),
            c_alone=c_alone[dim],
        )
    return arms
