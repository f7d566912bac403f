"""The settings of a ViT that timm built, read from its modules; whether they are right, the counts tell."""

from __future__ import annotations

from typing import Any

NORMS = {0: "nonparametric", 1: "rmsnorm", 2: "layernorm"}


def settings_of(model: Any) -> dict[str, Any]:
    """Return the settings of `ViT` that describe a model of timm, defaults included.

    Raises
    ------
    AttributeError
        If the model is built of other modules than those of a ViT.
    """
    block, patches = model.blocks[0], model.patch_embed
    parallel = len(getattr(block, "attns", [None]))
    attention = block.attns[0].attn if parallel > 1 else getattr(block, "attn", block)
    mlp = block.ffns[0].mlp if parallel > 1 else getattr(block, "mlp", None)
    width = model.embed_dim
    found = {
        "width": width,
        "depth": parallel * len(model.blocks),
        "heads": attention.num_heads,
        **_patches(model, patches),
        **_tokens(model, patches.num_patches),
        **_relative(model, attention),
        **_attention(attention, width),
        **(_mlp(mlp) if mlp is not None else _side_by_side(block)),
        **_norms(model, block, parallel),
        **_pool(model),
        **_classifier(model, width),
    }
    if parallel == 1:
        found["layer_scale"] = any(_has(block, name) for name in ("ls1", "ls", "gamma_1"))
    else:
        found["layer_scale"] = _has(block.attns[0], "ls")
    return found


def _patches(model: Any, patches: Any) -> dict[str, Any]:
    (patch, other), (height, width) = patches.patch_size, patches.img_size
    if patch != other:
        raise AttributeError("patches are no squares")
    return {
        "patch": patch,
        "image": height if height == width else (height, width),
        "channels": patches.proj.weight.numel() // (patch**2 * model.embed_dim),
        "patch_bias": patches.proj.bias is not None,
        "patch_norm": _has(patches, "norm"),
    }


def _tokens(model: Any, patches: int) -> dict[str, Any]:
    cls = model.cls_token is not None
    distilled = _has(model, "dist_token")
    registers = 0 if getattr(model, "reg_token", None) is None else model.reg_token.shape[1]
    table = getattr(model, "pos_embed", None)
    length = 0 if table is None else table.shape[1]
    prefix = cls + distilled + registers
    return {
        "cls_token": cls,
        "distilled": distilled,
        "reg_tokens": registers,
        "prefix_positions": bool(prefix) and length == patches + prefix,
        "positions": None if length in (patches, patches + prefix) else length,
        "learned_rotary": _has(model, "rope") and any(True for _ in model.rope.parameters()),
    }


def _relative(model: Any, attention: Any) -> dict[str, Any]:
    own = getattr(attention, "rel_pos", None) is not None
    own = own or getattr(attention, "relative_position_bias_table", None) is not None
    shared = getattr(model, "rel_pos_bias", None) or getattr(model, "shared_rel_pos", None)
    return {"relative_positions": "layers" if own else "shared" if shared is not None else "none"}


def _attention(attention: Any, width: int) -> dict[str, Any]:
    inner = attention.head_dim * attention.num_heads if hasattr(attention, "head_dim") else width
    qkv = getattr(attention, "qkv", None) or getattr(attention, "in_proj", None)
    separate = getattr(attention, "q_bias", None) is not None
    queries = qkv if qkv is not None else attention.q_proj
    qkv_bias = separate or queries.bias is not None
    k_bias = None
    if qkv_bias and (separate or (qkv is None and attention.k_proj.bias is None)):
        k_bias = False
    proj = getattr(attention, "proj", None) or attention.attn_out_proj
    return {
        "head_dim": None if inner == width else attention.head_dim,
        "qkv_bias": qkv_bias,
        "k_bias": k_bias,
        "proj_bias": proj.bias is not None,
        "qk_norm": _has(attention, "q_norm"),
        "attn_norm": _has(attention, "norm"),
        "attn_gate": _has(attention, "gate"),
    }


def _mlp(mlp: Any) -> dict[str, Any]:
    return {
        "mlp_dim": mlp.fc2.in_features,
        "gated": hasattr(mlp, "fc1_g") or mlp.fc1.out_features == 2 * mlp.fc2.in_features,
        "mlp_bias": mlp.fc2.bias is not None,
        "mlp_norm": _has(mlp, "norm"),
    }


def _side_by_side(block: Any) -> dict[str, Any]:
    return {"mlp_dim": block.mlp_out_proj.in_features, "mlp_bias": block.mlp_out_proj.bias is not None}


def _norms(model: Any, block: Any, parallel: int) -> dict[str, Any]:
    norm = block.attns[0].norm if parallel > 1 else getattr(block, "norm1", None) or block.in_norm
    return {
        "norm": NORMS[sum(table.numel() for table in norm.parameters()) // model.embed_dim],
        "block_norms": 2 if parallel > 1 or hasattr(block, "norm1") else 1,
        "pre_norm": _has(model, "norm_pre"),
        "final_norm": _has(model, "norm"),
        "fc_norm": _has(model, "fc_norm"),
    }


def _pool(model: Any) -> dict[str, Any]:
    pool = getattr(model, "attn_pool", None)
    if pool is None:
        return {"pool": "tok" if model.global_pool == "token" else "gap"}
    hidden = 0 if pool.mlp is None else pool.mlp.fc2.in_features
    return {
        "pool": "map",
        "pool_mlp_dim": hidden,
        "pool_query": hasattr(pool.q, "weight"),
        "pool_bias": pool.kv.bias is not None,
        "pool_prefix": getattr(model, "pool_include_prefix", True),
    }


def _classifier(model: Any, width: int) -> dict[str, Any]:
    head = model.head
    if not hasattr(head, "weight"):
        return {"classes": 0}
    return {"classes": head.out_features, "head_bias": head.bias is not None, "head_inputs": head.in_features // width}


def _has(module: Any, name: str) -> bool:
    part = getattr(module, name, None)
    return part is not None and type(part).__name__ != "Identity"
