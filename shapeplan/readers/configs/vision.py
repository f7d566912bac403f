"""Image encoders of transformers: the keys of a ``config.json`` to settings, by its ``model_type``.

Keys that are absent have the defaults of the library's class, and ``architectures`` decides what stands on the encoder.
What the settings cannot say exactly is refused by the name of the key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isqrt
from typing import Any

from shapeplan.readers.configs.config import Config, Configured

_DEFAULT_LABELS = 2
_LIBRARY = "transformers"


def _vit(config: Config) -> Configured:
    built = _built(config, "ViTModel", "ViTForImageClassification")
    settings = _encoder(config) | _CLASS_TOKEN | {"qkv_bias": config.flag("qkv_bias", default=True)}
    return _configured(built, settings | (_pooler(config) if built == "ViTModel" else _labels(config)))


def _deit(config: Config) -> Configured:
    teacher = "DeiTForImageClassificationWithTeacher"
    built = _built(config, "DeiTModel", "DeiTForImageClassification", teacher)
    settings = _encoder(config) | _CLASS_TOKEN | {"qkv_bias": config.flag("qkv_bias", default=True)}
    # Without a classifier of its own, the distillation token is one more token with a position.
    settings |= {"distilled": True} if built == teacher else {"reg_tokens": 1}
    return _configured(built, settings | (_pooler(config) if built == "DeiTModel" else _labels(config)))


def _vit_msn(config: Config) -> Configured:
    built = _built(config, "ViTMSNModel", "ViTMSNForImageClassification")
    settings = _encoder(config) | _CLASS_TOKEN | {"qkv_bias": config.flag("qkv_bias", default=True)}
    return _configured(built, settings | ({} if built == "ViTMSNModel" else _labels(config)))


def _vit_mae(config: Config) -> Configured:
    _built(config, "ViTMAEModel", "ViTMAEForPreTraining")
    settings = _encoder(config) | _CLASS_TOKEN | {"qkv_bias": config.flag("qkv_bias", default=True)}
    note = "the encoder on all patches, as it is fine-tuned: neither the decoder nor masking (mask_ratio) is counted"
    return _configured("ViTMAEModel", settings, note)


def _ijepa(config: Config) -> Configured:
    built = _built(config, "IJepaModel", "IJepaForImageClassification")
    settings = _encoder(config) | {"pool": "gap", "qkv_bias": config.flag("qkv_bias", default=True)}
    return _configured(built, settings | ({} if built == "IJepaModel" else _labels(config)))


def _beit(prefix: str, *, bare_pools: bool) -> Callable[[Config], Configured]:
    """Return the reader of BEiT or Data2Vec; `bare_pools` if the model without a classifier has the pooler's norm."""

    def read(config: Config) -> Configured:
        built = _built(config, f"{prefix}Model", f"{prefix}ForImageClassification")
        classifies = built != f"{prefix}Model"
        mean = config.flag("use_mean_pooling", default=True)
        absolute = config.flag("use_absolute_position_embeddings")
        each, shared = config.flag("use_relative_position_bias"), config.flag("use_shared_relative_position_bias")
        if each and shared:
            hint = "one of use_relative_position_bias and use_shared_relative_position_bias is"
            config.refuse("use_shared_relative_position_bias", "beside a table of every block is not counted", hint)
        settings = _encoder(config) | {
            "pool": "gap" if mean else "tok",
            "cls_token": True,
            "prefix_positions": absolute,
            "positions": None if absolute else 0,
            "relative_positions": "layers" if each else "shared" if shared else "none",
            "k_bias": False,
            "layer_scale": config.number("layer_scale_init_value", default=0.1) > 0,
            "mask_token": config.flag("use_mask_token"),
            "final_norm": not mean,
            "fc_norm": mean and (classifies or bare_pools),
        }
        return _configured(built, settings | (_labels(config) if classifies else {}))

    return read


def _clip(prefix: str) -> Callable[[Config], Configured]:
    def read(config: Config) -> Configured:
        projected = f"{prefix}VisionModelWithProjection"
        built = _built(config, f"{prefix}VisionModel", projected)
        head = _projection(config) if built == projected else {}
        return _configured(built, _clip_tower(config) | head)

    return read


def _clip_pair(prefix: str) -> Callable[[Config], Configured]:
    def read(config: Config) -> Configured:
        labelled = f"{prefix}ForImageClassification"
        built = _built(config, f"{prefix}Model", labelled)
        tower = _clip_tower(config.inner("vision_config"))
        if built == labelled:
            return _configured(built, tower | _labels(config))
        return _tower(built, tower | _projection(config))

    return read


def _clip_tower(config: Config) -> dict[str, Any]:
    return _encoder(config, patch=32) | _CLASS_TOKEN | {"pre_norm": True, "patch_bias": False}


def _siglip(config: Config) -> Configured:
    return _configured(_built(config, "SiglipVisionModel"), _encoder(config) | _map_head(config))


def _siglip_pair(config: Config) -> Configured:
    built = _built(config, "SiglipModel", "SiglipForImageClassification")
    vision = config.inner("vision_config")
    settings = _encoder(vision) | _map_head(vision)
    if built == "SiglipForImageClassification":
        return _configured(built, settings | _labels(config))
    return _tower(built, settings)


def _siglip2(config: Config) -> Configured:
    return _configured(_built(config, "Siglip2VisionModel"), _patches_given(config), _PATCHES_GIVEN)


def _siglip2_pair(config: Config) -> Configured:
    built = _built(config, "Siglip2Model", "Siglip2ForImageClassification")
    settings = _patches_given(config.inner("vision_config"))
    if built == "Siglip2ForImageClassification":
        return _configured(built, settings | _labels(config), _PATCHES_GIVEN)
    return _tower(built, settings, _PATCHES_GIVEN)


_PATCHES_GIVEN = "images of any sides are cut to num_patches patches; so many are counted"


def _patches_given(config: Config) -> dict[str, Any]:
    """Return the settings of an encoder that sees a given number of patches, as a square image of so many."""
    patches, patch = config.number("num_patches", default=256), _patch(config, 16)
    side = isqrt(int(patches))
    if side**2 != patches:
        config.refuse("num_patches", "is no square", "write a square number: the table of positions is one")
    image = {"patch": patch, "image": side * patch, "resampled_positions": True}
    return _shape(config) | image | _map_head(config)


def _dinov2(config: Config) -> Configured:
    built = _built(config, "Dinov2Model", "Dinov2ForImageClassification")
    settings = _dino_encoder(config, patch=14) | {"mask_token": config.flag("use_mask_token", default=True)}
    two = _labels(config) | {"head_inputs": 2} if built == "Dinov2ForImageClassification" else {}
    return _configured(built, settings | two, _DINO_NOTE)


def _dinov2_registers(config: Config) -> Configured:
    built = _built(config, "Dinov2WithRegistersModel", "Dinov2WithRegistersForImageClassification")
    settings = _dino_encoder(config, patch=16) | _registers(config, 4)
    two = _labels(config) | {"head_inputs": 2} if built != "Dinov2WithRegistersModel" else {}
    return _configured(built, settings | two, _DINO_NOTE)


_DINO_NOTE = "the mask token of pre-training is among the parameters, as the library builds it"


def _registers(config: Config, default: int) -> dict[str, Any]:
    return {"mask_token": True, "reg_tokens": config.number("num_register_tokens", default=default)}


def _dino_encoder(config: Config, patch: int) -> dict[str, Any]:
    """Return the settings of DINOv2: positions of the class token and the patches, not of registers."""
    hidden = int(config.number("hidden_size", default=768) * config.number("mlp_ratio", default=4, whole=False))
    gated = config.flag("use_swiglu_ffn")
    settings = _shape(config, mlp_dim=(int(hidden * 2 / 3) + 7) // 8 * 8 if gated else hidden) | _image(config, patch)
    rows, columns = (side // settings["patch"] for side in _sides(settings["image"]))
    return settings | {
        "pool": "tok",
        "positions": rows * columns + 1,
        "gated": gated,
        "layer_scale": True,
        "qkv_bias": config.flag("qkv_bias", default=True),
    }


def _dinov3(config: Config) -> Configured:
    query, value = config.flag("query_bias", default=True), config.flag("value_bias", default=True)
    if query != value:
        config.refuse("value_bias", "without query_bias, or that without it, is not counted", "both or none are")
    settings = _encoder(config, width=384, heads=6, mlp_dim=1536) | {
        "pool": "tok",
        "positions": 0,
        "gated": config.flag("use_gated_mlp"),
        "layer_scale": True,
        "qkv_bias": query,
        "k_bias": config.flag("key_bias"),
        "proj_bias": config.flag("proj_bias", default=True),
        "mlp_bias": config.flag("mlp_bias", default=True),
    }
    return _configured(_built(config, "DINOv3ViTModel"), settings | _registers(config, 0), _DINO_NOTE)


def _aimv2(config: Config) -> Configured:
    return _configured(_built(config, "Aimv2VisionModel"), _aimv2_tower(config))


def _aimv2_pair(config: Config) -> Configured:
    built = _built(config, "Aimv2Model")
    return _tower(built, _aimv2_tower(config.inner("vision_config")) | _projection(config))


def _aimv2_tower(config: Config) -> dict[str, Any]:
    bias = config.flag("qkv_bias")
    head = {"pool": "map", "pool_query": False, "pool_bias": bias, "pool_mlp_dim": 0}
    return {
        **_encoder(config, width=1024, depth=24, heads=8, mlp_dim=2816, patch=14),
        **(head if config.flag("use_head", default=True) else {"pool": "gap"}),
        "positions": 0 if config.flag("is_native") else None,
        "norm": "rmsnorm",
        "patch_norm": True,
        "gated": True,
        "qkv_bias": bias,
        "proj_bias": bias,
        "mlp_bias": config.flag("mlp_bias"),
    }


def _pixtral(config: Config) -> Configured:
    settings = _encoder(config, width=1024, depth=24, heads=16, mlp_dim=4096, image=1024) | {
        "pool": "gap",
        "positions": 0,
        "norm": "rmsnorm",
        "pre_norm": True,
        "final_norm": False,
        "gated": True,
        **dict.fromkeys(("qkv_bias", "proj_bias", "mlp_bias", "patch_bias"), False),
    }
    return _configured(_built(config, "PixtralVisionModel"), settings, "one image of the size image_size")


_CLASS_TOKEN: dict[str, Any] = {"pool": "tok", "prefix_positions": True}


def _encoder(
    config: Config,
    *,
    width: int = 768,
    depth: int = 12,
    heads: int = 12,
    mlp_dim: int = 3072,
    patch: int = 16,
    image: int = 224,
) -> dict[str, Any]:
    """Return shape, patches and image; the numbers are the defaults of the library's class."""
    mlp = config.number("intermediate_size", default=mlp_dim)
    return _shape(config, width=width, depth=depth, heads=heads, mlp_dim=mlp) | _image(config, patch, image)


def _shape(
    config: Config, *, width: int = 768, depth: int = 12, heads: int = 12, mlp_dim: int | None = None
) -> dict[str, Any]:
    return {
        "width": config.number("hidden_size", default=width),
        "depth": config.number("num_hidden_layers", default=depth),
        "mlp_dim": config.number("intermediate_size", default=3072) if mlp_dim is None else mlp_dim,
        "heads": config.number("num_attention_heads", default=heads),
        "channels": config.number("num_channels", default=3),
    }


def _image(config: Config, patch: int, image: int = 224) -> dict[str, Any]:
    sides = config.get("image_size", default=image)
    whole = sides if isinstance(sides, list | tuple) else [sides]
    if len(whole) not in (1, 2) or not all(isinstance(side, int) and side > 0 for side in whole):
        config.refuse("image_size", "is no size of an image", "write one side in pixels, or [height, width]")
    return {"patch": _patch(config, patch), "image": whole[0] if len(set(whole)) == 1 else tuple(whole)}


def _patch(config: Config, default: int) -> int:
    patch = config.get("patch_size", default=default)
    if isinstance(patch, list | tuple):
        if len(set(patch)) != 1:
            config.refuse("patch_size", "is no square", "only square patches are counted")
        patch = patch[0]
    if isinstance(patch, bool) or not isinstance(patch, int) or patch < 1:
        config.refuse("patch_size", "is no positive whole number", "write the side of a patch in pixels")
    return patch


def _sides(image: Any) -> tuple[int, int]:
    return image if isinstance(image, tuple) else (image, image)


def _map_head(config: Config) -> dict[str, Any]:
    return {"pool": "map" if config.flag("vision_use_head", default=True) else "gap"}


def _pooler(config: Config) -> dict[str, Any]:
    width = config.number("hidden_size", default=768)
    return {"rep_size": config.number("pooler_output_size", default=width)}


def _projection(config: Config) -> dict[str, Any]:
    return {"classes": config.number("projection_dim", default=512), "head_bias": False}


def _labels(config: Config) -> dict[str, Any]:
    """Return the classes of a classifier: as many as there are labels."""
    labels = config.get("id2label", default=None)
    if labels is not None:
        return {"classes": len(config.inner("id2label").values)}
    return {"classes": config.number("num_labels", default=_DEFAULT_LABELS)}


def _built(config: Config, bare: str, *others: str) -> str:
    """Return the class of the library that is counted: what ``architectures`` says, or the bare model."""
    said = config.get("architectures", default=[bare])
    built = said[0] if isinstance(said, list | tuple) and said else said
    if built not in (bare, *others):
        config.refuse("architectures", "is not counted", f"only {' or '.join((bare, *others))} is")
    return str(built)


def _configured(built: str, settings: Mapping[str, Any], *notes: str) -> Configured:
    return Configured("vit", settings, f"{built} of {_LIBRARY}", notes)


def _tower(built: str, settings: Mapping[str, Any], *notes: str) -> Configured:
    """Return the image tower of a model of two towers."""
    note = "the image tower alone: the text tower (text_config) is not counted"
    return Configured("vit", settings, f"the image tower of {built} of {_LIBRARY}", (note, *notes))


VISION: dict[str, Callable[[Config], Configured]] = {
    "vit": _vit,
    "deit": _deit,
    "vit_msn": _vit_msn,
    "vit_mae": _vit_mae,
    "ijepa": _ijepa,
    "beit": _beit("Beit", bare_pools=True),
    "data2vec-vision": _beit("Data2VecVision", bare_pools=False),
    "clip_vision_model": _clip("CLIP"),
    "clip": _clip_pair("CLIP"),
    "metaclip_2_vision_model": _clip("MetaClip2"),
    "metaclip_2": _clip_pair("MetaClip2"),
    "siglip_vision_model": _siglip,
    "siglip": _siglip_pair,
    "siglip2_vision_model": _siglip2,
    "siglip2": _siglip2_pair,
    "dinov2": _dinov2,
    "dinov2_with_registers": _dinov2_registers,
    "dinov3_vit": _dinov3,
    "aimv2_vision_model": _aimv2,
    "aimv2": _aimv2_pair,
    "pixtral": _pixtral,
}
"""Readers of configurations by ``model_type``."""
