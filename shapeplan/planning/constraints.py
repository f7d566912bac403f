"""What a plan must keep beside its budget: parameters, cost of an example, data, dimensions that are fixed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field

import numpy as np

from shapeplan.errors import ArgumentError, ErrorDetail, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.optimum.cost_model import NO_LIMITS, Limits
from shapeplan.quantities import format_count, format_flops
from shapeplan.sweeps.dimensions import Dimensions, wrong_size

LARGEST_LIMIT = 1e40
LEAST_TRUST, MOST_TRUST = 1.0, 1000.0
MOST_EPOCHS = 1000.0
_SAME_SIZE = 0.02


@frozen
class Constraints:
    """What a plan must keep.

    Attributes
    ----------
    limits : Limits
        What shape and training may take.
    held : mapping of str to float
        Free dimensions that are fixed.
    trust : float
        How far beyond the trained shapes the optimum may lie, as a factor.
    """

    limits: Limits = NO_LIMITS
    held: Mapping[str, float] = field(default_factory=dict)
    trust: float = 5.0

    @property
    def given(self) -> dict[str, float]:
        """The constraints by name, as a plan tells them."""
        limits = self.limits
        numbers = {
            "max_params": limits.params,
            "max_flops_per_example": limits.flops_per_example,
            "max_examples": limits.examples,
            "epochs": limits.epochs if limits.epochs > 1 else math.inf,
            "inference_examples": limits.served or math.inf,
            **{f"fix_{dim}": value for dim, value in self.held.items()},
        }
        return {name: value for name, value in numbers.items() if math.isfinite(value)}

    @property
    def options(self) -> tuple[str, ...]:
        """The arguments behind the constraints, which only an optimum can keep."""
        words = (name if not name.startswith("fix_") else "fix" for name in self.given)
        return tuple(dict.fromkeys(words))

    def bounds(self, fit: Fit) -> dict[str, tuple[float, float]]:
        """Return where the optimum is looked for."""
        return {**fit.bounds_within(self.trust), **{dim: (value, value) for dim, value in self.held.items()}}

    def kept_by(
        self, fit: Fit, shape: Mapping[str, Floats], flops: Floats
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Return whether shapes keep the limits and leave something of a budget for training."""
        limits, around = self.limits, fit.cost_model
        kept = np.ones(np.broadcast_shapes(np.shape(flops), next(iter(shape.values())).shape), dtype=bool)
        if math.isfinite(limits.params):
            params = around.params(shape)
            assert params is not None, "limits on parameters are checked where they are given"
            kept &= params <= limits.params
        if limits.bind_cost:
            each = around.flops_per_example(shape)
            kept &= each / around.flops_per_forward <= limits.flops_per_example
            kept &= limits.training_flops(flops, each) > 0
        return kept


def constraints(
    fit: Fit,
    *,
    max_params: float | None = None,
    max_flops_per_example: float | None = None,
    max_examples: float | None = None,
    epochs: float | None = None,
    inference_examples: float | None = None,
    fix: Mapping[str, float] | None = None,
    trust: float,
) -> Constraints:
    """Return checked constraints.

    Raises
    ------
    ArgumentError
        If a number makes no sense, or a dimension cannot be fixed.
    PlanError
        If the fit does not know what a limit is about.
    """
    given = {
        "max_params": max_params,
        "max_flops_per_example": max_flops_per_example,
        "max_examples": max_examples,
        "inference_examples": inference_examples,
    }
    for name, value in given.items():
        least = 1.0 if name == "max_examples" else 0.0
        if value is not None and not (0 < value <= LARGEST_LIMIT and value >= least):
            hint = f"give {'at least 1' if least else 'more than 0'} and at most {LARGEST_LIMIT:g}"
            code, message = f"bad-{name.replace('_', '-')}", f"`{name}` cannot be {value:g}"
            raise ArgumentError(ErrorDetail(code, message, hint, value=f"{value:g}"))
    if not LEAST_TRUST <= trust <= MOST_TRUST:
        hint = f"give a factor from {LEAST_TRUST:g} to {MOST_TRUST:g}, e.g. 5"
        raise ArgumentError(ErrorDetail("bad-trust", f"`trust` cannot be {trust:g}", hint, value=f"{trust:g}"))
    if epochs is not None and max_examples is None:
        message = "`epochs` says how often examples are seen, and not how many there are"
        raise ArgumentError(ErrorDetail("bad-epochs", message, "give `max_examples` too"))
    if epochs is not None and not 1 <= epochs <= MOST_EPOCHS:
        hint = f"give a number from 1 to {MOST_EPOCHS:g}"
        raise ArgumentError(ErrorDetail("bad-epochs", f"`epochs` cannot be {epochs:g}", hint, value=f"{epochs:g}"))
    if max_params is not None and not fit.cost_model.knows_params:
        raise _unknown("parameters", "max_params", "add a column params, or an architecture")
    costly = next((name for name in list(given)[1:] if given[name] is not None), None)
    if costly and fit.cost is None:
        raise _unknown("FLOPs of an example", costly, "add examples (or tokens), or an architecture")
    of_compute = max_examples is not None or inference_examples is not None
    if of_compute and not fit.law.form.joint:
        message = "Eq. 2 on the arms does not say how shape and compute trade away from them"
        hint = "fit a joint law, as `shapeplan fit` does by default, for `max_examples` and `inference_examples`"
        raise PlanError(ErrorDetail("no-joint-law", message, hint))
    limits = Limits(
        params=_or_inf(max_params),
        flops_per_example=_or_inf(max_flops_per_example),
        examples=_or_inf(max_examples),
        epochs=epochs or 1.0,
        served=inference_examples or 0.0,
    )
    return Constraints(limits, _held(fit.dimensions, fix or {}), trust)


def impossible(fit: Fit, asked: Constraints, flops: float) -> PlanError:
    """Return the error for a budget at which no shape keeps the limits, saying which cannot be kept."""
    limits, around = asked.limits, fit.cost_model
    smallest = {dim: np.asarray(low) for dim, (low, _) in asked.bounds(fit).items()}
    said = " x ".join(f"{float(value):.3g}" for value in smallest.values())
    problems = []
    params = around.params(smallest)
    if params is not None and float(params) > limits.params:
        problems.append(f"has {format_count(float(params))} parameters, more than {format_count(limits.params)}")
    if limits.bind_cost:
        each = float(around.flops_per_example(smallest))
        forward = each / around.flops_per_forward
        if forward > limits.flops_per_example:
            problems.append(f"takes {format_flops(forward)} FLOPs an example, more than {limits.flops_per_example:.3g}")
        if float(limits.training_flops(np.asarray(flops), np.asarray(each))) <= 0:
            problems.append(
                f"spends the whole budget of {format_flops(flops)} FLOPs on serving {limits.served:.3g} examples"
            )
    why = " and ".join(problems) or "keeps the limits only where another does not"
    if asked.held.keys() >= smallest.keys():
        message = f"the fixed shape {said} breaks the limits: it {why}"
        return PlanError(ErrorDetail("impossible-limits", message, "raise the limit, or fix less"))
    message = f"no shape keeps the limits: even the smallest in the trust region, {said}, {why}"
    return PlanError(ErrorDetail("impossible-limits", message, "raise the limit, or look further with `trust`"))


def _held(dimensions: Dimensions, fix: Mapping[str, float]) -> dict[str, float]:
    held = {}
    for dim, value in fix.items():
        if why := wrong_size(dim, value):
            raise ArgumentError(ErrorDetail("bad-fix", f"{dim} cannot be fixed at {value:g}", why, value=f"{value:g}"))
        if dim in dimensions.free:
            held[dim] = float(value)
            continue
        if dim in dimensions.tied:
            tie = dimensions.tied[dim]
            why, hint = f"{dim} follows {tie.to} in the log", f"fix {tie.to} at {tie.leader(value):.0f}"
        elif dim in dimensions.fixed:
            if abs(value / dimensions.fixed[dim] - 1) < _SAME_SIZE:
                continue
            why = f"{dim} never varied in the log: it is {dimensions.fixed[dim]:g}"
            hint = "vary it in a sweep to plan it"
        else:
            why, hint = f"there is no dimension {dim!r} to fix", f"the dimensions are {', '.join(dimensions.free)}"
        raise ArgumentError(ErrorDetail("bad-fix", why, hint, value=dim))
    return held


def _unknown(what: str, option: str, hint: str) -> PlanError:
    return PlanError(ErrorDetail("unknown-cost", f"the law does not know the {what} of a shape, for `{option}`", hint))


def _or_inf(value: float | None) -> float:
    return math.inf if value is None else value
