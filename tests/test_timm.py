"""The catalogue against timm itself: models built on torch's meta device, their parameters and matmuls counted."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from shapeplan.architectures.catalogue import named

NAMES = (
    "vit_tiny_patch16_224",
    "vit_small_patch8_224",
    "vit_base_patch32_224",
    "vit_large_patch16_384",
    "vit_large_patch32_224",
    "vit_huge_patch14_224",
    "vit_giant_patch14_224",
    "vit_base_patch16_siglip_256",
    "vit_so400m_patch14_siglip_224",
    "vit_so400m_patch14_siglip_gap_384",
    "vit_giantopt_patch16_siglip_384",
    "deit_small_patch16_224",
    "deit_base_distilled_patch16_384",
    "deit3_medium_patch16_224",
    "deit3_huge_patch14_224",
    "vit_small_patch14_dinov2",
    "vit_giant_patch14_dinov2",
)


@pytest.fixture(scope="module")
def libraries() -> tuple[Any, Any]:
    """Torch and timm, which are no dependencies of the project."""
    try:
        return importlib.import_module("torch"), importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"needs torch and timm, to build the models that are counted: {error}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_counts_equal_what_timm_builds(libraries: tuple[Any, Any], name: str) -> None:
    torch, timm = libraries
    counter = importlib.import_module("torch.utils.flop_counter").FlopCounterMode(display=False)
    with torch.device("meta"):
        model = timm.create_model(name, pretrained=False).eval().requires_grad_(False)
        height, width = model.patch_embed.img_size
        with counter:
            model(torch.zeros(1, 3, height, width))
    ours = named(name).model
    assert sum(parameter.numel() for parameter in model.parameters()) == ours.params
    assert counter.get_total_flops() == ours.flops("forward")
