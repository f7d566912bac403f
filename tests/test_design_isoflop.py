"""IsoFLOP analyses laid out: exact budgets, sizes around the expected best, and the way back through `check`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Program
from hypothesis import given, settings
from hypothesis import strategies as st

import shapeplan as sp
from shapeplan.architectures import architecture
from shapeplan.design.isoflop import design_isoflop
from shapeplan.errors import ArgumentError

LLAMA = architecture({"family": "llama", "vocab": 32000, "seq": 2048, "head_dim": 64})
VIT = architecture({"family": "vit", "patch": 14, "image": 224, "heads": 16, "pool": "map"})
BUDGETS = (1e18, 3e18, 1e19, 3e19)


@settings(max_examples=25, deadline=None)
@given(
    exponents=st.lists(st.floats(18, 24), min_size=3, max_size=5, unique_by=lambda x: round(x, 1)),
    sizes=st.integers(4, 9),
    aspect=st.floats(24, 160),
)
def test_every_run_spends_its_budget_by_the_exact_count(exponents: list[float], sizes: int, aspect: float) -> None:
    budgets = [10**exponent for exponent in exponents]
    made = design_isoflop(budgets, LLAMA, sizes=sizes, aspect=aspect)
    runs = made.runs
    assert runs.examples is not None
    assert len(runs) == sizes * len(budgets)
    for row, budget in zip(range(len(runs)), np.repeat(sorted(budgets), sizes), strict=True):
        model = LLAMA.model({dim: int(runs.values(dim)[row]) for dim in runs.dims})
        spent = 3 * 2 * model.macs * int(runs.examples[row]) / model.tokens
        assert spent <= budget * (1 + 1e-12)
        assert spent == pytest.approx(budget, rel=1e-6)
        assert model.width % model.head_count == 0


def test_sizes_are_a_ratio_apart_around_twenty_tokens_a_parameter() -> None:
    runs = design_isoflop(BUDGETS, LLAMA, sizes=7, ratio=1.5).runs
    assert runs.params is not None
    assert runs.examples is not None
    for params, tokens in zip(runs.params.reshape(4, 7), runs.examples.reshape(4, 7), strict=True):
        assert tokens[3] / params[3] == pytest.approx(20, rel=0.25)
        assert params[1:] / params[:-1] == pytest.approx(np.full(6, 1.5), rel=0.2)
    proportions = runs.values("width") / runs.values("depth")
    assert proportions.min() > 48
    assert proportions.max() < 80
    assert runs.values("mlp_dim") / runs.values("width") == pytest.approx(np.full(28, 8 / 3), rel=0.02)


def test_images_follow_the_published_law() -> None:
    published = sp.published_law()
    runs = design_isoflop(BUDGETS, VIT, fit=published).runs
    for row, budget in zip(range(3, 28, 7), BUDGETS, strict=True):
        best = sp.recommend(published, budget, flops_convention="training").budgets[0].shape
        for dim, size in best.items():
            assert runs.values(dim)[row] == pytest.approx(size, rel=0.07), dim


@pytest.mark.parametrize("budgets", [BUDGETS, (1e21, 1e22, 1e23)])
def test_what_was_laid_out_is_recognized_with_its_valleys_inside(budgets: tuple[float, ...]) -> None:
    runs = design_isoflop(budgets, LLAMA).runs
    assert runs.params is not None
    assert runs.examples is not None
    # The constants of Besiroglu et al. 2024 (arXiv:2404.10102), whose best is near 20 tokens a parameter.
    loss = 1.8172 + 482.01 / runs.params**0.3478 + 2085.43 / runs.examples**0.3658
    found = sp.check(replace(runs, loss=loss))
    assert found.kinds[0].name == "isoFLOP"
    assert f"{len(budgets)} budgets of 7 sizes" in found.kinds[0].what
    assert "no minimum" not in found.kinds[0].lacks


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"budgets": ()}, "there is no budget"),
        ({"budgets": (1e18, 1e18)}, "a budget is given twice"),
        ({"budgets": (-1.0,)}, "out of range"),
        ({"budgets": (1e13,)}, "a budget of 1e13 FLOPs is too small"),
        ({"sizes": 3}, "3 sizes is out of range"),
        ({"ratio": 1.0}, "a ratio of 1 is out of range"),
        ({"aspect": 0.5}, "an aspect of 0.5 is out of range"),
        ({"architecture": VIT}, "how many examples a parameter are best is not known of vit"),
        ({"fit": sp.published_law(), "aspect": 64.0}, "tells the proportions, and so does `aspect`"),
        (
            {"architecture": architecture({**LLAMA.describe(), "width": 512, "depth": 8, "mlp_dim": 1024})},
            "the architecture fixes every dimension",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(changed: dict[str, object], said: str) -> None:
    asked = {"budgets": BUDGETS, "architecture": LLAMA, **changed}
    with pytest.raises(ArgumentError) as caught:
        design_isoflop(**asked)  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_the_command_writes_a_log_and_says_its_rule(program: Program, tmp_path: Path) -> None:
    (tmp_path / "lm.yaml").write_text("architecture: {family: llama, vocab: 32000, seq: 2048, head_dim: 64}\n")
    options = ("--budgets", "1e18,3e18,1e19", "--sizes", "5", "--architecture", "lm.yaml")
    done = program("design", "isoflop", *options, "--gpus", "8xH100", "-o", "iso.csv")
    assert done.returncode == 0, done.stderr
    assert "15 runs of" in done.stderr
    assert "width 64 times depth, MLP dim 2.67 times width; the middle size at 20 tokens per parameter" in done.stderr
    assert "1e18: 43.2M to 192M parameters around 88.6M, 4.04 to 96.9 tokens per parameter" in done.stderr
    assert "6.14 hours on 8 x H100 at MFU 0.4" in done.stderr
    lines = (tmp_path / "iso.csv").read_text().splitlines()
    assert lines[0] == "run,width,depth,mlp_dim,heads,params,tokens,training_flops"
    assert len(lines) == 16
    lines = [lines[0] + ",loss", *(f"{line},{2 + i % 5 / 100}" for i, line in enumerate(lines[1:]))]
    (tmp_path / "iso.csv").write_text("\n".join(lines))
    checked = program("check", "iso.csv", "--config", "lm.yaml", "--json")
    assert json.loads(checked.stdout)["sweep"][0]["name"] == "isoFLOP"
