"""What stands in the ``config.json`` of encoders on the hub, as far as it differs from the defaults of transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _sized(width: int, depth: int, heads: int, mlp_dim: int) -> dict[str, int]:
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    return dict(zip(names, (width, depth, heads, mlp_dim), strict=True))


TINY, SMALL, BASE = _sized(192, 12, 3, 768), _sized(384, 12, 6, 1536), _sized(768, 12, 12, 3072)
LARGE, HUGE = _sized(1024, 24, 16, 4096), _sized(1280, 32, 16, 5120)
SO400M, GIANT_OPT = _sized(1152, 27, 16, 4304), _sized(1536, 40, 16, 6144)
DINOV3_H, DINOV3_7B = _sized(1280, 32, 20, 5120), _sized(4096, 40, 32, 8192)
AIMV2 = {
    "large": _sized(1024, 24, 8, 2816),
    "huge": _sized(1536, 24, 12, 4096),
    "1B": _sized(2048, 24, 16, 5632),
    "3B": _sized(3072, 24, 24, 8192),
}


def _labels(classes: int) -> dict[str, int]:
    return {"num_labels": classes}


def _config(kind: str, built: str, *parts: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"model_type": kind, "architectures": [built]}
    for part in parts:
        found |= part
    return found | more


def _vit(shape: Mapping[str, int], patch: int, image: int) -> dict[str, Any]:
    return _config("vit", "ViTForImageClassification", shape, _labels(1000), patch_size=patch, image_size=image)


def _vit_encoder(shape: Mapping[str, int], patch: int) -> dict[str, Any]:
    return _config("vit", "ViTModel", shape, patch_size=patch)


def _deit(shape: Mapping[str, int], image: int = 224) -> dict[str, Any]:
    return _config("deit", "DeiTForImageClassificationWithTeacher", shape, _labels(1000), image_size=image)


def _beit(shape: Mapping[str, int], image: int, classes: int = 1000) -> dict[str, Any]:
    tables = {"use_relative_position_bias": True}
    return _config("beit", "BeitForImageClassification", shape, tables, _labels(classes), image_size=image)


def _clip(shape: Mapping[str, int], patch: int, image: int, outputs: int) -> dict[str, Any]:
    vision = {**shape, "patch_size": patch, "image_size": image}
    return _config("clip", "CLIPModel", vision_config=vision, projection_dim=outputs)


def _siglip(shape: Mapping[str, int], patch: int, image: int) -> dict[str, Any]:
    return _config("siglip", "SiglipModel", vision_config={**shape, "patch_size": patch, "image_size": image})


def _siglips() -> dict[str, dict[str, Any]]:
    found = {}
    for size, shape, patch, images in (
        ("base", BASE, 16, (224, 256, 384, 512)),
        ("large", LARGE, 16, (256, 384)),
        ("so400m", SO400M, 14, (224, 384)),
    ):
        for image in images:
            found[f"google/siglip-{size}-patch{patch}-{image}"] = _siglip(shape, patch, image)
    found["google/siglip-base-patch16-256-multilingual"] = _siglip(BASE, 16, 256)
    found["google/siglip-so400m-patch16-256-i18n"] = _siglip(SO400M, 16, 256)
    for size, shape, patch, images in (
        ("base", BASE, 16, (224, 256, 384, 512)),
        ("base", BASE, 32, (256,)),
        ("large", LARGE, 16, (256, 384, 512)),
        ("so400m", SO400M, 14, (224, 384)),
        ("so400m", SO400M, 16, (256, 384, 512)),
        ("giant-opt", GIANT_OPT, 16, (256, 384)),
    ):
        for image in images:
            found[f"google/siglip2-{size}-patch{patch}-{image}"] = _siglip(shape, patch, image)
    return found


def _dinov2s() -> dict[str, dict[str, Any]]:
    found = {}
    for size, shape in (
        ("small", _ratio(SMALL)),
        ("base", _ratio(BASE)),
        ("large", _ratio(LARGE)),
        ("giant", {"hidden_size": 1536, "num_hidden_layers": 40, "num_attention_heads": 24, "use_swiglu_ffn": True}),
    ):
        sides = {"image_size": 518, "patch_size": 14}
        for kind, name in (("dinov2", "Dinov2"), ("dinov2_with_registers", "Dinov2WithRegisters")):
            hub = f"facebook/{kind.replace('_', '-')}-{size}"
            found[hub] = _config(kind, f"{name}Model", shape, sides)
            labelled = _config(kind, f"{name}ForImageClassification", shape, sides, _labels(1000))
            found[f"{hub}-imagenet1k-1-layer"] = labelled
    return found


def _ratio(shape: Mapping[str, int]) -> dict[str, int]:
    return {key: value for key, value in shape.items() if key != "intermediate_size"}


def _dinov3(shape: Mapping[str, int], **more: Any) -> dict[str, Any]:
    return _config("dinov3_vit", "DINOv3ViTModel", shape, num_register_tokens=4, **more)


def _aimv2s() -> dict[str, dict[str, Any]]:
    """Return AIMv2 as it was pre-trained: without the head of its sisters trained on captions."""
    return {
        f"apple/aimv2-{size}-patch14-{image}": _config(
            "aimv2_vision_model", "Aimv2VisionModel", shape, image_size=image, use_head=False
        )
        for size, shape in AIMV2.items()
        for image in (224, 336, 448)
    }


_GATED_7B = {"use_gated_mlp": True, "query_bias": False, "value_bias": False}

HUB: dict[str, dict[str, Any]] = {
    "google/vit-base-patch16-224": _vit(BASE, 16, 224),
    "google/vit-base-patch16-384": _vit(BASE, 16, 384),
    "google/vit-base-patch32-384": _vit(BASE, 32, 384),
    "google/vit-large-patch16-224": _vit(LARGE, 16, 224),
    "google/vit-large-patch16-384": _vit(LARGE, 16, 384),
    "google/vit-large-patch32-384": _vit(LARGE, 32, 384),
    "google/vit-base-patch16-224-in21k": _vit_encoder(BASE, 16),
    "google/vit-base-patch32-224-in21k": _vit_encoder(BASE, 32),
    "google/vit-large-patch16-224-in21k": _vit_encoder(LARGE, 16),
    "google/vit-large-patch32-224-in21k": _vit_encoder(LARGE, 32),
    "google/vit-huge-patch14-224-in21k": _vit_encoder(HUGE, 14),
    "WinKawaks/vit-tiny-patch16-224": _vit(TINY, 16, 224),
    "WinKawaks/vit-small-patch16-224": _vit(SMALL, 16, 224),
    "facebook/dino-vits16": _vit_encoder(SMALL, 16),
    "facebook/dino-vits8": _vit_encoder(SMALL, 8),
    "facebook/dino-vitb16": _vit_encoder(BASE, 16),
    "facebook/dino-vitb8": _vit_encoder(BASE, 8),
    "facebook/deit-tiny-patch16-224": _vit(TINY, 16, 224),
    "facebook/deit-small-patch16-224": _vit(SMALL, 16, 224),
    "facebook/deit-base-patch16-224": _vit(BASE, 16, 224),
    "facebook/deit-base-patch16-384": _vit(BASE, 16, 384),
    "facebook/deit-tiny-distilled-patch16-224": _deit(TINY),
    "facebook/deit-small-distilled-patch16-224": _deit(SMALL),
    "facebook/deit-base-distilled-patch16-224": _deit(BASE),
    "facebook/deit-base-distilled-patch16-384": _deit(BASE, 384),
    "facebook/vit-mae-base": _config("vit_mae", "ViTMAEForPreTraining", BASE),
    "facebook/vit-mae-large": _config("vit_mae", "ViTMAEForPreTraining", LARGE),
    "facebook/vit-mae-huge": _config("vit_mae", "ViTMAEForPreTraining", HUGE, patch_size=14),
    "facebook/vit-msn-small": _config("vit_msn", "ViTMSNModel", SMALL),
    "facebook/vit-msn-base": _config("vit_msn", "ViTMSNModel", BASE),
    "facebook/vit-msn-base-4": _config("vit_msn", "ViTMSNModel", BASE, patch_size=4),
    "facebook/vit-msn-large": _config("vit_msn", "ViTMSNModel", LARGE),
    "facebook/vit-msn-large-7": _config("vit_msn", "ViTMSNModel", LARGE, patch_size=7),
    "facebook/ijepa_vith14_1k facebook/ijepa_vith14_22k": _config("ijepa", "IJepaModel", HUGE, patch_size=14),
    "facebook/ijepa_vith16_1k": _config("ijepa", "IJepaModel", HUGE, patch_size=16, image_size=448),
    "microsoft/beit-base-patch16-224": _beit(BASE, 224),
    "microsoft/beit-base-patch16-384": _beit(BASE, 384),
    "microsoft/beit-base-patch16-224-pt22k-ft22k": _beit(BASE, 224, 21841),
    "microsoft/beit-large-patch16-224": _beit(LARGE, 224),
    "microsoft/beit-large-patch16-384": _beit(LARGE, 384),
    "microsoft/beit-large-patch16-512": _beit(LARGE, 512),
    "microsoft/beit-large-patch16-224-pt22k-ft22k": _beit(LARGE, 224, 21841),
    "openai/clip-vit-base-patch32": _clip(BASE, 32, 224, 512),
    "openai/clip-vit-base-patch16": _clip(BASE, 16, 224, 512),
    "openai/clip-vit-large-patch14": _clip(LARGE, 14, 224, 768),
    "openai/clip-vit-large-patch14-336": _clip(LARGE, 14, 336, 768),
    **_siglips(),
    "google/siglip2-base-patch16-naflex": _config("siglip2", "Siglip2Model", vision_config=BASE),
    "google/siglip2-so400m-patch16-naflex": _config("siglip2", "Siglip2Model", vision_config=SO400M),
    **_dinov2s(),
    "facebook/dinov3-vits16-pretrain-lvd1689m": _dinov3(SMALL),
    "facebook/dinov3-vits16plus-pretrain-lvd1689m": _dinov3(SMALL, use_gated_mlp=True),
    "facebook/dinov3-vitb16-pretrain-lvd1689m": _dinov3(BASE),
    "facebook/dinov3-vitl16-pretrain-lvd1689m facebook/dinov3-vitl16-pretrain-sat493m": _dinov3(LARGE),
    "facebook/dinov3-vith16plus-pretrain-lvd1689m": _dinov3(DINOV3_H, use_gated_mlp=True),
    "facebook/dinov3-vit7b16-pretrain-lvd1689m facebook/dinov3-vit7b16-pretrain-sat493m": _dinov3(
        DINOV3_7B, **_GATED_7B
    ),
    **_aimv2s(),
}
"""Configurations by name; several names with a blank between them have the same."""
