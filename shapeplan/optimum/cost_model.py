"""Maps (shape, compute) to the variables of a law: the cost model, and the limits of a plan."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from shapeplan.architectures import Cost, FittedCost
from shapeplan.frozen import frozen
from shapeplan.laws import Form
from shapeplan.numerics.arrays import Bools, Floats
from shapeplan.quantities import TRAINING_PER_FORWARD, Convention, convert_flops
from shapeplan.sweeps.dimensions import Dimensions

TRUST = 5.0
"""How far beyond the shapes of a log an optimum is looked for, as a factor."""
BEYOND = 1.005
"""Factor above which a value is beyond those of a log: budgets are typed to three digits."""
REPEATS = 15.387756
"""R*_D of Muennighoff et al. 2023 (arXiv:2305.16264, equation 5): how fast repeated examples lose their worth."""
_EDGE = 1e-6


@frozen
class Limits:
    """What a shape and its training may take beside the budget.

    Attributes
    ----------
    params : float
        Most parameters.
    flops_per_example : float
        Most forward FLOPs of one example.
    examples : float
        How many different examples there are.
    epochs : float
        How often each may be seen at most.
    served : float
        Examples that are served afterwards; the budget pays for them too, one forward pass each.
    """

    params: float = math.inf
    flops_per_example: float = math.inf
    examples: float = math.inf
    epochs: float = 1.0
    served: float = 0.0

    @property
    def bind_cost(self) -> bool:
        """Whether FLOPs of an example matter."""
        return math.isfinite(self.flops_per_example) or math.isfinite(self.examples) or self.served > 0

    @property
    def any(self) -> bool:
        """Whether anything is limited."""
        return self.bind_cost or math.isfinite(self.params)

    @property
    def most_seen(self) -> float:
        """Most examples to train on, counted as often as they are seen."""
        return self.examples * self.epochs

    def serving_flops(self, each: Floats) -> Floats:
        """Return the compute that serving takes, where an example of training costs so much."""
        return np.asarray(self.served * each / TRAINING_PER_FORWARD)

    def after_serving(self, budget: Floats, each: Floats) -> Floats:
        """Return the compute that serving leaves; arguments as of `training_flops`."""
        return np.asarray(budget - self.serving_flops(each))

    def training_flops(self, budget: Floats, each: Floats) -> Floats:
        """Return the compute that is left for training: what serving takes is off, and examples may run out.

        Parameters
        ----------
        budget : ndarray
            Compute, in any convention.
        each : ndarray
            Compute of one example of training, in the same; a forward pass is a third of a training step.
        """
        return np.minimum(self.after_serving(budget, each), self.most_seen * each)

    def worth(self, seen: Floats) -> Floats:
        """Return how many fresh examples are worth as much as those seen, some of them repeatedly.

        ``U (1 + R* (1 - exp(-r / R*)))`` of U different examples, each repeated r times (arXiv:2305.16264, equation 5).
        """
        if math.isinf(self.examples):
            return seen
        repeats = np.maximum(seen / self.examples - 1.0, 0.0)
        return np.asarray(np.minimum(seen, self.examples) - self.examples * REPEATS * np.expm1(-repeats / REPEATS))

    def fresh_flops(self, budget: Floats, each: Floats) -> Floats:
        """Return the compute on fresh examples that is worth as much as the training; arguments as of that."""
        return self.worth(self.training_flops(budget, each) / each) * each

    def turn(self, budget: Floats, examples: float) -> Floats:
        """Return the cost of an example below which so many are seen before the budget ends."""
        return budget / (examples + self.served / TRAINING_PER_FORWARD)


NO_LIMITS = Limits()


@frozen
class CostModel:
    """What turns a shape and a compute into the variables of a law.

    Attributes
    ----------
    dimensions : Dimensions
        Free, tied and fixed dimensions.
    cost : Cost or None
        F(x); needed by laws in examples or parameters.
    convention : {"forward", "training"}
        What the compute counts.
    """

    dimensions: Dimensions
    cost: Cost | None
    convention: Convention

    @property
    def knows_params(self) -> bool:
        """Whether the parameters of a shape are known."""
        return self.cost is not None and not (isinstance(self.cost, FittedCost) and self.cost.parameters is None)

    def needs(self, form: Form) -> tuple[str, ...]:
        """Return the variables of the form that the cost must give, and cannot."""
        known = {*self.dimensions.free, "flops"} | ({"examples"} if self.cost else set())
        if self.knows_params:
            known.add("params")
        return tuple(name for name in form.variables if name not in known)

    def whole(self, shape: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return shapes with the dimensions that follow from the free ones."""
        free = {dim: shape[dim] for dim in self.dimensions.free}
        follow = {dim: np.asarray(size, dtype=float) for dim, size in self.dimensions.complete(free).items()}
        return {**follow, **shape}

    @property
    def flops_per_forward(self) -> float:
        """What an example of training counts in the convention, over its forward FLOPs."""
        return convert_flops(1.0, "forward", self.convention)

    def flops_per_example(self, shape: Mapping[str, Floats]) -> Floats:
        """Return what an example of training costs, in the convention; dimensions that are not free may be left out."""
        assert self.cost is not None, "the cost of a shape is not known"
        return self.flops_per_forward * self.cost.flops_per_example(self.whole(shape))

    def params(self, shape: Mapping[str, Floats]) -> Floats | None:
        """Return the parameters of shapes; None where they are not known."""
        return None if self.cost is None else self.cost.params(self.whole(shape))

    def active_params(self, shape: Mapping[str, Floats]) -> Floats | None:
        """Return the parameters that a token meets; None where they are not known."""
        return None if self.cost is None else self.cost.active_params(self.whole(shape))

    def variables(self, form: Form, shape: Mapping[str, Floats], flops: Floats) -> dict[str, Floats]:
        """Return the variables of the form that are known at shapes and a compute, which broadcast.

        Dimensions that are not free may be left out: they follow.
        """
        known: dict[str, Floats] = {**shape, "flops": flops}
        if self.cost is not None and set(self.dimensions.free) <= shape.keys():
            if "examples" in form.variables:
                known["examples"] = flops / self.flops_per_example(shape)
            if "params" in form.variables and (params := self.params(shape)) is not None:
                known["params"] = params
        return {name: np.asarray(known[name], dtype=float) for name in form.variables if name in known}


def trust_region(shapes: Mapping[str, tuple[float, float]], trust: float = TRUST) -> dict[str, tuple[float, float]]:
    """Return where an optimum is looked for, from the smallest and largest trained value of every dimension."""
    return {dim: (least / trust, most * trust) for dim, (least, most) in shapes.items()}


def at_edge(values: Floats, bounds: tuple[float, float]) -> Bools:
    """Return whether values of a dimension are at the edge of where they are looked for, or not defined."""
    low, high = bounds
    return np.asarray(~((values > low * (1 + _EDGE)) & (values < high * (1 - _EDGE))))
