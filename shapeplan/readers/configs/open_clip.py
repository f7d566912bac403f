"""open_clip's model configurations: the image tower, with its projection."""

from __future__ import annotations

from typing import Any

from shapeplan.readers.configs.config import Config, Configured
from shapeplan.readers.configs.timm import check_pool, timm_record

_NOTE = "the image tower alone: the text tower (text_cfg) is not counted"
_OFF = (
    "attentional_pool",
    "qk_norm",
    "scaled_cosine_attn",
    "scale_heads",
    "scale_attn_inner",
    "scale_attn",
    "scale_fc",
)
_SHAPE = ("layers", "width", "head_width", "mlp_ratio", "patch_size", "image_size", "ls_init_value", "no_ln_pre")
_TIMM = ("timm_model_name", "timm_pool", "timm_proj", "timm_proj_bias")
_FREE = (
    *("patch_dropout", "output_tokens", "act_kwargs", "norm_kwargs", "final_ln_after_pool", "pos_embed_type"),
    *("attn_pooler_queries", "attn_pooler_heads", "timm_model_pretrained", "timm_drop", "timm_drop_path"),
)
"""Keys that change no count of a whole image."""


def open_clip_config(config: Config) -> Configured:
    """Return the image tower that a configuration of open_clip describes.

    Parameters
    ----------
    config : Config
        Keys ``embed_dim`` and ``vision_cfg``, or these under ``model_cfg``, as the hub has them.

    Raises
    ------
    InputError
        If a key of ``vision_cfg`` is unknown, or its value cannot be counted.
    """
    if config.get("model_cfg", default=None) is not None:
        config = config.inner("model_cfg")
    vision = config.inner("vision_cfg")
    for key in vision.values:
        if key not in (*_SHAPE, *_TIMM, *_FREE, *_OFF, "pool_type", "block_type"):
            vision.refuse(key, "is no key of open_clip that is counted", f"the keys are {', '.join((*_SHAPE, *_TIMM))}")
    outputs = config.number("embed_dim")
    if vision.get("timm_model_name", default=None) is not None:
        return Configured("vit", _timm_tower(vision, outputs), "an image tower of open_clip, built by timm", (_NOTE,))
    return Configured("vit", _tower(vision, outputs), "an image tower of open_clip", (_NOTE,))


def _tower(vision: Config, outputs: int) -> dict[str, Any]:
    for key in _OFF:
        vision.must_be(key, False, default=False)
    vision.must_be("block_type", None, "default", "custom")
    vision.must_be("pool_type", "tok", "avg", default="tok")
    if isinstance(vision.get("layers", default=12), list | tuple):
        vision.refuse("layers", "makes a ResNet, which is not counted", "only one number of layers is")
    if isinstance(vision.get("patch_size", default=16), list | tuple):
        vision.refuse("patch_size", "is no square", "only square patches are counted")
    width, image = vision.number("width", default=768), vision.get("image_size", default=224)
    return {
        "width": width,
        "depth": vision.number("layers", default=12),
        "mlp_dim": int(width * vision.number("mlp_ratio", default=4.0, whole=False)),
        "heads": width // vision.number("head_width", default=64),
        "patch": vision.number("patch_size", default=16),
        "image": tuple(image) if isinstance(image, list) else image,
        "pool": "gap" if vision.get("pool_type", default="tok") == "avg" else "tok",
        "cls_token": True,
        "prefix_positions": True,
        "pre_norm": not vision.flag("no_ln_pre"),
        "patch_bias": False,
        "layer_scale": vision.get("ls_init_value", default=None) is not None,
        "classes": outputs,
        "head_bias": False,
    }


def _timm_tower(vision: Config, outputs: int) -> dict[str, Any]:
    """Return the settings of a tower of timm: its classifier is the projection, unless another one follows."""
    name = str(vision.get("timm_model_name"))
    record = timm_record(vision, "timm_model_name", name)
    vision.must_be("timm_proj", None, "", "linear", "none", default=None)
    # Without a pool said, open_clip averages; an empty one leaves timm's own.
    check_pool(vision, "timm_pool", vision.get("timm_pool", default="avg"), record)
    image = vision.get("image_size", default=224)
    if image not in (record.settings["image"], [record.settings["image"]] * 2):
        why = f"is not the image of {name}, which open_clip builds at its own size"
        vision.refuse("image_size", why, f"write image_size = {record.settings['image']}")
    head: dict[str, Any] = {"classes": outputs}
    match vision.get("timm_proj", default="linear" if "timm_proj" not in vision.values else None):
        case "none":
            head = {"classes": 0}
        case "linear":
            head |= {"head_bias": vision.flag("timm_proj_bias")}
    return {**record.settings, **head}
