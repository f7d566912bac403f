"""Columns that matter: what would give a wrong answer is an error with its mend, what may is a coded warning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_logs import LOGS, renamed, rows, write

import shapeplan as sp
from shapeplan.errors import InputError

DECODER = "architecture: {family: decoder, vocab: 8192, seq: 512, head_dim: 64}\n"


def codes(runs: sp.Runs) -> set[str]:
    return {caution.code for caution in runs.cautions}


def with_column(name: str, values: Any) -> list[dict[str, Any]]:
    return [{**row, name: values(i, row)} for i, row in enumerate(rows())]


def test_the_plain_log_raises_none_of_them() -> None:
    assert codes(sp.read_runs(LOGS / "plain.csv")) == set()


def test_flops_of_one_image_are_refused(tmp_path: Path) -> None:
    table = [{**row, "flops": 2 * row["params"] * 196} for row in rows()]
    for row in table:
        del row["tokens"]
    with pytest.raises(InputError, match="looks like that of one example; give the compute of the whole run"):
        sp.read_runs(write(tmp_path, table))


@pytest.mark.parametrize(
    ("params", "tokens", "flops", "mend"),
    [
        (1e6, 1e9, 1, "params in millions and tokens in billions"),
        (1e6, 1, 1, "params or tokens in millions"),
        (1, 1e9, 1, "params or tokens in billions"),
        (1, 1, 1e12, r"flops \(1e12\)"),
    ],
)
def test_units_that_cannot_be_are_named(tmp_path: Path, params: float, tokens: float, flops: float, mend: str) -> None:
    table = [
        {**row, "params": row["params"] / params, "tokens": row["tokens"] / tokens, "flops": row["flops"] / flops}
        for row in rows()
    ]
    with pytest.raises(InputError, match=mend):
        sp.read_runs(write(tmp_path, table))


def test_rows_of_another_sequence_length_than_the_architecture_are_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(DECODER)
    path = write(tmp_path, with_column("seq_len", lambda i, row: 512 if i % 2 else 1024))
    with pytest.raises(InputError, match=r"the seq is 1024 here, and 512 in the architecture .* --where 'seq_len=512'"):
        sp.read_runs(path, config=config)
    kept = sp.read_runs(path, config=config, selection=sp.Selection(where=("seq_len=512",)))
    assert 0 < len(kept) < len(rows())
    assert len(kept) + len(kept.dropped) == len(rows())


def test_experts_are_no_dense_model(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(DECODER)
    path = write(tmp_path, with_column("num_experts", lambda i, row: 8 if i % 2 else 1))
    with pytest.raises(InputError, match="a mixture of experts, counted as a dense model"):
        sp.read_runs(path, config=config)
    assert "unread-column" in codes(sp.read_runs(path))


def test_an_accuracy_is_not_minimized(tmp_path: Path) -> None:
    path = write(tmp_path, [{**row, "val_acc": 1 / row["loss"]} for row in rows()])
    with pytest.raises(InputError, match="'val_acc' is an accuracy, and would be minimized; --higher-is-better"):
        sp.read_runs(path, metric="val_acc")
    assert sp.read_runs(path, metric="val_acc", higher_is_better=True).metric == "1 - val_acc"
    nameless = write(tmp_path, [{**row, "quality": 1 / row["loss"]} for row in rows()], "other.csv")
    assert "metric-rises" in codes(sp.read_runs(nameless, metric="quality"))


def test_a_size_without_a_role_is_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path, renamed("depth", "n_stages"))
    (caution,) = sp.read_runs(path).cautions
    assert caution.code == "unread-column"
    assert "column 'n_stages' looks like a size of the model, varies (3 to 12), and is ignored" in caution.message
    assert sp.read_runs(path, columns={"depth": "n_stages"}).dims == ("width", "depth", "mlp_dim")


@pytest.mark.parametrize("name", ["seed", "runtime", "num_gpus", "epoch", "eval_steps"])
def test_what_is_no_size_is_not(tmp_path: Path, name: str) -> None:
    assert codes(sp.read_runs(write(tmp_path, with_column(name, lambda i, row: i + 1)))) == set()


def test_a_recipe_that_varies_is_named_and_the_best_of_it_kept(tmp_path: Path) -> None:
    table = [
        {**row, "run": f"{row['run']}-{lr}", "lr": lr, "loss": row["loss"] * worse}
        for row in rows()
        for lr, worse in ((0.001, 1.0), (0.01, 1.02))
    ]
    path = write(tmp_path, table)
    (caution,) = sp.read_runs(path).cautions
    assert caution.code == "recipe-varies"
    assert "--best-of lr" in caution.hint
    best = sp.read_runs(path, selection=sp.Selection(best_of=("lr",)))
    plain = sp.read_runs(LOGS / "plain.csv")
    assert sorted(best.observed().tolist()) == sorted(plain.observed().tolist())
    assert len(best.dropped) == len(plain)
    assert codes(best) == set()


def test_tokens_that_are_not_logged_are_derived_with_a_warning(tmp_path: Path) -> None:
    table = [{name: row[name] for name in ("params", "flops", "loss")} for row in rows()]
    assert codes(sp.read_runs(write(tmp_path, table))) == {"tokens-derived"}


@pytest.mark.parametrize("name", ["model", "layer", "hidden"])
def test_a_log_of_params_may_have_any_other_column(tmp_path: Path, name: str) -> None:
    table = [
        {name: f"m{i}", **{key: row[key] for key in ("params", "tokens", "flops", "loss")}}
        for i, row in enumerate(rows())
    ]
    assert sp.read_runs(write(tmp_path, table)).dims == ()
