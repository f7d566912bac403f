"""Vision transformers by name, as their papers and reference implementations define them."""

from __future__ import annotations

from typing import Any

from shapeplan.architectures.catalogue.record import NamedModel

_BASELINE = ("big_vision", "google-research/big_vision, models/vit.py; global average pooling as in arXiv:2205.01580")
_SCALING = ("big_vision", "arXiv:2106.04560, google-research/big_vision, models/vit.py; MAP head")
_SOVIT = ("big_vision", "arXiv:2305.13035 (Getting ViT in Shape); MAP head")
_PALI = ("big_vision", "arXiv:2209.06794 (PaLI); MAP head")
_22B = ("arXiv:2302.05442", "arXiv:2302.05442, section 2 and Table 1; MAP head")
_DEIT = ("facebookresearch/deit", "arXiv:2012.12877; facebookresearch/deit")
_DEIT3 = ("facebookresearch/deit", "arXiv:2204.07118; facebookresearch/deit, README_revenge")
_SIGLIP = ("big_vision", "arXiv:2303.15343, arXiv:2502.14786 (SigLIP 2); image tower")
_CLIP = ("openai/CLIP", "arXiv:2103.00020; openai/CLIP image tower, projection without bias")
_OPENCLIP = ("open_clip", "arXiv:2212.07143; mlfoundations/open_clip image tower, projection without bias")
_DINOV2 = ("facebookresearch/dinov2", "arXiv:2304.07193; facebookresearch/dinov2")
_DINOV2_REG = ("facebookresearch/dinov2", "arXiv:2309.16588; facebookresearch/dinov2, 4 registers")
_DINOV3 = ("facebookresearch/dinov3", "arXiv:2508.10104; facebookresearch/dinov3, hub/backbones.py")
_PE = ("perception_models", "arXiv:2504.13181; facebookresearch/perception_models, core/vision_encoder/config.py")
"""Whose a model is, and where it is published."""

_MASK_TOKEN = "the mask token of pre-training is among the parameters, as the repository builds it"
_MASKED_BIAS = f"{_MASK_TOKEN}, and so are the biases of keys, which are masked"
_LOCAL_NORM = f"{_MASK_TOKEN}, and so is the norm of local crops, which training alone uses"
_TOWER = "the image tower alone, with its projection"

_SHAPES: dict[str, tuple[int, int, int, int]] = {
    "Ti": (192, 12, 768, 3),
    "S": (384, 12, 1536, 6),
    "M": (512, 12, 2048, 8),
    "B": (768, 12, 3072, 12),
    "L": (1024, 24, 4096, 16),
    "So150m": (880, 18, 2320, 16),
    "So400m": (1152, 27, 4304, 16),
    "H": (1280, 32, 5120, 16),
    "g": (1408, 40, 6144, 16),
    "g-opt": (1536, 40, 6144, 16),
    "G": (1664, 48, 8192, 16),
    "e": (1792, 56, 15360, 16),
    "22B": (6144, 48, 24576, 48),
}
"""(width, depth, mlp_dim, heads) of the variants, as big_vision and the papers call them."""


def _vit(
    name: str, variant: str, patch: int, image: int, origin: tuple[str, str], *aliases: str, note: str = "", **more: Any
) -> NamedModel:
    """Return a record; `origin` is whose model it is, and where it is published."""
    shape = dict(zip(("width", "depth", "mlp_dim", "heads"), _SHAPES[variant], strict=True))
    settings = {**shape, "patch": patch, "image": image, **more}
    return NamedModel(name, "vit", settings, origin[1], aliases, note, origin[0])


def _plain(variant: str, patch: int) -> NamedModel:
    name = f"ViT-{variant}"
    return _vit(f"{name}/{patch}", variant, patch, 224, _BASELINE, name, variant, pool="gap")


def _map(name: str, variant: str, patch: int, origin: tuple[str, str], *aliases: str, note: str = "") -> NamedModel:
    image = 256 if patch == 16 else 224
    return _vit(f"{name}/{patch}", variant, patch, image, origin, name, variant, *aliases, note=note, pool="map")


def _imagenet(name: str, variant: str, patch: int, origin: tuple[str, str], *aliases: str, **more: Any) -> NamedModel:
    """Return a model with a class token, positions for it, and the classifier of ImageNet."""
    settings = {"pool": "tok", "prefix_positions": True, "classes": 1000, **more}
    return _vit(name, variant, patch, 224, origin, *aliases, **settings)


def _deit(variant: str, *, distilled: bool = False) -> NamedModel:
    suffix = " distilled" if distilled else ""
    return _imagenet(f"DeiT-{variant}/16{suffix}", variant, 16, _DEIT, f"DeiT-{variant}{suffix}", distilled=distilled)


def _deit3(variant: str, patch: int) -> NamedModel:
    name = f"DeiT-III-{variant}"
    return _imagenet(f"{name}/{patch}", variant, patch, _DEIT3, name, prefix_positions=False, layer_scale=True)


def _siglip(variant: str, patch: int, image: int) -> NamedModel:
    names = (f"SigLIP-{variant}", f"SigLIP2-{variant}", f"SigLIP2-{variant}/{patch}")
    return _vit(f"SigLIP-{variant}/{patch}", variant, patch, image, _SIGLIP, *names, pool="map")


def _siglip_gap(variant: str, patch: int, image: int) -> NamedModel:
    return _vit(f"SigLIP-{variant}/{patch} gap", variant, patch, image, _SIGLIP, pool="gap")


def _clip(name: str, variant: str, patch: int, outputs: int, origin: tuple[str, str], *aliases: str) -> NamedModel:
    tower: dict[str, Any] = {"pool": "tok", "prefix_positions": True, "pre_norm": True}
    tower |= {"patch_bias": False, "head_bias": False}
    return _vit(name, variant, patch, 224, origin, *aliases, classes=outputs, **tower)


def _dinov2(variant: str, registers: int = 0) -> NamedModel:
    suffix = " reg4" if registers else ""
    short = f"dinov2_vit{variant.lower()}14" + ("_reg" if registers else "")
    # The table was learned at 518 px and is interpolated at other sizes; registers have no positions.
    settings: dict[str, Any] = {"pool": "tok", "layer_scale": True, "positions": 37 * 37 + 1, "reg_tokens": registers}
    settings |= {"mask_token": True}
    if variant == "g":
        settings |= {"width": 1536, "mlp_dim": 4096, "heads": 24, "gated": True}
    origin = _DINOV2_REG if registers else _DINOV2
    return _vit(f"DINOv2-{variant}/14{suffix}", variant, 14, 518, origin, short, note=_MASK_TOKEN, **settings)


def _dinov3(name: str, shape: tuple[int, int, int, int], short: str, note: str = "", **more: Any) -> NamedModel:
    """Return a model of DINOv3: rotary positions, and a bias of keys that is masked, but a parameter."""
    settings: dict[str, Any] = dict(zip(("width", "depth", "mlp_dim", "heads"), shape, strict=True))
    settings |= {"patch": 16, "image": 224, "pool": "tok", "positions": 0, "reg_tokens": 4}
    settings |= {"mask_token": True, "layer_scale": True, **more}
    return NamedModel(name, "vit", settings, _DINOV3[1], (short,), note or _MASKED_BIAS, _DINOV3[0])


def _pe_core(name: str, shape: tuple[int, int, int, int], patch: int, image: int, outputs: int) -> NamedModel:
    """Return the image tower of a Perception Encoder; its attention pooling sees the class token too."""
    settings: dict[str, Any] = dict(zip(("width", "depth", "mlp_dim", "heads"), shape, strict=True))
    settings |= {"patch": patch, "image": image, "pool": "map", "pool_prefix": True, "pool_mlp_dim": 4 * shape[0]}
    settings |= {"pre_norm": True, "patch_bias": False, "classes": outputs, "head_bias": False}
    # The largest has no class token.
    settings |= {"cls_token": shape[0] < 1536, "prefix_positions": True}
    return NamedModel(name, "vit", settings, _PE[1], (f"facebook/{name}",), _TOWER, _PE[0])


VITS: tuple[NamedModel, ...] = (
    _plain("Ti", 16),
    _plain("S", 16),
    _plain("M", 16),
    _plain("B", 16),
    _plain("L", 16),
    _plain("H", 14),
    _map("ViT-g", "g", 14, _SCALING),
    _map("ViT-g-opt", "g-opt", 16, _SCALING, "ViT-giant-opt", "giant-opt"),
    _map("ViT-G", "G", 14, _SCALING),
    _map("ViT-e", "e", 14, _PALI),
    _vit(
        "ViT-22B/14",
        "22B",
        14,
        224,
        _22B,
        "ViT-22B",
        "22B",
        note="the paper's 21743M are the matrices of the blocks alone",
        pool="map",
        qkv_bias=False,
        qk_norm=True,
        block_norms=1,
        norm="rmsnorm",
    ),
    _map("SoViT-150m", "So150m", 14, _SOVIT, "ViT-So150m", note="the paper prints no heads: 16 assumed"),
    _map("SoViT-400m", "So400m", 14, _SOVIT, "ViT-So400m"),
    _deit("Ti"),
    _deit("S"),
    _deit("B"),
    _deit("Ti", distilled=True),
    _deit("S", distilled=True),
    _deit("B", distilled=True),
    _deit3("S", 16),
    _deit3("M", 16),
    _deit3("B", 16),
    _deit3("L", 16),
    _deit3("H", 14),
    _siglip("B", 16, 224),
    _siglip("L", 16, 256),
    _siglip("So400m", 14, 224),
    _siglip("g-opt", 16, 256),
    _siglip_gap("B", 16, 224),
    _siglip_gap("L", 16, 256),
    _siglip_gap("So400m", 14, 224),
    _siglip_gap("g-opt", 16, 256),
    _clip("CLIP-ViT-B/32", "B", 32, 512, _CLIP),
    _clip("CLIP-ViT-B/16", "B", 16, 512, _CLIP),
    _clip("CLIP-ViT-L/14", "L", 14, 768, _CLIP),
    _clip("OpenCLIP-ViT-H/14", "H", 14, 1024, _OPENCLIP),
    _clip("OpenCLIP-ViT-g/14", "g", 14, 1024, _OPENCLIP),
    _clip("OpenCLIP-ViT-bigG/14", "G", 14, 1280, _OPENCLIP, "ViT-bigG/14"),
    _dinov2("S"),
    _dinov2("B"),
    _dinov2("L"),
    _dinov2("g"),
    _dinov2("S", registers=4),
    _dinov2("B", registers=4),
    _dinov2("L", registers=4),
    _dinov2("g", registers=4),
    _dinov3("DINOv3-S/16", (384, 12, 1536, 6), "dinov3_vits16"),
    _dinov3("DINOv3-S+/16", (384, 12, 1536, 6), "dinov3_vits16plus", gated=True),
    _dinov3("DINOv3-B/16", (768, 12, 3072, 12), "dinov3_vitb16"),
    _dinov3("DINOv3-L/16", (1024, 24, 4096, 16), "dinov3_vitl16"),
    _dinov3("DINOv3-H+/16", (1280, 32, 5120, 20), "dinov3_vith16plus", gated=True),
    _dinov3(
        "DINOv3-7B/16", (4096, 40, 8192, 32), "dinov3_vit7b16", _LOCAL_NORM, gated=True, qkv_bias=False, fc_norm=True
    ),
    _pe_core("PE-Core-B16-224", (768, 12, 3072, 12), 16, 224, 1024),
    _pe_core("PE-Core-L14-336", (1024, 24, 4096, 16), 14, 336, 1024),
    _pe_core("PE-Core-G14-448", (1536, 50, 8960, 16), 14, 448, 1280),
)
"""Every model at its own patch and image; names and changes may ask for others (``ViT-L/14@336``)."""
