"""The catalogue against timm itself: models built on torch's meta device, their parameters and matmuls counted."""

from __future__ import annotations

import csv
import importlib
from pathlib import Path
from typing import Any

import pytest
from built import measured
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shapeplan.architectures import ViT, catalogue
from shapeplan.architectures.catalogue import named

FOLDER = Path(catalogue.__file__).parent
NAMES = (
    "vit_tiny_patch16_224",
    "vit_small_patch8_224",
    "vit_base_patch32_224",
    "vit_large_patch16_384",
    "vit_huge_patch14_224",
    "vit_base_patch16_siglip_256",
    "vit_so400m_patch14_siglip_gap_384",
    "vit_giantopt_patch16_siglip_384",
    "deit_base_distilled_patch16_384",
    "deit3_medium_patch16_224",
    "vit_giant_patch14_dinov2",
    "vit_base_patch14_reg4_dinov2",
    "vit_small_plus_patch16_dinov3",
    "vit_pe_core_base_patch16_224",
    "vit_small_patch16_rope_mixed_224",
    "eva02_base_patch14_448",
    "beit_base_patch16_224",
    "beit3_base_patch16_224",
    "aimv2_large_patch14_336",
    "vit_pwee_patch16_reg1_gap_256",
    "vit_small_patch16_36x1_224",
)


@pytest.fixture(scope="module")
def libraries() -> tuple[Any, Any]:
    """Torch and timm, which are no dependencies of the project."""
    try:
        return importlib.import_module("torch"), importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"needs torch and timm, to build the models that are counted: {error}")


def counts(libraries: tuple[Any, Any], name: str, **options: Any) -> tuple[int, int]:
    torch, timm = libraries
    with torch.device("meta"):
        model = timm.create_model(name, pretrained=False, **options)
        height, width = model.patch_embed.img_size
        channels = model.patch_embed.proj.weight.shape[1]
        return measured(model, torch.zeros(1, channels, height, width))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_counts_equal_what_timm_builds(libraries: tuple[Any, Any], name: str) -> None:
    ours = named(name).model
    assert counts(libraries, name) == (ours.params, ours.macs)
    other = named(name, image=96, classes=7).model
    assert counts(libraries, name, img_size=96, num_classes=7) == (other.params, other.macs)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_every_row_of_the_table_is_what_timm_builds(libraries: tuple[Any, Any]) -> None:
    with (FOLDER / "timm.csv").open() as rows:
        for row in csv.DictReader(rows):
            for tag in row["tags"].split() or [""]:
                name = row["name"] + (f".{tag}" if tag else "")
                assert counts(libraries, name) == (int(row["params"]), int(row["macs"])), name


@st.composite
def vits(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of timm's VisionTransformer, and ours for the same model."""
    flag = st.booleans()
    heads, head_dim, depth = draw(st.integers(1, 3)), draw(st.sampled_from((4, 8))), draw(st.integers(1, 3))
    patch, side = draw(st.integers(2, 5)), draw(st.integers(1, 4))
    pool = draw(st.sampled_from(("token", "avg", "map")))
    cls = True if pool == "token" else draw(flag)
    registers, embedded = draw(st.integers(0, 2)), draw(flag)
    common = {name: draw(flag) for name in ("qkv_bias", "qk_norm", "proj_bias", "pre_norm")}
    fc_norm, scaled, classes = draw(st.none() | flag), draw(flag), draw(st.integers(0, 3))
    ratio, channels = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    # timm has a norm after pooling where it averages, and then none before, unless it is told otherwise.
    after = pool == "avg" if fc_norm is None else fc_norm
    theirs = {
        **common,
        **{"img_size": patch * side + draw(st.integers(0, patch - 1)), "patch_size": patch, "in_chans": channels},
        **{"embed_dim": heads * head_dim, "depth": depth, "num_heads": heads, "mlp_ratio": ratio},
        **{"global_pool": pool, "class_token": cls, "reg_tokens": registers, "no_embed_class": not embedded},
        **{"num_classes": classes, "fc_norm": fc_norm, "init_values": 0.1 if scaled else None},
    }
    ours = {
        **common,
        **{"image": theirs["img_size"], "patch": patch, "channels": channels, "patch_bias": not common["pre_norm"]},
        **{"width": heads * head_dim, "depth": depth, "heads": heads, "mlp_dim": ratio * heads * head_dim},
        **{"pool": {"token": "tok", "avg": "gap", "map": "map"}[pool], "cls_token": cls, "reg_tokens": registers},
        **{"prefix_positions": embedded, "classes": classes, "layer_scale": scaled},
        **{"fc_norm": after, "final_norm": not after, "mlp_bias": common["proj_bias"]},
    }
    return theirs, ours


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(vits())
def test_random_settings_equal_what_timm_builds(
    libraries: tuple[Any, Any], settings_of_both: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    torch, _ = libraries
    theirs, ours = settings_of_both
    vision_transformer = importlib.import_module("timm.models.vision_transformer")
    with torch.device("meta"):
        model = vision_transformer.VisionTransformer(**theirs, weight_init="skip")
        built = measured(model, torch.zeros(1, theirs["in_chans"], theirs["img_size"], theirs["img_size"]))
    counted = ViT(**ours)
    assert built == (counted.params, counted.macs)


@st.composite
def evas(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of timm's Eva, and ours for the same model."""
    flag = st.booleans()
    heads, depth, patch, side = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(2, 5)), 3
    width, pool = heads * 8, draw(st.sampled_from(("token", "avg", "map")))
    gated, mlp_norm, attn_norm = draw(flag), draw(flag), draw(flag)
    fused, bias, rope, kind = draw(flag), draw(flag), draw(flag), draw(st.sampled_from(("eva", "rope")))
    absolute, embedded, registers, scaled = draw(flag), draw(flag), draw(st.integers(0, 2)), draw(flag)
    mixed = rope and draw(flag)
    theirs = {
        **{"img_size": patch * side, "patch_size": patch, "embed_dim": width, "depth": depth, "num_heads": heads},
        **{"global_pool": pool, "swiglu_mlp": gated, "scale_mlp": mlp_norm, "scale_attn_inner": attn_norm},
        **{"qkv_fused": fused, "qkv_bias": bias, "attn_type": kind, "use_rot_pos_emb": rope, "mlp_ratio": 2},
        **{"rope_type": "mixed" if mixed else "cat", "use_abs_pos_emb": absolute, "no_embed_class": not embedded},
        **{"num_reg_tokens": registers, "init_values": 0.1 if scaled else None, "num_classes": 3},
    }
    ours = {
        **{"image": patch * side, "patch": patch, "width": width, "depth": depth, "heads": heads, "mlp_dim": 2 * width},
        **{"pool": {"token": "tok", "avg": "gap", "map": "map"}[pool], "cls_token": True, "reg_tokens": registers},
        **{"gated": gated, "mlp_norm": mlp_norm, "attn_norm": attn_norm, "qkv_bias": bias, "layer_scale": scaled},
        **{"k_bias": bias and kind == "rope", "learned_rotary": mixed, "positions": None if absolute else 0},
        **{"prefix_positions": embedded, "pool_prefix": True, "classes": 3},
        **{"fc_norm": pool == "avg", "final_norm": pool != "avg"},
    }
    return theirs, ours


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(evas())
def test_random_settings_of_eva_equal_what_timm_builds(
    libraries: tuple[Any, Any], settings_of_both: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    torch, _ = libraries
    theirs, ours = settings_of_both
    eva = importlib.import_module("timm.models.eva")
    with torch.device("meta"):
        built = measured(eva.Eva(**theirs), torch.zeros(1, 3, theirs["img_size"], theirs["img_size"]))
    counted = ViT(**ours)
    assert built == (counted.params, counted.macs)
