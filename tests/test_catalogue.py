from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.architectures import ViT, catalogue
from shapeplan.architectures.catalogue import CATALOGUE, find_model, named
from shapeplan.architectures.catalogue.tables import TABLES, Table, library_records
from shapeplan.errors import ArgumentError, InputError

FOLDER = Path(catalogue.__file__).parent
# Totals as model cards, papers and checkpoints state them.
PUBLISHED = {
    "gpt2-small": 124439808,
    "gpt2-medium": 354823168,
    "gpt2-large": 774030080,
    "gpt2-xl": 1557611200,
    "pythia-14m": 14067712,
    "pythia-70m": 70426624,
    "pythia-160m": 162322944,
    "pythia-410m": 405334016,
    "pythia-1b": 1011781632,
    "pythia-1.4b": 1414647808,
    "pythia-2.8b": 2775208960,
    "pythia-6.9b": 6857302016,
    "pythia-12b": 11846072320,
    "gpt-neox-20b": 20554567680,
    "llama-2-7b": 6738415616,
    "llama-2-13b": 13015864320,
    "llama-2-70b": 68976648192,
    "llama-3-8b": 8030261248,
    "llama-3-70b": 70553706496,
    "llama-3.1-405b": 405853388800,
    "llama-3.2-1b": 1235814400,
    "llama-3.2-3b": 3212749824,
    "tinyllama-1.1b": 1100048384,
    "smollm2-135m": 134515008,
    "smollm2-1.7b": 1711376384,
    "mistral-7b-v0.1": 7241732096,
    "mistral-7b-v0.3": 7248023552,
    "mistral-nemo-12b": 12247782400,
    "gemma-2b": 2506172416,
    "gemma-7b": 8537680896,
    "gemma-2-2b": 2614341888,
    "gemma-2-9b": 9241705984,
    "gemma-2-27b": 27227128320,
    "gemma-3-1b": 999885952,
    "gemma-3-4b": 3880263168,
    "gemma-3-27b": 27009346304,
    "qwen2.5-0.5b": 494032768,
    "qwen2.5-7b": 7615616512,
    "qwen2.5-72b": 72706203648,
    "qwen3-0.6b": 596049920,
    "qwen3-8b": 8190735360,
    "qwen3-32b": 32762123264,
    "olmo-1b": 1176764416,
    "olmo-7b": 6888095744,
    "olmo-2-7b": 7298617344,
    "olmo-2-13b": 13716198400,
}
# In millions, rounded: vit.py and deit.py of timm, model_profile.csv of open_clip, papers.
ROUNDED = {
    "DeiT-Ti/16": 5.72,
    "DeiT-S/16": 22.05,
    "DeiT-B/16": 86.57,
    "DeiT-B/16 distilled": 87.34,
    "DeiT-III-S/16": 22.06,
    "DeiT-III-B/16": 86.59,
    "DeiT-III-L/16": 304.37,
    "DeiT-III-H/14": 632.13,
    "SigLIP-B/16": 92.88,
    "SigLIP-L/16": 315.96,
    "SigLIP-So400m/14": 427.68,
    "CLIP-ViT-B/32": 87.85,
    "CLIP-ViT-B/16": 86.19,
    "CLIP-ViT-L/14": 303.97,
    "OpenCLIP-ViT-H/14": 632.08,
    "OpenCLIP-ViT-g/14": 1012.65,
    "OpenCLIP-ViT-bigG/14": 1844.91,
    "SoViT-400m/14": 427.68,
}
# As people write them, and what is meant.
WRITTEN = {
    "SoViT-400m/14": ("SoViT-400m/14", {}),
    "sovit 400m": ("SoViT-400m/14", {}),
    "So400m/14": ("SoViT-400m/14", {"patch": 14}),
    "ViT-L/16": ("ViT-L/16", {}),
    "vit-l/16@384": ("ViT-L/16", {"image": 384}),
    "ViT-L/14": ("ViT-L/16", {"patch": 14}),
    "ViT-g/14": ("ViT-g/14", {}),
    "vit-g/14": ("ViT-g/14", {}),
    "ViT-G/14": ("ViT-G/14", {}),
    "G/14": ("ViT-G/14", {"patch": 14}),
    "ViT-22B": ("ViT-22B/14", {}),
    "giant-opt": ("ViT-g-opt/16", {}),
    "SigLIP2-B/16@384": ("SigLIP-B/16", {"image": 384}),
    "vit_so400m_patch14_siglip_224": ("vit_so400m_patch14_siglip_224", {}),
    "vit_so400m_patch14_siglip_gap_384.webli": ("vit_so400m_patch14_siglip_gap_384", {}),
    "google/siglip-so400m-patch14-384": ("google/siglip-so400m-patch14-384", {}),
    "google/siglip2-giant-opt-patch16-384": ("google/siglip2-giant-opt-patch16-384", {}),
    "ViT-B-16-SigLIP-256": ("ViT-B-16-SigLIP-256", {}),
    "facebook/dinov2-base": ("facebook/dinov2-base", {}),
    "dinov2_vitg14_reg": ("DINOv2-g/14 reg4", {}),
    "vit_giant_patch14_reg4_dinov2.lvd142m": ("vit_giant_patch14_reg4_dinov2", {}),
    "vit_base_patch16_224.augreg_in21k_ft_in1k": ("vit_base_patch16_224", {}),
    "vit_large_patch32_384": ("vit_large_patch32_384", {}),
    "vit_gigantic_patch14_224": ("vit_gigantic_patch14_224", {}),
    "ViT-L/16@384x512": ("ViT-L/16", {"image": (384, 512)}),
    "Llama-2-70b-chat-hf": ("llama-2-70b", {}),
    "TinyLlama-1.1B-Chat-v1.0": ("tinyllama-1.1b", {}),
    "google/vit-base-patch16-384": ("google/vit-base-patch16-384", {}),
    "deit_base_distilled_patch16_384": ("deit_base_distilled_patch16_384", {}),
    "deit3_large_patch16_384.fb_in22k_ft_in1k": ("deit3_large_patch16_384", {}),
    "openai/clip-vit-large-patch14-336": ("openai/clip-vit-large-patch14-336", {}),
    "timm/vit_base_patch16_224.augreg2_in21k_ft_in1k": ("vit_base_patch16_224", {}),
    "hf_hub:timm/vit_base_patch16_224": ("vit_base_patch16_224", {}),
    "hf-hub:laion/CLIP-ViT-H-14-laion2B-s32B-b79K": ("ViT-H-14", {}),
    "ViT-B-16@384": ("ViT-B-16", {"image": 384}),
    "vit_b_16": ("vit_b_16", {}),
    "facebook/PE-Core-B16-224": ("PE-Core-B16-224", {}),
    "dinov3_vitb16": ("DINOv3-B/16", {}),
    "DINOv3-S+/16": ("DINOv3-S+/16", {}),
    "gpt2": ("gpt2-small", {}),
    "GPT-2 XL": ("gpt2-xl", {}),
    "llama-3-8b": ("llama-3-8b", {}),
    "llama-3-8b@2048": ("llama-3-8b", {"seq": 2048}),
    "meta-llama/Meta-Llama-3-8B-Instruct": ("llama-3-8b", {}),
    "meta-llama/Llama-2-7b-hf": ("llama-2-7b", {}),
    "Llama-3.2-1B": ("llama-3.2-1b", {}),
    "EleutherAI/pythia-70m-deduped": ("pythia-70m", {}),
    "Qwen/Qwen2.5-7B-Instruct": ("qwen2.5-7b", {}),
    "Qwen3-0.6B-Base": ("qwen3-0.6b", {}),
    "google/gemma-2b-it": ("gemma-2b", {}),
    "OLMo-2-1124-7B": ("olmo-2-7b", {}),
    "mistralai/Mistral-7B-v0.1": ("mistral-7b-v0.1", {}),
}


# Whose model a name is, its parameters and multiply-accumulates, as the library named builds it.
BUILT = {
    "vit_base_patch16_224": ("timm", 86567656, 17563828224),
    "vit_base_patch16_224.augreg_in21k": ("timm", 102595923, 17579835648),
    "vit_base_patch16_224.dino": ("timm", 85798656, 17563060224),
    "vit_base_patch14_reg4_dinov2.lvd142m": ("timm", 86582016, 152115766272),
    "vit_base_patch14_dinov2.lvd142m": ("timm", 86579712, 151573718016),
    "vit_base_patch16_dinov3": ("timm", 85641216, 23574546432),
    "vit_base_patch16_rope_mixed_224": ("timm", 86444008, 17563828224),
    "beit_base_patch16_224": ("timm", 86530984, 17563828224),
    "eva02_base_patch14_448": ("timm", 87117544, 106886332416),
    "vit_pe_core_base_patch16_224": ("timm", 93673984, 17802438144),
    "aimv2_large_patch14_224": ("timm", 309197824, 82295390208),
    "ViT-B-16": ("open_clip", 86192640, 17563453440),
    "ViT-B-32-quickgelu": ("open_clip", 87849216, 4408811520),
    "ViT-L-14-336": ("open_clip", 304293888, 190959894528),
    "ViT-g-14": ("open_clip", 1012645632, 267031525376),
    "ViT-bigG-14": ("open_clip", 1844907264, 483748016128),
    "EVA02-B-16": ("open_clip", 86263040, 17563453440),
    "PE-Core-B-16": ("open_clip", 93673984, 17802438144),
    "vit_b_16": ("torchvision", 86567656, 17563828224),
    "vit_h_14": ("torchvision", 632045800, 167295109120),
    "google/vit-base-patch16-224": ("transformers", 86567656, 17563828224),
    "google/vit-base-patch16-224-in21k": ("transformers", 86389248, 17563650048),
    "facebook/deit-base-distilled-patch16-224": ("transformers", 87338192, 17656811520),
    "facebook/vit-mae-base": ("transformers", 85798656, 17563060224),
    "microsoft/beit-base-patch16-224": ("transformers", 86530984, 17563828224),
    "openai/clip-vit-base-patch32": ("transformers", 87849216, 4408811520),
    "google/siglip2-base-patch16-naflex": ("transformers", 92930304, 23460839424),
    "facebook/dinov2-base": ("transformers", 86580480, 151573718016),
    "facebook/dinov3-vitb16-pretrain-lvd1689m": ("transformers", 85660416, 17932142592),
    "apple/aimv2-large-patch14-224": ("transformers", 309197824, 82295390208),
    "ViT-B/16": ("big_vision", 85797120, 17470881792),
    "dinov2_vitb14": ("facebookresearch/dinov2", 86580480, 151573718016),
    "dinov3_vitb16": ("facebookresearch/dinov3", 85669632, 17932142592),
    "facebook/PE-Core-B16-224": ("perception_models", 93672960, 17802438144),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_totals_of_language_models(name: str) -> None:
    assert CATALOGUE[name].model().params == PUBLISHED[name]


@pytest.mark.parametrize("name", ROUNDED)
def test_published_totals_of_vision_transformers(name: str) -> None:
    assert CATALOGUE[name].model().params / 1e6 == pytest.approx(ROUNDED[name], abs=0.0051)


@pytest.mark.parametrize("name", WRITTEN)
def test_names_as_people_write_them(name: str) -> None:
    record, changes = find_model(name)
    assert (record.name, changes) == WRITTEN[name]


@pytest.mark.parametrize("name", BUILT)
def test_models_are_those_of_the_library_that_is_named(name: str) -> None:
    counted = named(name)
    assert (counted.whose, counted.model.params, counted.model.macs) == BUILT[name]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.whose)
def test_every_row_of_the_tables_has_the_counts_of_the_built_model(table: Table) -> None:
    with (FOLDER / table.file).open() as rows:
        for row in csv.DictReader(rows):
            tags = row.get("tags") or ""
            name = row["name"] + (f".{tags.split()[0]}" if tags else "")
            record, changes = find_model(name)
            model = record.model()
            assert (record.whose, changes) == (table.whose, {})
            assert (model.params, model.macs) == (int(row["params"]), int(row["macs"])), name


def test_every_name_of_a_library_is_its_own() -> None:
    for record in library_records():
        for name in (record.name, *record.aliases):
            found, changes = find_model(name)
            assert (found.whose, changes) == (record.whose, {}), name


def test_every_name_and_alias_finds_its_record() -> None:
    for record in CATALOGUE.values():
        assert record.source
        for name in (record.name, *record.aliases):
            assert find_model(name) == (record, {})
        assert record.model().params > 0


def test_names_of_the_certified_tables(shared: Path) -> None:
    """Whatever of the tables is in the catalogue, by its own name, equals the table as integers."""
    found = []
    with (shared / "shapes" / "vit.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["impl"] == "timm"]
    for row in rows:
        try:
            model = named(row["name"]).model
        except ArgumentError:
            continue
        assert (model.params, model.macs) == (int(row["params"]), int(row["macs"])), row["name"]
        found.append(row["name"])
    assert len(found) >= 40
    with (shared / "shapes" / "lm.csv").open() as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        model = named(row["name"], seq=int(row["seq"])).model
        assert (model.params, model.macs) == (int(row["params"]), int(row["macs_fwd_seq"])), row["name"]


@pytest.mark.parametrize(
    ("name", "gflops"),
    [
        ("SoViT-400m/14@224", 221),
        ("ViT-L/16@384", 383),
        ("SoViT-400m/14@384", 672),
        ("ViT-g/14@518", 3208),
        ("SoViT-400m/14@518", 1374),
        ("ViT-G/14@518", 5668),
    ],
)
def test_table_1_of_the_paper_by_name(name: str, gflops: float) -> None:
    assert named(name).model.flops("xla") / 1e9 == pytest.approx(gflops, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("SoViT-500m/14", "SoViT-400m/14"),
        ("lama-3-8b", "llama-3-8b"),
        ("vit_base_patch16_448", "vit_base_patch16_384"),
        ("ViT-G-14", "ViT-G/14"),
        ("gemma-2-8b", "gemma-2-2b"),
    ],
)
def test_near_misses_are_suggested(name: str, near: str) -> None:
    with pytest.raises(ArgumentError) as error:
        find_model(name)
    (detail,) = error.value.details
    assert detail.code == "unknown-model"
    assert detail.hint is not None
    assert near in detail.hint.split("?")[0]
    assert "--list" in detail.hint


@pytest.mark.parametrize(
    "name",
    [
        *("qwen3-17b", "pythia-14b", "pythia-28b", "llama-38b", "gemma-22b", "olmo-21b", "smollm2-17b"),
        *("ViT-B/16!!!", "ViT-B/16@", "ViT-B/16@-5", "llama-3-8b@\u00b2", "x" * 10_000, ""),
        # A tag decides classifier and pooling, a separator the library, and an owner what was done to a model.
        *(
            "vit_base_patch16_224.unknown",
            "vit_base_patch16_224_extra",
            "vit_large_patch32_448",
            "ViT-G-14",
            "ViT-L-32",
        ),
        *("vit_l_14", "ViT-B_16", "someone/ViT-B/16", "someone/clip-vit-base-patch32", "timm/ViT-B-16", "DINOv3-B/14"),
        *("facebook/dinov2-base-finetuned", "google/vit-base-patch16-448", "PE-Core-B-14", "ViT-B-16@x"),
    ],
)
def test_names_that_only_resemble_one_are_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match="there is no model"):
        find_model(name)


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        record, _ = find_model(text)
    except ArgumentError:
        return
    assert record.name in CATALOGUE


def test_changes_are_checked_like_any_setting() -> None:
    assert isinstance(named("SoViT-400m/14", image=518).model, ViT)
    with pytest.raises(InputError, match="'seq' = 2048 is no setting of the family 'vit'"):
        named("SoViT-400m/14", seq=2048)
    with pytest.raises(InputError, match="'width' = 1000 is no multiple of heads = 12"):
        named("gpt2", width=1000)
    with pytest.raises(InputError, match="'mlp_ratio' = 2 and mlp_dim say the same"):
        named("ViT-B/16", mlp_ratio=2, mlp_dim=100)
    assert named("ViT-B/16", mlp_ratio=2).model.mlp_dim == 1536
    assert named("ViT-B/16", heads=np.int64(8)).model.heads == 8
    assert named("ViT-L/16@384", image=224).name == "ViT-L/16"
    with pytest.raises(InputError, match="longer than the table of 1024 positions"):
        named("gpt2", seq=2048)
    # The DINOv2 table was learned at 518 px and is interpolated.
    assert named("DINOv2-B/14", image=224).model.params == named("DINOv2-B/14").model.params
