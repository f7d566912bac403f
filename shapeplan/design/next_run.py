"""The next run: which of many would tell most about the plan, for what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from shapeplan import codes
from shapeplan.architectures import Architecture
from shapeplan.arguments import number, number_or_none, whole
from shapeplan.design.candidates import Candidates, candidates_for
from shapeplan.design.completing import CompletingRun, completing_runs
from shapeplan.design.layout import Entry, planned, run_name
from shapeplan.design.posterior import Posterior
from shapeplan.errors import ArgumentError, Caution, ErrorDetail, PlanError
from shapeplan.fitting.isoflop import told
from shapeplan.fitting.result import Fit, check_is_fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import plain
from shapeplan.optimum.cost_model import TRUST
from shapeplan.planning.heads import Heads
from shapeplan.planning.warnings import extrapolation, extrapolation_cautions
from shapeplan.quantities import LARGEST_FLOPS, format_flops
from shapeplan.runs import Runs

DEFAULT_CANDIDATES, MOST_CANDIDATES = 5, 100
LEAST_NOISE, _MOST_NOISE = 1e-4, 0.5
_NORMAL_90 = 3.29
"""Width of a normal 90% interval, in standard deviations."""
LITTLE = 5e-4
"""Expected regret below which there is little to gain: a tenth of what a plan calls as good as the best."""
_SPENT = 0.5
_LEAST_SHARE = 0.01
_THIRD = 1 / 3
"""A size in the lower or upper third of the trained ones, in logarithms, is called small or large."""


@frozen
class Suggestion:
    """A run to add, given the fit and the suggestions before it.

    Attributes
    ----------
    name : str
        What to call it.
    shape : mapping of str to int or float
        Its shape, all dimensions.
    examples : float
        How long to train it.
    flops : float
        What it costs, in the convention of the law.
    regret_before, regret_after : float
        Expected relative regret of the plan for the target, without it and with it.
    narrowing : mapping of str to float
        By which part of itself the uncertainty of the best value of every free dimension shrinks.
    reason : str
        What it tells, in words.
    """

    name: str
    shape: Mapping[str, int | float]
    examples: float
    flops: float
    regret_before: float
    regret_after: float
    narrowing: Mapping[str, float]
    reason: str

    @property
    def gain_per_flop(self) -> float:
        """By how much a FLOP of it shrinks the expected regret."""
        return (self.regret_before - self.regret_after) / self.flops


@frozen
class NextRuns:
    """Runs to add to a sweep.

    Attributes
    ----------
    fit : Fit
        What is known so far.
    target, budget : float
        What is planned for, and what all added runs may cost together, in the convention of the law.
    noise : float
        Relative standard deviation of a row's metric.
    considered : int
        How many runs were compared.
    completing : tuple of CompletingRun
        What the log lacks for questions that the law cannot answer; up to half of the runs.
    suggestions : tuple of Suggestion
        The best for the plan first; each knows of those before it. None where the law has no shape.
    cautions : tuple of Caution
        What is doubtful about them.
    """

    fit: Fit
    target: float
    budget: float
    noise: float
    considered: int
    completing: tuple[CompletingRun, ...]
    suggestions: tuple[Suggestion, ...]
    cautions: tuple[Caution, ...]

    def __repr__(self) -> str:
        """Return the runs and what they cost; why each is among them is in the fields."""
        names = ", ".join(one.name for one in self.every)
        return f"<NextRuns for {self.target:.3g} FLOPs: {len(self.every)} of {self.flops:.3g} together: {names}>"

    @property
    def every(self) -> tuple[CompletingRun | Suggestion, ...]:
        """All runs, those that complete the log first."""
        return (*self.completing, *self.suggestions)

    @property
    def regret(self) -> float | None:
        """Expected relative regret of the plan for the target as things are; None where the law has no shape."""
        return self.suggestions[0].regret_before if self.suggestions else None

    @property
    def flops(self) -> float:
        """What all runs cost together."""
        return sum(one.flops for one in self.every)

    def runs(self) -> Runs:
        """Return all runs as a log to fill in."""
        fit = self.fit
        assert fit.cost is not None, "suggestions have a cost"
        entries = [Entry(one.name, one.shape, one.examples) for one in self.every]
        runs = planned(entries, fit.cost, fit.flops_convention, examples_unit=fit.examples_unit, metric=fit.metric)
        if runs.heads is not None or not fit.heads or "width" not in runs.dims:
            return runs
        heads = Heads(logged=fit.heads).of_all(runs.values("width"))
        return runs if heads is None else replace(runs, heads=np.maximum(heads, 1.0))


def next_runs(
    fit: Fit,
    target: float,
    budget: float,
    *,
    candidates: int = DEFAULT_CANDIDATES,
    noise: float | None = None,
) -> NextRuns:
    """Rank runs that have not been done by how much each shrinks the expected regret at a target, per FLOP.

    Near the best shape, the regret of a plan is half the curvature of the loss times the squared error of its
    log-shape. Over the bootstrap draws of the law, that error and what a run would show vary together, so that seeing
    the one narrows the other (the delta method, as a Kalman update). Suggestions follow on each other: the second knows
    of the first. All runs that are compared spend about their share of the budget. What the law cannot judge, since the
    log lacks it (see `shapeplan.design.completing`), takes up to half of the runs, and all where the law has no shape.

    Parameters
    ----------
    fit : Fit
        A law of shape with draws and rows, that tells its loss.
    target : float
        Budget that is planned for, in the convention of the law.
    budget : float
        Compute of all suggestions together, in the same.
    candidates : int
        How many are suggested.
    noise : float, optional
        Relative standard deviation of a row's metric; by default the misfit of the law.

    Raises
    ------
    ArgumentError
        If a number makes no sense.
    PlanError
        If the fit has not what this needs, or the budget pays for no run.
    """
    check_is_fit(fit)
    target, budget, candidates, noise = read_numbers(target, budget, candidates, noise)
    lacking = completing_runs(fit, budget / candidates)
    if lacking and fit.law.form.along_ladder:
        lacking = lacking[:candidates]
        cautions = (*law_cautions(fit), *_left_cautions(lacking, budget))
        return NextRuns(fit, target, budget, noise or 0.0, len(lacking), lacking, (), cautions)
    check_fit(fit)
    sigma = noise_of(fit) if noise is None else noise
    lacking = lacking[: candidates // 2]
    runs = candidates_for(fit, budget / candidates)
    posterior = Posterior.of(fit, target, fit.variables(runs.shape, runs.flops), max(sigma, LEAST_NOISE))
    found: list[Suggestion] = []
    left = np.ones(len(runs), dtype=bool)
    for _ in range(min(candidates - len(lacking), len(runs))):
        chosen = int(np.argmax(np.where(left, posterior.gains() / runs.flops, -np.inf)))
        left[chosen] = False
        after = posterior.after(chosen)
        found.append(_suggestion(fit, runs, chosen, posterior, after))
        posterior = after
    best = fit.best_at(target)
    cautions = (
        *law_cautions(fit),
        *_open_cautions(fit, budget / candidates),
        *edge_cautions(fit, best),
        *gain_cautions(found[0].regret_before),
        *_left_cautions((*lacking, *found), budget),
        *extrapolation_cautions(fit, extrapolation(fit, best, target), budget="the target"),
    )
    return NextRuns(fit, target, budget, sigma, len(runs), lacking, tuple(found), cautions)


def _suggestion(fit: Fit, runs: Candidates, chosen: int, before: Posterior, after: Posterior) -> Suggestion:
    shape = {dim: plain(sizes[chosen]) for dim, sizes in runs.shape.items()}
    wide, narrow = (np.sqrt(np.diag(posterior.covariance)) for posterior in (before, after))
    narrowing = {dim: float(1 - narrow[k] / wide[k]) if wide[k] > 0 else 0.0 for k, dim in enumerate(fit.dims)}
    examples = float(runs.examples[chosen])
    return Suggestion(
        name=run_name("next-" + "-".join(map(str, shape.values())), examples),
        shape=shape,
        examples=examples,
        flops=float(runs.flops[chosen]),
        regret_before=before.regret,
        regret_after=after.regret,
        narrowing=narrowing,
        reason=_reason(fit, shape, narrowing, dict(zip(fit.dims, wide.tolist(), strict=True))),
    )


def _reason(fit: Fit, shape: Mapping[str, float], narrowing: Mapping[str, float], spread: Mapping[str, float]) -> str:
    """Say which dimension a run tells most about, how well it was known, and what sets the run apart."""
    about = max(fit.dims, key=lambda dim: narrowing[dim])
    least = max(fit.dims, key=lambda dim: spread[dim])
    known, shrinks = f"within {math.exp(_NORMAL_90 * spread[about]):.3g}x", f"by {_share(narrowing[about])}"
    if about == least and len(fit.dims) > 1:
        return f"{about} is the least certain ({known}); {_extremes(fit, shape)} narrows it {shrinks}"
    return f"{_extremes(fit, shape)} narrows {about} ({known}) {shrinks}"


def _share(part: float) -> str:
    return f"{part:.0%}" if part >= _LEAST_SHARE else f"less than {_LEAST_SHARE:.0%}"


def _extremes(fit: Fit, shape: Mapping[str, float]) -> str:
    """Say in which dimensions a shape is small or large among the trained ones."""
    words: dict[str, list[str]] = {"small": [], "large": []}
    for dim in fit.dims:
        low, high = fit.shape_range[dim]
        place = math.log(shape[dim] / low) / math.log(high / low) if high > low else 0.5
        if place < _THIRD:
            words["small"].append(dim)
        elif place > 1 - _THIRD:
            words["large"].append(dim)
    said = [f"{word} {' and '.join(dims)}" for word, dims in words.items() if dims]
    return ", ".join(said) or "a shape in the middle"


def law_cautions(fit: Fit) -> list[Caution]:
    """Return cautions about the law that all expectations rest on."""
    found = []
    if not isinstance(fit.cost, Architecture):
        message = "FLOPs and parameters of the runs are read off the log, not counted"
        hint = "fit with an architecture (`config`) for exact ones"
        found.append(Caution(codes.FITTED_COST, message, hint))
    if (distrust := fit.distrust) is not None:
        message = f"{distrust.message}; these runs are the best only if its law holds"
        found.append(replace(distrust, message=message, hint="fix that first"))
    if fit.rivals:
        names = " and ".join(rival.law.form.name for rival in fit.rivals)
        own = fit.law.form.name
        message = f"{names} extrapolate about as well as {own}, and these runs are best only if {own} is true"
        found.append(Caution(codes.ONE_LAW, message, "fit with `law` to see what the other would ask for"))
    return found


def _open_cautions(fit: Fit, share: float) -> list[Caution]:
    """Return a caution where a budget without a minimum costs more than a run may."""
    isoflops = fit.log.isoflops
    open_ = [valley for valley in isoflops.valleys if valley.state != "inside"] if isoflops else []
    dear = [valley for valley in open_ if valley.flops > share]
    if not dear:
        return []
    message = (
        f"no run closes the valley at {told(dear)}: one costs more than {format_flops(share)} FLOPs, the share of a run"
    )
    return [Caution(codes.OPEN_VALLEY, message, "give a larger `budget`, or fewer `candidates`")]


def edge_cautions(fit: Fit, best: Mapping[str, float]) -> list[Caution]:
    """Return a caution where the best shape at the target is at the edge of where it is looked for."""
    dims = fit.at_edge(best)
    if not dims:
        return []
    message = f"at the target, the optimal {', '.join(dims)} is at the search bound ({TRUST:g}x the trained range)"
    hint = "a size at the bound has no variance, so no run seems to determine it: ask for a nearer `target`"
    return [Caution(codes.NO_INTERIOR_OPTIMUM, message, hint)]


def gain_cautions(regret: float) -> list[Caution]:
    """Return a caution where the plan is as good as known: its expected regret is little."""
    if regret >= LITTLE:
        return []
    message = f"the expected regret of the plan is {100 * regret:.2g}% already, under the law"
    return [
        Caution(codes.LITTLE_TO_GAIN, message, "check the law itself instead: train what it plans, at a larger budget")
    ]


def _left_cautions(found: Sequence[CompletingRun | Suggestion], budget: float) -> list[Caution]:
    """Return a caution where most of the budget is left."""
    spent = sum(one.flops for one in found)
    if spent >= _SPENT * budget:
        return []
    message = (
        f"the runs cost {format_flops(spent)} of the {format_flops(budget)} FLOPs: none is taken that is much longer or"
        " larger than those of the log"
    )
    return [Caution(codes.BUDGET_LEFT_OVER, message, "ask for more `candidates`; or lay out a larger sweep")]


def read_numbers(
    target: float, budget: float, candidates: int, noise: float | None, *, unlimited: bool = False
) -> tuple[float, float, int, float | None]:
    """Return the numbers of a question about next runs; `ArgumentError` if one makes no sense.

    An `unlimited` budget may be infinite.
    """
    target, budget, noise = number("target", target), number("budget", budget), number_or_none("noise", noise)
    candidates = whole("candidates", candidates)
    for name, value in (("target", target), ("budget", budget)):
        no_limit = unlimited and name == "budget" and math.isinf(value)
        if not (0 < value <= LARGEST_FLOPS or no_limit):
            raise ArgumentError(
                ErrorDetail(f"bad-{name}", f"a {name} of {value:g} FLOPs is out of range", "give e.g. 1e21")
            )
    if not 1 <= candidates <= MOST_CANDIDATES:
        message = f"{candidates} candidates is out of range"
        raise ArgumentError(ErrorDetail("bad-candidates", message, f"give 1 to {MOST_CANDIDATES}"))
    if noise is not None and not 0 <= noise <= _MOST_NOISE:
        message = f"a noise of {noise:g} is out of range"
        raise ArgumentError(ErrorDetail("bad-noise", message, f"give 0 to {_MOST_NOISE:g}, e.g. 0.3%"))
    return target, budget, candidates, noise


def noise_of(fit: Fit) -> float:
    """Return the misfit of the law, which noise cannot exceed."""
    misfit = fit.quality.relative_rmse if fit.quality else 0.0
    if misfit > _MOST_NOISE:
        message = f"the law misses its rows by {misfit:.0%}, which is no noise"
        raise PlanError(ErrorDetail("lack-of-fit", message, "say what the noise of a run is: `noise=0.5%`"))
    return misfit


def check_fit(fit: Fit) -> None:
    """Raise `PlanError` unless the fit has a law of shape that tells its loss, with a cost, draws and rows."""
    name = fit.law.form.name
    if not fit.law.has_loss or not (fit.law.form.dims or len(fit.dims) == 1):
        message = f"the law {name!r} predicts no loss of shapes, so no run can be judged by it"
        raise PlanError(ErrorDetail("no-loss", message, "fit a law of shape to a log with width, depth or mlp_dim"))
    if fit.cost is None:
        message = "what a shape costs is not known, so no run can be proposed"
        raise PlanError(ErrorDetail("no-cost", message, "add examples to the log, or an architecture, and fit again"))
    if not fit.predicts_loss:
        message = f"the law {name!r} misses the rows beside the star, so no run can be judged by it"
        raise PlanError(ErrorDetail("no-loss", message, "fit a joint law, as `shapeplan fit` does by default"))
    if not fit.bootstrap.draws:
        raise PlanError(ErrorDetail("no-draws", "the law has no draws", "fit with `replicates=1000`"))
    if fit.rows is None:
        message = "the law document does not hold its rows: an older version wrote it"
        raise PlanError(ErrorDetail("no-rows", message, "fit again"))
