"""What a shape costs by the rows of a log: linear models of compute per example, and of parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from shapeplan import codes
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.architectures.fitted import transformer_monomials
from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.numerics.trimmed import least_squares, trimmed_least_squares
from shapeplan.runs import Runs

MOST = 0.6
"""Share of the rows that must follow one function; where more break it, it is none."""
_TINY = 1e-300


def approximate_params(runs: Runs) -> Floats | None:
    """Return about the matrices of the blocks, shape (rows,), where width and depth are known."""
    if not {"width", "depth"} <= set(runs.dims):
        return None
    width, depth = runs.values("width"), runs.values("depth")
    mlp_dim = runs.values("mlp_dim") if "mlp_dim" in runs.dims else 4 * width
    return np.asarray(depth * (4 * width**2 + 2 * width * mlp_dim))


def tokens_derived(runs: Runs) -> bool:
    """Return whether tokens are no column of the log, but follow from compute and parameters."""
    return any(caution.code == codes.TOKENS_DERIVED for caution in runs.cautions)


def compute_per_example(runs: Runs) -> Floats | None:
    """Return the forward compute per example, shape (rows,); None where examples are not logged."""
    return None if tokens_derived(runs) or runs.examples is None else runs.forward_flops() / runs.examples


def sizes_that_vary(runs: Runs) -> dict[str, Floats]:
    """Return the sizes of the models that are not the same in all rows; parameters where no shape is told."""
    shape = {dim: runs.values(dim) for dim in runs.dims}
    if not shape and runs.params is not None:
        shape = {"params": runs.params}
    return {dim: values for dim, values in shape.items() if np.ptp(values) > 0}


@frozen
class ShapeModel:
    """A linear model of what a shape costs.

    Attributes
    ----------
    columns : callable
        Gives the model's columns, shape (rows, columns), for shapes and values.
    relative : bool
        Whether it is fitted by least squares of relative errors, with coefficients that are not negative; else of
        logarithms.
    """

    columns: Callable[[Mapping[str, Floats], Floats], Floats]
    relative: bool

    def fit(self, shape: Mapping[str, Floats], values: Floats, *, robust: bool) -> Floats:
        """Return the coefficients, shape (columns,): of most rows, or of all."""
        columns = self.columns(shape, values)
        targets = np.ones(len(values)) if self.relative else np.log(values)
        if robust:
            return trimmed_least_squares(columns, targets, MOST, positive=self.relative)
        return least_squares(columns, targets, positive=self.relative)

    def log_cost(self, shape: Mapping[str, Floats], coefficients: Floats) -> Floats:
        """Return the logarithms of what shapes cost by the model, shape (shapes,); of no sizes, of one shape."""
        one = np.ones(len(next(iter(shape.values()), [1])))
        fitted = self.columns(shape, one) @ coefficients
        return np.asarray(np.log(np.maximum(fitted, _TINY)) if self.relative else fitted)


def _powers(shape: Mapping[str, Floats], values: Floats) -> Floats:
    """Return the columns of a power law: a constant, and the logarithms of the sizes."""
    return np.column_stack([np.ones(len(values)), *(np.log(column) for column in shape.values())])


def _parts(shape: Mapping[str, Floats], values: Floats) -> Floats:
    """Return what the parts of a transformer cost, as shares of the values."""
    return np.column_stack([product for _, product in transformer_monomials(shape)]) / values[:, None]


POWER_LAW, TRANSFORMER = ShapeModel(_powers, relative=False), ShapeModel(_parts, relative=True)


def models_of(shape: Mapping[str, Floats]) -> tuple[ShapeModel, ...]:
    """Return the models that may tell what shapes cost: a transformer's parts where these are its sizes."""
    return (POWER_LAW, TRANSFORMER) if set(shape) & set(SHAPE_DIMS) else (POWER_LAW,)


def closest(shape: Mapping[str, Floats], values: Floats) -> float:
    """Return the largest residual, of logarithms, of the model that is nearest to all values."""
    return min(
        float(np.abs(np.log(values) - model.log_cost(shape, model.fit(shape, values, robust=False))).max())
        for model in models_of(shape)
    )
