"""Diffusion transformers: known totals, invariants, configurations, and what torch and diffusers build."""

from __future__ import annotations

from typing import Any

import built
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shapeplan.architectures import CONVENTIONS, DiT
from shapeplan.architectures.catalogue import named
from shapeplan.errors import InputError
from shapeplan.readers.configs.config import Config
from shapeplan.readers.configs.dit import DIFFUSERS

XL: dict[str, Any] = {"width": 1152, "depth": 28, "mlp_dim": 4608, "heads": 16, "patch": 2, "image": 32}


def read(name: str = "DiTTransformer2DModel", **values: Any) -> Any:
    return DIFFUSERS[name](Config({"_class_name": name, **values}))


@st.composite
def dits(draw: st.DrawFn) -> dict[str, Any]:
    heads, patch = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    return {
        "width": heads * draw(st.integers(1, 32)),
        "depth": draw(st.integers(1, 32)),
        "mlp_dim": draw(st.integers(1, 4096)),
        "heads": heads,
        "patch": patch,
        "image": (patch * draw(st.integers(1, 16)), patch * draw(st.integers(1, 16))),
        "channels": draw(st.integers(1, 16)),
        "out_channels": draw(st.none() | st.integers(1, 16)),
        "classes": draw(st.integers(0, 1000)),
        "positions": draw(st.sampled_from([None, 0])),
        **{name: draw(st.booleans()) for name in ("null_class", "qkv_bias", "block_embedders")},
    }


def reference(nn: Any, values: dict[str, Any]) -> Any:
    """Return the modules of a DiT (arXiv:2212.09748, Figure 3), and a forward pass through each in its place."""
    functional = built.library("torch.nn.functional")
    torch = built.library("torch")
    width, heads, patch = values["width"], values["heads"], values["patch"]
    channels, tokens = values["channels"], DiT(**values).tokens
    outputs = patch**2 * (values["out_channels"] or 2 * channels)

    class Reference(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(channels, width, patch, patch)
            self.positions = nn.Parameter(torch.zeros(1, tokens, width), requires_grad=False)
            self.timestep = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
            rows = values["classes"] + values["null_class"]
            self.classes = nn.Embedding(rows, width) if values["classes"] else None
            self.blocks = nn.ModuleList(
                nn.ModuleDict(
                    {
                        "modulation": nn.Linear(width, 6 * width),
                        "qkv": nn.Linear(width, 3 * width, bias=values["qkv_bias"]),
                        "out": nn.Linear(width, width),
                        "up": nn.Linear(width, values["mlp_dim"]),
                        "down": nn.Linear(values["mlp_dim"], width),
                    }
                )
                for _ in range(values["depth"])
            )
            self.modulation = nn.Linear(width, 2 * width)
            self.output = nn.Linear(width, outputs)

        def forward(self, latents: Any) -> Any:
            x = self.patches(latents).flatten(2).transpose(1, 2) + self.positions
            given = self.timestep(torch.zeros(1, 256))
            if self.classes is not None:
                given = given + self.classes(torch.zeros(1, dtype=torch.long))
            for block in self.blocks:
                shift, scale, gate, shift2, scale2, gate2 = block["modulation"](given)[:, None].chunk(6, dim=-1)
                query, key, value = (
                    part.unflatten(-1, (heads, -1)).transpose(1, 2)
                    for part in block["qkv"](x * (1 + scale) + shift).chunk(3, dim=-1)
                )
                mixed = (query @ key.transpose(-2, -1)).softmax(-1) @ value
                x = x + gate * block["out"](mixed.transpose(1, 2).flatten(2))
                x = x + gate2 * block["down"](functional.gelu(block["up"](x * (1 + scale2) + shift2)))
            shift, scale = self.modulation(given)[:, None].chunk(2, dim=-1)
            return self.output(x * (1 + scale) + shift)

    return Reference()


# --- known answers


def test_dit_xl_2_at_256_pixels() -> None:
    """As the original code counts it; 118.6 GFLOPs (of multiply-accumulates) and 675 million in the paper's Table 4."""
    model = DiT(**XL)
    assert model.params == 675_129_632
    assert model.macs == 118_621_421_568
    assert isinstance(model.macs, int)
    assert model.tokens == 256
    assert DiT(**XL, positions=0).params == 675_129_632 - 256 * 1152


@pytest.mark.parametrize(
    ("shape", "patch", "image", "millions", "gigamacs"),
    [
        ((384, 12, 6), 8, 32, 33, 0.36),
        ((384, 12, 6), 2, 32, 33, 6.06),
        ((768, 12, 12), 4, 32, 130, 5.56),
        ((1024, 24, 16), 2, 32, 458, 80.71),
        ((1152, 28, 16), 8, 32, 676, 7.39),
        ((1152, 28, 16), 2, 64, 675, 524.60),
    ],
)
def test_table_4_of_the_paper(
    shape: tuple[int, int, int], patch: int, image: int, millions: int, gigamacs: float
) -> None:
    """The paper's GFLOPs are multiply-accumulates, of a count that adds a little to the matrices."""
    width, depth, heads = shape
    model = DiT(width=width, depth=depth, mlp_dim=4 * width, heads=heads, patch=patch, image=image)
    assert model.params / 1e6 == pytest.approx(millions, abs=1.1)
    assert model.macs / 1e9 == pytest.approx(gigamacs, rel=2e-3, abs=5e-3)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("DiT-XL/2", 675_129_632),
        ("SiT-XL/2", 675_129_632),
        ("DiT-S/8", 33_148_160),
        ("DiT-XL-2-512x512", 676_014_368),
        ("facebook/DiT-XL-2-256", 749_826_464),
    ],
)
def test_dits_by_name(name: str, params: int) -> None:
    assert named(name).model.params == params
    assert named(name).note


# --- invariants


@given(dits(), st.integers(1, 4))
def test_parts_sum_to_the_whole_and_arrays_agree_with_scalars(values: dict[str, Any], factor: int) -> None:
    model = DiT(**values)
    parts = model.parts()
    assert sum(part.params for part in parts.values()) == model.params
    assert sum(part.macs for part in parts.values()) == model.macs
    assert min(min(part) for part in parts.values()) >= 0
    blocks = parts["attention"].macs + parts["mlp"].macs
    assert blocks == model.tokens * model.token_weights + model.attention_macs
    assert parts["modulation"].params == model.depth * (6 * model.width**2 + 6 * model.width)
    scaled = {"width": factor * values["width"], "depth": factor + values["depth"], "mlp_dim": 7 * values["mlp_dim"]}
    both = DiT(**{**values, **{name: np.array([values[name], value]) for name, value in scaled.items()}})
    other = DiT(**{**values, **scaled})
    assert both.params.tolist() == [model.params, other.params]
    assert both.macs.tolist() == [model.macs, other.macs]
    for convention in set(CONVENTIONS) - {"xla", "megatron", "torchtitan", "hf-trainer", "nanogpt"}:
        assert both.flops(convention).tolist() == [model.flops(convention), other.flops(convention)]
    floats = DiT(**{**values, **{name: float(value) for name, value in scaled.items()}})
    assert floats.macs == pytest.approx(float(other.macs), rel=1e-12)
    assert floats.params == pytest.approx(float(other.params), rel=1e-12)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="'patch' = 64 is larger than the image"):
        DiT(**{**XL, "patch": 64})
    with pytest.raises(InputError, match="has no table of tokens"):
        DiT(**XL).flops("megatron")


# --- configurations


def test_diffusers_embeds_timestep_and_class_in_every_block() -> None:
    configured = read(num_attention_heads=16, attention_head_dim=72, out_channels=8)
    assert configured.counted == "DiTTransformer2DModel of diffusers"
    assert "every block embeds timestep and class" in configured.notes[0]
    model, original = built.counted(configured), DiT(**XL, positions=0)
    assert model.params - original.params == 27 * (256 * 1152 + 1152**2 + 2 * 1152 + 1001 * 1152)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("DiTTransformer2DModel", {"norm_type": "ada_norm_single"}, "'norm_type' = ada_norm_single is not counted"),
        ("DiTTransformer2DModel", {"activation_fn": "geglu"}, "'activation_fn' = geglu is not counted"),
        ("DiTTransformer2DModel", {"norm_elementwise_affine": True}, "'norm_elementwise_affine' = True"),
        ("Transformer2DModel", {}, "'norm_type' is not counted; only norm_type = ada_norm_zero is"),
        ("Transformer2DModel", {"norm_type": "ada_norm_zero"}, "'norm_elementwise_affine' is not counted"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_its_key(name: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        read(name, **values)
    assert message in str(error.value)


# --- against torch and diffusers


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=20, phases=(Phase.generate,))
@given(dits())
def test_counts_equal_a_plain_implementation(values: dict[str, Any]) -> None:
    torch = built.library("torch")
    values |= {"positions": None, "block_embedders": False}
    with torch.device("meta"):
        measured = built.measured(
            reference(torch.nn, values), latents=torch.zeros(1, values["channels"], *values["image"])
        )
    model = DiT(**values)
    assert (model.params, model.macs) == measured


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=5, phases=(Phase.generate,))
@given(st.data())
def test_counts_equal_what_diffusers_builds(data: st.DataObject) -> None:
    torch, diffusers = built.library("torch"), built.library("diffusers", "torch")
    patch = data.draw(st.integers(1, 4))
    values = {
        "num_attention_heads": data.draw(st.integers(1, 4)),
        "attention_head_dim": 4 * data.draw(st.integers(1, 8)),
        "num_layers": data.draw(st.integers(1, 3)),
        "sample_size": patch * data.draw(st.integers(2, 6)),
        "patch_size": patch,
        "in_channels": data.draw(st.integers(1, 8)),
        "out_channels": data.draw(st.none() | st.integers(1, 8)),
        "attention_bias": data.draw(st.booleans()),
        "num_embeds_ada_norm": data.draw(st.integers(1, 100)),
    }
    side = values["sample_size"]
    with torch.device("meta"):
        theirs = diffusers.DiTTransformer2DModel(**values)
        one = torch.zeros(1, dtype=torch.long)
        latents = torch.zeros(1, values["in_channels"], side, side)
        measured = built.measured(theirs, hidden_states=latents, timestep=one, class_labels=one)
    model = built.counted(read(**values))
    assert (model.params, model.macs) == measured
