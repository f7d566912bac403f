from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import shapeplan as sp
from shapeplan.architectures import ViT
from shapeplan.architectures.catalogue import named
from shapeplan.counting.accelerators import ACCELERATORS, parse_fleet
from shapeplan.counting.compare import flops
from shapeplan.counting.memory import RECIPES
from shapeplan.errors import ArgumentError, InputError


def test_the_papers_comparison() -> None:
    """SoViT-400m/14 is less than half of ViT-g/14 at 518 px (arXiv:2305.13035, Table 1: 1374 and 3208 GFLOPs)."""
    g, so = flops(["ViT-g/14@518", "SoViT-400m/14@518"]).models
    assert so.flops["xla"] is not None
    assert g.flops["xla"] is not None
    assert so.flops["xla"] / g.flops["xla"] == pytest.approx(1374 / 3208, rel=1e-3)


def test_what_a_training_takes() -> None:
    (vit,) = flops(["SoViT-400m/14"], examples=40e9).models
    assert vit.training is not None
    assert vit.training.flops_forward == pytest.approx(40e9 * 2 * vit.macs)
    assert vit.training.flops_training == pytest.approx(3 * vit.training.flops_forward)
    (bought,) = flops(["SoViT-400m/14"], budget=vit.training.flops_training).models
    assert bought.training is not None
    assert bought.training.examples == pytest.approx(40e9)
    (forward,) = flops(["SoViT-400m/14"], budget=vit.training.flops_forward, flops_convention="forward").models
    assert forward.training is not None
    assert forward.training.examples == pytest.approx(40e9)


def test_tokens_and_sequences() -> None:
    (by_tokens,) = flops(["llama-3-8b"], tokens=15e12).models
    (by_sequences,) = flops(["llama-3-8b"], examples=15e12 / 8192).models
    assert by_tokens.training == by_sequences.training


def test_days_of_a_published_run() -> None:
    """PaLM 540B: 780e9 tokens at 238.3e3 a second on 6144 TPU v4, 46.2% MFU (arXiv:2204.02311, appendix B)."""
    days = parse_fleet("6144xTPUv4").days(780e9 * 3.2777e12, 0.462)
    assert days == pytest.approx(780e9 / 238.3e3 / 86400, rel=1e-3)


def test_days_of_a_training_and_what_they_rest_on() -> None:
    costs = flops(["llama-3-8b"], budget=1e23, gpus="512xH100", mfu=0.41)
    (row,) = costs.models
    assert row.training is not None
    assert row.training.days == pytest.approx(1e23 / (512 * 989.4e12 * 0.41 * 86400))
    assert any("MFU 0.41" in line for line in costs.assumptions)
    assert any("H100: 989.4 TFLOP/s dense" in line and "table of 20" in line for line in costs.assumptions)


def test_bytes_of_the_state() -> None:
    """ZeRO: 16 bytes a parameter, 120 GB for 7.5B (arXiv:1910.02054, section 3.1)."""
    (row,) = flops(["llama-3-8b"], memory="adamw-mixed").models
    assert row.memory is not None
    assert row.memory.total == 16 * row.params
    assert row.memory.optimizer == 12 * row.params
    assert {recipe.total for recipe in RECIPES.values()} == {16, 8, 10}


def test_what_does_not_fit_or_buys_nothing_is_said() -> None:
    codes = [caution.code for caution in flops(["llama-3-70b"], tokens=1e12, gpus="8xH100").cautions]
    assert codes == ["does-not-fit"]
    assert flops(["llama-3-70b"], tokens=1e12, gpus="64xH100").cautions == ()
    codes = [caution.code for caution in flops(["SoViT-400m/14"], budget=1e9).cautions]
    assert codes == ["buys-nothing"]
    assert "very-long" in [c.code for c in flops(["llama-3-8b"], tokens=1e15, gpus="V100").cautions]


@pytest.mark.parametrize(
    ("text", "count", "name"),
    [
        ("64xH100", 64, "H100"),
        ("64 x h100-sxm", 64, "H100"),
        ("512xTPUv4", 512, "TPUv4"),
        ("tpu v5p", 1, "TPUv5p"),
        ("8×A100", 8, "A100"),  # noqa: RUF001 - people write the sign
        ("256xTrillium", 256, "Trillium"),
        ("v6e", 1, "Trillium"),
        ("2xMI300X", 2, "MI300X"),
        ("NVIDIA H200", 1, "H200"),
    ],
)
def test_fleets(text: str, count: int, name: str) -> None:
    fleet = parse_fleet(text)
    assert (fleet.count, fleet.accelerator.name) == (count, name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("64xH101", "did you mean H100"),
        ("0xH100", "is no number of accelerators; write e.g. 64xH100"),
        ("-3xH100", "is no number of accelerators"),
        ("", "is no number of accelerators"),
        ("64x", "is no number of accelerators"),
        ("H100x64", "no accelerator 'H100x64' in the table; the number comes first: 64xH100"),
        ("x" * 500, "is no number of accelerators"),
    ],
)
def test_fleets_that_cannot_be(text: str, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_fleet(text)
    assert message in str(error.value)


def test_dense_peaks() -> None:
    """As the vendors print them; sparse figures halved."""
    peaks = {"A100": 312, "H100": 989.4, "H200": 989.4, "B200": 2250, "MI300X": 1307.4, "TPUv3": 123, "TPUv4": 275}
    peaks |= {"TPUv5e": 197, "TPUv5p": 459, "Trillium": 918}
    assert {name: ACCELERATORS[name].peak / 1e12 for name in peaks} == pytest.approx(peaks)
    assert all(chip.source for chip in ACCELERATORS.values())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"examples": 1e9, "budget": 1e20}, "two-lengths"),
        ({"gpus": "64xH100"}, "no-training"),
        ({"mfu": 0.4}, "no-gpus"),
        ({"gpus": "64xH100", "mfu": 1.4, "examples": 1e9}, "bad-mfu"),
        ({"gpus": "64xH100", "mfu": float("nan"), "examples": 1e9}, "bad-mfu"),
        ({"memory": "adamw"}, "unknown-recipe"),
        ({"tokens": 1e9}, "wrong-unit"),
        ({"examples": 0.0}, "bad-length"),
        ({"budget": float("inf")}, "bad-length"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(ArgumentError) as error:
        flops(["SoViT-400m/14"], **arguments)
    assert error.value.details[0].code == code


def test_no_models_or_models_of_many_shapes_are_refused() -> None:
    with pytest.raises(ArgumentError, match="there are no models to count"):
        flops([])
    many = ViT(width=np.array([64, 128]), depth=2, mlp_dim=256, heads=2, patch=16, image=32)
    with pytest.raises(InputError, match=r"width of vit .* is no whole number"):
        flops([many])


def test_the_document_holds_every_number_unrounded() -> None:
    costs = sp.flops(["ViT-g/14@518", "llama-3-8b"], budget=1e23, gpus="64xH100")
    document = json.loads(sp.flops_document(costs).dumps())
    assert document["kind"] == "shapeplan.flops"
    vit, llama = document["models"]
    assert vit["params"] == 1038015488
    assert llama["macs"] == 79070347919360
    assert llama["flops"]["xla"] is None
    assert llama["flops"]["training"] == 6 * llama["macs"]
    assert llama["flops_per_example"]["training"] == 6 * llama["macs"] / 8192
    assert sum(part["params"] for part in vit["parts"].values()) == vit["params"]
    assert sum(part["macs"] for part in vit["parts"].values()) == vit["macs"]
    assert llama["ratio_to_first"]["params"] == llama["params"] / vit["params"]
    assert document["conventions"]["6nd"]["counts"] == "training"
    assert document["hardware"]["mfu"] == 0.4
    assert vit["settings"]["image"] == 518


def test_a_budget_may_be_in_any_convention() -> None:
    (row,) = flops(["pythia-70m"], budget=1e20, flops_convention="6nd").models
    assert row.training is not None
    assert row.training.examples == pytest.approx(1e20 / (6 * row.params))
    with pytest.raises(ArgumentError, match="xla FLOPs of pythia-70m are not known"):
        flops(["pythia-70m"], budget=1e20, flops_convention="xla")


def test_lengths_that_differ_are_said() -> None:
    codes = [caution.code for caution in flops(["gpt2", "llama-3-8b"]).cautions]
    assert codes == ["different-lengths"]
    assert flops([named("gpt2", seq=512), named("llama-3-8b", seq=512)]).cautions == ()


def test_the_a100_of_40_gb_is_another() -> None:
    assert ACCELERATORS["A100-40GB"].memory < ACCELERATORS["A100"].memory
    assert parse_fleet("8xA100-40GB").accelerator.name == "A100-40GB"
