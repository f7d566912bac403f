"""Mixtures of experts: layers whose MLP is many, of which every token visits a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shapeplan.architectures.settings import is_whole
from shapeplan.frozen import frozen

if TYPE_CHECKING:
    import numpy as np
else:
    from shapeplan.numerics.lazy import np


@frozen
class Mixture:
    """One layer of experts. Dimensions are ints, floats or arrays.

    Attributes
    ----------
    width : int, float or array
        Residual stream.
    experts, per_token, expert_dim : int, float or array
        Routed experts, those that a token visits, the hidden size of one.
    shared, shared_dim : int, float or array
        Experts that every token visits, and the hidden size of one.
    matrices : int
        Matrices of an expert: 3 with a gate, 2 without.
    expert_bias, shared_bias, router_bias : bool
        Whether routed experts, shared experts and the router have biases.
    correction : bool
        Whether a learned correction of the router's scores is among the parameters.
    shared_gate : bool
        Whether what the shared experts add is weighted by a gate.
    """

    width: Any
    experts: Any
    per_token: Any
    expert_dim: Any
    shared: int
    shared_dim: Any
    matrices: int
    expert_bias: bool
    shared_bias: bool
    router_bias: bool
    correction: bool
    shared_gate: bool

    @property
    def expert(self) -> Any:
        """Parameters of one routed expert."""
        biases = self.expert_bias * ((self.matrices - 1) * self.expert_dim + self.width)
        return self.matrices * self.width * self.expert_dim + biases

    @property
    def router(self) -> Any:
        """Parameters of the router."""
        return self.experts * (self.width + self.router_bias + self.correction)

    @property
    def always_weights(self) -> Any:
        """Weights of what every token visits: shared experts, and their gate."""
        return self.shared * self.matrices * self.width * self.shared_dim + self.shared_gate * self.width

    @property
    def always(self) -> Any:
        """Parameters of what every token visits; shared experts are one MLP, with one bias on its way out."""
        biases = (self.matrices - 1) * self.shared * self.shared_dim + (self.shared > 0) * self.width
        return self.always_weights + self.shared_bias * biases

    @property
    def router_weights(self) -> Any:
        """Weights of the router."""
        return self.width * self.experts

    @property
    def routed_weights(self) -> Any:
        """Weights of the routed experts that a token visits."""
        return self.per_token * self.matrices * self.width * self.expert_dim

    @property
    def visited(self) -> Any:
        """Weights of the matrices that a token is multiplied with, each once."""
        return self.router_weights + self.routed_weights + self.always_weights

    @property
    def idle(self) -> Any:
        """Parameters of the experts that a token does not visit."""
        return (self.experts - self.per_token) * self.expert


def mixture_layers(depth: Any, first_dense: int, every: int) -> Any:
    """Return how many layers are mixtures: layer i if ``i >= first_dense`` and ``(i + 1) mod every == 0``.

    A depth in between has a share of one.
    """
    before = first_dense // every
    if is_whole(depth):
        layers = depth // every - before
        return max(layers, 0) if isinstance(layers, int) else np.maximum(layers, 0)
    return np.maximum(depth / every - before, 0.0)
