"""What a row of a table says is not there: zeros and blanks in columns that only some models have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapeplan.architectures.base import OF_EXPERTS, OF_LATENT
from shapeplan.architectures.settings import bad_setting

STATED = frozenset({"attention", "tied", "norm", "qk_norm", "qkv_bias", "out_bias", "mlp_bias"})
"""Columns that together say what the name of a decoder's family would."""
_OPTIONAL = (*OF_LATENT, *OF_EXPERTS, "experts", "head_dim", "kv_heads", "window", "mlp_dim")
_ONLY_OF_EXPERTS = (*OF_EXPERTS, "experts", "moe_every", "shared_gate", "expert_bias", "shared_bias", "router_bias")
_ATTENTION = {"gqa": False, "mha": False, "mqa": False, "mla": True}


def without_absent(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a decoder that are there.

    In a table of many models those without experts have 0 experts, and those without latent attention ranks of 0. The
    column ``attention`` (gqa, mha, mqa or mla) says nothing more, and is checked against the ranks.

    Raises
    ------
    InputError
        If the kind of attention is unknown, or contradicts the ranks.
    """
    there = {name: text for name, text in texts.items() if not (name in _OPTIONAL and _zero(text))}
    kind = there.pop("attention", None)
    if kind is not None:
        _check_attention(str(kind).strip().lower(), "kv_lora_rank" in there)
    if "experts" not in there:
        there = {name: text for name, text in there.items() if name not in _ONLY_OF_EXPERTS}
    if "experts" in there and "mlp_dim" not in there and "expert_dim" in there:
        # No layer is dense, or the row would say how wide.
        there["mlp_dim"] = there["expert_dim"]
    return there


def _check_attention(kind: str, latent: bool) -> None:
    if kind not in _ATTENTION:
        raise bad_setting("attention", kind, "is unknown", f"choose one of {', '.join(_ATTENTION)}")
    if _ATTENTION[kind] != latent:
        why = "has no kv_lora_rank" if _ATTENTION[kind] else "does not go with kv_lora_rank"
        raise bad_setting("attention", kind, why, "mla is latent attention, and has ranks; the others have none")


def _zero(text: object) -> bool:
    try:
        return float(str(text)) == 0
    except ValueError:
        return False
