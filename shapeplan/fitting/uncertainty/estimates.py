"""Estimates with intervals: constants, scaling exponents s_k, and the growth of the best shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from shapeplan.fitting.diagnostics.influence import MonitoredQuantities
from shapeplan.fitting.diagnostics.warnings import find_at_bound
from shapeplan.fitting.evidence import Uncertainty
from shapeplan.fitting.records import Bootstrap, Estimate, Parameter
from shapeplan.fitting.selection.backtest import Backtest
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.fitting.uncertainty.bootstrap import Refits, bootstrap
from shapeplan.fitting.uncertainty.profile_likelihood import ExponentIntervals, exponent_intervals, simulations
from shapeplan.fitting.uncertainty.residual_model import ResidualModel
from shapeplan.fitting.uncertainty.run_error import run_error
from shapeplan.fitting.uncertainty.size_drift import size_drift
from shapeplan.frozen import frozen
from shapeplan.laws import Law
from shapeplan.numerics.arrays import Floats

_MUCH_WIDER = 1.1
"""Where ends of s_k lie by this factor farther than replicates allow, these are drawn anew."""


@frozen
class Replicates:
    """How many bootstrap replicates are drawn, from which seed, for which intervals; who is told of each."""

    count: int
    seed: int
    level: float
    done: Callable[[int], None] = lambda more: None

    def of(self, candidate: Candidate, residual_model: ResidualModel) -> Refits:
        """Fit a candidate to every replicate; of one that was fitted to a star, those are kept that s_k need."""
        return bootstrap(
            candidate.problem,
            candidate.found,
            residual_model,
            replicates=self.count,
            seed=self.seed,
            level=self.level,
            keep=simulations(self.count, self.level) if candidate.star else 0,
            done=self.done,
        )

    def exponents_of_star(
        self, candidate: Candidate, residual_model: ResidualModel, refits: Refits
    ) -> ExponentIntervals:
        """Return likelihood intervals of s_k of a candidate that was fitted to a star."""
        return exponent_intervals(
            candidate.problem,
            candidate.found,
            residual_model,
            refits,
            level=self.level,
            done=self.done,
        )

    def evidence(self, draws: Mapping[str, Floats], exponents: Mapping[str, Floats], unconverged: int) -> Bootstrap:
        """Return the record of the draws."""
        return Bootstrap(self.count, self.seed, self.level, draws, exponents, unconverged)


@frozen
class Estimates:
    """What was estimated, with intervals where there are replicates.

    Attributes
    ----------
    uncertainty : Uncertainty
        The estimates and the replicates.
    ends_converged : bool
        Whether every fit behind the ends of the intervals of s_k converged.
    residuals : ResidualModel
        How the rows scatter around the law.
    """

    uncertainty: Uncertainty
    ends_converged: bool
    residuals: ResidualModel


def estimate(law: Law, monitored: MonitoredQuantities, backtest: Backtest, replicates: Replicates) -> Estimates:
    """Estimate what a fit tells, from the cluster bootstrap; s_k on a star from the profile likelihood.

    Parameters
    ----------
    law : Law
        The law of choice, with its constants.
    monitored : MonitoredQuantities
        The candidates behind the law and the star, and where growth is read.
    backtest : Backtest
        Of the law.
    replicates : Replicates
        How many are drawn, and from which seed.
    """
    chosen, beside, runs = monitored.law, monitored.star, monitored.runs
    behind = beside or chosen
    residuals = chosen.residual_model(runs)
    residuals_behind = beside.residual_model(runs) if beside else residuals
    refits = replicates.of(chosen, residuals)
    refits_behind = replicates.of(beside, residuals_behind) if beside else refits
    of_star = replicates.exponents_of_star(behind, residuals_behind, refits_behind) if behind.star else None
    if of_star and behind is chosen and of_star.wider > _MUCH_WIDER:
        # Replicates of an estimate at its bounds spread less than the likelihood allows, and so do their best shapes.
        spread = replace(residuals, sigma=residuals.sigma * of_star.wider)
        refits = refits_behind = replicates.of(chosen, spread)
    draws = refits.draws
    exponent_draws = behind.problem.form.scaling_exponents(refits_behind.draws) if draws else {}
    evidence = replicates.evidence(draws, exponent_draws, refits.unconverged)
    own = behind.law.scaling_exponents()
    if of_star:
        scaling = {dim: Estimate(s, of_star.by_dim.get(dim)) for dim, s in own.items()}
    else:
        scaling = _estimates(own, exponent_draws, evidence)
    growth = scaling
    if chosen.problem.form.joint:
        growth_draws = monitored.growth(draws) if draws else {}
        growth = _estimates(monitored.growth(law.arrays()), growth_draws, evidence)
    at_bound = find_at_bound(chosen.problem, law.constants)
    parameters = {
        name: Parameter(value, evidence.interval(draws[name], value) if draws else None, name in at_bound)
        for name, value in law.constants.items()
    }
    of_run = run_error(backtest, runs, residuals)
    moved = size_drift(backtest, monitored, draws)
    uncertainty = Uncertainty(parameters, scaling, growth, evidence, of_run, moved)
    return Estimates(uncertainty, of_star is None or of_star.converged, residuals)


def _estimates(
    values: Mapping[str, Floats] | Mapping[str, float], draws: Mapping[str, Floats], evidence: Bootstrap
) -> dict[str, Estimate]:
    single = {name: float(np.ravel(value)[0]) for name, value in values.items()}
    return {
        name: Estimate(value, evidence.interval(draws[name], value) if draws else None)
        for name, value in single.items()
    }
