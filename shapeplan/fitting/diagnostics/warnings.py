"""What is doubtful about a fit, in coded warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.fitting.diagnostics.ignored_columns import FILE
from shapeplan.fitting.diagnostics.influence import is_influential
from shapeplan.fitting.diagnostics.wrong_cells import WrongCell
from shapeplan.fitting.evidence import RunError
from shapeplan.fitting.isoflop import IsoFlops, told
from shapeplan.fitting.problem import Problem
from shapeplan.fitting.records import (
    Bootstrap,
    Estimate,
    Explained,
    FrontRow,
    Influences,
    Noise,
    Outlier,
    Parameter,
    Trend,
)
from shapeplan.fitting.solver.losses import LogHuber
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Bools, Floats, Index, robust_sigma
from shapeplan.numerics.pareto import front_rows
from shapeplan.optimum.cost_model import TRUST
from shapeplan.runs import Runs

POOR_FIT, HOPELESS_FIT = 0.02, 0.05
"""Relative RMSE above which the law is doubted, and above which no plan should rest on it."""
UNEXPLAINED = 0.5
"""Share of the variance above which a law that leaves it explains nothing."""
_MUCH = 0.1
"""Share of the residuals' variance that is worth a word."""
_UNLIKELY, _VISIBLE = 1e-3, 1e-4
"""Chance of a trend in a clean log below which it is told, if a third of the rows is off by this much."""
VAGUE = 10.0
"""Ratio of the ends of an interval above which a scaling exponent is called unidentified."""
FEW_DEFINED = 0.95
"""Share of replicates in which a scaling exponent must be defined."""
_OUTLYING = 5.0
_EXACT = 1e-9
_MOST_UNCONVERGED = 0.01
"""Share of replicates whose refit may end before its optimum: fewer do not move an interval's end."""
_TAIL_DRAWS = 2
"""Replicates that must lie outside an interval."""
_BEYOND_NOISE = {"replicates": 2.0, "checkpoints": 5.0}
"""Misfit, as a multiple of the noise, that the law may have; points of one curve share the noise of their run."""


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
        cautions.append(Caution(codes.AT_BOUND, f"at the bound of the search: {said}", hint))
    touching = [
        name
        for name in problem.form.exponents
        if name not in moot and not parameters[name].at_bound and _touches(problem.form.bounds(name), parameters[name])
    ]
    if touching:
        hint = "treat them as unknown on that side; add values of that dimension"
        cautions.append(
            Caution(codes.AT_BOUND, f"intervals end at the bound of the search: {', '.join(touching)}", hint)
        )
    floors = [name for name in problem.form.coefficients if name.startswith("eps") and parameters[name].at_bound]
    if floors:
        message = f"no irreducible loss is identified ({', '.join(floors)} = 0)"
        hint = "the loss far beyond the data may be predicted too low; longer runs would show where it levels off"
        cautions.append(Caution(codes.AT_BOUND, message, hint))
    return cautions


def _touches(bounds: tuple[float, float], parameter: Parameter) -> bool:
    ci = parameter.ci
    return ci is not None and (ci[0] <= bounds[0] * (1 + 1e-6) or ci[1] >= bounds[1] * (1 - 1e-6))


def exponent_cautions(estimates: Mapping[str, Estimate], draws: Mapping[str, Floats]) -> dict[str, Caution]:
    """Return a caution for every dimension whose scaling exponent the rows do not determine."""
    cautions = {}
    for dim, estimate in estimates.items():
        defined = float(np.mean(np.isfinite(draws[dim]))) if dim in draws else 1.0
        hint = f"add values of {dim}, smaller and larger, at more durations"
        if not np.isfinite(estimate.value):
            message = f"s_{dim} is not defined: the {dim} arm shows no trade-off between size and training"
        elif estimate.ci is not None and (estimate.ci[1] > VAGUE * estimate.ci[0] or defined < FEW_DEFINED):
            message = f"s_{dim} is not identified: interval {estimate.ci[0]:.2g} to {estimate.ci[1]:.2g}"
            if defined < FEW_DEFINED:
                message += f", and undefined in {1 - defined:.0%} of the replicates"
        else:
            continue
        cautions[dim] = Caution(codes.UNIDENTIFIED, message, hint)
    return cautions


NOT_CONVERGED = Caution(
    codes.NOT_CONVERGED,
    "the search ended while the objective was still falling",
    "the rows hardly determine the law: fit a simpler one (`law`), or add rows",
)

ENDS_NOT_CONVERGED = Caution(
    codes.NOT_CONVERGED,
    "fits with s_k held at an end of its interval did not converge",
    "intervals of s_k are approximate: add values on the arms, or longer and shorter runs",
)


def edge_cautions(at_edge: Mapping[str, Bools], draws: Mapping[str, Bools]) -> dict[str, Caution]:
    """Return a caution for every dimension whose best value lies at the edge of where it is looked for."""
    cautions = {}
    for dim, edge in at_edge.items():
        share = float(draws[dim].mean()) if dim in draws else 0.0
        hint = f"the plan for {dim} is a guess: add shapes that differ in {dim} alone, smaller and larger"
        if edge[0]:
            message = f"the optimal {dim} is at the search bound ({TRUST:g}x the trained range)"
        elif share > 1 - FEW_DEFINED:
            message = (
                f"in {share:.0%} of the replicates the optimal {dim} is at the search bound "
                f"({TRUST:g}x the trained range)"
            )
        else:
            continue
        cautions[dim] = Caution(codes.NO_INTERIOR_OPTIMUM, message, hint)
    return cautions


def growth_cautions(growth: Mapping[str, Estimate]) -> dict[str, Caution]:
    """Return a caution for every dimension whose growth the rows do not determine."""
    return {
        dim: Caution(
            codes.UNIDENTIFIED,
            f"the growth of {dim} is not identified: interval {s.ci[0]:.2g} to {s.ci[1]:.2g}",
            f"add shapes that differ in {dim} alone, smaller and larger, at more durations",
        )
        for dim, s in growth.items()
        if np.isfinite(s.value) and s.ci is not None and s.ci[1] > VAGUE * max(s.ci[0], 0.0)
    }


def backtest_cautions(error: RunError | None) -> tuple[Caution, ...]:
    """Return a caution where the drift of runs from the law is not that of the log."""
    if error is None or error.source == "backtest":
        return ()
    message = (
        "no part of the log identifies the law and leaves rows above it, so the error of a run beyond the log is not "
        f"known: intervals assume that of public sweeps, {error.drift:.1%} for a factor e of compute"
    )
    return (Caution(codes.NO_BACKTEST, message, "log a wider range of compute; three durations of every shape"),)


def valley_cautions(isoflops: IsoFlops | None, growth: Estimate | None) -> tuple[Caution, ...]:
    """Return cautions about an isoFLOP sweep: budgets without a minimum, and a law that grows otherwise than they."""
    if isoflops is None:
        return ()
    cautions = []
    if open_ := [valley for valley in isoflops.valleys if valley.state in ("edge", "upside-down")]:
        message = f"{len(open_)} of {len(isoflops.valleys)} budgets show no minimum among their sizes: {told(open_)}"
        cautions.append(Caution(codes.OPEN_VALLEY, message, "add smaller or larger sizes at those budgets"))
    by_parabolas = isoflops.growth
    if growth is None or growth.ci is None or by_parabolas is None or by_parabolas.ci is None:
        return tuple(cautions)
    if growth.ci[0] > by_parabolas.ci[1] or growth.ci[1] < by_parabolas.ci[0]:
        message = (
            f"the best parameters grow as compute^{_with_ends(growth)} under the law, and as "
            f"compute^{_with_ends(by_parabolas)} by parabolas through the budgets"
        )
        hint = "plan within the budgets of the log, or add sizes near the minima and a larger budget"
        cautions.append(Caution(codes.VALLEYS_DISAGREE, message, hint))
    return tuple(cautions)


def _with_ends(estimate: Estimate) -> str:
    assert estimate.ci is not None
    return f"{estimate.value:.3f} ({estimate.ci[0]:.3f} to {estimate.ci[1]:.3f})"


def replicate_cautions(bootstrap: Bootstrap) -> list[Caution]:
    """Return cautions where replicates are too few for intervals of the level, or not fitted to the end."""
    cautions = []
    enough = int(np.ceil(_TAIL_DRAWS / (1 - bootstrap.level) - 1e-9))
    if 0 < bootstrap.replicates < enough:
        message = f"replicates are too few for {bootstrap.level:.3g} intervals: {bootstrap.replicates}"
        cautions.append(
            Caution(codes.FEW_REPLICATES, message, f"ask for {enough} at least, better {max(1000, 5 * enough)}")
        )
    if bootstrap.unconverged > _MOST_UNCONVERGED * bootstrap.replicates:
        message = f"{bootstrap.unconverged} of {bootstrap.replicates} replicates were not fitted to their optimum"
        hint = "intervals are approximate: the rows hardly determine the law; fit a simpler one (`law`), or add rows"
        cautions.append(Caution(codes.NOT_CONVERGED, message, hint))
    return cautions


def run_cautions(residual_model: ResidualModel) -> list[Caution]:
    """Return a caution where the law takes up all that runs differ in, so that their own scatter cannot be told."""
    runs, rows = residual_model.runs, len(residual_model.run)
    if runs == rows or residual_model.between >= 1:
        return []
    message = f"the law has as many parameters for differences of runs as there are runs ({runs}, with {rows} rows)"
    hint = "the variance between runs is not identified, so intervals are approximate; add runs, not points of the same"
    return [Caution(codes.FEW_RUNS, message, hint)]


def shape_cautions(runs: Runs, problem: Problem) -> list[Caution]:
    """Return a caution where a law of shape has more parameters than the log has shapes."""
    if not problem.form.dims:
        return []
    shapes = len(runs.distinct_shapes(runs.dims))
    if shapes >= problem.parameters:
        return []
    message = f"the law is under-determined: {problem.parameters} parameters, {shapes} shapes in the log"
    return [Caution(codes.TOO_FEW_RUNS, message, "between the shapes its prediction is arbitrary: train more of them")]


@frozen
class Misfit:
    """How far a law is from its own rows.

    Attributes
    ----------
    rmse : float
        Root mean square of pred/y - 1.
    unexplained : float
        Share of the variance of the metric's logarithm that the law leaves.
    """

    rmse: float
    unexplained: float

    @classmethod
    def of(cls, observed: Floats, residuals: Floats) -> Misfit:
        """Measure the residuals pred/y - 1 against the scatter of what was observed."""
        rmse = float(np.sqrt(np.mean(residuals**2)))
        variance = float(np.var(np.log(observed)))
        return cls(rmse, min(rmse**2 / variance, 1.0) if variance else 1.0)

    @property
    def untrustworthy(self) -> bool:
        """Whether no plan should rest on the law."""
        return self.rmse > HOPELESS_FIT or self.unexplained > UNEXPLAINED


def trust_cautions(grave: Sequence[Caution]) -> list[Caution]:
    """Return the caution of a fit that no plan should rest on: it fits nothing, or none of its exponents is known."""
    if not grave:
        return []
    why = "; ".join(caution.message for caution in grave)
    hint = "fix that first; no plan is made of the fit without `force`"
    return [Caution(codes.UNTRUSTED_FIT, f"the fit is not to be trusted: {why}", hint)]


def fit_cautions(misfit: Misfit, noise: Noise | None) -> list[Caution]:
    """Return a caution where the law is far from its own rows, or further than the noise of the log explains."""
    if misfit.unexplained > UNEXPLAINED:
        message = f"the law explains no more than {1 - misfit.unexplained:.0%} of how the metric varies"
        return [Caution(codes.LACK_OF_FIT, message, "the metric may not depend on shape and compute: check the log")]
    if misfit.rmse > POOR_FIT:
        message = f"the law misses its own rows by {misfit.rmse:.1%} (root mean square)"
        return [Caution(codes.LACK_OF_FIT, message, "check the log for mixed recipes or metrics, and rows of warm-up")]
    if noise is None or misfit.rmse <= max(_BEYOND_NOISE[noise.source] * noise.sigma, _VISIBLE):
        return []
    told = f"{misfit.rmse / noise.sigma:.1f} times the noise that {noise.source} of the log show ({noise.sigma:.2%})"
    if noise.sigma < _VISIBLE:
        told = f"and {noise.source} of the log show next to no noise (less than {_VISIBLE:.2%})"
    message = f"the law misses its own rows by {misfit.rmse:.2%}, {told}"
    hint = (
        "check the log for rows of warm-up or of other recipes; without any, no law is right to that precision here "
        "(see shapeplan compare), and intervals assume that this one is"
    )
    return [Caution(codes.LACK_OF_FIT, message, hint)]


def trend_cautions(trends: Mapping[str, Trend]) -> list[Caution]:
    """Return a caution that names the variables which residuals still depend on."""
    limit = _UNLIKELY / max(len(trends), 1)
    found = [
        f"{name} ({trend.low:+.2%} in its low third, {trend.middle:+.2%}, {trend.high:+.2%} in its high third)"
        for name, trend in trends.items()
        if trend.chance < limit and max(map(abs, (trend.low, trend.middle, trend.high))) > _VISIBLE
    ]
    if not found:
        return []
    message = f"the residuals still depend on {'; '.join(found)}"
    return [Caution(codes.LACK_OF_FIT, message, "the form of the law is wrong there: its error grows beyond the rows")]


def ignored_cautions(ignored: Mapping[str, Explained]) -> list[Caution]:
    """Return a caution that names the columns without a role which explain what the fit leaves."""
    limit = _UNLIKELY / max(len(ignored), 1)
    found = {name: one for name, one in ignored.items() if one.chance < limit and one.share > _MUCH}
    of_files = found.pop(FILE, None)
    if of_files is not None:
        message = f"which file a row is from explains {of_files.share:.0%} of the variance that the fit leaves"
        hint = "are the files of one study: the same data, tokenizer, recipe and metric? else fit them one by one"
        return [Caution(codes.COLUMN_EXPLAINS, message, hint), *ignored_cautions(found)]
    if not found:
        return []
    said = ", ".join(f"{name!r} ({one.share:.0%})" for name, one in found.items())
    message = f"ignored columns explain what the fit leaves: {said} of its variance"
    apart = [name for name, one in found.items() if not one.goes_with_shape]
    if apart:
        recipes = f"`group={apart[0]}`, or those of one with `where='{apart[0]}=...'`"
        hint = f"if it tells recipes, fit with {recipes}; with `dims` if it is a size"
    else:
        hint = (
            "it goes with the shape: runs of one shape that differ in it would tell what it does; "
            "fit with `dims` if it is a size"
        )
    return [Caution(codes.COLUMN_EXPLAINS, message, hint)]


def find_front(runs: Runs) -> tuple[FrontRow, ...]:
    """Return the rows that no row with as little compute beats, in order of compute."""
    loss = runs.observed()
    return tuple(
        FrontRow(
            runs.run_names[runs.run[i]], int(runs.lines[i]), float(runs.flops[i]), float(loss[i]), runs.own_file(i)
        )
        for i in front_rows(runs.flops, loss)
    )


def outlying(residuals: Floats) -> Index:
    """Return the rows whose residual is more than five robust standard deviations from the median."""
    middle = float(np.median(residuals))
    sigma = robust_sigma(residuals - middle)
    return np.flatnonzero(np.abs(residuals - middle) > max(_OUTLYING * sigma, _EXACT))


def find_outliers(runs: Runs, problem: Problem, residuals: Floats) -> tuple[Outlier, ...]:
    """Return the rows that are `outlying`, the farthest first."""
    rows = problem.all_rows
    found = [
        Outlier(
            runs.run_names[runs.run[rows[i]]], int(runs.lines[rows[i]]), float(residuals[i]), runs.own_file(rows[i])
        )
        for i in outlying(residuals)
    ]
    return tuple(sorted(found, key=lambda outlier: (-abs(outlier.residual), outlier.file, outlier.line)))


def outlier_cautions(outliers: tuple[Outlier, ...], wrong: Mapping[str, WrongCell]) -> list[Caution]:
    """Return one caution that names the worst outliers, first those that a cell explains; `wrong` is by place."""
    if not outliers:
        return []
    first = sorted(outliers, key=lambda outlier: outlier.place not in wrong)[:3]
    named = [f"{o.run} ({o.place}, {o.residual:+.1%}{_typo(wrong.get(o.place))})" for o in first]
    more = f" and {len(outliers) - 3} more" if len(outliers) > 3 else ""
    message = (
        f"{len(outliers)} row{'s lie' if len(outliers) > 1 else ' lies'} far from the law: {', '.join(named)}{more}"
    )
    # An outlier of large leverage may bend the law to itself, and is far from that of the others alone.
    told = {outlier.place for outlier in outliers}
    hidden = [at for at in wrong if at not in told]
    for at in hidden[:3]:
        message += f"; without {'them' if len(outliers) > 1 else 'it'} {at} is far too{_typo(wrong[at])}"
    cells = "the cells named, and " if wrong else ""
    return [Caution(codes.OUTLIER, message, f"check {cells}these runs; they are part of the fit")]


def _typo(cell: WrongCell | None) -> str:
    """Return in words which value of a cell would fit."""
    return "" if cell is None else f"; {cell.column} {cell.value:.6g} would fit as {cell.value * cell.factor:.6g}"


def influence_cautions(influences: Influences, objective: str) -> list[Caution]:
    """Return a caution that names the runs which move the fit by more than its errors, and not by chance."""
    found = [one for one in influences.alone if is_influential(one.strength, one.surprise)]
    if not found:
        return []
    named = ", ".join(
        f"{one.runs[0]} ({one.places[0]}: {one.strength:.1f} sd, its rows {one.surprise:.1f} sd off)" for one in found
    )
    runs = "one run moves" if len(found) == 1 else f"{len(found)} runs move"
    message = f"{runs} the fit by more than its standard errors: {named}"
    hint = "look at these runs first; the fit without each is in the result"
    if objective != LogHuber.name:
        hint += f", and `objective={LogHuber.name}` weighs them less"
    return [Caution(codes.INFLUENTIAL, message, hint)]
