from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shapeplan.architectures import CONVENTIONS, Decoder, FittedCost, PowerSum, Transformer, ViT, architecture
from shapeplan.architectures.base import SHAPE_DIMS
from shapeplan.architectures.catalogue import named
from shapeplan.architectures.decoder import QK_NORMS
from shapeplan.architectures.families import FAMILIES
from shapeplan.architectures.styles import STYLES
from shapeplan.architectures.vit import POOLS
from shapeplan.errors import ArgumentError, InputError

SOVIT: dict[str, Any] = {"width": 1152, "depth": 27, "mlp_dim": 4304, "heads": 16, "patch": 14, "image": 224}
GPT: dict[str, Any] = {"width": 768, "depth": 12, "mlp_dim": 3072, "heads": 12, "vocab": 50257, "seq": 1024}
NORMS = ("layernorm", "rmsnorm", "nonparametric")


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as lines:
        return list(csv.DictReader(lines))


def certified_vit(row: dict[str, str]) -> ViT:
    pools = {"token": "tok", "tok": "tok", "avg": "gap", "gap": "gap", "map": "map"}
    flags = ("qkv_bias", "proj_bias", "mlp_bias", "patch_bias", "head_bias", "layer_scale", "pre_norm", "qk_norm")
    return ViT(
        width=int(row["width"]),
        depth=int(row["depth"]),
        mlp_dim=int(row["mlp_dim"]),
        heads=int(row["heads"]),
        patch=int(row["patch"]),
        image=int(row["img_size"]),
        pool=pools[row["pool"]],
        channels=int(row["in_chans"]),
        classes=int(row["num_classes"]),
        cls_token=row["cls_token"] == "1",
        reg_tokens=int(row["reg_tokens"]),
        positions=int(row["pos_len"]),
        # The one row whose MAP head sees its register token (timm's pool_include_prefix), which no column tells.
        pool_prefix=row["name"] == "test_vit3",
        rep_size=int(row["rep_size"]),
        gated=row["mlp_type"] != "mlp",
        final_norm=row["final_norm"] == "1",
        fc_norm=row["fc_norm"] == "1",
        **{flag: row[flag] == "1" for flag in flags},
    )


def certified_decoder(row: dict[str, str]) -> Decoder:
    sizes = ("width", "depth", "mlp_dim", "heads", "kv_heads", "head_dim", "vocab", "seq")
    style = STYLES[row["family"]]
    return Decoder(**{**style, **{size: int(row[size]) for size in sizes}, "tied": row["tied"] == "1"})


@st.composite
def vits(draw: st.DrawFn) -> dict[str, Any]:
    heads = draw(st.integers(1, 8))
    flags = ("gated", "layer_scale", "pre_norm", "qk_norm", "attn_norm", "mlp_norm", "patch_norm", "fc_norm")
    flags = (*flags, "distilled", "qkv_bias", "proj_bias", "mlp_bias", "patch_bias", "head_bias", "final_norm")
    patch = draw(st.integers(1, 16))
    return {
        "width": heads * draw(st.integers(1, 64)),
        "depth": draw(st.integers(1, 64)),
        "mlp_dim": draw(st.integers(1, 4096)),
        "heads": heads,
        "patch": patch,
        "image": (patch * draw(st.integers(1, 20)), patch * draw(st.integers(1, 20))),
        "pool": draw(st.sampled_from(POOLS)),
        "classes": draw(st.integers(0, 1000)),
        "rep_size": draw(st.sampled_from([0, 64])),
        "reg_tokens": draw(st.integers(0, 4)),
        "norm": draw(st.sampled_from(NORMS)),
        **{name: draw(st.booleans()) for name in flags},
    }


@st.composite
def decoders(draw: st.DrawFn) -> dict[str, Any]:
    kv_heads = draw(st.integers(1, 4))
    heads = kv_heads * draw(st.integers(1, 4))
    return {
        "width": heads * draw(st.integers(1, 64)),
        "depth": draw(st.integers(1, 64)),
        "mlp_dim": draw(st.integers(1, 4096)),
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": draw(st.none() | st.integers(1, 64)),
        "vocab": draw(st.integers(1, 300_000)),
        "seq": draw(st.integers(1, 8192)),
        "norm": draw(st.sampled_from(NORMS)),
        "qk_norm": draw(st.sampled_from(QK_NORMS)),
        "block_norms": draw(st.sampled_from([2, 4])),
        **{name: draw(st.booleans()) for name in ("gated", "tied", "qkv_bias", "out_bias", "mlp_bias")},
    }


def models() -> st.SearchStrategy[tuple[type[Transformer], dict[str, Any]]]:
    return st.tuples(st.just(ViT), vits()) | st.tuples(st.just(Decoder), decoders())


# --- known answers


def test_the_published_sovit_is_counted_exactly() -> None:
    vit = ViT(**SOVIT, pool="map")
    assert vit.params == 427680704
    assert round(vit.macs / 1e9, 4) == 110.1769
    assert vit.flops("forward") == 2 * vit.macs
    assert vit.flops("training") == 6 * vit.macs
    assert isinstance(vit.flops("training"), int)


def test_certified_vits(shared: Path) -> None:
    """Every row of the table, as integers; XLA's own counts within 2e-5."""
    rows = table(shared / "shapes" / "vit.csv")
    for row in rows:
        vit = certified_vit(row)
        assert (vit.macs, vit.params) == (int(row["macs"]), int(row["params"])), row["name"]
        if row["flops_xla"]:
            plain = ViT(**{name: getattr(vit, name) for name in (*SOVIT, "pool", "classes")})
            assert plain.flops("xla") == pytest.approx(float(row["flops_xla"]), rel=2e-5), row["name"]
    assert len(rows) == 203


def test_certified_decoders(shared: Path) -> None:
    """Every row of the table, as integers."""
    rows = table(shared / "shapes" / "lm.csv")
    for row in rows:
        model = certified_decoder(row)
        assert (model.macs, model.params) == (int(row["macs_fwd_seq"]), int(row["params"])), row["name"]
    assert len(rows) == 15


@pytest.mark.parametrize(
    ("shape", "pool", "image", "gflops"),
    [
        ((1152, 27, 4304), "map", 224, 221),
        ((1024, 24, 4096), "gap", 384, 383),
        ((1152, 27, 4304), "map", 384, 672),
        ((1408, 40, 6144), "map", 518, 3208),
        ((1152, 27, 4304), "map", 518, 1374),
        ((1664, 48, 8192), "map", 518, 5668),
    ],
)
def test_table_1_of_the_paper(shape: tuple[int, int, int], pool: str, image: int, gflops: float) -> None:
    """Forward GFLOPs as XLA counts them (arXiv:2305.13035, Table 1), within 0.1%."""
    patch = 16 if pool == "gap" else 14
    vit = ViT(**dict(zip(SHAPE_DIMS, shape, strict=True)), heads=16, patch=patch, image=image, pool=pool)
    assert vit.flops("xla") / 1e9 == pytest.approx(gflops, rel=1e-3)


def test_conventions_against_published_numbers() -> None:
    gpt3 = Decoder(**{**GPT, "width": 12288, "depth": 96, "mlp_dim": 49152, "heads": 96, "seq": 2048})
    assert gpt3.flops("6nd") / 2048 * 300e9 == pytest.approx(3.14e23, rel=2e-3)  # arXiv:2005.14165, Table D.1
    assert gpt3.flops("kaplan") / 3 / 2048 == pytest.approx(2 * 173.95e9 + 2 * 96 * 2048 * 12288, rel=1e-4)
    sizes = {"width": 18432, "depth": 118, "mlp_dim": 73728, "heads": 48, "head_dim": 256, "kv_heads": 1}
    palm = Decoder(**{**STYLES["llama"], **sizes, "vocab": 256_000, "seq": 2048, "tied": True})
    per_token = palm.flops("palm") / 2048
    # 238.3e3 tokens a second on 6144 TPU v4 are 46.2% of 275 TFLOP/s each (arXiv:2204.02311, Table 3).
    assert 238.3e3 * per_token / (6144 * 275e12) == pytest.approx(0.462, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "all_params", "without_embeddings"),
    [
        ("gpt2-small", 0.87, 0.60),
        ("pythia-70m", 1.23, 0.33),
        ("pythia-410m", 0.89, 0.67),
        ("llama-2-7b", 0.94, 0.91),
        ("llama-3-8b", 1.00, 0.87),
        ("gemma-2b", 0.94, 0.75),
        ("qwen2.5-0.5b", 0.85, 0.62),
    ],
)
def test_how_far_6nd_is_from_the_exact_count(
    shared: Path, name: str, all_params: float, without_embeddings: float
) -> None:
    row = next(row for row in table(shared / "shapes" / "lm.csv") if row["name"] == name)
    model = certified_decoder(row)
    # The published ratios have two digits.
    assert model.flops("6nd") / model.flops("training") == pytest.approx(all_params, abs=6e-3)
    assert model.flops("6nd-nonembedding") / model.flops("training") == pytest.approx(without_embeddings, abs=6e-3)


def defined_for(model: Transformer) -> list[str]:
    """Return the conventions that count such a model; those of language models' trainers count no images."""
    images = {"xla", "megatron", "torchtitan", "hf-trainer", "nanogpt"} if isinstance(model, ViT) else {"xla"}
    return [name for name in CONVENTIONS if name not in images]


@pytest.mark.parametrize(
    ("name", "seq", "megatron", "torchtitan", "trainer", "nanogpt"),
    [
        ("gpt2", 1024, 0.934, 1.0009, 0.597, 1.0009),
        ("llama-3-8b", 8192, 0.889, 1.0000, 0.777, 1.0545),
        ("qwen3-0.6b", 4096, 0.780, 1.0001, 0.413, 1.0001),
    ],
)
def test_conventions_of_training_frameworks_stand_to_training_as_measured(
    name: str, seq: int, megatron: float, torchtitan: float, trainer: float, nanogpt: float
) -> None:
    model = named(name, seq=seq).model
    for convention, ratio, digits in (
        ("megatron", megatron, 1e-3),
        ("torchtitan", torchtitan, 1e-4),
        ("hf-trainer", trainer, 1e-3),
        ("nanogpt", nanogpt, 1e-4),
    ):
        assert model.flops(convention) / model.flops("training") == pytest.approx(ratio, abs=digits), convention
    with pytest.raises(InputError, match="has no table of tokens"):
        ViT(**SOVIT).flops("megatron")


def test_every_convention_says_its_source_and_use() -> None:
    for name, convention in CONVENTIONS.items():
        assert convention.name == name
        assert convention.formula
        assert convention.source
        assert convention.use
        assert convention.counts in ("forward", "training")
    with pytest.raises(ArgumentError, match=r"there is no convention '8nd'; the conventions are forward, training"):
        ViT(**SOVIT).flops("8nd")


# --- invariants


@given(models())
def test_parts_sum_to_the_whole_and_only_blocks_grow_with_depth(case: tuple[type[Transformer], dict[str, Any]]) -> None:
    family, values = case
    model = family(**values)
    parts = model.parts()
    assert sum(part.params for part in parts.values()) == model.params
    assert sum(part.macs for part in parts.values()) == model.macs
    assert min(min(part) for part in parts.values()) >= 0
    deeper = family(**{**values, "depth": 2 * values["depth"]}).parts()
    for name, part in parts.items():
        if name in ("attention", "mlp"):
            assert deeper[name] == (2 * part.params, 2 * part.macs)
        elif name != "norms":
            assert deeper[name] == part
    # A token is multiplied with every weight of a block's matrices once; what is left is attention's T x T.
    matrices = model.tokens * model.token_weights
    assert parts["attention"].macs + parts["mlp"].macs - matrices == model.attention_macs
    assert model.attention_macs == 2 * model.depth * model.tokens**2 * model.attention_width


@given(models(), st.sampled_from(SHAPE_DIMS))
def test_counts_grow_with_every_dimension(case: tuple[type[Transformer], dict[str, Any]], dim: str) -> None:
    family, values = case
    step = values["heads"] if dim == "width" else 1
    small, large = family(**values), family(**{**values, dim: values[dim] + step})
    assert large.params > small.params
    assert large.macs > small.macs


@given(models(), st.integers(1, 4))
def test_arrays_and_scalars_agree_as_integers(case: tuple[type[Transformer], dict[str, Any]], factor: int) -> None:
    family, values = case
    scaled = {"width": factor * values["width"], "mlp_dim": 7 * values["mlp_dim"]}
    shapes = {name: np.array([values[name], value]) for name, value in scaled.items()}
    both = family(**{**values, **shapes})
    one, other = family(**values), family(**{**values, **scaled})
    assert both.params.tolist() == [one.params, other.params]
    assert both.macs.tolist() == [one.macs, other.macs]
    for convention in defined_for(one):
        assert both.flops(convention).tolist() == [one.flops(convention), other.flops(convention)]
    floats = family(**{**values, **{name: array.astype(float) for name, array in shapes.items()}})
    assert floats.macs == pytest.approx([float(one.macs), float(other.macs)], rel=1e-12)


@given(vits(), st.integers(1, 20), st.integers(1, 20))
def test_parameters_depend_on_the_image_only_through_positions(values: dict[str, Any], rows: int, columns: int) -> None:
    image = (rows * values["patch"], columns * values["patch"])
    small, large = ViT(**values), ViT(**{**values, "image": image})
    assert large.params - small.params == (large.patches - small.patches) * small.width
    fixed = {**values, "positions": 0}
    assert ViT(**fixed).params == ViT(**{**fixed, "image": image}).params


def test_integers_do_not_overflow() -> None:
    huge = {**GPT, "width": 10**9, "depth": 10**6, "mlp_dim": 10**9, "heads": 1000, "seq": 10**6}
    exact = Decoder(**huge)
    arrays = Decoder(**{**huge, "width": np.array([64_000, 10**9]), "depth": np.array([2, 10**6])})
    assert arrays.macs.tolist()[1] == exact.macs > 2**90
    assert arrays.flops("training").tolist()[1] == 6 * exact.macs
    small = ViT(**{**SOVIT, "width": np.array([64, 128], dtype=np.int16)})
    assert small.params.dtype == np.int64
    assert small.params.tolist() == [ViT(**{**SOVIT, "width": width}).params for width in (64, 128)]


def test_no_convention_overflows_where_the_macs_do_not() -> None:
    """A table of 1e9 positions of a wide model: few MACs, but 6ND over all parameters is beyond 64 bits."""
    long = {**GPT, "width": np.array([768, 12 * 10**7]), "depth": 1, "positions": 10**9, "seq": 64, "mlp_dim": 4}
    exact = Decoder(**{**long, "width": 12 * 10**7})
    for convention in defined_for(exact):
        assert Decoder(**long).flops(convention).tolist()[1] == exact.flops(convention), convention


def test_integers_and_floats_mix_without_a_copy_being_changed() -> None:
    width = np.array([768.0, 1536.0])
    mixed = Decoder(**{**GPT, "width": width, "depth": np.array([12, 24])})
    width[:] = 0
    assert mixed.params[0] == Decoder(**GPT).params


@pytest.mark.parametrize(
    "width", [np.ma.masked_array([768, 1536], mask=[0, 1]), [[768], [768, 1536]], np.array([768, None], dtype=object)]
)
def test_arrays_with_holes_are_refused(width: object) -> None:
    with pytest.raises(InputError, match="width"):
        Decoder(**{**GPT, "width": width})


def test_head_dim_stands_in_for_heads() -> None:
    by_heads, by_width = ViT(**SOVIT), ViT(**{**SOVIT, "heads": None, "head_dim": 72})
    assert by_width.head_count == 16
    assert (by_width.params, by_width.macs, by_width.flops("xla")) == (
        by_heads.params,
        by_heads.macs,
        by_heads.flops("xla"),
    )
    wide = Decoder(**{**GPT, "head_dim": 256})
    assert wide.attention_width == 12 * 256


def test_an_image_may_be_a_pair() -> None:
    assert ViT(**{**SOVIT, "image": (224, 448)}).patches == 16 * 32
    assert ViT(**{**SOVIT, "image": [224, 224]}) == ViT(**{**SOVIT, "image": (224, 224)})
    assert ViT(**{**SOVIT, "image": 384}).patches == 27 * 27


@settings(max_examples=30)
@given(st.sampled_from(sorted(FAMILIES)))
def test_every_family_counts(name: str) -> None:
    images = "patch" in FAMILIES[name].fields
    rest = {"patch": 14, "image": 224} if images else {"vocab": 32000, "seq": 1024}
    cost = architecture({"family": name, "head_dim": 64, **rest})
    assert cost.describe()["family"] == name
    assert cost.params({"width": 1024, "depth": 24, "mlp_dim": 4096}) > 3e8


# --- what cannot be


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 1000}, "'width' = 1000 is no multiple of heads = 16; give e.g. width = 992"),
        ({"width": np.array([1152, 1000])}, "'width' = 1000 is no multiple of heads = 16"),
        ({"heads": None, "head_dim": 100}, "'width' = 1152 is no multiple of head_dim = 100"),
        ({"heads": None}, "'heads' is missing; give heads, or head_dim"),
        ({"patch": 300}, "'patch' = 300 is larger than the image (224)"),
        ({"image": (224, 10)}, "'patch' = 14 is larger than the image (224x10)"),
        ({"image": (224, 224, 3)}, "'image' = (224, 224, 3) is no pair; give one side in pixels, or [height, width]"),
        ({"mlp_dim": 0}, "'mlp_dim' = 0 is not positive"),
        ({"depth": np.array([1, 0])}, "'depth' = 0 is not a whole number from 1 to 1e9"),
        ({"depth": np.array([1.0, np.nan])}, "'depth' = nan is not positive"),
        ({"width": 10**30}, "is above 1e9; no model is that large"),
        ({"width": 1e30}, "'width' = 1e+30 is above 1e9"),
        ({"width": float("nan")}, "'width' = nan is not a number"),
        ({"width": True}, "'width' = True is not a number"),
        ({"width": "wide"}, "'width' = wide is not a number"),
        ({"width": np.array(["a"])}, "is no type of numbers"),
        ({"width": [16, 32], "depth": [1, 2, 3]}, "do not broadcast: width (2,), depth (3,)"),
        ({"patch": 14.5}, "'patch' = 14.5 is not a whole number"),
        ({"classes": -1}, "'classes' = -1 is negative; give 0 or more"),
        ({"gated": 1}, "'gated' = 1 is neither true nor false"),
        ({"pool": "max"}, "'pool' = max is unknown; choose one of gap, tok, map"),
        ({"norm": "batch"}, "choose one of layernorm, rmsnorm, layernorm_nobias, nonparametric"),
    ],
)
def test_vits_that_cannot_be_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        ViT(**{**SOVIT, **change})
    assert message in str(error.value)
    assert error.value.details[0].column in (*change, "width", "patch", "heads")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kv_heads": 5}, "'heads' = 12 is no multiple of kv_heads = 5"),
        ({"seq": 2048, "positions": 1024}, "'seq' = 2048 is longer than the table of 1024 positions"),
        ({"vocab": 0}, "'vocab' = 0 is not positive"),
        ({"qk_norm": "some"}, "choose one of none, head, full"),
    ],
)
def test_decoders_that_cannot_be_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        Decoder(**{**GPT, **change})
    assert message in str(error.value)


@pytest.mark.parametrize("odd", [{"gated": True}, {"norm": "rmsnorm"}, {"reg_tokens": 4}, {"qkv_bias": False}])
def test_xla_counts_are_told_only_where_they_are_known(odd: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"'{next(iter(odd))}' = .* is not what XLA's count is known for"):
        ViT(**{**SOVIT, **odd}).flops("xla")
    with pytest.raises(InputError, match="'family' = decoder has no count by XLA"):
        Decoder(**GPT).flops("xla")


# --- architectures of logs


def test_heads_may_grow_with_width_and_mlp_follow_it() -> None:
    cost = architecture({"family": "decoder", "vocab": 256, "seq": 128, "head_dim": 16, "mlp_ratio": 4})
    direct = Decoder(width=64, depth=2, mlp_dim=256, heads=4, vocab=256, seq=128)
    assert cost.flops_per_example({"width": 64, "depth": 2}) == pytest.approx(direct.flops("forward") / 128)
    assert cost.examples_unit == "tokens"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "'family' is missing; choose one of vit, timm, decoder"),
        ({"family": "cnn"}, "'family' = cnn is no family"),
        ({"family": "vit", "image": 224, "heads": 16}, "'patch' is missing"),
        ({"family": "vit", "patch": 14, "image": 224}, "'heads' is missing; give heads, or head_dim"),
        ({"family": "vit", "patch": 14, "image": 224, "heads": 16, "pach": 3}, "did you mean 'patch'"),
        ({"family": "vit", "patch": 14, "image": 224, "heads": 16, "pool": "max"}, "choose one of gap, tok, map"),
        ({"family": "vit", "patch": 14.5, "image": 224, "heads": 16}, "'patch' = 14.5 is not a whole number"),
        ({"family": "vit", "patch": 14, "image": 0, "heads": 16}, "'image' = 0 is not positive"),
        ({"family": "vit", "patch": 14, "image": 224, "heads": "many"}, "'heads' = many is not a number"),
        (
            {"family": "decoder", "vocab": 256, "seq": 128, "heads": 4, "norm": "batch"},
            "choose one of layernorm, rmsnorm",
        ),
        ({"family": "decoder", "vocab": 256, "seq": 128, "heads": 4, "tied": "maybe"}, "write true or false"),
    ],
)
def test_settings_that_cannot_be_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        architecture(settings)
    assert message in str(error.value)


def test_a_dimension_that_is_nowhere_is_named() -> None:
    cost = architecture({"family": "vit", "patch": 14, "image": 224, "heads": 16})
    with pytest.raises(InputError, match="add mlp_dim to the architecture"):
        cost.flops_per_example({"width": 64, "depth": 2})


def test_a_power_law_is_read_off_a_log() -> None:
    shape = {"width": np.array([64.0, 128, 256, 256]), "depth": np.array([2.0, 2, 4, 8])}
    law = PowerSum.power_law(shape, 3.0 * shape["width"] ** 2 * shape["depth"])
    (term,) = law.terms
    assert term.coefficient == pytest.approx(3.0)
    assert term.exponents == pytest.approx({"width": 2.0, "depth": 1.0})
    assert law.max_relative_error < 1e-12
    assert FittedCost(law).flops_per_example({"width": 10, "depth": 3}) == pytest.approx(900)
    assert FittedCost(law).params({"width": 10, "depth": 3}) is None
