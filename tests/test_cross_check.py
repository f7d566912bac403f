from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shapeplan.architectures import Transformer, architecture
from shapeplan.architectures.conventions import non_embedding_params
from shapeplan.errors import InputError
from shapeplan.readers.read import read_runs
from shapeplan.runs import Runs


def read(tmp_path: Path, text: str, name: str = "runs.csv", **options: Any) -> Runs:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return read_runs(path, **options)


@pytest.mark.parametrize(
    ("factor", "what", "mend"),
    [
        (3.0, "training FLOPs (3 x forward)", "say `flops_convention=training`"),
        (0.5, "multiply-accumulates of a forward pass", "double them: one is two FLOPs"),
        (1e-9, "GFLOPs", "name the column gflops"),
        (1.7, None, "check these rows, the architecture, and what the column counts"),
    ],
)
def test_logged_compute_is_cross_checked(tmp_path: Path, factor: float, what: str | None, mend: str) -> None:
    exact = 2 * 110176.9e6 * 1e6 * factor
    config = tmp_path / "vit.yaml"
    config.write_text("architecture: {family: vit, patch: 14, image: 224, pool: map, heads: 16}\n")
    text = f"width,depth,mlp_dim,examples,forward_flops,loss\n1152,27,4304,1e6,{exact!r},0.5\n"
    caution = next(
        c for c in read(tmp_path, text, config=config).cautions if c.code in ("flops-mismatch", "broken-arithmetic")
    )
    assert caution.code == ("broken-arithmetic" if factor == 1e-9 else "flops-mismatch")
    assert caution.hint == mend
    said = f"your flops look like {what}" if what else "of every row (line 2) are 1.7 times the forward FLOPs"
    assert said in caution.message
    fine = text.replace(repr(exact), repr(exact / factor * 1.05))
    assert read(tmp_path, fine, config=config).cautions == ()


LANGUAGE_MODEL = {"family": "llama", "vocab": 32000, "seq": 2048, "head_dim": 64}


def language_log(tmp_path: Path, seq: int = 2048, **columns: Callable[[Transformer], float]) -> Runs:
    """Read a log of three decoders of 1e9 tokens, with columns that were counted in some way."""
    settings = {**LANGUAGE_MODEL, "seq": seq}
    cost = architecture(settings)
    rows = []
    for width, depth, mlp_dim in ((512, 8, 1536), (1024, 8, 3072), (1024, 16, 4096)):
        shape = {"width": width, "depth": depth, "mlp_dim": mlp_dim}
        counted = {name: count(cost.model(shape)) for name, count in columns.items()}
        rows.append({**shape, "tokens": 10**9, "loss": 3.0 + len(rows), **counted})
    return read(tmp_path, json.dumps({"architecture": settings, "runs": rows}), "log.json")


@pytest.mark.parametrize(
    ("convention", "what", "mend"),
    [
        ("forward", "forward FLOPs (2 x MACs)", "say `flops_convention=forward`"),
        ("6nd", "6ND with all parameters", "remove the column to have them counted exactly"),
        ("6nd-nonembedding", "6ND without embeddings", "remove the column to have them counted exactly"),
        ("palm", "PaLM's 6N + 12LAT a token", "remove the column to have them counted exactly"),
        ("kaplan", "Kaplan's count: blocks alone", "remove the column to have them counted exactly"),
        ("hf-trainer", "total_flos of the Hugging Face Trainer", "remove the column to have them counted exactly"),
    ],
)
def test_the_convention_that_explains_a_gap_is_named(tmp_path: Path, convention: str, what: str, mend: str) -> None:
    runs = language_log(tmp_path, training_flops=lambda model: model.flops(convention) / 2048 * 1e9)
    (caution,) = runs.cautions
    assert caution.code == "flops-mismatch"
    assert f"your flops look like {what}" in caution.message
    assert mend in caution.hint
    assert language_log(tmp_path, training_flops=lambda model: model.flops("training") / 2048 * 1e9).cautions == ()


def test_a_convention_within_the_tolerance_is_named_in_a_note(tmp_path: Path) -> None:
    """With few tokens attention is a small part of the count, and half of it is within 10%."""

    def log(convention: str) -> Runs:
        return language_log(tmp_path, 512, training_flops=lambda model: model.flops(convention) / 512 * 1e9)

    runs = log("megatron")
    assert runs.cautions == ()
    assert any("your flops are Megatron-LM's count" in note for note in runs.notes), runs.notes
    assert not any("your flops are" in note for note in log("training").notes)


@pytest.mark.parametrize(
    ("count", "what"),
    [
        (non_embedding_params, "parameters without embeddings"),
        (lambda model: model.token_weights, "the blocks' matrices alone"),
        (lambda model: model.params - model.vocab * model.width, "parameters without the input embedding"),
        (lambda model: model.params / 1e6, "millions"),
    ],
)
def test_logged_parameters_are_cross_checked(tmp_path: Path, count: Callable[[Transformer], float], what: str) -> None:
    exact = {"training_flops": lambda model: model.flops("training") / 2048 * 1e9}
    (caution,) = language_log(tmp_path, **exact, params=count).cautions
    assert caution.code == "params-mismatch"
    assert f"your params look like {what}" in caution.message
    assert language_log(tmp_path, **exact, params=lambda model: model.params).cautions == ()


def test_logged_tokens_are_cross_checked(tmp_path: Path) -> None:
    sizes = {"steps": lambda _: 1000, "batch_size": lambda _: 10**9 // 1000}
    (caution,) = language_log(tmp_path, **sizes).cautions
    assert caution.code == "tokens-mismatch"
    assert "your tokens look like sequences, or a batch counted in tokens" in caution.message
    assert language_log(tmp_path, steps=lambda _: 1000, batch_size=lambda _: 10**9 / 2048e3).cautions == ()


def test_only_the_rows_that_differ_are_explained(tmp_path: Path) -> None:
    """One row logged as 6ND, the rest right: the caution names its line, and the convention of that row."""

    def training(model: Transformer) -> float:
        per_sequence = model.flops("6nd" if model.depth == 16 else "training")
        return per_sequence / 2048 * 1e9

    (caution,) = language_log(tmp_path, training_flops=training).cautions
    assert "the logged flops of 1 of 3 rows (line 1)" in caution.message
    assert "your flops look like 6ND with all parameters" in caution.message


def test_rows_of_no_buildable_model_are_questioned(tmp_path: Path) -> None:
    log = {
        "architecture": {"family": "vit", "patch": 14, "image": 224, "heads": 16},
        "runs": [{"width": width, "depth": 2, "mlp_dim": 256, "forward_flops": 1e15, "loss": 3} for width in (64, 100)],
    }
    codes = [caution.code for caution in read(tmp_path, json.dumps(log), "log.json").cautions]
    assert "architecture-mismatch" in codes


@pytest.mark.parametrize(("setting", "size"), [({"mlp_dim": 4304}, "4304"), ({"mlp_ratio": 2}, "128")])
def test_rows_and_architecture_may_not_disagree_on_a_size(tmp_path: Path, setting: dict[str, float], size: str) -> None:
    log = {
        "architecture": {"family": "vit", "patch": 14, "image": 224, "heads": 16, **setting},
        "runs": [{"width": 64, "depth": 2, "mlp_dim": 256, "forward_flops": 1e15, "loss": 3}],
    }
    with pytest.raises(InputError, match=f"mlp_dim is 256 here, and {size} in the architecture"):
        read(tmp_path, json.dumps(log), "log.json")
