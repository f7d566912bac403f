"""The accelerators that train a plan: how much of their peak a shape reaches, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field

import numpy as np

from shapeplan.arguments import number_or_none
from shapeplan.counting.accelerators import Fleet, parse_fleet, read_fleet
from shapeplan.counting.price import Price, parse_price
from shapeplan.errors import ArgumentError, ErrorDetail, InputError, PlanError
from shapeplan.fitting.result import Fit
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.planning.building import Builder
from shapeplan.planning.optimum import Optimum
from shapeplan.planning.size import SIZE
from shapeplan.profile import Profile
from shapeplan.quantities import LEAST_MFU, convert_flops

_SLACK = 1.05
"""Factor beyond the measured sizes that still counts as between them."""
_HALVINGS = 30
"""How often the compute that days deliver is bisected."""


@frozen
class Utilization:
    """Share of the peak that training reaches at a shape.

    Attributes
    ----------
    shares : ndarray, shape (measurements,)
        What was reached: one share of all shapes, or one at each that was measured.
    shapes : mapping of str to ndarray, shape (measurements,)
        The dimensions that were measured; empty for one share of all shapes.
    """

    shares: Floats
    shapes: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def constant(self) -> float | None:
        """The share of all shapes; None where it depends on them."""
        return None if self.shapes else float(self.shares[0])

    def at(self, shape: Mapping[str, Floats]) -> Floats:
        """Return the share at shapes, NaN beyond the measured sizes.

        Between measurements, their mean weighted by the inverse squared distance in log-shape (Shepard 1968): it goes
        through every measurement and is never above the largest or below the least.
        """
        size = next(iter(shape.values())).shape
        if not self.shapes:
            return np.full(size, self.shares[0])
        weights, inside = np.zeros((len(self.shares), *size)), np.ones(size, dtype=bool)
        for dim, measured in self.shapes.items():
            low, high = _covered(measured)
            inside &= (shape[dim] >= low) & (shape[dim] <= high)
            column = np.log(measured).reshape(-1, *(1,) * len(size))
            weights += (np.log(shape[dim]) - column) ** 2
        weights = 1.0 / np.maximum(weights, 1e-20)
        shares = self.shares.reshape(-1, *(1,) * len(size))
        return np.where(inside, (weights * shares).sum(axis=0) / weights.sum(axis=0), np.nan)

    def beyond(self, shape: Mapping[str, float]) -> str:
        """Return which sizes of a shape are beyond the measured ones, in words; empty where none is."""
        found = []
        for dim, measured in self.shapes.items():
            low, high = _covered(measured)
            if not low <= shape[dim] <= high:
                found.append(f"{dim} {shape[dim]:g} (measured: {measured.min():g} to {measured.max():g})")
        return ", ".join(found)


def _covered(measured: Floats) -> tuple[float, float]:
    """Return between which sizes measurements tell the share."""
    return float(measured.min()) / _SLACK, float(measured.max()) * _SLACK


@frozen
class Hardware:
    """What trains a plan; None where the user did not say.

    Attributes
    ----------
    fleet : Fleet or None
        The accelerators.
    utilization : Utilization or None
        What of their peak they reach.
    price : Price or None
        What one of them costs an hour.
    """

    fleet: Fleet | None = None
    utilization: Utilization | None = None
    price: Price | None = None

    def share(self, shape: Mapping[str, float]) -> float | None:
        """Return the utilization of a shape; None where it is not known."""
        if self.utilization is None:
            return None
        found = float(self.utilization.at({dim: np.asarray(size, dtype=float) for dim, size in shape.items()}))
        return None if math.isnan(found) else found

    def days(self, training_flops: float, share: float | None) -> float | None:
        """Return the days that training takes at a utilization."""
        return None if self.fleet is None or share is None else self.fleet.days(training_flops, share)

    def beyond(self, shape: Mapping[str, float]) -> str:
        """Return which sizes of a shape are beyond those whose utilization was measured, in words."""
        return self.utilization.beyond(shape) if self.utilization else ""

    def cost(self, days: float | None) -> float | None:
        """Return what so many days cost."""
        return None if self.fleet is None or self.price is None or days is None else self.price.of(self.fleet, days)

    def delivered(self, optimum: Optimum, builder: Builder, days: float) -> float:
        """Return the training FLOPs that days deliver: at the utilization of the shape that is built for so many.

        Raises
        ------
        PlanError
            If the utilization of that shape was not measured.
        """
        fleet, utilization = self.fleet, self.utilization
        assert fleet is not None, "days are of a fleet"
        assert utilization is not None, "a fleet has a utilization"
        if utilization.constant is not None:
            return fleet.flops(days, utilization.constant)
        low, high = (fleet.flops(days, float(share)) for share in (utilization.shares.min(), utilization.shares.max()))
        for _ in range(_HALVINGS):
            middle = math.sqrt(low * high)
            share = self.share(_built(optimum, builder, middle))
            fits = share is not None and fleet.days(middle, share) <= days
            low, high = (middle, high) if fits else (low, middle)
        for end in (low, high):
            # Where it is not measured, it is not known whether more would fit.
            if beyond := self.beyond(_built(optimum, builder, end)):
                message = f"what {days:g} days deliver is not known: the best shape has {beyond}"
                hint = "measure such a shape, or give one share as `mfu`"
                raise PlanError(ErrorDetail("mfu-not-measured", message, hint))
        return low


def _built(optimum: Optimum, builder: Builder, training_flops: float) -> dict[str, float]:
    """Return the shape that is built at a compute."""
    flops = np.array([convert_flops(training_flops, "training", optimum.fit.flops_convention)])
    shape = builder.build(optimum, optimum, optimum.shapes(flops), flops)
    return {dim: float(sizes[0]) for dim, sizes in shape.items()}


def read_hardware(fit: Fit, gpus: str | None, mfu: float | Profile | None, price: Price | str | None) -> Hardware:
    """Return what trains a plan.

    Parameters
    ----------
    fit : Fit
        Whose shapes are trained.
    gpus : str or None
        ``64xH100``.
    mfu : float, Profile or None
        The share of their peak, or what was measured.
    price : Price, str or None
        What one of them costs an hour.

    Raises
    ------
    ArgumentError
        If any makes no sense, or is given without accelerators.
    InputError
        If the measurements lack a dimension of the law, or cannot be.
    PlanError
        If step times were measured and the fit does not know what a shape costs, or it has no shapes.
    """
    if price is not None and gpus is None:
        raise ArgumentError(ErrorDetail("no-gpus", "`price` requires `gpus`", "add e.g. `gpus=64xH100`"))
    cost = parse_price(price) if isinstance(price, str) else price
    if not isinstance(mfu, Profile):
        fleet, share = read_fleet(gpus, number_or_none("mfu", mfu))
        return Hardware(fleet, None if share is None else Utilization(np.array([share])), cost)
    if gpus is None:
        message = "measurements of utilization say nothing without accelerators"
        raise ArgumentError(ErrorDetail("no-gpus", message, "add `gpus=64xH100`"))
    if fit.dims == (SIZE,):
        message = "utilization was measured at shapes, and the law has only parameters"
        raise PlanError(ErrorDetail("no-shape", message, "give one share as `mfu`"))
    # Times of steps become shares by what a shape costs, all of it.
    needed = fit.dims if mfu.mfu is not None else (*fit.dims, *fit.dimensions.tied)
    if missing := [dim for dim in needed if dim not in mfu.shapes]:
        message = f"{', '.join(missing)} of the shapes that were measured is not told"
        raise InputError(ErrorDetail("bad-mfu", message, f"add {', '.join(missing)}", mfu.source))
    chips = parse_fleet(gpus)
    if mfu.examples_per_second is not None and fit.cost is None:
        message = "what a shape costs is not known, so step times are no utilization"
        raise PlanError(ErrorDetail("unknown-cost", message, "give mfu, or fit with an architecture"))
    dims = {dim: sizes for dim, sizes in mfu.shapes.items() if dim in fit.dimensions.every}
    training = np.ones(1)
    if mfu.mfu is None and fit.cost is not None:
        training = convert_flops(fit.cost.flops_per_example(dims), "forward", "training")
    shares = mfu.shares(training, chips.accelerator.peak)
    if wrong := [float(share) for share in shares if not LEAST_MFU <= share <= 1]:
        message = f"a step has a utilization of {wrong[0]:.3g} of the peak of {chips.accelerator.name}"
        hint = "check the time of a step, examples_per_step and gpus"
        raise InputError(ErrorDetail("bad-mfu", message, hint, mfu.source))
    return Hardware(chips, Utilization(shares, dims), cost)
