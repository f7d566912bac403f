"""The cost of a shape where no architecture is given: a sum of powers read off the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.frozen import frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

    from shapeplan.numerics.arrays import Floats
else:
    from shapeplan.numerics.lazy import np

TRANSFORMER_POWERS: tuple[Mapping[str, int], ...] = (
    {"width": 2, "depth": 1},
    {"width": 1, "depth": 1, "mlp_dim": 1},
    {"width": 1, "depth": 1},
    {"width": 1},
)
"""What matrices of attention, of the MLP, scores over a sequence (and biases), and embeddings cost."""


def transformer_monomials(shape: Mapping[str, Floats]) -> tuple[tuple[dict[str, int], Floats], ...]:
    """Return the powers of a transformer's cost in the dimensions of `shape`, and their products, shape (rows,).

    Dimensions that are none of a block's own, such as experts, are how often a part is there.
    """
    own = [{dim: power for dim, power in powers.items() if dim in shape} for powers in TRANSFORMER_POWERS]
    for dim in shape:
        own += [] if dim in SHAPE_DIMS else [{**powers, dim: 1} for powers in own]
    distinct = [powers for i, powers in enumerate(own) if powers not in own[:i]]
    rows = np.ones(len(next(iter(shape.values()))))
    return tuple(
        (powers, np.exp(sum((power * np.log(shape[dim]) for dim, power in powers.items()), rows * 0.0)))
        for powers in distinct
    )


@frozen
class PowerTerm:
    """``coefficient * prod x_k ** exponent_k``."""

    coefficient: float
    exponents: Mapping[str, float]

    def __call__(self, shape: Mapping[str, ArrayLike]) -> Floats:
        """Return the value at a shape; arrays broadcast."""
        logs = sum(exponent * np.log(np.asarray(shape[dim], dtype=float)) for dim, exponent in self.exponents.items())
        return np.asarray(self.coefficient * np.exp(logs))


@frozen
class PowerSum:
    """A sum of powers with positive coefficients.

    Attributes
    ----------
    terms : tuple of PowerTerm
        What is added.
    max_relative_error : float
        Largest relative error over the rows it was fitted to.
    """

    terms: tuple[PowerTerm, ...]
    max_relative_error: float

    def __call__(self, shape: Mapping[str, ArrayLike]) -> Floats:
        """Return the value at a shape; arrays broadcast."""
        return np.asarray(sum(term(shape) for term in self.terms))

    @classmethod
    def power_law(cls, shape: Mapping[str, Floats], values: Floats) -> PowerSum:
        """Fit one term by least squares of logarithms; `values` has one entry a row, as has every dimension."""
        logs = np.column_stack([np.ones(len(values)), *(np.log(column) for column in shape.values())])
        solution, *_ = np.linalg.lstsq(logs, np.log(values), rcond=None)
        error = float(np.max(np.abs(np.expm1(logs @ solution - np.log(values)))))
        exponents = dict(zip(shape, map(float, solution[1:]), strict=True))
        return cls((PowerTerm(float(np.exp(solution[0])), exponents),), error)


@frozen
class FittedCost:
    """Sums of powers for the forward FLOPs of an example and, where the log has them, the parameters."""

    forward_flops: PowerSum
    parameters: PowerSum | None = None

    @property
    def dims(self) -> frozenset[str]:
        """The dimensions that the cost depends on."""
        return frozenset(
            dim for term in self.forward_flops.terms for dim, exponent in term.exponents.items() if exponent
        )

    def flops_per_example(self, shape: Mapping[str, ArrayLike]) -> Floats:
        """Return the forward FLOPs of one example."""
        return self.forward_flops(shape)

    def params(self, shape: Mapping[str, ArrayLike]) -> Floats | None:
        """Return the number of parameters, or None where the log had none."""
        return None if self.parameters is None else self.parameters(shape)

    def active_params(self, shape: Mapping[str, ArrayLike]) -> Floats | None:
        """Return None: a log without an architecture does not tell which parameters a token meets."""
        return None
