"""Logs in which many rows count otherwise: sizes, parameters or compute that do not belong together are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import SHARED
from hypothesis import given, settings
from hypothesis import strategies as st

import shapeplan as sp
from shapeplan.architectures import architecture

Row = dict[str, Any]
KINDS = {"broken-arithmetic", "flops-mismatch", "params-mismatch"}
WIDTHS, DEPTHS, RATIOS = (128, 256, 512, 1024), (4, 8, 16), (2, 4)


def log(
    vocab: int = 0, context: int = 0, durations: tuple[float, ...] = (1e9, 4e9, 1.6e10), gated: bool = False
) -> list[Row]:
    """A grid of decoders, parameters with an embedding, compute with attention."""
    rows = []
    for width in WIDTHS:
        for depth in DEPTHS:
            for ratio in RATIOS:
                mlp = ratio * width
                params = depth * (4 * width**2 + (3 if gated else 2) * width * mlp) + vocab * width
                for tokens in durations:
                    flops = (6 * params + 12 * depth * width * context) * tokens
                    loss = 1.7 + 60 * width**-0.8 + 3 * depth**-1.1 + 20 * mlp**-0.6 + 300 * tokens**-0.3
                    rows.append(
                        {
                            **{"run": f"r{len(rows)}", "width": width, "depth": depth, "mlp_dim": mlp},
                            **{"params": params, "tokens": tokens, "flops": flops, "loss": loss},
                        }
                    )
    return rows


LAYOUTS = {
    "grid": [(width, depth, ratio) for width in (256, 512, 1024) for depth in DEPTHS for ratio in RATIOS],
    "star": [(768, 12, 4), *((w, 12, 4) for w in WIDTHS), *((768, d, 4) for d in DEPTHS), (768, 12, 2), (768, 12, 3)],
    "ladder": [(128 * k, 2 * k, 4) for k in range(1, 10)],
}
COUNTS = {"exact": "training_flops", "forward": "forward_flops", "6ND": "flops"}


def counted(settings: dict[str, Any], layout: str, compute: str, embeddings: bool) -> list[Row]:
    """A log whose parameters and compute are those of an architecture, or 6ND, with parameters in or without tables."""
    built, rows = architecture(settings), []
    for width, depth, ratio in LAYOUTS[layout]:
        model = built.model({"width": width, "depth": depth, "mlp_dim": ratio * width})
        matrices = depth * width**2 * (4 + (3 if settings["family"] == "llama" else 2) * ratio)
        params = model.params if embeddings else matrices
        for tokens in (1e9, 4e9):
            exact = model.flops("training") / settings["seq"] * tokens
            flops = {"exact": exact, "forward": exact / 3, "6ND": 6 * params * tokens}[compute]
            loss = 1.7 + 60 * width**-0.8 + 3 * depth**-1.1 + 20 * (ratio * width) ** -0.6 + 300 * tokens**-0.3
            shape = {"run": f"r{len(rows)}", "width": width, "depth": depth, "mlp_dim": ratio * width}
            rows.append({**shape, "params": params, "tokens": tokens, COUNTS[compute]: flops, "loss": loss})
    return rows


def told(rows: list[Row], *columns: str) -> list[sp.errors.Caution]:
    kept = [{name: cell for name, cell in row.items() if name not in columns} for row in rows]
    return [caution for caution in sp.read_runs(kept).cautions if caution.code in KINDS]


def changed(rows: list[Row], column: str, change: Callable[[Row], Any]) -> list[Row]:
    return [{**row, column: change(row)} for row in rows]


@settings(max_examples=60)
@given(
    st.sampled_from(["gpt2", "untied", "llama"]),
    st.sampled_from([256, 32_000, 256_000]),
    st.sampled_from([128, 1024, 4096, 16_384]),
    st.sampled_from(sorted(LAYOUTS)),
    st.sampled_from(sorted(COUNTS)),
    st.booleans(),
)
def test_logs_that_count_alike_are_left_alone(
    family: str, vocab: int, seq: int, layout: str, compute: str, embeddings: bool
) -> None:
    """Whatever they count: long contexts, large tables, with embeddings or without."""
    tied = {"family": "gpt2", "tied": False} if family == "untied" else {"family": family}
    rows = counted({**tied, "vocab": vocab, "seq": seq, "head_dim": 64}, layout, compute, embeddings)
    assert told(rows) == []
    assert told(rows, "params") == []


@pytest.mark.parametrize(
    ("by", "start"), [("width", 256), ("width", 512), ("depth", 8), ("depth", 16)], ids=lambda value: f"{value}"
)
@pytest.mark.parametrize(("dim", "factor"), [("depth", 2), ("depth", 0.5), ("mlp_dim", 2), ("width", 2)])
@pytest.mark.parametrize("without", [(), ("flops",), ("tokens", "flops")])
def test_a_size_that_is_counted_otherwise_in_a_part_is_named(
    dim: str, factor: float, by: str, start: int, without: tuple[str, ...]
) -> None:
    rows = changed(log(8_000), dim, lambda row: row[dim] * (factor if row[by] >= start else 1))
    if without:
        rows = changed(rows, "flops", lambda row: 6 * row["params"] * row["tokens"])
    found = told(rows, *(name for name in without if name != "flops"))
    assert found, "named, if not always by the size and its factor"


def test_the_size_its_factor_and_where_are_told() -> None:
    rows = changed(log(), "depth", lambda row: row["depth"] * (2 if row["width"] >= 512 else 1))
    (caution,) = told(rows)
    assert caution.code == "broken-arithmetic"
    assert caution.message == (
        "'depth' seems to be 2 times what 'params' says, where 'width' is 512 or more: 36 of 72 rows "
        "(lines 37, 38, 39, 40, 41, ...)"
    )
    assert sp.fit(sp.read_runs(rows), law="separable", replicates=0).status == "untrusted"


@pytest.mark.parametrize(("factor", "code"), [(4 / 3, "flops-mismatch"), (0.5, "broken-arithmetic")])
def test_compute_that_is_counted_otherwise_in_a_part_is_named(factor: float, code: str) -> None:
    rows = changed(log(), "flops", lambda row: row["flops"] * (factor if row["depth"] >= 8 else 1))
    (caution,) = told(rows)
    assert caution.code == code
    assert "'flops over tokens' seems to be" in caution.message


def test_compute_that_is_a_running_sum_is_named() -> None:
    rows, total = log(), 0.0
    for row in rows:
        total += row["flops"]
        row["flops"] = total
    (caution,) = told(rows)
    assert caution.code == "broken-arithmetic"
    assert "the compute per token is no function of the shape: lines " in caution.message


@pytest.mark.parametrize("low", [0.3, 0.45])
def test_compute_over_a_utilization_is_named(low: float) -> None:
    top = max(row["width"] for row in log())
    rows = changed(log(), "flops", lambda row: row["flops"] / (low * (row["width"] / top) ** 0.2))
    (caution,) = told(rows)
    assert caution.code == "flops-mismatch"
    assert "times 6 x params x tokens, and without what attention and an output layer may add still " in caution.message


def test_fewer_parameters_than_matrices_are_named() -> None:
    (caution,) = told(changed(log(gated=True), "mlp_dim", lambda row: 3 * row["mlp_dim"]))
    assert caution.code == "params-mismatch"
    assert caution.message.startswith("every row: 'params' is 0.")


def test_parameters_that_follow_no_shape_are_doubted() -> None:
    rng = np.random.default_rng(0)
    noise = {(width, depth): 1 + 0.8 * rng.random() for width in WIDTHS for depth in DEPTHS}
    (caution,) = told(changed(log(), "params", lambda row: row["params"] * noise[row["width"], row["depth"]]))
    assert caution.code == "params-mismatch"
    assert "off what the other rows say that such a shape costs" in caution.message


def test_public_sweeps_count_alike() -> None:
    if not SHARED.is_dir():
        pytest.skip("the public sweeps lie beside the project")
    for path in sorted((SHARED / "sweeps").glob("*.csv")):
        assert not KINDS & {caution.code for caution in sp.read_runs(path).cautions}, path.name


@pytest.mark.parametrize("role", ["params", "total_params"])
@pytest.mark.parametrize("broken", [False, True])
def test_experts_are_how_often_a_part_is_there(role: str, broken: bool) -> None:
    rows = []
    for width in (256, 512, 1024):
        for depth in (4, 8, 16):
            for experts in (1, 4, 16, 64):
                active, total = (depth * width**2 * (4 + 8 * e) + 32_000 * width for e in (1, experts))
                for tokens in (1e9, 4e9, 1.6e10):
                    loss = 1.7 + 60 * width**-0.8 + 3 * depth**-1.1 + 300 * tokens**-0.3 + 0.3 * experts**-0.3
                    shape = {"run": f"r{len(rows)}", "width": width, "depth": depth, "num_experts": experts}
                    counts = {role: total, "tokens": tokens, "flops": 6 * active * tokens}
                    rows.append({**shape, **counts, "loss": loss})
    if broken:
        rows[7][role] *= 10
    runs = sp.read_runs(rows, dims=["width", "depth", "num_experts"])
    assert bool(KINDS & {caution.code for caution in runs.cautions}) is broken


def test_the_parameters_of_mixtures_are_extrapolated() -> None:
    def total(width: int, depth: int, experts: int) -> float:
        return depth * width**2 * (4 + 8 * experts) + 32_000 * width

    rows = []
    for width in (256, 512, 1024):
        for depth in (4, 8, 16):
            for experts in (1, 4, 16, 64):
                for tokens in (1e9, 4e9, 1.6e10):
                    loss = 1.7 + 60 * width**-0.8 + 3 * depth**-1.1 + 300 * tokens**-0.3 + 0.3 * experts**-0.3
                    shape = {"run": f"r{len(rows)}", "width": width, "depth": depth, "num_experts": experts}
                    flops = 6 * total(width, depth, 1) * tokens
                    counts = {"params": total(width, depth, experts), "tokens": tokens, "flops": flops}
                    rows.append({**shape, **counts, "loss": loss})
    fit = sp.fit(sp.read_runs(rows, dims=["width", "depth", "num_experts"]), law="separable", replicates=0)
    assert fit.cost is not None
    sizes = {"width": 2048.0, "depth": 24.0, "num_experts": 160.0}
    params = fit.cost.params(sizes)
    assert params is not None
    assert float(params) == pytest.approx(total(2048, 24, 160), rel=1e-3)
