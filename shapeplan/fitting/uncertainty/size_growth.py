"""How the best parameters grow with compute under a law, over the budgets of an isoFLOP sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np

from shapeplan.fitting.diagnostics.influence import MonitoredQuantities
from shapeplan.fitting.isoflop import IsoFlops
from shapeplan.fitting.records import Bootstrap, Estimate
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.numerics.arrays import Floats
from shapeplan.optimum.best_shape import best_shape


def growth_of_params(
    monitored: MonitoredQuantities, rivals: Sequence[Candidate], bootstrap: Bootstrap, isoflops: IsoFlops
) -> Estimate | None:
    """Return the mean exponent of the best parameters between the first and the last budget; None where it is not told.

    It is what parabolas measure there. Its interval adds, as squares, that over the replicates of the law and the mean
    square of what rival laws differ by.

    Parameters
    ----------
    monitored : MonitoredQuantities
        The law, and where best shapes are looked for.
    rivals : sequence of Candidate
        Laws that might as well have been chosen.
    bootstrap : Bootstrap
        The replicates of the law; there may be none.
    isoflops : IsoFlops
        The budgets.
    """
    chosen = monitored.law
    value = _growth(monitored, chosen, _constants(chosen), isoflops)
    if value is None or not np.isfinite(value[0]):
        return None
    estimate = float(value[0])
    draws = _growth(monitored, chosen, bootstrap.draws, isoflops) if bootstrap.draws else None
    of_law = None if draws is None else bootstrap.interval(draws, estimate)
    if of_law is None:
        return Estimate(estimate)
    found = [_growth(monitored, rival, _constants(rival), isoflops) for rival in rivals]
    others = np.array([other[0] for other in found if other is not None and np.isfinite(other[0])])
    between = float(np.sum((others - estimate) ** 2)) / (len(others) + 1)
    own = NormalDist().inv_cdf((1 + bootstrap.level) / 2) * np.sqrt(between)
    low, high = (float(np.hypot(estimate - end, own)) for end in of_law)
    return Estimate(estimate, (estimate - low, estimate + high))


def _constants(candidate: Candidate) -> Mapping[str, Floats]:
    return candidate.problem.constants(candidate.found.best)


def _growth(
    monitored: MonitoredQuantities, candidate: Candidate, constants: Mapping[str, Floats], isoflops: IsoFlops
) -> Floats | None:
    """Return the exponent under constants of shape (problems,); None where no best size, or no parameters are told."""
    form, cost_model = candidate.problem.form, monitored.cost_model
    closed = form.growth_exponents(constants)
    if "params" in closed:
        return closed["params"]
    if not form.joint or not form.dims or not cost_model.knows_params:
        return None
    low, high = isoflops.flops_range
    ends = []
    for flops in (low, high):
        shape = best_shape(form, candidate.problem.units, constants, np.asarray(flops), cost_model, monitored.bounds)
        params = cost_model.params(shape)
        assert params is not None
        ends.append(np.log(params))
    return np.asarray((ends[1] - ends[0]) / np.log(high / low))
