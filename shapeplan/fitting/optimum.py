"""The shape of least loss at a compute, for any law: closed form where the law has one, else Newton in log-shape.

In log-shape every term of a law is the exponential of a linear function where cost is a power law, so the loss is
convex and a local minimum is the minimum. Exact counts are sums of such powers, and keep it so for laws in examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from shapeplan.architectures import Cost, FittedCost
from shapeplan.arrays import Bools, Floats
from shapeplan.fitting.engine.boxqp import solve_box_qp
from shapeplan.laws import Form
from shapeplan.quantities import Convention, convert_flops
from shapeplan.sweeps.dimensions import Dimensions

TRUST = 5.0
"""How far beyond the shapes of a log an optimum is looked for, as a factor."""
_EDGE = 1e-6
_STEPS = 60
_HALVINGS = 30
_TOLERANCE = 1e-14
_STEP = 1e-3
"""Distance in log-shape over which the cost is differentiated."""


@dataclass(frozen=True)
class Surroundings:
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

    def needs(self, form: Form) -> tuple[str, ...]:
        """Return the variables of the form that the cost must give, and cannot."""
        known = {*self.dimensions.free, "flops"} | ({"examples"} if self.cost else set())
        if self.cost and not (isinstance(self.cost, FittedCost) and self.cost.parameters is None):
            known.add("params")
        return tuple(name for name in form.variables if name not in known)

    def variables(self, form: Form, shape: Mapping[str, Floats], flops: Floats) -> dict[str, Floats]:
        """Return the variables of the form that are known at shapes and a compute, which broadcast.

        Dimensions that are not free may be left out: they follow.
        """
        known: dict[str, Floats] = {**shape, "flops": flops}
        if self.cost is not None and set(self.dimensions.free) <= shape.keys():
            whole = {**self.dimensions.complete({dim: shape[dim] for dim in self.dimensions.free}), **shape}
            if "examples" in form.variables:
                each = convert_flops(1.0, "forward", self.convention) * self.cost.flops_per_example(whole)
                known["examples"] = flops / each
            if "params" in form.variables and (params := self.cost.params(whole)) is not None:
                known["params"] = params
        return {name: np.asarray(known[name], dtype=float) for name in form.variables if name in known}


def trust_region(shapes: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return where an optimum is looked for, from the smallest and largest trained value of every dimension."""
    return {dim: (least / TRUST, most * TRUST) for dim, (least, most) in shapes.items()}


def at_edge(values: Floats, bounds: tuple[float, float]) -> Bools:
    """Return whether values of a dimension are at the edge of where they are looked for, or not defined."""
    low, high = bounds
    return np.asarray(~((values > low * (1 + _EDGE)) & (values < high * (1 - _EDGE))))


def best_shape(
    form: Form,
    units: Mapping[str, float],
    constants: Mapping[str, Floats],
    flops: Floats,
    surroundings: Surroundings,
    bounds: Mapping[str, tuple[float, float]],
) -> dict[str, Floats]:
    """Return the shape of least loss.

    Parameters
    ----------
    form : Form
        The law's form.
    units : mapping of str to float
        Its units.
    constants : mapping of str to ndarray, shape (problems,)
        Its constants, such as bootstrap draws.
    flops : ndarray, shape (problems,), or a number
        Compute.
    surroundings : Surroundings
        Dimensions and cost.
    bounds : mapping of str to (float, float)
        Smallest and largest value of every free dimension.

    Returns
    -------
    dict of str to ndarray, shape (problems,)
        One a free dimension, within bounds; NaN where the loss is not finite. Empty if the law knows no shape, or
        needs a cost that is not known.
    """
    dims = surroundings.dimensions.free
    if not dims or not form.dims or surroundings.needs(form):
        return {}
    problems = max(np.size(flops), *(np.size(value) for value in constants.values()))
    named = {name: np.broadcast_to(np.asarray(value, dtype=float), (problems,)) for name, value in constants.items()}
    compute = np.broadcast_to(np.asarray(flops, dtype=float), (problems,))
    low, high = np.log([bounds[dim][0] for dim in dims]), np.log([bounds[dim][1] for dim in dims])
    closed = form.optimum(named, np.log(compute / units.get("flops", 1.0)))
    if closed:
        with np.errstate(divide="ignore"):
            place = np.column_stack([np.log(closed[dim] * units[dim]) for dim in dims])
        inside = np.isfinite(place).all(axis=1) & (place >= low).all(axis=1) & (place <= high).all(axis=1)
    else:
        place, inside = np.zeros((problems, len(dims))), np.zeros(problems, dtype=bool)
    rest = np.flatnonzero(~inside)
    if rest.size:
        chosen = {name: value[rest] for name, value in named.items()}
        place[rest] = _descend(_Loss(form, units, chosen, compute[rest], surroundings), low, high)
    return {dim: np.exp(place[:, k]) for k, dim in enumerate(dims)}


@dataclass(frozen=True)
class _Loss:
    """The sum of a form's terms in log-shape, of many problems. Eq. 3 around a star differs from it by a constant."""

    form: Form
    units: Mapping[str, float]
    constants: Mapping[str, Floats]
    flops: Floats
    surroundings: Surroundings

    def take(self, problems: np.ndarray[tuple[int], np.dtype[np.intp]]) -> _Loss:
        chosen = {name: value[problems] for name, value in self.constants.items()}
        return _Loss(self.form, self.units, chosen, self.flops[problems], self.surroundings)

    def logs(self, place: Floats) -> dict[str, Floats]:
        """Return the logarithm of every variable, in units, shape (..., problems) for places (..., problems, dims)."""
        dims = self.surroundings.dimensions.free
        shape = {dim: np.exp(place[..., k]) for k, dim in enumerate(dims)}
        variables = self.surroundings.variables(self.form, shape, self.flops)
        return {name: np.log(value / self.units[name]) for name, value in variables.items()}

    def value(self, place: Floats) -> Floats:
        """Return the loss, shape (problems,)."""
        logs = self.logs(place)
        return np.asarray(sum(term.value(self.constants, logs) for term in self.form.terms))

    def local(self, place: Floats) -> tuple[Floats, Floats, Floats]:
        """Return loss, gradient (problems, dims), and Hessian (problems, dims, dims)."""
        logs, slopes, bends = self._derivatives(place)
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
                bend = bend + exponent[..., None] * bends[power.variable]
            gradient += part[:, None] * slope
            hessian += part[:, None, None] * (slope[:, :, None] * slope[:, None, :] + bend)
        return value, gradient, hessian

    def _derivatives(self, place: Floats) -> tuple[dict[str, Floats], dict[str, Floats], dict[str, Floats]]:
        """Return the logarithms of all variables with first and second derivatives, by central differences."""
        problems, dims = place.shape
        offsets = [np.zeros(dims)]
        unit = _STEP * np.eye(dims)
        offsets += [sign * unit[i] for i in range(dims) for sign in (1, -1)]
        pairs = [(i, j) for i in range(dims) for j in range(i)]
        offsets += [one * unit[i] + other * unit[j] for i, j in pairs for one in (1, -1) for other in (1, -1)]
        around = self.logs(place[None] + np.array(offsets)[:, None, :])
        slopes, bends = {}, {}
        for name, values in around.items():
            values = np.broadcast_to(values, (len(offsets), problems))
            slope, bend = np.zeros((problems, dims)), np.zeros((problems, dims, dims))
            for i in range(dims):
                above, below = values[1 + 2 * i], values[2 + 2 * i]
                slope[:, i] = (above - below) / (2 * _STEP)
                bend[:, i, i] = (above - 2 * values[0] + below) / _STEP**2
            for n, (i, j) in enumerate(pairs):
                pp, pm, mp, mm = values[1 + 2 * dims + 4 * n : 5 + 2 * dims + 4 * n]
                bend[:, i, j] = bend[:, j, i] = (pp - pm - mp + mm) / (4 * _STEP**2)
            slopes[name], bends[name] = slope, bend
        return {name: np.broadcast_to(v, (len(offsets), problems))[0] for name, v in around.items()}, slopes, bends


def _descend(loss: _Loss, low: Floats, high: Floats) -> Floats:
    """Minimize by Newton's method inside a box, from its middle; shape (problems, dims)."""
    problems, dims = len(loss.flops), len(low)
    place = np.broadcast_to((low + high) / 2, (problems, dims)).copy()
    active = np.arange(problems)
    index = np.arange(dims)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for _ in range(_STEPS):
            here, mine = loss.take(active), place[active]
            value, gradient, hessian = here.local(mine)
            sound = np.isfinite(value) & np.isfinite(hessian).all(axis=(1, 2))
            place[active[~sound]] = np.nan
            active, mine, value = active[sound], mine[sound], value[sound]
            if not active.size:
                break
            here, gradient, hessian = loss.take(active), gradient[sound], _convex(hessian[sound])
            hessian[:, index, index] += 1e-12 * hessian[:, index, index].max(axis=1, keepdims=True) + 1e-300
            step = solve_box_qp(hessian, gradient, low - mine, high - mine)
            gain = -(gradient * step).sum(axis=1)
            moved = _backtrack(here.value, mine, step, value, gain)
            place[active] = moved
            active = active[gain > _TOLERANCE * np.abs(value)]
            if not active.size:
                break
    return place


def _convex(hessian: Floats) -> Floats:
    """Return the matrices with negative eigenvalues turned positive, so that a step goes down."""
    values, vectors = np.linalg.eigh(hessian)
    if (values >= 0).all():
        return hessian
    return np.asarray((vectors * np.abs(values)[:, None, :]) @ vectors.transpose(0, 2, 1))


def _backtrack(loss: Callable[[Floats], Floats], place: Floats, step: Floats, value: Floats, gain: Floats) -> Floats:
    """Return the places after the longest of ever shorter steps that lowers the loss enough."""
    share = np.ones(len(place))
    for _ in range(_HALVINGS):
        wrong = ~(loss(place + share[:, None] * step) <= value - 1e-4 * share * gain + 1e-15 * np.abs(value))
        if not wrong.any():
            break
        share = np.where(wrong, share / 2, share)
    else:
        share = np.where(wrong, 0.0, share)
    return np.asarray(place + share[:, None] * step)
