"""Dimensions whose best size a law does not tell, and the proportions that plans keep them in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shapeplan import codes
from shapeplan.errors import Caution
from shapeplan.fitting.diagnostics.warnings import find_at_bound
from shapeplan.fitting.selection.candidate import Candidate
from shapeplan.numerics.arrays import Floats
from shapeplan.numerics.pareto import front_rows
from shapeplan.runs import Runs
from shapeplan.sweeps.dimensions import Tie, tie_between

OWN_CONSTANTS = 3
"""Constants of a dimension in the laws of shape: alpha_k, a_k and b_k."""
_FEWEST_SHAPES = 3
_TOGETHER = 0.5
"""Correlation of the logarithms of two dimensions above which shapes grow in both."""
_AT_BOUND = 1e-9


def kept_in_proportion(
    chosen: Candidate, runs: Runs, dims: Sequence[str]
) -> tuple[dict[str, Tie], tuple[Caution, ...]]:
    """Return the dimensions that plans keep in proportion to another, and a caution that says so.

    That is where the trade-off of a dimension rests on an exponent at its bound, or where there are no more shapes than
    the dimensions have constants of their own: then exponents of one run away while another takes their part.

    Parameters
    ----------
    chosen : Candidate
        The law.
    runs : Runs
        Its rows.
    dims : sequence of str
        The free dimensions.
    """
    form = chosen.problem.form
    if not form.knows_shape or len(dims) < 2:
        return {}, ()
    shapes = len(runs.distinct_shapes(dims))
    reasons = _at_bound(chosen, dims)
    # On a star every dimension has an arm of its own, whose values are told apart by the checks of a star.
    if form.joint and shapes <= OWN_CONSTANTS * len(dims):
        few = f"{shapes} shapes are no more than the {OWN_CONSTANTS * len(dims)} constants of {' and '.join(dims)}"
        reasons = {dim: reasons.get(dim, few) for dim in dims}
    told = [dim for dim in dims if dim not in reasons]
    leader = told[0] if told else dims[0]
    followers = [dim for dim in dims if dim in reasons and dim != leader]
    if not followers:
        return {}, ()
    best = runs.take(front_rows(runs.flops, runs.observed()))
    ties = {dim: _proportions(leader, dim, best, runs) for dim in followers}
    why = "; ".join(dict.fromkeys(reasons[dim] for dim in followers))
    said = " and ".join(f"{dim} follows {leader} as {tie}" for dim, tie in ties.items())
    message = (
        f"the log does not tell the best {' and '.join(followers)} ({why}): {said}, the proportions of its best shapes"
    )
    hint = f"add shapes that differ in {' and '.join(followers)} alone, smaller and larger"
    return ties, (Caution(codes.KEPT_PROPORTIONS, message, hint),)


def _proportions(leader: str, follower: str, best: Runs, runs: Runs) -> Tie:
    """Return how a dimension follows another over the best shapes, or over all where these are few.

    Shapes that do not grow together, as those of a star, tell a ratio and no power.
    """
    pair = (leader, follower)
    some = best if len(np.unique(best.values(leader))) >= _FEWEST_SHAPES else runs
    one, other = some.distinct_shapes(pair).T
    if _correlation(np.log(one), np.log(other)) > _TOGETHER:
        return tie_between(leader, one, other)
    one, other = best.distinct_shapes(pair).T
    return Tie(leader, float(np.exp(np.mean(np.log(other / one)))))


def _correlation(one: Floats, other: Floats) -> float:
    """Return the correlation; zero of what does not vary."""
    varies = np.ptp(one) > 0 and np.ptp(other) > 0
    return float(np.corrcoef(one, other)[0, 1]) if varies else 0.0


def _at_bound(chosen: Candidate, dims: Sequence[str]) -> dict[str, str]:
    """Return the dimensions whose trade-off has an exponent at a bound of the search, and which.

    The gain of a dimension is the term that falls with it alone, as x^-a; its cost, beside that of its FLOPs, the one
    that rises with it, as x^b. At its lower bound b is next to nothing, as in the law `separable`, and leaves the
    trade-off to the FLOPs, which are known.
    """
    form, constants = chosen.problem.form, chosen.law.constants
    at_bound = find_at_bound(chosen.problem, constants)
    found = {}
    for term in form.terms:
        for power in term.powers if constants[term.coefficient] else ():
            gains = power.sign < 0 and len(term.powers) == 1
            value = constants[power.exponent]
            costs = power.sign > 0 and value >= form.bounds(power.exponent)[1] * (1 - _AT_BOUND)
            if power.variable in dims and power.exponent in at_bound and (gains or costs):
                found[power.variable] = f"{power.exponent} = {value:g} is at the bound of the search"
    return found
