"""The result of a fit: a law with its evidence. These records need no optimizer, so plans can be made without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from shapeplan import codes
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.errors import Caution, check_type
from shapeplan.fitting.evidence import Diagnostics, LogSummary, ModelSelection, Rival, StarEvidence, Uncertainty
from shapeplan.fitting.records import Estimate, Interval, Status
from shapeplan.frozen import frozen
from shapeplan.laws import Law
from shapeplan.numerics.arrays import CELLS_IN_MEMORY, Floats, central_interval
from shapeplan.optimum.best_shape import Bounds, best_shape
from shapeplan.optimum.cost_model import NO_LIMITS, TRUST, CostModel, Limits, at_edge, trust_region
from shapeplan.shown import Shown
from shapeplan.sweeps.grid import Start

OPTIMUM_AT = 10.0
"""The best shape is watched at this factor of the largest compute."""


T = TypeVar("T")


class _Field(Generic[T]):
    """A field of a part of a fit, under the fit's own name."""

    def __init__(self, read: Callable[[Fit], T]) -> None:
        self.read = read

    def __get__(self, fit: Fit, kind: type[Fit]) -> T:
        """Return the field."""
        return self.read(fit)


@frozen
class Fit(Shown):
    """A law and the evidence for it; the fields of the parts are also the fit's own, such as ``fit.parameters``.

    Attributes
    ----------
    law : Law
        The function from shape and compute to loss; without constants for a published law that gives none.
    log : LogSummary
        What is kept of the log.
    uncertainty : Uncertainty
        Estimates with intervals, and the replicates behind them.
    diagnostics : Diagnostics
        How well the law fits, and what is doubtful about it.
    model_selection : ModelSelection
        How the law was chosen.
    star : StarEvidence
        The star of the log under Eq. 2.
    start : Start or None
        x0 and t0 of the recipe.
    command : str or None
        The command that made the fit, where it was one.
    """

    law: Law
    log: LogSummary
    uncertainty: Uncertainty
    diagnostics: Diagnostics
    model_selection: ModelSelection
    star: StarEvidence
    start: Start | None
    command: str | None = None

    metric = _Field(lambda fit: fit.log.metric)
    flops_convention = _Field(lambda fit: fit.log.flops_convention)
    examples_unit = _Field(lambda fit: fit.log.examples_unit)
    dimensions = _Field(lambda fit: fit.log.dimensions)
    flops_range = _Field(lambda fit: fit.log.flops_range)
    shape_range = _Field(lambda fit: fit.log.shape_range)
    architecture = _Field(lambda fit: fit.log.architecture)
    cost = _Field(lambda fit: fit.log.cost)
    heads = _Field(lambda fit: fit.log.heads)
    front = _Field(lambda fit: fit.log.front)
    rows = _Field(lambda fit: fit.log.rows)
    sources = _Field(lambda fit: fit.log.sources)
    origins = _Field(lambda fit: fit.log.origins)
    dropped = _Field(lambda fit: fit.log.dropped)
    notes = _Field(lambda fit: fit.log.notes)
    parameters = _Field(lambda fit: fit.uncertainty.parameters)
    scaling_exponents = _Field(lambda fit: fit.uncertainty.scaling_exponents)
    growth_exponents = _Field(lambda fit: fit.uncertainty.growth_exponents)
    bootstrap = _Field(lambda fit: fit.uncertainty.bootstrap)
    quality = _Field(lambda fit: fit.diagnostics.quality)
    outliers = _Field(lambda fit: fit.diagnostics.outliers)
    trends = _Field(lambda fit: fit.diagnostics.trends)
    noise = _Field(lambda fit: fit.diagnostics.noise)
    influences = _Field(lambda fit: fit.diagnostics.influences)
    cautions = _Field(lambda fit: fit.diagnostics.cautions)
    selection = _Field(lambda fit: fit.model_selection.scores)
    rivals = _Field(lambda fit: fit.model_selection.rivals)
    arms = _Field(lambda fit: fit.star.arms)
    star_center = _Field(lambda fit: fit.star.shape)
    center = _Field(lambda fit: fit.star.center)
    center_error = _Field(lambda fit: fit.star.center_error)
    grid_error = _Field(lambda fit: fit.star.grid_error)

    def __repr__(self) -> str:
        """Return law, status, exponents and warnings; the whole is in the document."""
        exponents = ", ".join(f"s_{dim}={s.value:.3g}" for dim, s in self.scaling_exponents.items())
        codes = [caution.code for caution in self.cautions]
        return f"<Fit {self.law.form.name} of {self.metric!r}: {self.status}, {exponents}, warnings={codes}>"

    def save(self, path: str | Path) -> None:
        """Write the law document, as ``fit -o`` does; `shapeplan.load` reads it.

        Raises
        ------
        OutputError
            If the path cannot be written.
        """
        # Documents are a floor above; nothing of them is loaded before a fit is saved.
        import_module("shapeplan.documents.files").save(self, path)

    @property
    def knows_loss(self) -> bool:
        """Whether the law has constants, and the cost that it needs is known."""
        return self.law.has_loss and not self.cost_model.needs(self.law.form)

    @cached_property
    def examples_per_param(self) -> Interval | None:
        """The least and the most examples a parameter among the rows of the log; None where it does not tell."""
        examples, rows, cost = self._examples, self.rows, self.cost
        if examples is None or rows is None or cost is None or not set(self.dims) <= set(rows.shape):
            return None
        params = cost.params(rows.shape)
        if params is None:
            return None
        ratios = examples / params
        return float(ratios.min()), float(ratios.max())

    @cached_property
    def examples_range(self) -> Interval | None:
        """The least and the most examples among the rows of the log; None where it does not tell."""
        examples = self._examples
        return None if examples is None else (float(examples.min()), float(examples.max()))

    @cached_property
    def _examples(self) -> Floats | None:
        """Examples of the rows, as logged or from their compute; None where neither is known."""
        rows = self.rows
        if rows is None or rows.examples is not None:
            return None if rows is None else rows.examples
        if self.cost is None or not set(self.dims) <= set(rows.shape):
            return None
        return rows.flops / self.cost_model.flops_per_example({dim: rows.shape[dim] for dim in self.dims})

    def distance(self, flops: Floats, examples: Floats | None = None) -> Floats:
        """Return how far runs are beyond the rows behind the law: the factor of compute, or of examples if larger.

        A small model trained for long may see far more examples than any row at hardly more compute. Runs of less than
        the least are as far as those of more than the most.
        """
        ranges = [(flops, self.flops_range)]
        if examples is not None and self.examples_range is not None:
            ranges.append((examples, self.examples_range))
        factors = [np.maximum(values / most, least / values) for values, (least, most) in ranges]
        return np.asarray(np.maximum.reduce([np.ones_like(factors[0]), *factors]))

    @property
    def predicts_loss(self) -> bool:
        """Whether the law's loss can be believed away from the star.

        It has constants, the cost that it needs is known, and if it was fitted to a star the rows beside it, if there
        are any, do not refute it: they are missed by no more than 2% or three times the law's own scatter.
        """
        if not self.knows_loss:
            return False
        if self.law.form.joint or self.grid_error is None or self.quality is None:
            return True
        return not self.grid_error.refutes(self.quality.relative_rmse)

    @property
    def status(self) -> Status:
        """``ok``, or ``untrusted`` for a fit that no plan should rest on."""
        return self.quality.status if self.quality else "ok"

    @property
    def fractional(self) -> dict[str, float]:
        """Dimensions that were trained at values that are no whole numbers, with the least of them."""
        ends = {dim: np.array(pair) for dim, pair in self.shape_range.items()}
        trained = self.rows.shape if self.rows else ends
        return {
            dim: float(values.min())
            for dim, values in trained.items()
            if dim not in SHAPE_DIMS and (values != np.round(values)).any()
        }

    @property
    def distrust(self) -> Caution | None:
        """Why no plan should rest on the fit; None where one may."""
        if self.status == "ok":
            return None
        found = (caution for caution in self.cautions if caution.code == "untrusted-fit")
        return next(found, Caution(codes.UNTRUSTED_FIT, "the fit is not to be trusted", "see its other warnings"))

    def loss_interval(self, /, **variables: ArrayLike) -> tuple[Floats, Floats] | None:
        """Return the interval of the predicted loss, which holds it, each of shape (points,), or None without draws."""
        if not self.bootstrap.draws:
            return None
        flat = {name: np.atleast_1d(np.asarray(value, dtype=float))[None, :] for name, value in variables.items()}
        size = max(1, CELLS_IN_MEMORY // max(1, self.bootstrap.replicates))
        points = max(value.shape[1] for value in flat.values())
        ends = []
        for first in range(0, points, size):
            piece = {
                name: value[:, first : first + size] if value.shape[1] > 1 else value for name, value in flat.items()
            }
            losses = self.law.loss_under(self.bootstrap.columns(), **piece)
            here = self.law.loss(**{name: value[0] for name, value in piece.items()})
            low, high = central_interval(losses, self.bootstrap.level)
            ends.append((np.fmin(low, here), np.fmax(high, here)))
        return np.concatenate([low for low, _ in ends]), np.concatenate([high for _, high in ends])

    def run_interval(
        self, losses: Floats, distance: Floats, law: tuple[Floats, Floats] | None
    ) -> tuple[Floats, Floats] | None:
        """Return the interval of runs at a `distance`, from the losses of the law and their interval, shape (points,).

        It is that of the law in documents of older versions, which do not tell how far runs are from it.
        """
        error = self.uncertainty.run_error
        if law is None or error is None:
            return law
        return error.around(losses, distance, law, self.bootstrap.level)

    @property
    def cost_model(self) -> CostModel:
        """What turns a shape and a compute into the variables of the law."""
        return CostModel(self.dimensions, self.cost, self.flops_convention)

    def variables(self, shape: Mapping[str, ArrayLike], flops: ArrayLike) -> dict[str, Floats]:
        """Return the variables of the law at shapes and a compute, for `Law.loss`; tied and fixed dimensions follow."""
        given = {dim: np.asarray(size, dtype=float) for dim, size in shape.items()}
        return self.cost_model.variables(self.law.form, given, np.asarray(flops, dtype=float))

    def optimum(self, flops: float) -> dict[str, Estimate]:
        """Return the shape of least loss at a compute, with intervals.

        Parameters
        ----------
        flops : float
            Compute, in the law's convention.

        Returns
        -------
        dict of str to Estimate
            One a free dimension, within the trust region around the shapes of the log: a value there means that
            the law has no optimum inside. Empty for a law without constants, without shape, or whose cost is unknown.
        """
        if not self.law.has_loss or not self.law.form.dims:
            return {}
        values, draws = self.best_at(flops), self.bootstrap.draws
        spread = self.best_shapes(draws, flops) if draws and values else {}
        return {
            dim: Estimate(value, self.bootstrap.interval(spread[dim], value) if spread else None)
            for dim, value in values.items()
        }

    def best_at(self, flops: float) -> dict[str, float]:
        """Return the shape of least loss at a compute, by the law alone; empty as `optimum`."""
        return {dim: float(sizes[0]) for dim, sizes in self.best_shapes(self.law.arrays(), flops).items()}

    def at_edge(self, shape: Mapping[str, float], trust: float = TRUST) -> list[str]:
        """Return the free dimensions of a shape that are at the edge of the trust region."""
        bounds = self.bounds_within(trust)
        kept = self.dimensions.kept
        return [dim for dim in bounds if dim not in kept and at_edge(np.asarray(shape[dim]), bounds[dim])]

    def best_shapes(
        self,
        constants: Mapping[str, Floats],
        flops: ArrayLike,
        bounds: Bounds | None = None,
        limits: Limits = NO_LIMITS,
        near: Mapping[str, ArrayLike] | None = None,
    ) -> dict[str, Floats]:
        """Return the shapes of least loss under constants, such as draws, at compute; see `best_shape`."""
        law = self.law
        return best_shape(law.form, law.units, constants, flops, self.cost_model, bounds or self.bounds, limits, near)

    def under(self, rival: Rival) -> Fit:
        """Return the fit as it would be had the rival been chosen: its law and its draws, the rest the same."""
        bootstrap = replace(self.bootstrap, replicates=rival.replicates, draws=rival.draws, exponents={})
        uncertainty = replace(self.uncertainty, bootstrap=bootstrap, growth_exponents={})
        alone = replace(self.model_selection, rivals=())
        return replace(self, law=rival.law, uncertainty=uncertainty, model_selection=alone)

    @cached_property
    def beyond(self) -> dict[str, Estimate]:
        """The optimum at `OPTIMUM_AT` times the largest compute of the log."""
        return self.optimum(OPTIMUM_AT * self.flops_range[1])

    @property
    def bounds(self) -> dict[str, Interval]:
        """Where the best shape is looked for."""
        return self.bounds_within(TRUST)

    def bounds_within(self, trust: float) -> dict[str, Interval]:
        """Return the trust region: a factor beyond the smallest and largest trained value of every free dimension."""
        return trust_region({dim: self.shape_range[dim] for dim in self.dims}, trust)

    @property
    def kv_heads(self) -> int:
        """Key and value heads of the architecture, of which heads are a multiple; 1 without one."""
        return self.architecture.kv_heads if self.architecture else 1

    @property
    def dims(self) -> tuple[str, ...]:
        """The dimensions that the law is free to choose."""
        return self.dimensions.free


def check_is_fit(fit: Fit) -> None:
    """Raise `ArgumentError` unless it is a fit."""
    check_type("a fit", fit, Fit, "write shapeplan.fit(runs), or shapeplan.read_law('law.json')")
