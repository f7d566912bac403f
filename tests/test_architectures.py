from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shapeplan.architectures import Decoder, FittedCost, PowerLaw, ViT, architecture
from shapeplan.errors import InputError


def test_the_published_sovit_is_counted_exactly() -> None:
    vit = ViT(width=1152, depth=27, mlp_dim=4304, heads=16, patch=14, image=224, pool="map")
    assert vit.params == 427680704
    assert round(vit.macs / 1e9, 4) == 110.1769
    assert vit.flops("forward") == 2 * vit.macs
    assert vit.flops("training") == 6 * vit.macs


def test_certified_vits(shared: Path) -> None:
    """Every row of the table, as integers."""
    pools = {"token": "tok", "tok": "tok", "avg": "gap", "gap": "gap", "map": "map"}
    flags = ("qkv_bias", "proj_bias", "mlp_bias", "patch_bias", "head_bias", "layer_scale", "pre_norm", "qk_norm")
    with (shared / "shapes" / "vit.csv").open() as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        vit = ViT(
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
        assert (vit.macs, vit.params) == (int(row["macs"]), int(row["params"])), row["name"]
        vit.check()
    assert len(rows) == 203


ROTARY = {"positions": 0, "qkv_bias": False, "out_bias": False, "mlp_bias": False, "gated": True, "norm": "rmsnorm"}
STYLES: dict[str, dict[str, object]] = {
    "gpt2": {"positions": 1024},
    "gpt_neox": {"positions": 0},
    "llama": ROTARY,
    "mistral": ROTARY,
    "gemma": ROTARY,
    "gemma2": {**ROTARY, "block_norms": 4},
    "qwen2": {**ROTARY, "qkv_bias": True},
    "olmo": {**ROTARY, "norm": "nonparametric"},
}


def test_certified_decoders(shared: Path) -> None:
    """Every row of the table, as integers."""
    with (shared / "shapes" / "lm.csv").open() as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        model = Decoder(
            width=int(row["width"]),
            depth=int(row["depth"]),
            mlp_dim=int(row["mlp_dim"]),
            heads=int(row["heads"]),
            kv_heads=int(row["kv_heads"]),
            head_dim=int(row["head_dim"]),
            vocab=int(row["vocab"]),
            seq=int(row["seq"]),
            tied=row["tied"] == "1",
            **STYLES[row["family"]],
        )
        assert (model.macs, model.params) == (int(row["macs_fwd_seq"]), int(row["params"])), row["name"]
        model.check()
    assert len(rows) == 15


@given(st.integers(1, 4096), st.integers(1, 64), st.integers(1, 8192), st.sampled_from(["gap", "tok", "map"]))
def test_arrays_and_scalars_agree(width: int, depth: int, mlp: int, pool: str) -> None:
    cost = architecture({"family": "vit", "patch": 14, "image": 224, "heads": 16, "pool": pool})
    one = ViT(width=width, depth=depth, mlp_dim=mlp, heads=16, patch=14, image=224, pool=pool)
    shape = {"width": np.array([width, 2 * width]), "depth": depth, "mlp_dim": mlp}
    assert cost.flops_per_example(shape)[0] == pytest.approx(one.flops("forward"), rel=1e-12)
    assert cost.params(shape)[0] == pytest.approx(one.params, rel=1e-12)
    assert np.all(np.diff(cost.flops_per_example(shape)) > 0)


def test_heads_may_grow_with_width_and_mlp_follow_it() -> None:
    cost = architecture({"family": "decoder", "vocab": 256, "seq": 128, "head_dim": 16, "mlp_ratio": 4})
    direct = Decoder(width=64, depth=2, mlp_dim=256, heads=4, vocab=256, seq=128)
    assert cost.flops_per_example({"width": 64, "depth": 2}) == pytest.approx(direct.flops("forward") / 128)
    assert cost.examples_unit == "tokens"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "'family' is missing; choose one of vit, decoder"),
        ({"family": "cnn"}, "'family' = cnn is no family"),
        ({"family": "vit", "image": 224, "heads": 16}, "'patch' is missing"),
        ({"family": "vit", "patch": 14, "image": 224}, "'heads' is missing; give heads, or head_dim"),
        ({"family": "vit", "patch": 14, "image": 224, "heads": 16, "pach": 3}, "did you mean 'patch'"),
        ({"family": "vit", "patch": 14, "image": 224, "heads": 16, "pool": "max"}, "choose one of gap, tok, map"),
        ({"family": "vit", "patch": 14.5, "image": 224, "heads": 16}, "'patch' = 14.5 is not a whole number"),
        ({"family": "vit", "patch": 14, "image": 0, "heads": 16}, "'image' = 0 is not positive"),
        ({"family": "vit", "patch": 14, "image": 224, "heads": "many"}, "'heads' = many is not a positive number"),
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
    law = PowerLaw.fit(shape, 3.0 * shape["width"] ** 2 * shape["depth"])
    assert law.coefficient == pytest.approx(3.0)
    assert law.exponents == pytest.approx({"width": 2.0, "depth": 1.0})
    assert law.max_relative_error < 1e-12
    assert FittedCost(law).flops_per_example({"width": 10, "depth": 3}) == pytest.approx(900)
    assert FittedCost(law).params({"width": 10, "depth": 3}) is None
