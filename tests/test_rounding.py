"""Shapes that can be built."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from changed import changed
from conftest import DIMS, fit, loss, one, sweep
from studies.worlds import world

from shapeplan.architectures import architecture
from shapeplan.errors import ArgumentError
from shapeplan.fitting.result import Fit
from shapeplan.planning.heads import Heads
from shapeplan.planning.plan import BudgetPlan
from shapeplan.planning.recommend import recommend
from shapeplan.readers.read import read_runs


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({"max_params": 1e8, "multiples": {"width": 512}}, "params"),
        pytest.param({"max_params": 5e7, "pipeline_parallel": 8}, "params", marks=pytest.mark.long),
        ({"max_flops_per_example": 5e10, "head_dim": 64, "tensor_parallel": 8}, "flops_per_example_forward"),
        ({"max_params": 1.5e8, "pipeline_parallel": 8}, "params"),
    ],
)
def test_coarse_steps_are_paid_along_the_limit(planned: Fit, options: dict[str, Any], limit: str) -> None:
    """Every shape of the whole lattice is tried here; next to the limit the best may be far in a fine dimension."""
    options["multiples"] = {"width": 16, "mlp_dim": 16} | options.get("multiples", {})
    plan = one(planned, preset="none", **options)
    most = options.get("max_params") or options["max_flops_per_example"]
    assert getattr(plan, limit) <= most
    width = 512 if "head_dim" in options else options["multiples"]["width"]
    mlp_dim, depth = (128 if "head_dim" in options else 16), (8 if "pipeline_parallel" in options else 1)
    axes = (np.arange(width, 2000, width), np.arange(depth, 60, depth), np.arange(mlp_dim, 5000, mlp_dim))
    places = dict(zip(DIMS, (axis.ravel().astype(float) for axis in np.meshgrid(*axes)), strict=True))
    around = planned.cost_model
    used = around.params(places) if limit == "params" else around.flops_per_example(places)
    found = np.where(np.asarray(used) <= most, planned.law.loss(**places, flops=1e21), np.inf)
    assert plan.loss is not None
    assert plan.loss.value <= float(found.min()) * (1 + 1e-4)


def test_hardware_that_shares_a_layer_gets_whole_parts(planned: Fit) -> None:
    """29568 = 231 x 128 could not be split over 8 devices in groups of 128: here every device holds whole groups."""
    plan = one(planned, head_dim=64, tensor_parallel=8, pipeline_parallel=4, multiples={"mlp_dim": 128})
    assert plan.rounded["mlp_dim"] % (8 * 128) == 0
    assert plan.rounded["width"] % (8 * 64) == 0
    assert plan.rounded["depth"] % 4 == 0
    assert plan.heads == plan.rounded["width"] // 64
    assert plan.heads % 8 == 0
    assert one(planned, heads=12).rounded["width"] % 48 == 0
    assert one(planned, heads=12).heads == 12


def test_heads_are_shared_by_key_and_value_heads(planned: Fit) -> None:
    llama = architecture({"family": "llama", "vocab": 32000, "seq": 2048, "head_dim": 64, "kv_heads": 6})
    found = fit(replace(sweep(), architecture=llama), law="product", replicates=0)
    for flops in (1e19, 1e20, 1e21):
        heads = one(found, flops).heads
        assert heads is not None
        assert heads % 6 == 0
        split = one(found, flops, tensor_parallel=3).heads
        assert split is not None
        assert split % 6 == 0
    message = "6 key and value heads cannot be split over 4 devices; give `tensor_parallel` as one of 1, 2, 3, 6"
    with pytest.raises(ArgumentError, match=message):
        one(found, tensor_parallel=4)
    with pytest.raises(ArgumentError, match="16 heads cannot be shared by 6 key and value heads; give `heads=48`"):
        one(found, heads=16)


def test_experts_are_divided_where_there_are_any(planned: Fit) -> None:
    with pytest.raises(ArgumentError, match="`expert_parallel` divides experts, and this law has none; leave it out"):
        one(planned, expert_parallel=8)
    mixture = {"family": "mixtral", "vocab": 32000, "seq": 2048, "head_dim": 64, "experts": 48, "experts_per_token": 2}
    found = fit(replace(sweep(), architecture=architecture(mixture)), law="product", replicates=0)
    assert one(found, expert_parallel=16).rounded == one(found).rounded
    with pytest.raises(ArgumentError, match="48 experts cannot be divided among 7 devices; give a divisor of 48"):
        one(found, expert_parallel=7)


def test_steps_so_coarse_that_the_rest_must_move(planned: Fit) -> None:
    plan = one(planned, multiples={"depth": 1000})
    best = one(planned, fix={"depth": 1000})
    assert plan.loss is not None
    assert best.loss is not None
    assert plan.loss.value == pytest.approx(best.loss.value, rel=1e-4)
    assert "coarse-rounding" in {caution.code for caution in plan.cautions}
    assert "coarse-rounding" not in {caution.code for caution in one(planned).cautions}


def test_the_lattice_is_searched_jointly(planned: Fit) -> None:
    """Coarse steps make rounding dimension by dimension worse than the best of the lattice."""
    coarse = {"width": 512, "mlp_dim": 2048}
    plan = one(planned, 3e21, multiples=coarse)
    here = loss(planned, dict(plan.rounded), 3e21)
    assert plan.regret_of_rounding == pytest.approx(here / loss(planned, dict(plan.shape), 3e21) - 1)
    for width in (512, 1024, 1536):
        for mlp_dim in (2048, 4096):
            for depth in range(10, 60):
                assert here <= loss(planned, {"width": width, "depth": depth, "mlp_dim": mlp_dim}, 3e21) * (1 + 1e-12)


def test_heads_divide_a_width_that_never_varied(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = ["width,depth,mlp_dim,heads,examples,flops,loss"]
    for depth, mlp_dim, examples in itertools.product((4, 8, 12, 16), (1024, 2048, 4096), (1e8, 3e8, 1e9)):
        loss = 1.5 + (depth / 8) ** -1.2 + 0.5 * (mlp_dim / 2048) ** -0.9 + (examples / 3e8) ** -0.3
        flops = 6 * depth * 512 * (4 * 512 + 2 * mlp_dim) * examples
        rows.append(f"512,{depth},{mlp_dim},8,{examples:g},{flops:g},{loss:.9g}")
    log.write_text("\n".join(rows) + "\n")
    found = fit(read_runs(log), law="separable", replicates=0)
    for options in ({"heads": 12}, {"head_dim": 96}):
        budget = recommend(found, 3e18, force=True, **options).budgets[0]
        assert budget.heads is not None
        assert budget.rounded["width"] % budget.heads == 0
    assert recommend(found, 3e18, force=True).budgets[0].rounded["width"] == 512


def test_dimensions_that_are_no_whole_numbers_stay_so(tmp_path: Path) -> None:
    """Their least and largest trained values may be whole all the same."""
    log = tmp_path / "log.csv"
    rows = ["width,expansion,examples,flops,loss"]
    for width, expansion, examples in itertools.product((256, 512, 1024), (1, 1.5, 2.5, 4, 6), (1e8, 3e8, 1e9)):
        loss = 1.5 + (width / 512) ** -1.0 + 0.5 * (expansion / 3) ** -0.9 + (examples / 3e8) ** -0.3
        rows.append(f"{width},{expansion},{examples:g},{12 * width**2 * (1 + expansion) * examples:g},{loss:.9g}")
    log.write_text("\n".join(rows) + "\n")
    found = fit(read_runs(log, dims=("width", "expansion")), law="separable", replicates=0)
    budget = recommend(found, 1e16, force=True, versus=["width=512,expansion=2.5"]).budgets[0]
    assert budget.rounded["expansion"] != round(budget.rounded["expansion"])
    assert budget.rounded["expansion"] == pytest.approx(budget.shape["expansion"], rel=0.05)
    assert [row.shape["expansion"] for row in budget.versus if row.name.startswith("width")] == [2.5]
    held = recommend(found, 1e16, force=True, fix={"expansion": 2.5}).budgets[0]
    assert held.rounded["expansion"] == 2.5


ARCHITECTURES: tuple[dict[str, Any] | None, ...] = (
    None,
    {"family": "llama", "vocab": 32000, "seq": 2048, "head_dim": 128, "kv_heads": 8},
    {"family": "llama", "vocab": 32000, "seq": 2048, "head_dim": 64},
    {"family": "gpt2", "vocab": 50257, "seq": 1024, "heads": 12},
    {"family": "vit", "patch": 16, "image": 224, "pool": "tok", "heads": 16},
    {"family": "qwen3", "vocab": 151936, "seq": 4096, "heads": 32, "head_dim": 128, "kv_heads": 8},
)
LAWS = ("additive", "product", "interaction", "separable", "chinchilla")


def default_plans(seed: int) -> tuple[Fit, tuple[BudgetPlan, ...]]:
    """Return the plans of a random law, on one of the architectures, for budgets of 1e17 to 1e25."""
    settings = ARCHITECTURES[seed % len(ARCHITECTURES)]
    runs = replace(sweep(), architecture=architecture(settings) if settings else None)
    template = fit(runs, law="separable", replicates=0)
    law = replace(world(LAWS[seed % len(LAWS)], seed), derive=template.cost_model.variables)
    found = changed(template, law=law, growth_exponents={})
    budgets = 10.0 ** np.random.default_rng(seed).uniform(17, 25, 3)
    return found, recommend(found, budgets, force=True).budgets


def check_buildable(seed: int) -> None:
    """Assert what timm and transformers assert of a configuration, and the promises of the preset."""
    found, budgets = default_plans(seed)
    settings = dict(ARCHITECTURES[seed % len(ARCHITECTURES)] or {})
    decoupled = {"heads", "head_dim"} <= settings.keys()
    for budget in budgets:
        width, heads = budget.rounded["width"], budget.heads
        assert heads is not None
        assert budget.head_dim is not None
        assert budget.head_dim % 8 == 0
        assert budget.head_dim <= 256
        assert heads % found.kv_heads == 0
        if not decoupled:
            assert heads * budget.head_dim == width
        if budget.flops_training >= 1e19:
            assert width % 64 == 0
            assert budget.regret_of_rounding is not None
            assert budget.regret_of_rounding <= 0.002
        if settings:
            told = settings if decoupled else {name: value for name, value in settings.items() if name != "head_dim"}
            assert budget.params == architecture({**told, "heads": heads}).model(budget.rounded).params


@pytest.mark.parametrize("seed", range(24))
def test_default_plans_can_be_built(seed: int) -> None:
    check_buildable(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(24, 224))
def test_default_plans_of_many_laws_can_be_built(seed: int) -> None:
    check_buildable(seed)


def test_presets(planned: Fit) -> None:
    """Steps, and heads: those of the log where they fit, else of the preferred width."""
    assert one(planned, 1e21, preset="tpu").rounded["width"] % 128 == 0
    none = one(planned, 1e21, preset="none")
    assert none.rounded["mlp_dim"] == pytest.approx(none.shape["mlp_dim"], abs=2)
    assert none.heads == 16
    assert Heads(logged={"heads": 16}, unit=8, free=True).of(1152) == 16
    assert Heads(logged={"heads": 16}, unit=8, free=True).of(1088) == 17
    assert Heads(logged={"heads": 12}, unit=8, free=True).of(9216) == 72
    assert Heads(logged={"head_dim": 49}, unit=8, free=True).of(2048) == 16
    assert Heads(unit=8, free=True).of(1000) == 25
    with pytest.raises(ArgumentError, match="did you mean 'gpu'"):
        one(planned, preset="gpus")


def test_a_head_dim_that_the_architecture_sets_is_not_changed() -> None:
    qwen = architecture({"family": "qwen3", "vocab": 32000, "seq": 2048, "heads": 32, "head_dim": 128, "kv_heads": 8})
    found = fit(replace(sweep(), architecture=qwen), law="product", replicates=0)
    budget = one(found, 1e21)
    assert (budget.heads, budget.head_dim) == (32, 128)
    with pytest.raises(ArgumentError, match="the architecture sets heads and a head_dim of 128"):
        one(found, head_dim=64)
