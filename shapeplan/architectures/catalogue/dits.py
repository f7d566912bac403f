"""Diffusion transformers by name, as their papers and reference implementations define them."""

from __future__ import annotations

from shapeplan.architectures.catalogue.record import NamedModel

_SOURCES = {
    "DiT": "arXiv:2212.09748, Table 1; facebookresearch/DiT models.py",
    "SiT": "arXiv:2401.08740; willisma/SiT models.py",
}
_DIFFUSERS = "arXiv:2212.09748; facebook/DiT-XL-2 transformer/config.json, as diffusers builds it"
_SHAPES: dict[str, tuple[int, int, int]] = {
    "S": (384, 12, 6),
    "B": (768, 12, 12),
    "L": (1024, 24, 16),
    "XL": (1152, 28, 16),
}
"""(width, depth, heads) of the variants."""
_PATCHES = (2, 4, 8)
_NOTE = "latents of a 256 px image (32 x 32); the fixed table of positions is counted, which is not trained"
_NOTE_512 = _NOTE.replace("256 px image (32 x 32)", "512 px image (64 x 64)")
_OF_DIFFUSERS = "every block embeds timestep and class with weights of its own; the original has 675M parameters"


def _dit(name: str, family: str, variant: str, patch: int, image: int, note: str, *aliases: str) -> NamedModel:
    width, depth, heads = _SHAPES[variant]
    shape = {"width": width, "depth": depth, "mlp_dim": 4 * width, "heads": heads}
    settings = {**shape, "patch": patch, "image": image}
    return NamedModel(name, family.lower(), settings, _SOURCES[family], aliases, note)


def _diffusers(name: str, image: int) -> NamedModel:
    width, depth, heads = _SHAPES["XL"]
    shape = {"width": width, "depth": depth, "mlp_dim": 4 * width, "heads": heads, "patch": 2, "image": image}
    return NamedModel(
        name,
        "dit",
        {**shape, "positions": 0, "block_embedders": True},
        _DIFFUSERS,
        (f"facebook/{name}",),
        _OF_DIFFUSERS,
    )


DITS: tuple[NamedModel, ...] = (
    *(
        _dit(f"{family}-{variant}/{patch}", family, variant, patch, 32, _NOTE)
        for family in _SOURCES
        for variant in _SHAPES
        for patch in _PATCHES
    ),
    _dit("DiT-XL/2 512px", "DiT", "XL", 2, 64, _NOTE_512, "DiT-XL-2-512x512"),
    _diffusers("DiT-XL-2-256", 32),
    _diffusers("DiT-XL-2-512", 64),
)
"""Images of 256 px where the name says nothing."""
