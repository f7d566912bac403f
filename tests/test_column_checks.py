"""Columns that matter: what would give a wrong answer is an error with its mend, what may is a coded warning."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Program, fit
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


def counted(family: dict[str, Any], row: dict[str, Any], convention: str = "training") -> tuple[float, float]:
    """Return the FLOPs of an example and the parameters of a row under an architecture."""
    model = sp.architecture(family).model({dim: int(row[dim]) for dim in ("width", "depth", "mlp_dim")})
    return float(model.flops(convention) / model.examples_per_input), float(model.params)


def test_rows_may_say_settings_of_the_architecture_each_for_itself(tmp_path: Path) -> None:
    """Heads, patch, image and sequence length of a row are counted as it says."""
    decoder = {"family": "decoder", "vocab": 8192, "seq": 512, "head_dim": 64, "qk_norm": "head"}
    vit = {"family": "vit", "patch": 16, "image": 224, "heads": 4}
    lines: list[dict[str, Any]] = [
        {**{key: row[key] for key in ("run", "width", "depth", "mlp_dim", "loss")}, "tokens": row["tokens"]}
        for row in rows()
    ]
    for name, family, said in (
        ("seq_len", decoder, {"seq": [256, 512, 1024]}),
        ("n_heads", {**decoder, "heads": 4}, {"heads": [4, 8, 16]}),
        ("patch_size", vit, {"patch": [14, 16, 32]}),
        ("resolution", vit, {"image": [224, 448, 112]}),
    ):
        ((setting, values),) = said.items()
        table = [{**row, name: values[i % 3]} for i, row in enumerate(lines)]
        if family is vit:
            table = [{("examples" if key == "tokens" else key): cell for key, cell in row.items()} for row in table]
        (tmp_path / "config.yaml").write_text(f"architecture: {json.dumps(family)}\n")
        runs = sp.read_runs(write(tmp_path, table), config=tmp_path / "config.yaml")
        exact = [counted({**family, setting: row[name]}, row) for row in table]
        assert runs.examples is not None
        assert runs.params is not None
        np.testing.assert_allclose(runs.flops / runs.examples, [flops for flops, _ in exact], rtol=1e-12)
        np.testing.assert_allclose(runs.params, [params for _, params in exact], rtol=1e-12)
        assert any(note.startswith(f"{setting} of every row (") for note in runs.notes)
        assert not any("ignored" in note for note in runs.notes)


def test_rows_of_another_vocabulary_than_the_architecture_are_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(DECODER)
    path = write(tmp_path, with_column("vocab_size", lambda i, row: 8192 if i % 2 else 50257))
    message = r"the vocab is 50257 here, and 8192 in the architecture .* `where='vocab_size=8192'`"
    with pytest.raises(InputError, match=message):
        sp.read_runs(path, config=config)
    kept = sp.read_runs(path, config=config, selection=sp.Selection(where=("vocab_size=8192",)))
    assert 0 < len(kept) < len(rows())
    assert len(kept) + len(kept.dropped) == len(rows())


def test_of_many_ignored_columns_those_that_vary_are_named(tmp_path: Path) -> None:
    constant = {f"extra{i}": 7 for i in range(9)}
    path = write(tmp_path, [{**row, **constant, "note": i} for i, row in enumerate(rows())])
    assert "columns without a role in the law: note; and 9 that are the same in every row" in sp.read_runs(path).notes


def test_experts_are_no_dense_model(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(DECODER)
    path = write(tmp_path, with_column("num_experts", lambda i, row: 8 if i % 2 else 1))
    with pytest.raises(InputError, match="a mixture of experts, counted as a dense model"):
        sp.read_runs(path, config=config)
    assert "unread-column" in codes(sp.read_runs(path))


def test_an_accuracy_is_not_minimized(tmp_path: Path) -> None:
    path = write(tmp_path, [{**row, "val_acc": 1 / row["loss"]} for row in rows()])
    with pytest.raises(InputError, match="'val_acc' is an accuracy, and would be minimized; `higher_is_better`"):
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
    assert "`best_of=lr" in caution.hint
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


def simulated(depths: tuple[int, ...], tokens: tuple[float, ...], noise: float = 0.002) -> list[dict[str, float | str]]:
    """Return rows of widths and depths under an additive law, with noise from seed 3."""
    rng = np.random.default_rng(3)
    table: list[dict[str, float | str]] = []
    for width in (128, 192, 256, 384, 512, 768):
        for depth in depths:
            name = f"r{len(table)}"
            for seen in tokens:
                loss = 1.7 + 60 * width**-0.9 + 2 * depth**-1.2 + 900 * max(seen, 1e5) ** -0.38
                loss *= float(np.exp(noise * rng.standard_normal()))
                flops = 72 * width**2 * depth * seen
                row = {"width": width, "depth": depth, "tokens": seen, "flops": flops, "loss": loss}
                table.append({"run": name, **row})
    return table


def test_a_dimension_of_two_values_stays_at_one_of_them(tmp_path: Path, program: Program) -> None:
    table = simulated((4, 8), (2e7, 8e7, 3.2e8, 1.28e9))
    path = write(tmp_path, table)
    found = fit(sp.read_runs(path), law="auto", replicates=0)
    assert found.dimensions.free == ("width",)
    assert found.dimensions.fixed == {"depth": 8.0}
    assert {caution.code for caution in found.cautions} >= {"two-values"}
    assert len(found.dropped) == 24
    assert {row.reason for row in found.dropped} == {"depth is 4, one of two values"}
    alone = fit(sp.read_runs(write(tmp_path, [row for row in table if row["depth"] == 8], "8.csv")), replicates=0)
    assert found.law.constants == pytest.approx(alone.law.constants, rel=1e-9)
    told = program("check", path).stderr
    where = re.search(r"--where '(depth=4)'", told)
    assert where
    assert (
        fit(sp.read_runs(path, selection=sp.Selection(where=(where[1],))), replicates=0).dimensions.fixed["depth"] == 4
    )


def test_rows_of_step_zero_are_named_once(tmp_path: Path) -> None:
    table = simulated((2, 4, 8), (0.0, 2e7, 8e7))
    path = write(tmp_path, table)
    with pytest.raises(InputError) as caught:
        sp.read_runs(path)
    details = caught.value.details
    assert [(found.code, found.line, found.column) for found in details] == [("step-zero", 2, "tokens")]
    assert "in 17 rows below: a row of step 0, before any training; `where='tokens>0'`" in str(details[0])
    assert len(sp.read_runs(path, selection=sp.Selection(where=("tokens>0",)))) == 36
    last = sp.read_runs(path, selection=sp.Selection(last_point=True))
    assert len(last) == 18
    assert set(last.observed()) == {row["loss"] for row in table if row["tokens"] == 8e7}


def test_an_error_rate_that_starts_at_chance_is_told_with_a_floor(tmp_path: Path) -> None:
    table = [
        {**row, "error": min(0.9, float(row["loss"]) / 9)} for row in simulated((2, 4, 8), (1e5, 1e6, 2e7, 8e7, 3.2e8))
    ]
    path = write(tmp_path, [{name: cell for name, cell in row.items() if name != "loss"} for row in table])
    runs = sp.read_runs(path, metric="error")
    (caution,) = [caution for caution in runs.cautions if caution.code == "starts-at-chance"]
    where = re.search(r"`where='(.*?)'`", str(caution))
    assert where
    kept = sp.read_runs(path, metric="error", selection=sp.Selection(where=(where[1],)))
    assert (kept.observed() == 0.9).sum() < (runs.observed() == 0.9).sum() / 2
    assert not [caution for caution in kept.cautions if caution.code == "starts-at-chance"]


def test_params_without_the_input_embedding_are_named_so(tmp_path: Path) -> None:
    decoder = {"family": "gpt2", "vocab": 50257, "seq": 1024, "heads": 8, "positions": 0, "tied": False}
    body = f"architecture: {json.dumps(decoder)}\nruns:\n"
    for width in (128, 256, 512):
        for depth in (2, 4):
            exact = sp.architecture(decoder).model({"width": width, "depth": depth, "mlp_dim": 4 * width}).params
            row = {"width": width, "depth": depth, "mlp_dim": 4 * width, "params": int(exact) - 50257 * width}
            body += f"  - {json.dumps({**row, 'tokens': 10**9, 'loss': 3.0 + depth / 100})}\n"
    (tmp_path / "log.yaml").write_text(body)
    (caution,) = [c for c in sp.read_runs(tmp_path / "log.yaml").cautions if c.code == "params-mismatch"]
    assert "look like parameters without the input embedding" in caution.message
    assert caution.hint.startswith("remove the column to have them counted exactly")


def test_shape_params_and_compute_give_tokens_with_a_warning(tmp_path: Path) -> None:
    table = [{key: cell for key, cell in row.items() if key != "tokens"} for row in rows()]
    runs = sp.read_runs(write(tmp_path, table))
    assert codes(runs) == {"tokens-derived"}
    assert runs.examples is not None
    np.testing.assert_allclose(runs.examples, [row["tokens"] for row in rows()], rtol=1e-9)


def test_a_rate_and_a_setting_may_be_named_by_hand(tmp_path: Path) -> None:
    table = []
    for row in rows():
        table += [
            {**row, "run": f"{row['run']}-{k}", "opt.eta": 10.0**-k, "loss": row["loss"] + k / 100} for k in (2, 3)
        ]
    path = write(tmp_path, table)
    runs = sp.read_runs(path, columns={"lr": "opt.eta"})
    assert "recipe-varies" in codes(runs)
    best = sp.read_runs(path, columns={"lr": "opt.eta"}, selection=sp.Selection(best_of=("lr",)))
    assert len(best) == len(rows())
    np.testing.assert_array_equal(best.observed(), [row["loss"] + 0.02 for row in rows()])
    config = tmp_path / "config.yaml"
    config.write_text(DECODER)
    said = write(tmp_path, [{**row, "ctx": 256 * (1 + i % 2)} for i, row in enumerate(rows())], "ctx.csv")
    found = sp.read_runs(said, config=config, columns={"seq": "ctx"})
    assert any(note.startswith("seq of every row (256 to 512)") for note in found.notes)


def test_operations_a_second_are_no_compute(tmp_path: Path) -> None:
    table = [
        {**{k: v for k, v in row.items() if k != "params"}, "flops": 180e12 + i * 1e11} for i, row in enumerate(rows())
    ]
    path = write(tmp_path, [{("perf/tflops" if k == "flops" else k): v for k, v in row.items()} for row in table])
    path.write_text(path.read_text().replace("e+", "e"))
    scaled = [{**row, "perf/tflops": row.pop("flops") / 1e12} for row in table]
    with pytest.raises(InputError, match=r"whatever was trained: a rate; .*`columns=flops=6ND`"):
        sp.read_runs(write(tmp_path, scaled))
    with pytest.raises(InputError, match="the rows say no compute"):
        sp.read_runs(write(tmp_path, scaled), columns={"flops": "none"})


def test_units_at_the_end_of_a_name(tmp_path: Path) -> None:
    table = [{**row, "tokens": row["tokens"] / 1e6, "params": row["params"] / 1e9} for row in rows()]
    renamed_ = [{{"tokens": "tokens_M", "params": "Params B"}.get(k, k): v for k, v in row.items()} for row in table]
    runs = sp.read_runs(write(tmp_path, renamed_))
    assert runs.examples is not None
    np.testing.assert_allclose(runs.examples, [row["tokens"] for row in rows()], rtol=1e-9)
    assert codes(runs) == set()
    few = write(tmp_path, [{k: v for k, v in row.items() if k != "params"} for row in table])
    with pytest.raises(InputError, match="it would fit params or tokens in millions"):
        sp.read_runs(few)


def test_the_likely_role_of_a_size_is_offered(tmp_path: Path) -> None:
    path = write(tmp_path, [{("my_ff_size2" if k == "mlp_dim" else k): v for k, v in row.items()} for row in rows()])
    (caution,) = [caution for caution in sp.read_runs(path).cautions if caution.code == "unread-column"]
    assert "`columns=mlp_dim='my_ff_size2'`" in str(caution)


def test_a_size_that_dims_leave_out_is_named_and_no_row_is_blamed(tmp_path: Path) -> None:
    path = write(tmp_path, with_column("mlp_dim", lambda i, row: row["width"] * (2 + 2 * (i % 2))))
    (caution,) = sp.read_runs(path, dims=["width", "depth"]).cautions
    assert caution.code == "unread-column"
    assert caution.message == (
        "column 'mlp_dim' varies (384 to 2048) among rows of one shape, and `dims` leaves it out"
    )
    assert "`dims=width,depth,mlp_dim`" in caution.hint
    told = with_column("mlp_dim", lambda i, row: row["width"] * 4)
    assert "unread-column" not in codes(sp.read_runs(write(tmp_path, told), dims=["width", "depth"]))


def test_a_width_may_be_heads_times_their_size(tmp_path: Path) -> None:
    table = [
        {**{k: v for k, v in row.items() if k != "width"}, "n_heads": row["width"] / 64, "head_dim": 64}
        for row in rows()
    ]
    runs = sp.read_runs(write(tmp_path, [{k: v for k, v in row.items() if k != "heads"} for row in table]))
    np.testing.assert_array_equal(runs.shape, sp.read_runs(LOGS / "plain.csv").shape)
    assert "width is 'n_heads' x 'head_dim'" in runs.notes


def test_hidden_dim_beside_dim_is_that_of_the_mlp(tmp_path: Path) -> None:
    table = [{{"width": "dim", "mlp_dim": "hidden_dim"}.get(k, k): v for k, v in row.items()} for row in rows()]
    np.testing.assert_array_equal(sp.read_runs(write(tmp_path, table)).shape, sp.read_runs(LOGS / "plain.csv").shape)


@pytest.mark.parametrize("other", ["val_loss", "valid.loss", "eval_ppl"])
def test_a_plain_loss_beside_one_that_was_held_out_is_a_question(tmp_path: Path, other: str) -> None:
    with pytest.raises(InputError, match=rf"`metric=loss` or `metric={re.escape(other)}`"):
        sp.read_runs(write(tmp_path, [{**row, other: row["loss"]} for row in rows()]))


@pytest.mark.parametrize("column", ["log10_flops", "log10(FLOPs)", "flops_per_token", "perf/FLOPs/s"])
def test_a_logarithm_or_a_rate_is_no_count_even_by_hand(tmp_path: Path, column: str) -> None:
    path = write(tmp_path, [{(column if k == "flops" else k): v for k, v in row.items()} for row in rows()])
    with pytest.raises(InputError, match=r"its name is that of a (logarithm|rate); give the"):
        sp.read_runs(path, columns={"flops": column})


@pytest.mark.parametrize("name", ["n_state", "Breite", "E"])
def test_a_width_under_any_name_is_named_where_the_log_has_none(name: str) -> None:
    table = [{name if key == "width" else key: value for key, value in row.items()} for row in rows()]
    told = [str(caution) for caution in sp.read_runs(table).cautions if caution.code == "unread-column"]
    assert len(told) == 1
    assert f"columns=width='{name}'" in told[0]


def test_a_depth_called_like_a_loss_is_named() -> None:
    table = [{"L" if key == "depth" else key: value for key, value in row.items()} for row in rows()]
    assert "columns=depth='L'" in "".join(str(caution) for caution in sp.read_runs(table).cautions)


@pytest.mark.parametrize("other", ["d_model", "model.hidden_size"])
def test_two_columns_of_one_dimension_that_differ_are_a_question(other: str) -> None:
    twice = with_column(other, lambda i, row: 2 * row["width"])
    with pytest.raises(InputError, match=f"'width' and '{other}' both mean width, and differ; say which"):
        sp.read_runs(twice)
    assert sp.read_runs(twice, columns={"width": "width"}).dims == ("width", "depth", "mlp_dim")
    assert codes(sp.read_runs(with_column(other, lambda i, row: row["width"]))) == set()


@pytest.mark.parametrize(("factor", "what"), [(2, "forward FLOPs"), (1, "MACs of forward passes")])
def test_forward_compute_without_an_architecture_is_named(factor: int, what: str) -> None:
    table = [{**row, "flops": factor * row["params"] * row["tokens"]} for row in rows()]
    told = [caution.message for caution in sp.read_runs(table).cautions if caution.code == "flops-mismatch"]
    assert told == [f"the compute is {factor} x params x tokens in every row: {what}, taken as training FLOPs"]
    assert codes(sp.read_runs(table, flops_convention="forward")) == set()


@pytest.mark.parametrize(
    "state", ["STOPPED", "TIMEOUT", "early-stopped", "OUT_OF_MEMORY", "CANCELLED by 1000", "abgebrochen"]
)
@pytest.mark.parametrize("column", ["State", "wandb_state", "run.status"])
def test_beside_a_run_that_finished_every_other_state_is_none(column: str, state: str) -> None:
    table = with_column(column, lambda i, row: state if i == 3 else "Finished")
    with pytest.raises(InputError, match=f"the run is {state}: its loss is not final; `where='{column}=Finished'`"):
        sp.read_runs(table)


def test_a_status_that_is_no_end_of_a_run_is_none() -> None:
    assert codes(sp.read_runs(with_column("status", lambda i, row: "pretrain" if i % 2 else "tuned"))) == set()


@pytest.mark.parametrize(
    ("column", "header", "scale"),
    [
        ("flops", "FLOPs / 1e18", 1e18),
        ("flops", "FLOPs x 1e18", 1e18),
        ("flops", "flops_1e18", 1e18),
        ("tokens", "tokens_in_B", 1e9),
        ("tokens", "Tokens in billions", 1e9),
        ("tokens", "Tokens, B", 1e9),
    ],
)
def test_units_without_brackets_are_read(column: str, header: str, scale: float) -> None:
    table = [
        {header if key == column else key: value / scale if key == column else value for key, value in row.items()}
        for row in rows()
    ]
    runs, plain = sp.read_runs(table), sp.read_runs(LOGS / "plain.csv")
    assert runs.flops == pytest.approx(plain.flops, rel=1e-12)
    assert runs.examples == pytest.approx(plain.examples, rel=1e-12)
    assert codes(runs) == set()


def test_experts_without_an_architecture_are_a_warning(tmp_path: Path) -> None:
    runs = sp.read_runs(write(tmp_path, with_column("num_experts", lambda i, row: 8)))
    assert [c.message for c in runs.cautions if c.code == "unread-column"] == [
        "column 'num_experts' counts experts (8 in every row), and is ignored: a plan is of such mixtures"
    ]
    assert "unread-column" not in codes(sp.read_runs(write(tmp_path, with_column("num_experts", lambda i, row: 1))))


@pytest.mark.parametrize("name", ["world_size", "num_gpus", "n_devices", "gradient_accumulation_steps", "grad_accum"])
def test_a_batch_that_may_be_of_one_device_is_told(name: str) -> None:
    def table(count: int) -> list[dict[str, Any]]:
        return [
            {**{key: cell for key, cell in row.items() if key not in ("tokens", "flops")}, name: count}
            | {"steps": round(row["tokens"] / 1024), "batch_size": 1024, "flops": row["flops"]}
            for row in rows()
        ]

    found = sp.read_runs(table(8)).cautions
    assert [caution.message for caution in found if caution.code == "unread-column"] == [
        f"'batch_size' may be that of one of 8: column {name!r} is ignored"
    ]
    assert "unread-column" not in codes(sp.read_runs(table(1)))
    assert "unread-column" not in codes(sp.read_runs(with_column(name, lambda i, row: 8))), "tokens are logged"


def test_steps_are_whole() -> None:
    table = [{**row, "steps": row["tokens"] / 1e3 + 0.25} for row in rows()]
    with pytest.raises(InputError, match=r"'steps': .* is no number of steps; if they are thousands, say so"):
        sp.read_runs(table)
    sp.read_runs([{**row, "steps (k)": row["tokens"] / 1e6} for row in rows()])


@pytest.mark.parametrize("name", ["mean", "Average", "Grand Total", "std", "median", "min"])
def test_a_row_that_sums_up_others_is_refused(name: str) -> None:
    table = rows()
    with pytest.raises(InputError, match=f"the row seems to be computed over others; `where='run!={name}'` leaves"):
        sp.read_runs([*table, {**table[-1], "run": name, "width": 480.5}])
    assert len(sp.read_runs([{**row, "run": f"{name}-{i}"} for i, row in enumerate(table)])) == len(table)


def test_a_dimension_that_no_column_is_stays_none() -> None:
    runs = sp.read_runs(rows(), columns={"width": "none"})
    assert "width" not in runs.dims
    assert not [caution for caution in runs.cautions if caution.hint and "'width'" in caution.hint]


def test_accuracies_that_fall_are_told_with_what_was_said() -> None:
    runs = sp.read_runs(rows(), higher_is_better=True)
    (hint,) = [caution.hint for caution in runs.cautions if caution.code == "metric-rises"]
    assert hint == "so it is with `higher_is_better`: leave that out if the column is a loss"


@pytest.mark.parametrize("cell", ["9" * 400, 10**400])
def test_a_number_that_none_holds_is_no_diverged_run(cell: Any) -> None:
    table = rows()
    table[3]["width"] = cell
    with pytest.raises(InputError, match="is beyond what a number holds; check the cell"):
        sp.read_runs(table)


def test_steps_without_a_batch_ask_for_it() -> None:
    table = [
        {key: cell for key, cell in row.items() if key not in ("tokens", "flops")} | {"steps": 100} for row in rows()
    ]
    with pytest.raises(InputError, match="steps count with a batch size, which `columns=batch_size=NAME` names"):
        sp.read_runs(table)


def test_blanks_around_a_header_are_seen_by_nobody() -> None:
    table = [{f" {key} " if key == "width" else key: cell for key, cell in row.items()} for row in rows()]
    assert sp.read_runs(table, columns={"width": "width"}).dims == ("width", "depth", "mlp_dim")


@pytest.mark.parametrize("word", ["None", "null", "#N/A", "#DIV/0!", "NA", "\u2014", "-"])
def test_words_for_nothing_are_empty_metrics(word: str) -> None:
    table = rows()
    table[5]["loss"] = word
    with pytest.raises(InputError, match=f"{re.escape(repr(word))} is not a number; `drop_nonfinite` leaves such rows"):
        sp.read_runs(table)
    assert len(sp.read_runs(table, selection=sp.Selection(drop_nonfinite=True))) == len(table) - 1


def test_words_for_a_failure_are_left_out_by_name() -> None:
    table = rows()
    table[5]["loss"] = "OOM"
    with pytest.raises(InputError, match="'OOM' is not a number; `where='loss!=OOM'` leaves such rows out"):
        sp.read_runs(table)
    assert len(sp.read_runs(table, selection=sp.Selection(where=("loss!=OOM",)))) == len(table) - 1


@pytest.mark.parametrize("name", ["non_embedding_params", "params_without_embeddings", "num_params_layers"])
def test_a_count_of_parameters_is_no_size(name: str) -> None:
    assert "unread-column" not in codes(sp.read_runs(with_column(name, lambda i, row: 0.9 * row["params"] + i % 5)))
