"""What is minimized over shapes: the loss of a law in log-shape, with limits as an augmented Lagrangian."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Literal

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.laws import Form
from shapeplan.numerics.arrays import Bools, Floats, Index
from shapeplan.numerics.differences import derivatives, stencil
from shapeplan.optimum.cost_model import NO_LIMITS, CostModel, Limits

_STEP = 1e-3
"""Distance in log-shape over which the cost is differentiated."""
_LEAST_TRAINING = 0.005
"""Share of a budget that serving must leave for training."""

Data = Literal["ample", "repeated", "scarce"]


@frozen
class ShapeObjective:
    """Many problems, each a law, a budget and its limits.

    Where cost is a power law, every term is the exponential of a linear function of log-shape; sums of powers, such as
    exact counts, keep terms in ``n^-c`` convex too, and so are limits from above. Only running out of data is not.
    An outer power is left out: what it raises has the same minimum.

    Attributes
    ----------
    form, units : Form, mapping
        The law's form and its units. Eq. 3 around a star differs from the sum of its terms by a constant.
    constants : mapping of str to ndarray, shape (problems,)
        Its constants.
    budget : ndarray, shape (problems,)
        Compute for training, and for serving if that is paid too.
    cost_model, limits : CostModel, Limits
        What a shape costs, and what it may.
    data : {"ample", "repeated", "scarce"}
        On which side of a limit on examples shapes are looked for: where the budget ends before all were seen once,
        where it ends later, or where it does not end before all were seen as often as they may be.
    multipliers : ndarray, shape (limits, problems)
        Lagrange multipliers of the limits.
    weight : float
        Weight of squared violations.
    scale : ndarray, shape (problems,)
        The loss in units of which multipliers and weight are.
    origin, directions : ndarray, shape (problems, dims) and (problems, places, dims), or None
        Where dimensions do not move one by one: a place, shape (problems, places), is then that far from the origin of
        log-shape along every direction.
    """

    form: Form
    units: Mapping[str, float]
    constants: Mapping[str, Floats]
    budget: Floats
    cost_model: CostModel
    limits: Limits = NO_LIMITS
    data: Data = "ample"
    multipliers: Floats = field(default_factory=lambda: np.zeros((0, 1)))
    weight: float = 10.0
    scale: Floats = field(default_factory=lambda: np.ones(1))
    origin: Floats | None = None
    directions: Floats | None = None

    def take(self, problems: Index) -> ShapeObjective:
        """Return some of the problems."""
        return replace(
            self,
            constants={name: value[problems] for name, value in self.constants.items()},
            budget=self.budget[problems],
            multipliers=self.multipliers[:, problems] if len(self.multipliers) else self.multipliers,
            scale=self.scale[problems] if self.scale.size > 1 else self.scale,
            origin=None if self.origin is None else self.origin[problems],
            directions=None if self.directions is None else self.directions[problems],
        )

    def log_shape(self, place: Floats) -> Floats:
        """Return the logarithms of the free dimensions at places."""
        if self.origin is None or self.directions is None:
            return place
        return np.asarray(self.origin + (place[..., None, :] @ self.directions)[..., 0, :])

    def loss(self, place: Floats) -> Floats:
        """Return the loss at places, shape (problems, dims); NaN where serving leaves next to nothing for training."""
        logs, _ = self._logs(place)
        loss = np.asarray(sum(term.value(self.constants, logs) for term in self.form.terms))
        return np.where(self.defined(place), loss, np.nan)

    def excess(self, place: Floats) -> Floats:
        """Return the logarithms of what is used of every limit over the limit, shape (limits, problems)."""
        _, excess = self._logs(place)
        return np.array([np.broadcast_to(one, self.budget.shape) for one in excess]).reshape(-1, len(self.budget))

    def value(self, place: Floats) -> Floats:
        """Return what is minimized, shape (problems,)."""
        logs, excess = self._logs(place)
        value = np.asarray(sum(term.value(self.constants, logs) for term in self.form.terms))
        for one, multiplier in zip(excess, self.multipliers, strict=True):
            value = value + self.scale * np.maximum(multiplier + self.weight * one, 0.0) ** 2 / (2 * self.weight)
        return np.where(self.defined(place), value, np.nan)

    def defined(self, place: Floats) -> Bools:
        """Return where serving leaves enough for training, shape (problems,)."""
        scarce = math.isfinite(self.limits.examples) and self.data == "scarce"
        if not self.limits.bind_cost or scarce:
            return np.ones(len(place), dtype=bool)
        each = self.cost_model.flops_per_example(self._shape(place))
        return np.asarray(self.limits.after_serving(self.budget, each) > _LEAST_TRAINING * self.budget)

    def local(self, place: Floats) -> tuple[Floats, Floats, Floats]:
        """Return value, gradient (problems, dims), and Hessian (problems, dims, dims)."""
        logs, slopes, bends, excess = self._derivatives(place)
        problems, dims = place.shape
        value, gradient = np.zeros(problems), np.zeros((problems, dims))
        hessian = np.zeros((problems, dims, dims))
        for term in self.form.terms:
            part = term.value(self.constants, logs)
            value = value + part
            slope, bend = np.zeros((problems, dims)), np.zeros((problems, dims, dims))
            for power in term.powers:
                exponent = (power.sign * self.constants[power.exponent])[:, None]
                slope = slope + exponent * slopes[power.variable]
                if power.variable in bends:
                    bend = bend + exponent[..., None] * bends[power.variable]
            gradient += part[:, None] * slope
            hessian += part[:, None, None] * (slope[:, :, None] * slope[:, None, :] + bend)
        for (over, slope, bend), multiplier in zip(excess, self.multipliers, strict=True):
            force = np.maximum(multiplier + self.weight * over, 0.0)
            value = value + self.scale * force**2 / (2 * self.weight)
            pull = (self.scale * force)[:, None]
            stiff = (self.scale * self.weight * (force > 0))[:, None, None]
            gradient += pull * slope
            hessian += pull[..., None] * bend + stiff * slope[:, :, None] * slope[:, None, :]
        return value, gradient, hessian

    def _shape(self, place: Floats) -> dict[str, Floats]:
        """Return the free dimensions at places."""
        log_shape = self.log_shape(place)
        return {dim: np.exp(log_shape[..., k]) for k, dim in enumerate(self.cost_model.dimensions.free)}

    def _logs(self, place: Floats) -> tuple[dict[str, Floats], list[Floats]]:
        """Return the logarithms of variables, in units, and the excess over every limit, at (..., problems, dims)."""
        limits, around, shape = self.limits, self.cost_model, self._shape(place)
        training, excess = self.budget, []
        if limits.bind_cost:
            each = around.flops_per_example(shape)
            forward = each / around.flops_per_forward
            if math.isfinite(limits.flops_per_example):
                excess.append(np.log(forward / limits.flops_per_example))
            if math.isfinite(limits.examples):
                excess += self._of_data(each)
            training = limits.after_serving(self.budget, each)
            if math.isfinite(limits.examples) and self.data == "scarce":
                training = limits.worth(np.asarray(limits.most_seen)) * each
            elif self.data == "repeated":
                training = limits.worth(training / each) * each
        if math.isfinite(limits.params):
            params = around.params(shape)
            assert params is not None, "parameters are not known"
            excess.append(np.log(params / limits.params))
        # Where serving takes more than the budget nothing is defined, and searches turn back.
        with np.errstate(invalid="ignore", divide="ignore"):
            variables = around.variables(self.form, shape, training)
            return {name: np.log(value / self.units[name]) for name, value in variables.items()}, excess

    def _of_data(self, each: Floats) -> list[Floats]:
        """Return the excess over the limits on examples that bound the side on which shapes are looked for."""
        once, often = (
            np.log(self.limits.turn(self.budget, examples) / each)
            for examples in (self.limits.examples, self.limits.most_seen)
        )
        return {"ample": [once], "repeated": [-once, often], "scarce": [-often]}[self.data]

    def _derivatives(
        self, place: Floats
    ) -> tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats], list[tuple[Floats, Floats, Floats]]]:
        """Return logarithms of variables with first and second derivatives, and the same of limits' excess.

        The dimensions themselves are linear in the place: they have no second derivatives.
        """
        problems, dims = place.shape
        around = stencil(dims, _STEP)
        logs, excess = self._logs(place[None] + around[:, None, :])

        def differences(values: Floats) -> tuple[Floats, Floats, Floats]:
            return derivatives(np.broadcast_to(values, (len(around), problems)), dims, _STEP)

        steps = np.broadcast_to(np.eye(dims), (problems, dims, dims)) if self.directions is None else self.directions
        slopes = {dim: steps[:, :, k] for k, dim in enumerate(self.cost_model.dimensions.free) if dim in logs}
        here, bends = {dim: logs[dim][0] for dim in slopes}, {}
        for name in logs.keys() - slopes.keys():
            here[name], slopes[name], bends[name] = differences(logs[name])
        return here, slopes, bends, [differences(one) for one in excess]
