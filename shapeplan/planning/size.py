"""Plans of a law that was fitted to a log without shapes: parameters and examples."""

from __future__ import annotations

from dataclasses import replace

from shapeplan.architectures import FittedCost, PowerSum, PowerTerm
from shapeplan.fitting.result import Fit
from shapeplan.fitting.surroundings import Surroundings
from shapeplan.sweeps.dimensions import Dimensions

SIZE = "params"
"""The one dimension of such a plan."""
_FORWARD_FLOPS = 2.0
"""Forward FLOPs a parameter and token: C = 6 N D with the backward pass."""


def with_size(fit: Fit) -> Fit:
    """Return a fit whose one dimension is the number of parameters, if it knows no other; else the fit itself."""
    if fit.dims or SIZE not in fit.law.form.variables or SIZE not in fit.shape_range:
        return fit
    each, params = (PowerSum((PowerTerm(size, {SIZE: 1.0}),), 0.0) for size in (_FORWARD_FLOPS, 1.0))
    dimensions, cost = Dimensions((SIZE,), {}, {}), FittedCost(each, params)
    derive = Surroundings(dimensions, cost, fit.flops_convention).variables
    return replace(fit, dimensions=dimensions, cost=cost, law=replace(fit.law, derive=derive))
