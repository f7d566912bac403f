"""Logs as exporters and people write them: each reads as the plain log, with no argument or one that an error told."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import Program, fit

import shapeplan as sp
from shapeplan.errors import InputError

LOGS = Path(__file__).parent / "logs"
FORMATS: dict[str, list[str]] = {
    "wandb_table.csv": [],
    "wandb_crashed.csv": ["--where", "State=finished"],
    "wandb_api.jsonl": [],
    "mlflow_search_runs.csv": [],
    "excel_europe_cp1252.csv": [],
    "sheet_suffixes_utf16.csv": [],
    "unit_row.tsv": [],
    "comments.csv.gz": [],
    "plain.csv.xz": [],
    "plain.csv.zst": [],
    "plain.xlsx": [],
    "plain.parquet": [],
    "pandas_index.csv": [],
    "pf_days.csv": [],
    "part1.csv part2.csv": [],
    "notes.md": [],
    "printed_frame.txt": [],
    "trainer": [],
    "big_vision": ["--metric", "val/loss"],
    "levanter": [],
    "nanogpt": ["--column", "flops=6ND"],
    "nanochat": [],
    "wandb_offline": ["--metric", "summary.eval/loss"],
    "mlflow.db": [],
    "mlruns": [],
    "tensorboard": ["--metric", "val/loss", "--column", "flops=6ND"],
}
NEEDS = {
    **{"wandb_offline": "wandb", "tensorboard": "tensorboard"},
    **{"plain.csv.zst": "zstandard", "plain.xlsx": "openpyxl", "plain.parquet": "pyarrow"},
}
"""Libraries of the extra `import` by the log that cannot be read without."""


def read(names: str, arguments: list[str]) -> sp.Runs:
    if names in NEEDS:
        pytest.importorskip(NEEDS[names])
    options: dict[str, Any] = {}
    for flag, value in zip(arguments[::2], arguments[1::2], strict=True):
        if flag == "--metric":
            options["metric"] = value
        elif flag == "--where":
            options["selection"] = sp.Selection(where=(value,))
        else:
            options["columns"] = dict([value.split("=", 1)])
    return sp.read_runs([LOGS / name for name in names.split(" ")], **options)


def assert_same(runs: sp.Runs, plain: sp.Runs, tolerance: float = 1e-9) -> None:
    assert runs.dims == plain.dims
    np.testing.assert_array_equal(runs.shape, plain.shape)
    np.testing.assert_allclose(runs.flops, plain.flops, rtol=tolerance)
    np.testing.assert_allclose(runs.observed(), plain.observed(), rtol=tolerance)
    assert runs.examples is not None
    assert plain.examples is not None
    np.testing.assert_allclose(runs.examples, plain.examples, rtol=tolerance)
    if runs.params is not None:
        np.testing.assert_allclose(runs.params, plain.params, rtol=tolerance)
    assert len(runs.run_names) == len(plain.run_names)


def test_every_format_has_a_file() -> None:
    named = {name for names in FORMATS for name in names.split(" ")} | {"plain.csv", "write.py", "write_with_tools.py"}
    assert {path.name for path in LOGS.iterdir() if path.name != "__pycache__"} == named


@pytest.mark.parametrize("names", FORMATS)
def test_a_log_reads_as_the_plain_one(names: str) -> None:
    runs, plain = read(names, FORMATS[names]), sp.read_runs(LOGS / "plain.csv")
    if len(runs) < len(plain):
        # Logs of a file a run hold the first runs; MLflow orders them by its own ids.
        plain = plain.take(np.arange(len(plain)) < len(runs))
    assert_same(*(each.take(np.lexsort((each.flops, *each.shape.T))) for each in (runs, plain)))


@pytest.mark.parametrize("names", ["wandb_table.csv", "trainer", "excel_europe_cp1252.csv"])
def test_its_fit_is_that_of_the_plain_one(names: str) -> None:
    plain = fit(sp.read_runs(LOGS / "plain.csv"), law="additive", replicates=0).law.constants
    found = fit(read(names, FORMATS[names]), law="additive", replicates=0).law.constants
    for name, value in plain.items():
        assert found[name] == pytest.approx(value, rel=1e-9), name


def test_the_logs_beside_the_project(shared: Path) -> None:
    """With the arguments that a user may be asked for, as ``expect.json`` has them."""
    folder = shared / "logs"
    plain = sp.read_runs(folder / "canonical.csv")
    for names, arguments in json.loads((folder / "expect.json").read_text()).items():
        options: dict[str, Any] = {}
        if "--metric" in arguments:
            options["metric"] = arguments[arguments.index("--metric") + 1]
        if "--where" in arguments:
            options["selection"] = sp.Selection(where=(arguments[arguments.index("--where") + 1],))
        assert_same(sp.read_runs([folder / name for name in names.split(" ")], **options), plain)


@pytest.mark.parametrize("names", [name for name in FORMATS if FORMATS[name]])
def test_what_is_needed_is_told(program: Program, names: str) -> None:
    """Every argument is one that the error without it prints."""
    logs, given = [LOGS / name for name in names.split(" ")], list[str]()
    if names in NEEDS:
        pytest.importorskip(NEEDS[names])
    for flag, value in zip(FORMATS[names][::2], FORMATS[names][1::2], strict=True):
        done = program("check", *logs, *given)
        assert done.returncode == 1
        assert f"{flag} {value}" in done.stderr.replace("'", "")
        given += [flag, value]
    done = program("check", *logs, *given)
    assert done.returncode == 0, done.stderr


def rows() -> list[dict[str, Any]]:
    lines = (LOGS / "plain.csv").read_text().splitlines()
    header = lines[0].split(",")
    return [
        {name: cell if name == "run" else float(cell) for name, cell in zip(header, line.split(","), strict=True)}
        for line in lines[1:]
    ]


def write(folder: Path, table: list[dict[str, Any]], name: str = "log.csv") -> Path:
    path = folder / name
    header = list(table[0])
    body = "\n".join(",".join(str(row[column]) for column in header) for row in table)
    path.write_text(",".join(header) + "\n" + body + "\n")
    return path


def renamed(old: str, new: str) -> list[dict[str, Any]]:
    return [{new if name == old else name: cell for name, cell in row.items()} for row in rows()]


@pytest.mark.parametrize(
    ("old", "names"),
    [
        (
            "width",
            [
                "hiddenSize",
                "decoder_embed_dim",
                "base_emb_dim",
                "Hidden dimension",
                "d_model",
                "dim",
                "emb_dim",
                "config.model.hidden_size",
                "model/n_embd",
                "Embedding Dim",
            ],
        ),
        (
            "depth",
            [
                "numLayers",
                "decoder_layers",
                "transformer_depth",
                "num_blocks",
                "n_blocks",
                "Num Layers",
                "params.n_layer",
                "cfg.arch.num_hidden_layers.value",
            ],
        ),
        (
            "mlp_dim",
            [
                "feed_forward_size",
                "encoder_ffn_dim",
                "FFN hidden dimension",
                "dim_feedforward",
                "ffn",
                "ffn_hidden_size",
                "MLP-dim",
                "d_mlp",
            ],
        ),
        (
            "tokens",
            [
                "n_tokens_processed_total",
                "Dataset size (tokens)",
                "consumed_train_tokens",
                "train_tokens",
                "tokens_trained",
                "num_input_tokens_seen",
                "summary.train/total_tokens",
                "D",
            ],
        ),
        ("params", ["N", "parameter_count", "Num Params", "total_params"]),
        ("flops", ["C", "total_training_flops", "compute", "total_flos", "FLOPs", "training_compute"]),
        (
            "loss",
            [
                "valLoss",
                "eval/c4/CrossEntropyLoss",
                "best_val_loss",
                "val_loss",
                "eval/loss",
                "Validation Loss",
                "nll",
                "metrics.bpb",
                "Loss",
            ],
        ),
        ("run", ["run_id", "Name", "experiment", "tags.mlflow.runName"]),
    ],
)
def test_names_in_use(tmp_path: Path, old: str, names: list[str]) -> None:
    plain = sp.read_runs(LOGS / "plain.csv")
    for name in names:
        assert_same(sp.read_runs(write(tmp_path, renamed(old, name))), plain, 1e-12)


@pytest.mark.parametrize(
    ("column", "header", "scale"),
    [
        ("params", "Params (M)", 1e6),
        ("params", "params [billions]", 1e9),
        ("tokens", "Tokens (B)", 1e9),
        ("tokens", "tokens (1e6)", 1e6),
        ("flops", "FLOPs (1e18)", 1e18),
        ("flops", "total_gflops", 1e9),
        ("flops", "training_petaflops", 1e15),
        ("flops", "Compute (EFLOPs)", 1e18),
        ("flops", "pf_days", 86400e15),
        ("flops", "Compute (petaflop/s-days)", 86400e15),
        ("flops", "compute_pfs_days", 86400e15),
        ("tokens", "Tokens [\u00d710\u2079]", 1e9),
        ("tokens", "Tokens (Mrd.)", 1e9),
        ("params", "params_M", 1e6),
    ],
)
def test_units_in_headers(tmp_path: Path, column: str, header: str, scale: float) -> None:
    table = [{**row, column: row[column] / scale} for row in rows()]
    table = [{header if name == column else name: cell for name, cell in row.items()} for row in table]
    assert_same(sp.read_runs(write(tmp_path, table)), sp.read_runs(LOGS / "plain.csv"), 1e-12)


def test_two_candidates_are_an_error_with_what_to_type(tmp_path: Path) -> None:
    table = [{**row, "model.hidden_dim": row["encoder.hidden_size"]} for row in renamed("width", "encoder.hidden_size")]
    path = write(tmp_path, table)
    with pytest.raises(InputError) as caught:
        sp.read_runs(path)
    told = re.findall(r"`columns=([^`]+)`", str(caught.value))
    assert told == ["width=encoder.hidden_size", "width=model.hidden_dim"]
    role, _, column = told[0].partition("=")
    assert_same(sp.read_runs(path, columns={role: column}), sp.read_runs(LOGS / "plain.csv"), 1e-12)


def test_two_losses_are_an_error_with_what_to_type(tmp_path: Path) -> None:
    path = write(tmp_path, [{**row, "train_loss": row["val_loss"]} for row in renamed("loss", "val_loss")])
    with pytest.raises(InputError, match="`metric=val_loss` or `metric=train_loss`"):
        sp.read_runs(path)
    assert sp.read_runs(path, metric="val_loss").metric == "val_loss"


def test_two_columns_of_steps_do_not_stop_a_log_that_has_tokens(tmp_path: Path) -> None:
    path = write(tmp_path, [{**row, "step": 5, "iter": 6} for row in rows()])
    runs = sp.read_runs(path)
    assert_same(runs, sp.read_runs(LOGS / "plain.csv"), 1e-12)
    assert "'step' and 'iter' both mean steps: not used" in runs.notes


def test_rows_that_begin_with_a_hash_are_comments_unless_all_do(tmp_path: Path) -> None:
    head, body = "run,width,depth,flops,tokens,loss\n", "a,64,2,1e17,1e9,3\nb,128,2,4e17,1e9,2\n"
    path = tmp_path / "log.csv"
    path.write_text(f"# a comment, with a comma\n{head}# another\n#c,256,2,9e17,1e9,1\n{body}")
    runs = sp.read_runs(path)
    assert runs.run_names == ("a", "b")
    assert runs.lines.tolist() == [5, 6]
    assert "left out 1 row that begins with # (line 4)" in runs.notes
    path.write_text(head + body.replace("a,", "#1,").replace("b,", "#2,"))
    assert sp.read_runs(path).run_names == ("#1", "#2")


def test_rows_of_several_files_are_placed_in_theirs(tmp_path: Path) -> None:
    other = write(tmp_path, rows()[:2], "again.csv")
    with pytest.raises(InputError, match=rf"again.csv:2: .* already on line 2 of {re.escape(str(LOGS / 'plain.csv'))}"):
        sp.read_runs([LOGS / "plain.csv", other])
    (tmp_path / "bad.csv").write_text("run,width,depth,mlp_dim,flops,tokens,loss\nx,wide,2,256,1e17,1e8,3\n")
    with pytest.raises(InputError, match=r"bad\.csv:2: column 'width': 'wide' is not a number"):
        sp.read_runs([LOGS / "plain.csv", tmp_path / "bad.csv"])


def test_a_column_is_named_in_the_header_of_a_yaml_log(tmp_path: Path) -> None:
    path = tmp_path / "log.yaml"
    table = renamed("width", "w")
    path.write_text("columns: {width: w}\nruns:\n" + "".join(f"  - {json.dumps(row)}\n" for row in table))
    assert_same(sp.read_runs(path), sp.read_runs(LOGS / "plain.csv"), 1e-12)
    with pytest.raises(InputError, match="there is no role 'widht'; did you mean 'width'"):
        sp.read_runs(path, columns={"widht": "w"})
    with pytest.raises(InputError, match="there is no such column"):
        sp.read_runs(path, columns={"width": "wide"})


def test_four_faults_of_four_kinds_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    good = "a,64,2,1e15,3.1\n"
    path.write_text(
        f"run,width,depth,flops,loss\n{good}b,wide,2,1e15,3.1\nc,64,2,1e15,nan\nd,64,2,1e15,3.1,9\ne,8,2,1e15,-1\n"
    )
    with pytest.raises(InputError) as caught:
        sp.read_runs(path)
    assert [(found.line, found.code) for found in caught.value.details] == [
        (3, "not-a-number"),
        (4, "not-finite"),
        (5, "too-many-cells"),
        (6, "not-positive"),
    ]


def test_workbooks_and_parquet_are_read(tmp_path: Path) -> None:
    """Written by the libraries that read them."""
    openpyxl, pyarrow = pytest.importorskip("openpyxl"), pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    book = openpyxl.Workbook()
    book.active.title = "notes"
    sheet = book.create_sheet("runs")
    sheet.append(list(rows()[0]))
    for row in rows():
        sheet.append(list(row.values()))
    book.save(tmp_path / "log.xlsx")
    parquet.write_table(pyarrow.Table.from_pylist(rows()), tmp_path / "log.parquet")
    plain = sp.read_runs(LOGS / "plain.csv")
    assert_same(sp.read_runs(tmp_path / "log.xlsx"), plain)
    assert_same(sp.read_runs(tmp_path / "log.parquet"), plain)
    for name in ("broken.xlsx", "broken.parquet"):
        (tmp_path / name).write_bytes(b"PK and nothing")
        with pytest.raises(InputError, match="cannot be read as"):
            sp.read_runs(tmp_path / name)


def test_zstd_is_read(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    (tmp_path / "log.csv.zst").write_bytes(zstandard.ZstdCompressor().compress((LOGS / "plain.csv").read_bytes()))
    assert_same(sp.read_runs(tmp_path / "log.csv.zst"), sp.read_runs(LOGS / "plain.csv"))
    (tmp_path / "broken.csv.gz").write_bytes(b"\x1f\x8b nothing")
    with pytest.raises(InputError, match="cannot be decompressed"):
        sp.read_runs(tmp_path / "broken.csv.gz")


def test_a_missing_library_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "log.xlsx").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"needs openpyxl, which is not installed; pip install 'shapeplan\[import\]'"):
        sp.read_runs(tmp_path / "log.xlsx")


def test_a_checkpoint_counts_only_where_the_run_has_no_state_of_its_own(tmp_path: Path) -> None:
    for place, loss in (("a/checkpoint-5", 3.0), ("a/checkpoint-10", 2.0), ("b", 1.0), ("b/checkpoint-7", 9.0)):
        folder = tmp_path / place
        folder.mkdir(parents=True, exist_ok=True)
        history = [{"eval_loss": loss + 1, "step": 5}, {"eval_loss": loss, "step": 10}]
        state = {"global_step": 10, "log_history": history, "total_flos": 1e18, "num_input_tokens_seen": 10**9}
        (folder / "trainer_state.json").write_text(json.dumps(state))
        (folder / "config.json").write_text(json.dumps({"n_embd": 256, "n_layer": 4, "n_inner": 1024}))
    runs = sp.read_runs(tmp_path)
    assert runs.run_names == ("a", "b")
    assert runs.observed().tolist() == [2.0, 1.0]
    assert any("2 earlier ones of 2 runs are not" in note for note in runs.notes)
    runs = sp.read_runs(tmp_path, selection=sp.Selection(all_points=True))
    assert runs.observed().tolist() == [3.0, 2.0, 2.0, 1.0]
    assert runs.flops.tolist() == [5e17, 1e18, 5e17, 1e18]
    (tmp_path / "a" / "checkpoint-10" / "trainer_state.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        sp.read_runs(tmp_path)


def test_an_export_of_a_panel_is_told_for_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "panel.csv"
    path.write_text('"Step","r1 - eval/loss","r1 - eval/loss__MIN","r1 - eval/loss__MAX"\n"10","3.1","3.1","3.1"\n')
    with pytest.raises(InputError, match=r"is an export of a W&B panel .*wandb:ENTITY/PROJECT"):
        sp.read_runs(path)


class Page(list[Any]):
    token = None


def test_a_project_is_read_by_the_api_of_its_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """W&B's and MLflow's clients are stood in for: nothing here reaches a network."""
    plain, table = sp.read_runs(LOGS / "plain.csv"), rows()
    sizes = ("width", "depth", "mlp_dim")
    runs = [
        SimpleNamespace(
            id=row["run"],
            name=f"run {i}",
            state="finished",
            config={"model": {size: row[size] for size in sizes}, "_wandb": {}},
            summary={"eval/loss": row["loss"], "total_flops": row["flops"], "tokens": row["tokens"]},
        )
        for i, row in enumerate(table)
    ]
    asked = []
    api = SimpleNamespace(runs=lambda path: asked.append(path) or runs)
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(Api=lambda: api))
    found = sp.read_runs("wandb:us/sweep")
    assert_same(found, plain)
    assert asked == ["us/sweep"]
    assert found.sources[0].name == "wandb:us/sweep"

    served = [
        SimpleNamespace(
            info=SimpleNamespace(run_id=row["run"], status="FINISHED"),
            data=SimpleNamespace(
                params={size: str(row[size]) for size in sizes},
                metrics=dict.fromkeys(("val_loss", "total_flops", "tokens")),
                tags={"mlflow.runName": f"run {i}"},
            ),
        )
        for i, row in enumerate(table)
    ]

    class Client:
        def __init__(self, tracking_uri: str) -> None:
            asked.append(tracking_uri)

        def search_experiments(self, page_token: str | None) -> Page:
            return Page([SimpleNamespace(name=name, experiment_id=name) for name in ("mine", "other")])

        def search_runs(self, page_token: str | None, experiment_ids: list[str], max_results: int) -> Page:
            return Page(served if experiment_ids == ["mine"] else [])

        def get_metric_history(self, run: str, name: str) -> list[Any]:
            row = next(row for row in table if row["run"] == run)
            value = row[{"val_loss": "loss", "total_flops": "flops"}.get(name, name)]
            return [SimpleNamespace(value=value * k, step=k, timestamp=k) for k in (2, 1)]

    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "mlflow.tracking", SimpleNamespace(MlflowClient=Client))
    found = sp.read_runs("mlflow:http://host:5000#mine")
    assert asked[-1] == "http://host:5000"
    np.testing.assert_allclose(found.observed(), 2 * plain.observed())
    assert any("72 earlier ones of 72 runs are not" in note for note in found.notes)
    with pytest.raises(InputError, match="has no runs; check the address and the experiment 'none'"):
        sp.read_runs("mlflow:http://host:5000#none")


@pytest.mark.parametrize(("address", "module"), [("wandb:us/sweep", "wandb"), ("mlflow:http://h", "mlflow.tracking")])
def test_a_tool_that_is_missing_or_fails_is_one_line(
    monkeypatch: pytest.MonkeyPatch, address: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"needs {module.split('.')[0]}, .* pip install 'shapeplan\[import\]', or "):
        sp.read_runs(address)

    def refuses(*_: object, **__: object) -> None:
        raise RuntimeError("401: not logged in\nand more")

    stub = SimpleNamespace(Api=refuses, MlflowClient=refuses)
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace())
    monkeypatch.setitem(sys.modules, module, stub)
    with pytest.raises(InputError, match=r"cannot be read: 401: not logged in; "):
        sp.read_runs(address)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("wandb_offline/run-s000.wandb", b":W&B", b"nope", "is no file of a W&B run: it does not begin as one"),
        ("big_vision/s000/big_vision_metrics.txt", b'"step": 50', b'"step" 50', ":1: is not a JSON object"),
        ("big_vision/s000/config.json", b"{", b"[", "is not JSON"),
        ("trainer/s000/trainer_state.json", b"{", b"", "is not JSON"),
    ],
)
def test_a_broken_file_of_a_run_is_named(tmp_path: Path, name: str, old: bytes, new: bytes, message: str) -> None:
    if name.startswith("wandb"):
        pytest.importorskip("wandb")
    folder = tmp_path / "runs"
    shutil.copytree(LOGS / name.split("/")[0], folder)
    broken = folder / name.partition("/")[2]
    broken.write_bytes(broken.read_bytes().replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        sp.read_runs(folder, metric="val/loss")
    told = str(caught.value)
    assert message in told
    assert broken.name in told


def test_the_last_line_of_a_run_that_was_killed_is_left_out(tmp_path: Path) -> None:
    shutil.copytree(LOGS / "big_vision", tmp_path / "runs")
    whole = sp.read_runs(tmp_path / "runs", metric="val/loss")
    for file in (tmp_path / "runs").rglob("big_vision_metrics.txt"):
        file.write_text(file.read_text() + '{"step": 150, "val/lo')
    assert_same(sp.read_runs(tmp_path / "runs", metric="val/loss"), whole)


def test_a_log_of_one_run_can_be_named_itself() -> None:
    for name in ("big_vision/s003/big_vision_metrics.txt", "nanochat/s003/train.log", "trainer/s003"):
        metric = "val/loss" if "big" in name else None
        runs = sp.read_runs(LOGS / name, metric=metric)
        assert len(runs) == 1
        assert runs.lines.tolist() == [1]
        assert runs.shape.tolist() == [[192, 3, 768]]


def test_folders_may_call_their_runs_alike(tmp_path: Path) -> None:
    for place in ("one", "two"):
        shutil.copytree(LOGS / "nanochat", tmp_path / place)
    runs = sp.read_runs([tmp_path / "one", tmp_path / "two"])
    assert len(runs.run_names) == 24
    assert {Path(name).parts[-2] for name in runs.run_names} == {"one", "two"}


def test_rows_that_name_their_runs_are_a_sweep_not_the_history_of_a_run(tmp_path: Path) -> None:
    table = [{**row, "step": 100} for row in rows()]
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join(map(json.dumps, table)))
    assert len(sp.read_runs(path)) == len(table)


def test_last_metrics_may_be_one_object_over_several_lines(tmp_path: Path) -> None:
    for i, row in enumerate(rows()[:6]):
        folder = tmp_path / f"run{i}"
        folder.mkdir()
        (folder / "args.yaml").write_text(f"model:\n  d_model: {row['width']:g}\n  n_layer: {row['depth']:g}\n")
        last = {"eval_loss": row["loss"], "total_flos": row["flops"], "tokens": row["tokens"]}
        (folder / "final_metrics.json").write_text(json.dumps(last, indent=2))
    runs = sp.read_runs(tmp_path)
    assert runs.dims == ("width", "depth")
    np.testing.assert_array_equal(runs.observed(), sp.read_runs(LOGS / "plain.csv").observed()[:6])


def test_a_formula_that_no_program_has_worked_out_is_told(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["run", "width", "depth", "flops", "loss"])
    for number in range(2, 6):
        book.active.append([f"r{number}", 64 * number, number, f"=1e15*B{number}", 4 - 0.1 * number])
    book.save(tmp_path / "log.xlsx")
    message = r"log.xlsx:2: column 'flops': the cell holds the formula '=1e15\*B2', and no value; open the workbook"
    with pytest.raises(InputError, match=message):
        sp.read_runs(tmp_path / "log.xlsx")
