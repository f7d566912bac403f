"""Plans of a law that was fitted to a log without shapes: parameters and examples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shapeplan.architectures import FittedCost, PowerSum, PowerTerm
from shapeplan.fitting.result import Fit
from shapeplan.optimum.cost_model import CostModel
from shapeplan.quantities import convert_flops
from shapeplan.sweeps.dimensions import Dimensions

SIZE = "params"
"""The one dimension of such a plan."""
FORWARD_FLOPS = 2.0
"""Forward FLOPs a parameter and token where the log does not tell: C = 6 N D with the backward pass."""


def flops_a_parameter(fit: Fit) -> float:
    """Return the forward FLOPs a parameter and example, the median over the log where it says all three."""
    rows = fit.rows
    if rows is None or rows.examples is None or SIZE not in rows.shape:
        return FORWARD_FLOPS
    each = convert_flops(rows.flops, fit.flops_convention, "forward") / (rows.shape[SIZE] * rows.examples)
    return float(np.median(each))


def size_note(fit: Fit) -> str:
    """Return what such a plan is, in a sentence."""
    each = convert_flops(flops_a_parameter(fit), "forward", "training")
    cost = f"{each:.3g} training FLOPs a parameter and example"
    return f"the log has no shapes: the plan is parameters and examples, at {cost}"


def with_size(fit: Fit) -> Fit:
    """Return a fit whose one dimension is the number of parameters, if it has no other; else the fit itself."""
    if fit.dims or SIZE not in fit.law.form.variables or SIZE not in fit.shape_range:
        return fit
    each, params = (PowerSum((PowerTerm(size, {SIZE: 1.0}),), 0.0) for size in (flops_a_parameter(fit), 1.0))
    dimensions, cost = Dimensions((SIZE,), {}, {}), FittedCost(each, params)
    derive = CostModel(dimensions, cost, fit.flops_convention).variables
    return replace(fit, log=replace(fit.log, dimensions=dimensions, cost=cost), law=replace(fit.law, derive=derive))
