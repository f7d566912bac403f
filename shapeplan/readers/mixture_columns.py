"""Columns of a log that say a mixture of experts, where its architecture is one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from shapeplan.architectures import Architecture
from shapeplan.architectures.base import MIXTURE_DIMS
from shapeplan.readers.names import word_of

WORDS: dict[str, tuple[str, ...]] = {
    "experts": ("num_experts", "n_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"),
    "experts_per_token": ("num_experts_per_tok", "num_experts_per_token", "top_k", "moe_top_k", "active_experts"),
    "expert_dim": ("moe_intermediate_size", "expert_hidden_size", "moe_d_ff", "d_expert"),
    "shared_expert_dim": ("shared_expert_intermediate_size",),
}
"""Other words for the dimensions of a mixture, as exporters and configurations have them."""


def mixture_columns(
    columns: Sequence[str], architecture: Architecture | None, taken: Collection[str]
) -> dict[str, str]:
    """Return the column of every dimension of a mixture that the log has.

    None for an architecture that is dense: one without settings of experts, in a log that does not say both how many
    there are and how many of them a token visits. ``top_k`` alone may be how texts are sampled.
    """
    if architecture is None:
        return {}
    found: dict[str, str] = {}
    for dim in MIXTURE_DIMS:
        if dim in architecture.family.dims:
            words = (dim, *WORDS[dim])
            named = [column for column in columns if column not in taken and word_of(column) in words]
            found |= {dim: named[0]} if named else {}
    return found if architecture.is_mixture or {"experts", "experts_per_token"} <= found.keys() else {}
