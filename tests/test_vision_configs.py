"""Configurations of image encoders: totals of models that were built, and random ones built again where that can be."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from built import measured
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shapeplan.architectures import ViT
from shapeplan.errors import InputError
from shapeplan.readers.configs.config import Config, Configured
from shapeplan.readers.configs.open_clip import open_clip_config
from shapeplan.readers.configs.timm import timm_config
from shapeplan.readers.configs.vision import VISION

LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
LABELS = {"id2label": {str(i): str(i) for i in range(1000)}}

# model_type, the keys, whose model it is, parameters, multiply-accumulates: as transformers 5.24 builds them.
CONFIGS: dict[str, tuple[str, dict[str, Any], str, int, int]] = {
    "classifier": (
        "vit",
        {"architectures": ["ViTForImageClassification"], **LABELS},
        "ViTForImageClassification of transformers",
        86567656,
        17563828224,
    ),
    "number of labels": (
        "vit",
        {"architectures": ["ViTForImageClassification"], "num_labels": 10, "image_size": 384},
        "ViTForImageClassification of transformers",
        86098186,
        55483590144,
    ),
    "two labels by default": (
        "vit",
        {"architectures": ["ViTForImageClassification"]},
        "ViTForImageClassification of transformers",
        85800194,
        17563061760,
    ),
    "bare with its pooler": ("vit", {"architectures": ["ViTModel"]}, "ViTModel of transformers", 86389248, 17563650048),
    "no architectures": (
        "vit",
        {"patch_size": 32, "pooler_output_size": None},
        "ViTModel of transformers",
        88045824,
        4409008128,
    ),
    "deit": (
        "deit",
        {"architectures": ["DeiTForImageClassificationWithTeacher"], **LABELS},
        "DeiTForImageClassificationWithTeacher of transformers",
        87338192,
        17656811520,
    ),
    "deit, one head": (
        "deit",
        {"architectures": ["DeiTForImageClassification"], **LABELS},
        "DeiTForImageClassification of transformers",
        86569192,
        17656043520,
    ),
    "msn": (
        "vit_msn",
        {"architectures": ["ViTMSNModel"], "patch_size": 4},
        "ViTMSNModel of transformers",
        87503616,
        447940675584,
    ),
    "mae": (
        "vit_mae",
        {"architectures": ["ViTMAEForPreTraining"]},
        "ViTMAEModel of transformers",
        85798656,
        17563060224,
    ),
    "ijepa": (
        "ijepa",
        {"architectures": ["IJepaModel"], "patch_size": 14},
        "IJepaModel of transformers",
        85704960,
        23066836992,
    ),
    "beit": (
        "beit",
        {"architectures": ["BeitForImageClassification"], "use_relative_position_bias": True, **LABELS},
        "BeitForImageClassification of transformers",
        86530984,
        17563828224,
    ),
    "data2vec": (
        "data2vec-vision",
        {"architectures": ["Data2VecVisionModel"], "use_shared_relative_position_bias": True},
        "Data2VecVisionModel of transformers",
        85663824,
        17563060224,
    ),
    "clip tower": (
        "clip_vision_model",
        {"architectures": ["CLIPVisionModel"], **LARGE, "patch_size": 14},
        "CLIPVisionModel of transformers",
        303179776,
        81011982336,
    ),
    "clip projected": (
        "clip_vision_model",
        {"architectures": ["CLIPVisionModelWithProjection"]},
        "CLIPVisionModelWithProjection of transformers",
        87849216,
        4408811520,
    ),
    "siglip": (
        "siglip_vision_model",
        {"architectures": ["SiglipVisionModel"]},
        "SiglipVisionModel of transformers",
        92884224,
        17708292096,
    ),
    "siglip without head": (
        "siglip_vision_model",
        {"vision_use_head": False},
        "SiglipVisionModel of transformers",
        85797120,
        17470881792,
    ),
    "dinov2": (
        "dinov2",
        {"architectures": ["Dinov2Model"], "image_size": 518},
        "Dinov2Model of transformers",
        86580480,
        151573718016,
    ),
    "dinov2 classifier": (
        "dinov2",
        {"architectures": ["Dinov2ForImageClassification"], "image_size": 518, **LABELS},
        "Dinov2ForImageClassification of transformers",
        88117480,
        151575254016,
    ),
    "dinov2 gated": (
        "dinov2",
        {"hidden_size": 1536, "num_hidden_layers": 40, "num_attention_heads": 24, "use_swiglu_ffn": True},
        "Dinov2Model of transformers",
        1134771200,
        299390066688,
    ),
    "registers": (
        "dinov2_with_registers",
        {"image_size": 518, "patch_size": 14},
        "Dinov2WithRegistersModel of transformers",
        86583552,
        152115766272,
    ),
    "dinov3": (
        "dinov3_vit",
        {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072, "num_register_tokens": 4},
        "DINOv3ViTModel of transformers",
        85660416,
        17932142592,
    ),
    "dinov3 gated": (
        "dinov3_vit",
        {"use_gated_mlp": True, "num_register_tokens": 4, "key_bias": True},
        "DINOv3ViTModel of transformers",
        28697472,
        6120760320,
    ),
    "aimv2": (
        "aimv2_vision_model",
        {"architectures": ["Aimv2VisionModel"]},
        "Aimv2VisionModel of transformers",
        312345600,
        82833833984,
    ),
    "aimv2 without head": (
        "aimv2_vision_model",
        {"use_head": False, "image_size": 448},
        "Aimv2VisionModel of transformers",
        309984256,
        367836266496,
    ),
    "pixtral": (
        "pixtral",
        {"architectures": ["PixtralVisionModel"]},
        "PixtralVisionModel of transformers",
        403489792,
        2477122387968,
    ),
}


def read(kind: str, values: dict[str, Any]) -> Configured:
    return VISION[kind](Config({"model_type": kind, **values}))


def counts(configured: Configured) -> tuple[int, int]:
    model = ViT(**configured.settings)
    return model.params, model.macs


@pytest.mark.parametrize("case", CONFIGS)
def test_counts_of_configurations(case: str) -> None:
    kind, values, counted, params, macs = CONFIGS[case]
    configured = read(kind, values)
    assert configured.counted == counted
    assert counts(configured) == (params, macs)


def test_a_tower_of_two_says_that_the_other_is_left_out() -> None:
    configured = read("clip", {"vision_config": {}, "text_config": {}})
    assert "text tower" in configured.notes[0]
    assert counts(configured) == counts(read("clip_vision_model", {"architectures": ["CLIPVisionModelWithProjection"]}))


@pytest.mark.parametrize(
    ("kind", "values", "named"),
    [
        ("vit", {"architectures": ["ViTForMaskedImageModeling"]}, "architectures"),
        ("vit", {"architectures": ["CLIPModel"]}, "architectures"),
        ("vit", {"patch_size": [14, 16]}, "patch_size"),
        ("vit", {"patch_size": "big"}, "patch_size"),
        ("vit", {"hidden_size": "wide"}, "hidden_size"),
        ("beit", {"architectures": ["BeitForSemanticSegmentation"]}, "architectures"),
        (
            "beit",
            {"use_relative_position_bias": True, "use_shared_relative_position_bias": True},
            "use_shared_relative_position_bias",
        ),
        ("siglip2_vision_model", {"num_patches": 200}, "num_patches"),
        ("dinov3_vit", {"query_bias": False}, "value_bias"),
        ("dinov2", {"architectures": ["Dinov2Backbone"]}, "architectures"),
        ("clip", {"vision_config": 3}, "vision_config"),
        ("siglip", {}, "vision_config"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_name(kind: str, values: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError) as error:
        read(kind, values)
    assert error.value.details[0].column == named


TIMM = {
    "architecture": "vit_base_patch16_224",
    "num_classes": 1000,
    "num_features": 768,
    "pretrained_cfg": {"tag": "augreg2_in21k_ft_in1k", "input_size": [3, 224, 224], "fixed_input_size": True},
}


def test_configurations_of_timm() -> None:
    configured = timm_config(Config(TIMM))
    assert configured.counted == "vit_base_patch16_224 of timm"
    assert counts(configured) == (86567656, 17563828224)
    assert counts(timm_config(Config({**TIMM, "num_classes": 0})))[0] == 85798656
    larger = {**TIMM["pretrained_cfg"], "input_size": [3, 384, 384]}
    assert counts(timm_config(Config({**TIMM, "pretrained_cfg": larger})))[0] == 86859496
    assert counts(timm_config(Config({**TIMM, "model_args": {"img_size": 384}})))[0] == 86859496
    # Older files have the keys beside one another; an input that is not fixed changes no table.
    flat = {"architecture": "vit_base_patch16_224", "num_classes": 10, "input_size": [3, 384, 384]}
    assert counts(timm_config(Config(flat)))[0] == 85798656 + 7690


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"architecture": "resnet50"}, "architecture"),
        ({"num_features": 1024}, "num_features"),
        ({"global_pool": "avg"}, "global_pool"),
        ({"model_args": {"depth": 3}}, "model_args.depth"),
        ({"pretrained_cfg": {"input_size": [224, 224]}}, "pretrained_cfg.input_size"),
    ],
)
def test_configurations_of_timm_that_are_refused(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError) as error:
        timm_config(Config({**TIMM, **change}))
    assert error.value.details[0].column == named


OPEN_CLIP = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12},
}
EVA02 = {"timm_model_name": "eva02_base_patch16_clip_224", "timm_pool": "token", "timm_proj": None, "image_size": 224}
SIGLIP = {"timm_model_name": "vit_base_patch16_siglip_224", "timm_pool": "map", "timm_proj": "none", "image_size": 224}


def test_configurations_of_open_clip() -> None:
    assert counts(open_clip_config(Config(OPEN_CLIP))) == (86192640, 17563453440)
    hub = {"model_cfg": OPEN_CLIP, "preprocess_cfg": {"size": 224}}
    assert open_clip_config(Config(hub)) == open_clip_config(Config(OPEN_CLIP))
    giant = {"image_size": 224, "layers": 40, "width": 1408, "head_width": 88, "mlp_ratio": 4.3637, "patch_size": 14}
    assert counts(open_clip_config(Config({"embed_dim": 1024, "vision_cfg": giant}))) == (1012645632, 267031525376)
    assert counts(open_clip_config(Config({"embed_dim": 512, "vision_cfg": EVA02}))) == (86263040, 17563453440)
    assert counts(open_clip_config(Config({"embed_dim": 768, "vision_cfg": SIGLIP})))[0] == 92884224


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"layers": [3, 4, 6, 3]}, "vision_cfg.layers"),
        ({"attentional_pool": True}, "vision_cfg.attentional_pool"),
        ({"pool_type": "none"}, "vision_cfg.pool_type"),
        ({"qk_norm": True}, "vision_cfg.qk_norm"),
        ({"windows": 3}, "vision_cfg.windows"),
        ({"timm_model_name": "convnext_base"}, "vision_cfg.timm_model_name"),
        ({**SIGLIP, "timm_pool": "avg"}, "vision_cfg.timm_pool"),
        ({**SIGLIP, "timm_proj": "mlp"}, "vision_cfg.timm_proj"),
        ({**SIGLIP, "image_size": 256}, "vision_cfg.image_size"),
    ],
)
def test_configurations_of_open_clip_that_are_refused(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError) as error:
        open_clip_config(Config({**OPEN_CLIP, "vision_cfg": {**OPEN_CLIP["vision_cfg"], **change}}))
    assert error.value.details[0].column == named


@pytest.fixture(scope="module")
def libraries() -> tuple[Any, Any]:
    """Torch and transformers, which are no dependencies of the project."""
    try:
        return importlib.import_module("torch"), importlib.import_module("transformers")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"needs torch and transformers, to build the models that are counted: {error}")


FLAG = st.booleans()
TABLES = st.sampled_from(({}, {"use_relative_position_bias": True}, {"use_shared_relative_position_bias": True}))
BEIT = {
    "use_mask_token": FLAG,
    "use_absolute_position_embeddings": FLAG,
    "use_mean_pooling": FLAG,
    "layer_scale_init_value": st.sampled_from((0.0, 0.1)),
}
DINO = {"qkv_bias": FLAG, "use_swiglu_ffn": FLAG, "mlp_ratio": st.integers(1, 4)}
RANDOM: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "vit": (("ViTModel", "ViTForImageClassification"), {"qkv_bias": FLAG, "pooler_output_size": st.integers(1, 9)}),
    "deit": (
        ("DeiTModel", "DeiTForImageClassification", "DeiTForImageClassificationWithTeacher"),
        {"qkv_bias": FLAG},
    ),
    "vit_msn": (("ViTMSNModel", "ViTMSNForImageClassification"), {"qkv_bias": FLAG}),
    "vit_mae": (("ViTMAEModel",), {"qkv_bias": FLAG, "mask_ratio": st.just(0.0)}),
    "ijepa": (("IJepaModel", "IJepaForImageClassification"), {"qkv_bias": FLAG}),
    "beit": (("BeitModel", "BeitForImageClassification"), BEIT),
    "data2vec-vision": (("Data2VecVisionModel", "Data2VecVisionForImageClassification"), BEIT),
    "clip_vision_model": (("CLIPVisionModel", "CLIPVisionModelWithProjection"), {"projection_dim": st.integers(1, 9)}),
    "metaclip_2_vision_model": (
        ("MetaClip2VisionModel", "MetaClip2VisionModelWithProjection"),
        {"projection_dim": st.integers(1, 9)},
    ),
    "siglip_vision_model": (("SiglipVisionModel",), {"vision_use_head": FLAG}),
    "dinov2": (("Dinov2Model", "Dinov2ForImageClassification"), {**DINO, "use_mask_token": FLAG}),
    "dinov2_with_registers": (
        ("Dinov2WithRegistersModel", "Dinov2WithRegistersForImageClassification"),
        {**DINO, "num_register_tokens": st.integers(0, 3)},
    ),
    "dinov3_vit": (
        ("DINOv3ViTModel",),
        {
            **dict.fromkeys(("use_gated_mlp", "key_bias", "proj_bias", "mlp_bias"), FLAG),
            "num_register_tokens": st.integers(0, 3),
        },
    ),
    "aimv2_vision_model": (
        ("Aimv2VisionModel",),
        dict.fromkeys(("qkv_bias", "mlp_bias", "use_head", "is_native"), FLAG),
    ),
    "pixtral": (("PixtralVisionModel",), {}),
}


@st.composite
def configurations(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    built, own = RANDOM[kind]
    heads, patch = draw(st.integers(1, 3)), draw(st.integers(2, 5))
    chosen = draw(st.sampled_from(built))
    values = {
        "architectures": [chosen],
        "hidden_size": 8 * heads,
        "num_hidden_layers": draw(st.integers(1, 3)),
        "num_attention_heads": heads,
        "intermediate_size": draw(st.integers(1, 40)),
        "patch_size": patch,
        "image_size": patch * draw(st.integers(1, 4)) + (0 if kind == "pixtral" else draw(st.integers(0, patch - 1))),
        "num_channels": draw(st.integers(1, 3)),
        **{name: draw(strategy) for name, strategy in own.items()},
        **(draw(TABLES) if kind in ("beit", "data2vec-vision") else {}),
        **({"num_labels": draw(st.integers(2, 5))} if "Classification" in chosen else {}),
    }
    if "mlp_ratio" in values:
        del values["intermediate_size"]
    return values


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", RANDOM)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_configurations_equal_what_transformers_builds(
    libraries: tuple[Any, Any], kind: str, data: st.DataObject
) -> None:
    torch, transformers = libraries
    values = data.draw(configurations(kind))
    said = {key: value for key, value in values.items() if key != "architectures"}
    with torch.device("meta"):
        model = getattr(transformers, values["architectures"][0])(transformers.CONFIG_MAPPING[kind](**said))
        image = torch.zeros(1, values["num_channels"], values["image_size"], values["image_size"])
        built = measured(model, image)
    assert counts(read(kind, values)) == built
