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
    tenths=st.lists(st.integers(180, 240), min_size=3, max_size=5, unique=True),
    sizes=st.integers(4, 9),
    aspect=st.floats(24, 160),
)
def test_every_run_spends_its_budget_by_the_exact_count(tenths: list[int], sizes: int, aspect: float) -> None:
    budgets = [10 ** (tenth / 10) for tenth in tenths]
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
        ({"budgets": ()}, "`budgets` is empty"),
        ({"budgets": (1e18, 1.1e18)}, "two budgets are within 20% of 1e18"),
        ({"budgets": (1e31,)}, "ask for more than"),
        ({"budgets": (-1.0,)}, "out of range"),
        ({"budgets": (1e13,)}, "a budget of 1e13 FLOPs does not make 7 runs"),
        ({"sizes": 3}, "3 sizes is out of range"),
        ({"ratio": 1.0}, "a ratio of 1 is out of range"),
        ({"aspect": 0.5}, "an aspect of 0.5 is out of range"),
        ({"architecture": VIT}, "how many examples a parameter are best is not known of vit"),
        (
            {"architecture": VIT, "fit": sp.published_law(), "aspect": 64.0},
            "tells the proportions, and so does `aspect`",
        ),
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


@pytest.mark.parametrize("fixed", [{"width": 768}, {"depth": 12}, {"mlp_dim": 3072}, {"mlp_ratio": 4}])
def test_dimensions_that_the_architecture_sets_stay_out(fixed: dict[str, int]) -> None:
    given = architecture({**VIT.describe(), **fixed})
    made = design_isoflop((1e18, 1e19, 1e20), given, fit=sp.published_law(), sizes=4)
    ((name, _),) = fixed.items()
    assert set(made.runs.dims) == {"width", "depth", "mlp_dim"} - {name.replace("ratio", "dim")}


def test_what_a_law_does_not_know_follows_in_the_usual_proportion(tmp_path: Path) -> None:
    lines = ["width,depth,params,tokens,flops,loss"]
    for depth in (4, 6, 8, 12, 16, 24):
        params = 12 * depth * (64 * depth) ** 2
        for tokens in (1e9, 3e9, 1e10, 3e10):
            loss = 1.8 + 482 / params**0.348 + 2085 / tokens**0.366
            lines.append(f"{64 * depth},{depth},{params},{tokens},{6 * params * tokens:.6g},{loss:.6f}")
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    fit = sp.fit(sp.read_runs(tmp_path / "log.csv"), replicates=0)
    made = design_isoflop((1e19, 1e20, 1e21), LLAMA, fit=fit)
    assert made.runs.values("mlp_dim") / made.runs.values("width") == pytest.approx(np.full(21, 8 / 3), rel=0.03)
    assert "mlp_dim, which it does not know, in 2.67 times width" in made.notes[0]


def test_sizes_that_cannot_be_spread_are_told() -> None:
    coarse = architecture({"family": "llama", "seq": 1024, "vocab": 32000, "head_dim": 128, "kv_heads": 8})
    made = design_isoflop((1e18, 3e18, 1e19), coarse)
    assert "do not reach around the expected best" in made.cautions[0].message
    assert design_isoflop((1e20, 1e21, 1e22), LLAMA).cautions == ()


def test_a_law_of_images_lays_out_no_language_models_and_far_budgets_are_told() -> None:
    with pytest.raises(ArgumentError, match="the law counts examples, and llama tokens"):
        design_isoflop(BUDGETS, LLAMA, fit=sp.published_law())
    far = design_isoflop((1e25, 1e26, 1e27), VIT, fit=sp.published_law())
    assert [caution.code for caution in far.cautions[:2]] == ["extrapolation", "extrapolation"]


@pytest.mark.long
def test_budgets_of_language_models_are_training_flops_unless_said(program: Program, tmp_path: Path) -> None:
    (tmp_path / "lm.yaml").write_text("architecture: {family: llama, vocab: 32000, seq: 2048, head_dim: 64}\n")
    (tmp_path / "vit.yaml").write_text("architecture: {family: vit, patch: 14, image: 224, heads: 16, pool: map}\n")
    for name, convention in (("lm", "training"), ("vit", "forward")):
        for what in (
            ("star", "--budget", "1e20"),
            ("grid", "--budget", "1e20"),
            ("isoflop", "--budgets", "1e19,1e20,1e21"),
        ):
            done = program("design", *what, "--architecture", f"{name}.yaml")
            assert done.returncode == 0, done.stderr
            assert f"{what[1]} is read as {convention} FLOPs; --flops-convention says otherwise" in done.stderr
            assert f"{convention}_flops" in done.stdout.splitlines()[0]
    other = program("design", "star", "--budget", "1e20", "--architecture", "lm.yaml", "--flops-convention", "forward")
    assert "forward_flops" in other.stdout.splitlines()[0]
    assert "is read as" not in other.stderr
