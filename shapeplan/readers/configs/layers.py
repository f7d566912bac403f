"""Which layers of a configuration are mixtures of experts, as the two numbers that say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from shapeplan.readers.configs.config import Config

_SPARSE = ("sparse", "moe")
_EVERY = ("decoder_sparse_step", "moe_layer_interval", "interleave_moe_layer_step", "moe_layer_freq")
_MOST = 10_000
"""Layers that are looked at one by one; no model has as many."""


class MixtureLayers(NamedTuple):
    """Layer i is a mixture if ``i >= first_dense`` and ``(i + 1) mod every == 0``."""

    first_dense: int
    every: int

    def pattern(self, depth: int) -> list[bool]:
        """Return for every layer whether it is a mixture."""
        return [i >= self.first_dense and (i + 1) % self.every == 0 for i in range(depth)]


def mixture_layers(config: Config, depth: int) -> MixtureLayers:
    """Return which layers are mixtures.

    Raises
    ------
    InputError
        If no two numbers say it; ``column`` names the key.
    """
    config = _of_its_class(config)
    if kinds := config.items("mlp_layer_types"):
        return _matching(config, "mlp_layer_types", [kind in _SPARSE for kind in kinds], depth)
    if isinstance(config.get("moe_layer_freq", default=1), list):
        return _matching(config, "moe_layer_freq", [bool(one) for one in config.items("moe_layer_freq")], depth)
    if sparse := config.items("moe_layers"):
        return _matching(config, "moe_layers", [i in sparse for i in range(min(depth, _MOST))], depth)
    first = config.number("first_k_dense_replace", "moe_layer_start_index", default=0)
    every = max(config.number(name, default=1, least=1) for name in _EVERY)
    dense, last = config.items("mlp_only_layers"), config.number("moe_layer_end_index", default=-1, least=-1)
    if not dense and last in (-1, depth - 1):
        return MixtureLayers(first, every)
    pattern = MixtureLayers(first, every).pattern(min(depth, _MOST))
    pattern = [on and i not in dense and (last < 0 or i <= last) for i, on in enumerate(pattern)]
    return _matching(config, "mlp_only_layers" if dense else "moe_layer_end_index", pattern, depth)


def _of_its_class(config: Config) -> Config:
    """Return the configuration with the keys that its class has: transformers ignores others, as of another type."""
    if not config.defaults:
        return config
    return replace(config, values={key: value for key, value in config.values.items() if key in config.defaults})


def _matching(config: Config, name: str, pattern: Sequence[bool], depth: int) -> MixtureLayers:
    if len(pattern) != depth:
        config.refuse(name, f"names {len(pattern)} layers, and there are {depth}", "name every layer once")
    if not any(pattern):
        return MixtureLayers(depth, 1)
    sparse = [i for i, on in enumerate(pattern) if on]
    # Of one sparse layer alone any step says where it is that ends there.
    every = sparse[1] - sparse[0] if sparse[1:] else sparse[0] + 1
    found = MixtureLayers(sparse[0], every)
    if found.pattern(depth) == list(pattern):
        return found
    why = "mixes dense and sparse layers in an order that cannot be counted"
    return config.refuse(name, why, "only dense layers first, then every n-th a mixture")
