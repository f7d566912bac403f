"""Mixtures of experts and latent attention: certified counts, the file that holds them, and a sweep of mixtures."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import forked
import numpy as np
import pytest
from conftest import Program
from hypothesis import given
from hypothesis import strategies as st

import shapeplan as sp
from shapeplan import Decoder
from shapeplan.architectures.attention import attended_pairs
from shapeplan.architectures.mixture import mixture_layers
from shapeplan.errors import InputError
from shapeplan.readers.shapes import read_shapes

MIXTRAL: dict[str, Any] = {
    **{"width": 4096, "depth": 32, "mlp_dim": 14336, "heads": 32, "kv_heads": 8, "vocab": 32000, "seq": 4096},
    **{"experts": 8, "experts_per_token": 2, "gated": True, "tied": False, "positions": 0, "norm": "rmsnorm"},
    **{"qkv_bias": False, "out_bias": False, "mlp_bias": False},
}
LATENT = {
    **{"kv_lora_rank": 512, "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128},
    **{"kv_heads": None},
}


def certified(shared: Path) -> list[dict[str, str]]:
    with (shared / "shapes" / "moe.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_certified_mixtures_are_counted_by_the_api(shared: Path) -> None:
    rows = certified(shared)
    models = read_shapes(shared / "shapes" / "moe.csv").models
    assert len(rows) == len(models) == 20
    for row, counted in zip(rows, models, strict=True):
        model = counted.model
        assert (model.params, model.active_params, model.macs) == (
            int(row["params"]),
            int(row["active_params"]),
            int(row["macs_seq"]),
        ), row["name"]


def test_certified_mixtures_are_counted_by_the_command(shared: Path, program: Program) -> None:
    done = program("flops", str(shared / "shapes" / "moe.csv"), "--json")
    models = json.loads(done.stdout)["models"]
    for row, model in zip(certified(shared), models, strict=True):
        assert model["name"] == row["name"]
        for name, column in (("params", "params"), ("active_params", "active_params"), ("macs", "macs_seq")):
            assert model[name] == int(row[column]), (row["name"], name)


def test_known_totals() -> None:
    """Mixtral-8x7B, as its report has it: 46.7B parameters, of which a token meets 12.9B."""
    model = Decoder(**MIXTRAL)
    assert (model.params, model.active_params, model.idle_params) == (46702792704, 12879925248, 33822867456)
    assert model.flops("6nd") == 6 * 12879925248 * 4096
    parts = model.parts()
    assert parts["experts"] == (32 * 8 * 3 * 4096 * 14336, 32 * 4096 * 2 * 3 * 4096 * 14336)
    assert parts["router"] == (32 * 4096 * 8, 32 * 4096 * 4096 * 8)
    assert parts["mlp"] == (0, 0)


def mixtures() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            **{"width": st.integers(1, 40).map(lambda n: 4 * n), "depth": st.integers(1, 9)},
            **{"mlp_dim": st.integers(1, 99), "heads": st.just(4), "vocab": st.integers(1, 99)},
            **{"seq": st.integers(1, 64), "experts": st.integers(8, 64), "experts_per_token": st.integers(1, 8)},
            **{"expert_dim": st.none() | st.integers(1, 50), "shared_experts": st.integers(0, 3)},
            **{"first_dense_layers": st.integers(0, 10), "moe_every": st.integers(1, 4)},
            **{name: st.booleans() for name in ("gated", "expert_bias", "router_bias", "shared_bias", "shared_gate")},
            "correction_bias": st.sampled_from(("none", "buffer", "parameter")),
        }
    )


@given(mixtures())
def test_parts_sum_to_the_whole_and_arrays_agree_with_ints(values: dict[str, Any]) -> None:
    model = Decoder(**values)
    parts = model.parts()
    assert sum(part.params for part in parts.values()) == model.params
    assert sum(part.macs for part in parts.values()) == model.macs
    assert 0 <= model.idle_params < model.params
    arrays = Decoder(**{**values, "experts": np.array([values["experts"], 100]), "width": values["width"]})
    more = Decoder(**{**values, "experts": 100})
    assert arrays.params.tolist() == [model.params, more.params]
    assert np.broadcast_to(arrays.active_params, (2,)).tolist() == [model.active_params, more.active_params]
    assert np.broadcast_to(arrays.macs, (2,)).tolist() == [model.macs, more.macs]
    # A token is multiplied with every weight that it meets once; what is left is attention.
    blocks = sum(part.macs for name, part in parts.items() if name != "head")
    assert blocks == model.seq * model.token_weights + model.attention_macs


@given(st.integers(1, 60), st.integers(0, 70), st.integers(1, 9))
def test_mixture_layers_are_those_of_the_rule(depth: int, first: int, every: int) -> None:
    rule = sum(i >= first and (i + 1) % every == 0 for i in range(depth))
    assert mixture_layers(depth, first, every) == rule
    assert mixture_layers(np.array([depth]), first, every).tolist() == [rule]


@given(st.integers(1, 40), st.integers(1, 50))
def test_pairs_are_those_of_the_mask(tokens: int, window: int) -> None:
    assert attended_pairs(tokens) == sum(i + 1 for i in range(tokens))
    assert attended_pairs(tokens, window) == sum(min(i + 1, window) for i in range(tokens))


def test_masks_are_counted_where_they_are_asked_for() -> None:
    full, causal = Decoder(**MIXTRAL), Decoder(**MIXTRAL, causal=True)
    assert full.macs - causal.macs == 32 * 2 * 4096 * (4096**2 - 4096 * 4097 // 2)
    assert causal.macs_in_full == full.macs
    assert causal.flops("megatron") == full.flops("megatron")
    windowed = Decoder(**MIXTRAL, causal=True, window=1024, full_every=4)
    pairs = 8 * attended_pairs(4096) + 24 * attended_pairs(4096, 1024)
    assert windowed.macs - causal.macs == 2 * 4096 * (pairs - 32 * attended_pairs(4096))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"experts_per_token": 9}, "'experts_per_token' = 9 is more than there are experts (8)"),
        ({"experts_per_token": None}, "'experts_per_token' is missing; say how many experts a token visits"),
        ({"experts": None}, "'experts_per_token' = 2 is of a mixture of experts, which this model is not"),
        ({"mlp_dim": None}, "'mlp_dim' is missing"),
        ({"mlp_dim": None, "expert_dim": 64, "first_dense_layers": 1}, "'mlp_dim' is missing"),
        ({"window": 128}, "'window' = 128 says nothing while attention is counted in full; set causal = true"),
        ({"kv_lora_rank": 512}, "'qk_nope_head_dim' is missing; latent attention (kv_lora_rank) needs it"),
        ({"v_head_dim": 64}, "'v_head_dim' = 64 is of latent attention, which this model lacks; add kv_lora_rank"),
        ({**LATENT, "kv_heads": 8}, "'kv_heads' = 8 does not go with latent attention"),
        ({**LATENT, "qk_norm": "head"}, "'qk_norm' = head does not go with latent attention"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Decoder(**{**MIXTRAL, **changes})
    assert message in str(error.value)


def test_rows_of_other_kinds_of_attention_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "shapes.csv"
    path.write_text("width,depth,mlp_dim,heads,vocab,seq,attention,kv_lora_rank\n64,2,128,4,100,32,mla,0\n")
    with pytest.raises(InputError, match="'attention' = mla has no kv_lora_rank"):
        read_shapes(path)
    path.write_text("width,depth,mlp_dim,heads,vocab,seq,attention\n64,2,128,4,100,32,linear\n")
    with pytest.raises(InputError, match="'attention' = linear is unknown; choose one of gqa, mha, mqa, mla"):
        read_shapes(path)


def test_a_family_of_mixtures_is_not_counted_dense(tmp_path: Path) -> None:
    path = tmp_path / "shapes.csv"
    path.write_text("family,width,depth,mlp_dim,heads,vocab,seq\nmixtral,64,2,128,4,100,32\n")
    with pytest.raises(InputError, match="'experts' is missing, and mixtral is a mixture of experts; give experts"):
        read_shapes(path)
    path.write_text("family,width,depth,mlp_dim,heads,vocab,seq,n_experts,top_k\nmixtral,64,2,128,4,100,32,8,2\n")
    (counted,) = read_shapes(path).models
    assert isinstance(counted.model, Decoder)
    assert (counted.model.experts, counted.model.experts_per_token) == (8, 2)


# --- a sweep of mixtures

SETTINGS = "vocab: 32000, seq: 2048, head_dim: 64, mlp_ratio: 2"
ARCHITECTURE = f"architecture: {{family: mixtral, {SETTINGS}, experts_per_token: 2}}\n"


def true_loss(width: Any, depth: Any, experts: Any, flops: Any) -> Any:
    """Return a loss that falls with every dimension, and whose scale in compute grows with them."""
    size = (width / 512) ** 0.22 * (depth / 8) ** 0.25 * (experts / 16) ** 0.1
    return 1.6 + 18 * width**-0.75 + 1.2 * depth**-1.1 + 0.9 * experts**-0.8 + 0.35 * size * (flops / 3e18) ** -0.28


def best_loss(flops: float) -> float:
    """Return the least true loss over a fine grid of shapes."""
    axes = np.meshgrid(np.geomspace(300, 20000, 120), np.geomspace(4, 100, 80), np.geomspace(8, 800, 80))
    return float(true_loss(*axes, flops).min())


def run(folder: Path, *arguments: str) -> Any:
    return forked.run(list(arguments), folder, None)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out a grid of mixtures, and draw its losses."""
    folder = tmp_path_factory.mktemp("mixtures")
    (folder / "moe.yaml").write_text(ARCHITECTURE)
    layout = ("--around", "width=512,depth=8,experts=16", "--durations", "1B,4B,16B", "--ratio", "1.6")
    done = run(folder, "design", "grid", "--architecture", "moe.yaml", *layout, "-o", "grid.csv")
    assert done.returncode == 0, done.stderr
    rng = np.random.default_rng(24)
    with (folder / "grid.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        sizes = (float(row[name]) for name in ("width", "depth", "experts", "training_flops"))
        row["loss"] = f"{true_loss(*sizes) * np.exp(0.002 * rng.standard_normal()):.6f}"
    with (folder / "log.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    done = run(folder, "fit", "log.csv", "--config", "moe.yaml", "-o", "law.json")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_sweep_of_mixtures_goes_from_design_to_plan(swept: Path) -> None:
    law = sp.read_law(swept / "law.json")
    assert law.dims == ("width", "depth", "experts")
    for flops in (1e20, 1e21):
        (budget,) = sp.recommend(law, flops=flops).budgets
        shape = budget.rounded
        assert true_loss(shape["width"], shape["depth"], shape["experts"], flops) / best_loss(flops) <= 1.01
        model = law.architecture.model(shape) if law.architecture else None
        assert model is not None
        assert (budget.params, budget.active_params) == (model.params, model.active_params)
        # F(x) is that of active parameters: the budget buys tokens at the exact count of the built model.
        assert budget.flops_per_example == pytest.approx(model.flops("training") / 2048, rel=1e-12)
        assert shape["experts"] % 8 == 0


def test_experts_divide_among_devices(swept: Path) -> None:
    plan = ("recommend", "--law", "law.json", "--flops", "1e21")
    done = run(swept, *plan, "--expert-parallel", "96", "--json")
    assert json.loads(done.stdout)["budgets"][0]["rounded"]["experts"] % 96 == 0
    shown = run(swept, *plan).stdout
    assert " active) on " in shown.splitlines()[0]
    assert "--format hf > config.json" in shown


@pytest.mark.long
def test_experts_of_a_family_without_any_are_told_how_to_become_a_config(swept: Path) -> None:
    family = ARCHITECTURE.split("family: ")[1].split(",")[0].split("\n")[0]
    (swept / "other.yaml").write_text(ARCHITECTURE.replace(family, "mistral"))
    fitted = run(swept, "fit", "log.csv", "--config", "other.yaml", "-o", "other.json", "--replicates", "20")
    assert fitted.returncode == 0, fitted.stderr
    plan = ("recommend", "--law", "other.json", "--flops", "1e21")
    assert "Next: say family: mixtral (or qwen3_moe) in the architecture" in run(swept, *plan).stdout
    refused = run(swept, *plan, "--format", "hf")
    assert refused.returncode == 2
    assert "; say family: mixtral or qwen3_moe in the architecture: these have experts" in refused.stderr


def test_the_plan_of_a_mixture_is_a_config_that_reads_as_the_same_model(swept: Path) -> None:
    plan = ("recommend", "--law", "law.json", "--flops", "1e21")
    done = run(swept, *plan, "--format", "hf")
    config = json.loads(done.stdout)
    assert config["model_type"] == "mixtral"
    (swept / "config.json").write_text(done.stdout)
    counted = json.loads(run(swept, "flops", "config.json", "--json").stdout)["models"][0]
    planned = json.loads(run(swept, *plan, "--json").stdout)["budgets"][0]
    assert (counted["params"], counted["active_params"]) == (planned["params"], planned["active_params"])


def test_a_dense_architecture_is_not_taken_for_the_mixture_of_a_log(swept: Path) -> None:
    (swept / "dense.yaml").write_text(f"architecture: {{family: llama, {SETTINGS}}}\n")
    done = run(swept, "fit", "log.csv", "--config", "dense.yaml")
    assert done.returncode == 1
    assert "the row is a mixture of experts, counted as a dense model; add experts_per_token" in done.stderr


@pytest.mark.long
def test_a_simulated_sweep_of_mixtures_gives_its_truth_back(swept: Path) -> None:
    truth = sp.read_law(swept / "law.json")
    assert run(swept, "simulate", "law.json", "grid.csv", "--seed", "3", "-o", "simulated.csv").returncode == 0
    assert run(swept, "fit", "simulated.csv", "--config", "moe.yaml", "-o", "again.json").returncode == 0
    (planned,) = sp.recommend(sp.read_law(swept / "again.json"), flops=1e21).budgets
    sizes = ",".join(f"{dim}={planned.rounded[dim]}" for dim in truth.dims)
    (best,) = sp.recommend(truth, flops=1e21, versus=sizes).budgets
    regret = best.versus[0].regret
    assert regret is not None
    assert regret <= 0.01


def test_a_mixture_is_not_written_as_a_dense_llama(swept: Path) -> None:
    done = run(swept, "recommend", "--law", "law.json", "--flops", "1e21", "--format", "hf-llama")
    assert done.returncode == 2
    assert "no experts are written for hf-llama, and this model has " in done.stderr
    assert "write --format hf" in done.stderr
