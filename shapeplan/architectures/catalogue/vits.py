"""Vision transformers by name, as their papers and reference implementations define them."""

from __future__ import annotations

from typing import Any

from shapeplan.architectures.catalogue.record import NamedModel

_BIG_VISION = "google-research/big_vision, models/vit.py"
_BASELINE = f"{_BIG_VISION}; global average pooling as in arXiv:2205.01580"
_SCALING = f"arXiv:2106.04560, {_BIG_VISION}; MAP head"
_SOVIT = "arXiv:2305.13035 (Getting ViT in Shape); MAP head"
_DEIT = "arXiv:2012.12877; facebookresearch/deit"
_DEIT3 = "arXiv:2204.07118; facebookresearch/deit, README_revenge"
_SIGLIP = "arXiv:2303.15343, arXiv:2502.14786 (SigLIP 2); image tower, MAP head"
_SIGLIP_GAP = "arXiv:2303.15343; timm's image tower, averaged instead of the MAP head"
_CLIP = "arXiv:2103.00020; openai/CLIP image tower, projection without bias"
_OPENCLIP = "arXiv:2212.07143; mlfoundations/open_clip image tower, projection without bias"
_DINOV2 = "arXiv:2304.07193; facebookresearch/dinov2"
_DINOV2_REG = "arXiv:2309.16588; facebookresearch/dinov2, 4 registers"
_TIMM = "arXiv:2010.11929, arXiv:2106.10270; timm vision_transformer.py, class token"

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
_WORDS = {
    **{
        "Ti": "tiny",
        "S": "small",
        "M": "medium",
        "B": "base",
        "L": "large",
        "H": "huge",
        "g": "giant",
        "G": "gigantic",
    },
    **{"So400m": "so400m", "g-opt": "giant-opt"},
}


def _vit(
    name: str, variant: str, patch: int, image: int, source: str, *aliases: str, note: str = "", **settings: Any
) -> NamedModel:
    shape = dict(zip(("width", "depth", "mlp_dim", "heads"), _SHAPES[variant], strict=True))
    return NamedModel(name, "vit", {**shape, "patch": patch, "image": image, **settings}, source, aliases, note)


def _plain(variant: str, patch: int) -> NamedModel:
    name = f"ViT-{variant}"
    return _vit(f"{name}/{patch}", variant, patch, 224, _BASELINE, name, variant, pool="gap")


def _map(name: str, variant: str, patch: int, source: str, *aliases: str, note: str = "") -> NamedModel:
    image = 256 if patch == 16 else 224
    return _vit(f"{name}/{patch}", variant, patch, image, source, name, variant, *aliases, note=note, pool="map")


def _imagenet(name: str, variant: str, patch: int, source: str, *aliases: str, **settings: Any) -> NamedModel:
    """Return a model with a class token, positions for it, and the classifier of ImageNet."""
    settings = {"pool": "tok", "prefix_positions": True, "classes": 1000, "image": 224, **settings}
    return _vit(name, variant, patch, settings.pop("image"), source, *aliases, **settings)


def _timm(variant: str, patch: int) -> NamedModel:
    name = f"vit_{_WORDS[variant]}_patch{patch}"
    return _imagenet(f"{name}_224", variant, patch, _TIMM, name)


def _timm_encoder(variant: str, patch: int) -> NamedModel:
    """Return a model that timm has without a classifier, and at this size of image alone."""
    return _imagenet(f"vit_{_WORDS[variant]}_patch{patch}_224", variant, patch, _TIMM, classes=0)


def _deit(variant: str, *, distilled: bool = False) -> NamedModel:
    suffix = " distilled" if distilled else ""
    aliases = (f"DeiT-{variant}{suffix}", f"deit_{_WORDS[variant]}{suffix}_patch16")
    return _imagenet(f"DeiT-{variant}/16{suffix}", variant, 16, _DEIT, *aliases, distilled=distilled)


def _deit3(variant: str, patch: int) -> NamedModel:
    name = f"DeiT-III-{variant}"
    alias = f"deit3_{_WORDS[variant]}_patch{patch}"
    return _imagenet(f"{name}/{patch}", variant, patch, _DEIT3, name, alias, prefix_positions=False, layer_scale=True)


def _siglip(variant: str, patch: int, image: int) -> NamedModel:
    word = _WORDS[variant]
    aliases = [f"SigLIP-{variant}", f"SigLIP2-{variant}", f"siglip-{word}", f"siglip2-{word}", f"vit_{word}_siglip"]
    aliases += [f"ViT-{variant}-SigLIP", f"ViT-{variant}-SigLIP2"]
    return _vit(f"SigLIP-{variant}/{patch}", variant, patch, image, _SIGLIP, *aliases, pool="map")


def _siglip_gap(variant: str, patch: int, image: int) -> NamedModel:
    alias = f"vit_{_WORDS[variant]}_siglip_gap"
    return _vit(f"SigLIP-{variant}/{patch} gap", variant, patch, image, _SIGLIP_GAP, alias, pool="gap")


def _clip(name: str, variant: str, patch: int, outputs: int, source: str, *aliases: str) -> NamedModel:
    tower: dict[str, Any] = {"pool": "tok", "prefix_positions": True, "pre_norm": True}
    tower |= {"patch_bias": False, "head_bias": False}
    return _vit(name, variant, patch, 224, source, *aliases, classes=outputs, **tower)


def _dinov2(variant: str, registers: int = 0) -> NamedModel:
    word, suffix = _WORDS[variant], " reg4" if registers else ""
    source = _DINOV2_REG if registers else _DINOV2
    short = f"dinov2_vit{variant.lower()}14" + ("_reg" if registers else "")
    aliases = [short, f"dinov2-with-registers-{word}" if registers else f"dinov2-{word}"]
    aliases.append(f"vit_{word}_patch14_reg4_dinov2" if registers else f"vit_{word}_patch14_dinov2")
    # The table was learned at 518 px and is interpolated at other sizes; registers have no positions.
    settings: dict[str, Any] = {"pool": "tok", "layer_scale": True, "positions": 37 * 37 + 1, "reg_tokens": registers}
    if variant == "g":
        settings |= {"width": 1536, "mlp_dim": 4096, "heads": 24, "gated": True}
    note = "the mask token of pre-training is not counted"
    return _vit(f"DINOv2-{variant}/14{suffix}", variant, 14, 518, source, *aliases, note=note, **settings)


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
    _map("ViT-e", "e", 14, "arXiv:2209.06794 (PaLI); MAP head"),
    _vit(
        "ViT-22B/14",
        "22B",
        14,
        224,
        "arXiv:2302.05442, section 2 and Table 1; MAP head",
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
    _timm("Ti", 16),
    _timm_encoder("S", 8),
    _timm("S", 16),
    _timm("S", 32),
    _timm("B", 8),
    _timm("B", 16),
    _timm("B", 32),
    _timm("L", 14),
    _timm("L", 16),
    _timm_encoder("L", 32),
    _imagenet("vit_large_patch32_384", "L", 32, _TIMM, image=384),
    _timm_encoder("H", 14),
    _timm("g", 14),
    _timm("G", 14),
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
    _clip("CLIP-ViT-B/32", "B", 32, 512, _CLIP, "clip-vit-base-patch32"),
    _clip("CLIP-ViT-B/16", "B", 16, 512, _CLIP, "clip-vit-base-patch16"),
    _clip("CLIP-ViT-L/14", "L", 14, 768, _CLIP, "clip-vit-large-patch14"),
    _clip("OpenCLIP-ViT-H/14", "H", 14, 1024, _OPENCLIP),
    _clip("OpenCLIP-ViT-g/14", "g", 14, 1024, _OPENCLIP),
    _clip("OpenCLIP-ViT-bigG/14", "G", 14, 1280, _OPENCLIP, "ViT-bigG"),
    _dinov2("S"),
    _dinov2("B"),
    _dinov2("L"),
    _dinov2("g"),
    _dinov2("S", registers=4),
    _dinov2("B", registers=4),
    _dinov2("L", registers=4),
    _dinov2("g", registers=4),
)
"""Every model at its own patch and image; names and changes may ask for others (``ViT-L/14@336``)."""
