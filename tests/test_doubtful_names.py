"""Columns whose names leave open what they hold: losses on several data, compute that is none, tokens in words."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import shapeplan as sp
from shapeplan.errors import InputError

SHAPES = [(width, depth) for width in (256, 512, 768) for depth in (4, 8, 12)]


def rows(**cells: object) -> list[dict[str, Any]]:
    """Return rows whose cells are as given, or worked out from the number of the row."""
    return [
        {"width": width, "depth": depth, "flops": 1e18 * (i + 1)}
        | {name: cell(i) if callable(cell) else cell for name, cell in cells.items()}
        for i, (width, depth) in enumerate(SHAPES)
    ]


def loss(i: int) -> float:
    return 3 - i / 50


def mistake(table: object, **options: Any) -> str:
    with pytest.raises(InputError) as raised:
        sp.read_runs(table, **options)  # type: ignore[arg-type]
    return str(raised.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("eval_c4_loss", "eval_wiki_loss"),
        ("val_loss_c4", "val_loss_books"),
        ("loss_c4", "loss_wiki"),
        ("macro_loss", "c4_loss"),
    ],
)
def test_of_losses_on_several_data_none_is_taken_for_its_name(one: str, other: str) -> None:
    for order in ((one, other), (other, one)):
        table = rows(**dict.fromkeys(order, loss))
        assert "are losses; say which: " in mistake(table)
        assert sp.read_runs(table, metric=order[0]).metric == order[0]


def test_a_count_a_byte_is_no_loss() -> None:
    assert sp.read_runs(rows(bits_per_byte=loss, tokens_per_byte=0.25)).metric == "bits_per_byte"


@pytest.mark.parametrize("beside", ["z_loss", "loss_std", "router_aux_loss", "predicted_loss", "loss_fn"])
def test_what_is_no_loss_of_a_run_does_not_compete(beside: str) -> None:
    assert sp.read_runs(rows(val_loss=loss, **{beside: 0.1})).metric == "val_loss"
    assert sp.read_runs(rows(ce_loss=loss, **{beside: 0.1})).metric == "ce_loss"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("MACs", "multiply-accumulates"),
        ("forward_macs", "multiply-accumulates"),
        ("GMACs", "multiply-accumulates"),
        ("FLOPs/GPU", "a rate"),
        ("compute_per_device", "a rate"),
    ],
)
def test_a_column_whose_name_says_that_it_is_not_the_compute_is_not_taken_for_it(name: str, why: str) -> None:
    table = [
        {**{key: cell for key, cell in row.items() if key != "flops"}, name: row["flops"]} for row in rows(loss=loss)
    ]
    assert f"its name is that of {why}" in mistake(table, columns={"flops": name})


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("B tokens", 1e9),
        ("tokensB", 1e9),
        ("mtokens", 1e6),
        ("tokens \u00d7 10\u2079", 1e9),
        ("data (B tokens)", 1e9),
        ("GTokens", 1e9),
    ],
)
def test_tokens_are_read_however_their_unit_is_written(name: str, scale: float) -> None:
    runs = sp.read_runs([{**row, name: (2.0 + i) * 1e9 / scale} for i, row in enumerate(rows(loss=loss))])
    assert runs.examples is not None
    assert runs.examples[0] == pytest.approx(2e9)


def test_a_price_of_tokens_is_no_count() -> None:
    runs = sp.read_runs([{**row, "cost ($/M tokens)": 2.0 + i} for i, row in enumerate(rows(loss=loss))])
    assert runs.examples is None


@pytest.mark.parametrize(("name", "told"), [("tok_GiB", True), ("tokens_per_s", False), ("tokenizer_size", False)])
def test_a_column_that_may_be_tokens_is_told(name: str, told: bool) -> None:
    runs = sp.read_runs([{**row, name: 2.0 + i} for i, row in enumerate(rows(loss=loss))])
    message = f"column {name!r} may be the tokens that runs saw, and is ignored"
    assert (message in [caution.message for caution in runs.cautions]) == told


def test_a_size_in_thousands_is_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("width,depth,mlp_dim,tokens,flops,loss\n256,4,1K,2B,1e18,3.1\n512,4,2K,2B,2e18,3.0\n")
    assert "column 'mlp_dim': K may be 1000 or 1024; write the number without it" in mistake(path)


def test_decimals_of_databases_are_numbers() -> None:
    table = rows(loss=loss)
    decimals = [{name: Decimal(str(cell)) for name, cell in row.items()} for row in table]
    assert sp.read_runs(decimals).observed().tolist() == sp.read_runs(table).observed().tolist()


@pytest.mark.parametrize("apart", [True, False])
def test_a_file_a_run_with_the_results_of_several_tasks(tmp_path: Path, apart: bool) -> None:
    for i, row in enumerate(rows(loss=loss)):
        value = row.pop("loss")
        results = {"wikitext": {"bits_per_byte,none": value, "alias": "wikitext"}, "c4": {"loss": value + 0.3}}
        run = {"config": row, "results": results} if apart else {**row, "results": results}
        (tmp_path / f"r{i}.json").write_text(json.dumps(run))
    both = "'results.wikitext.bits_per_byte,none' and 'results.c4.loss' are losses; say which"
    assert both in mistake(tmp_path)
    for metric, offset in (("c4.loss", 0.3), ("wikitext.bits_per_byte,none", 0.0)):
        runs = sp.read_runs(tmp_path, metric=metric)
        assert sorted(runs.observed()) == pytest.approx(sorted(loss(i) + offset for i in range(len(SHAPES))))
        assert runs.dims == ("width", "depth")


@pytest.mark.parametrize(
    ("width", "depth", "mlp"),
    [
        ("model.dim", "model.n_layers", "model.mlp.hidden_dim"),
        ("cfg/model/width", "cfg/model/depth", "cfg/model/feed_forward/dim"),
        ("config.net.dim", "config.net.layers", "config.net.ffn.hidden_size"),
    ],
)
def test_a_width_of_the_mlp_is_its_dim(width: str, depth: str, mlp: str) -> None:
    """The name of the MLP's is the surer one, and was taken for the width of the model."""
    sizes = [(256, 4, 768), (320, 6, 1280), (384, 8, 1024), (512, 5, 1536)]
    rows = [
        {width: w, depth: d, mlp: m, "model.mlp.num_layers": 2, "flops": 10.0**k, "loss": 3 - k / 20}
        for (w, d, m), k in zip(sizes, (15, 16, 17, 18), strict=True)
    ]
    runs = sp.read_runs(rows)
    assert [tuple(int(runs.values(dim)[i]) for dim in ("width", "depth", "mlp_dim")) for i in range(4)] == sizes


def test_a_width_of_the_mlp_alone_is_no_width() -> None:
    rows = [{"mlp.hidden_dim": 512 * k, "n_layers": 2 * k, "flops": 1e15 * k, "loss": 3 - k / 20} for k in range(1, 6)]
    assert set(sp.read_runs(rows).dims) == {"depth", "mlp_dim"}
