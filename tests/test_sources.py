"""What training tools leave behind when all is not well: nothing is lost, and nothing is read that is not so."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from test_logs import LOGS, rows

import shapeplan as sp
from shapeplan.errors import InputError
from shapeplan.readers.sources.run_log import RunLog, records_of


def copied(name: str, folder: Path) -> Path:
    place = folder / name
    shutil.copytree(LOGS / name, place)
    return place


def history(folder: Path, entries: list[dict[str, object]], config: dict[str, object] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    shape = {"d_model": 256, "n_layer": 4, "params": 12_000_000}
    (folder / "config.json").write_text(json.dumps(config or shape))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return folder


END = {"step": 10, "val/loss": 2.5, "tokens": 10**9, "total_flops": 7.2e16}


@pytest.mark.parametrize(
    "start",
    ["\ufeff", "\n\n", '{"time": 1}\n', '{"config": {"lr": 0.1}}\n'],
)
def test_a_history_may_begin_oddly(tmp_path: Path, start: str) -> None:
    for name in ("a", "b"):
        history(tmp_path / name, [END])
    file = tmp_path / "b" / "metrics.jsonl"
    file.write_text(start + file.read_text(), encoding="utf-8")
    assert sp.read_runs(tmp_path).run_names == ("a", "b")


def test_losses_in_mappings_of_their_own_are_told_from_those_of_training(tmp_path: Path) -> None:
    entries = [{"type": "train", "step": 5, "loss": 9.0}, {"type": "eval", "step": 10, "eval": {"loss": 2.5}}]
    entries[1] |= {"tokens": 10**9, "total_flops": 7.2e16}
    with pytest.raises(InputError, match=r"`metric=train_loss` or `metric=eval\.loss`"):
        sp.read_runs(history(tmp_path / "a", entries))
    assert sp.read_runs(tmp_path / "a", metric="eval.loss").observed().tolist() == [2.5]


def test_many_steps_are_read_in_one_pass(tmp_path: Path) -> None:
    entries: list[dict[str, object]] = [{"step": step, "loss": 3.0} for step in range(60_000)]
    runs = sp.read_runs(history(tmp_path / "a", [*entries, {**END, "step": 60_000}]), metric="val/loss")
    assert runs.observed().tolist() == [2.5]


def test_steps_that_no_float_holds_are_no_crash(tmp_path: Path) -> None:
    runs = sp.read_runs(history(tmp_path / "a", [{**END, "step": 10**400}]))
    assert runs.observed().tolist() == [2.5]


def test_files_that_are_passed_over_are_named(tmp_path: Path) -> None:
    history(tmp_path / "a", [END])
    (tmp_path / "more.csv").write_text("run,width,depth,flops,tokens,loss\n")
    assert any("holds 1 other file that may be logs: not read (more.csv)" in n for n in sp.read_runs(tmp_path).notes)
    plain = tmp_path / "plain"
    (plain / "sub").mkdir(parents=True)
    for place in (plain / "a.csv", plain / "sub" / "b.csv", plain / "a.csv.bak"):
        shutil.copy(LOGS / "plain.csv", place)
    runs = sp.read_runs(plain)
    assert len(runs) == len(rows())
    assert any(f"not read ({Path('sub') / 'b.csv'})" in note for note in runs.notes)


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    history(tmp_path / "real" / "a", [END])
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "a").symlink_to(tmp_path / "real" / "a")
    (runs / "loop").symlink_to(runs)
    assert sp.read_runs(runs).run_names == ("a",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_what_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    history(tmp_path / "a", [END])
    history(tmp_path / "b", [END])
    (tmp_path / "b").chmod(0)
    try:
        with pytest.raises(InputError, match="b: cannot be read: permission denied"):
            sp.read_runs(tmp_path)
    finally:
        (tmp_path / "b").chmod(0o700)


def test_runs_that_stopped_early_are_unfinished(tmp_path: Path) -> None:
    trainer = copied("trainer", tmp_path)
    state = trainer / "s003" / "trainer_state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "max_steps": 1000}))
    with pytest.raises(InputError, match=r"s003.*the run is unfinished: its loss is not final; .*`where='state!='`"):
        sp.read_runs(trainer)
    log = copied("nanochat", tmp_path) / "s003" / "train.log"
    log.write_text("num_iterations = 500\n" + log.read_text())
    with pytest.raises(InputError, match="the run is unfinished"):
        sp.read_runs(log.parent.parent)


def test_null_of_gpt2_is_four_times_the_width(tmp_path: Path) -> None:
    trainer = copied("trainer", tmp_path)
    for file in trainer.rglob("config.json"):
        config = json.loads(file.read_text())
        if config["n_inner"] == 4 * config["n_embd"]:
            file.write_text(json.dumps({**config, "n_inner": None}))
    np.testing.assert_array_equal(sp.read_runs(trainer).shape, sp.read_runs(LOGS / "trainer").shape)


@pytest.mark.parametrize(
    ("step", "value", "loss"),
    [("1,000", "2.5", 2.5), ("01000", "2.5", 2.5), ("1000/1000", "2.5", 2.5)],
)
def test_steps_and_losses_as_they_are_printed(tmp_path: Path, step: str, value: str, loss: float) -> None:
    text = "n_layer = 4\nn_embd = 256\nparams = 12000000\ntokens per iteration will be: 1,000,000\n"
    (tmp_path / "a.log").write_text(f"{text}step 500: val loss 2.9\nstep {step}: val loss {value}\n")
    runs = sp.read_runs(tmp_path / "a.log", columns={"flops": "6ND"})
    assert runs.observed().tolist() == [loss]
    assert runs.examples is not None
    assert runs.examples.tolist() == [1e9]


def printed_by_megatron(width: int, depth: int, losses: Mapping[int, float]) -> str:
    arguments = {"hidden_size": width, "num_layers": depth, "ffn_hidden_size": 4 * width, "train_iters": 2000}
    lines = ["------------------------ arguments ------------------------"]
    lines += [
        f"  {key} {'.' * (48 - len(key))} {value}"
        for key, value in {**arguments, "global_batch_size": 512, "seq_length": 1024}.items()
    ]
    for step, loss in losses.items():
        lines += [
            f" [2024-05-01] iteration {step:8d}/    2000 | consumed samples: {512 * step:12d} | lm loss: 9.9E+00 |",
            f" validation loss at iteration {step} on validation set | lm loss value: {loss:.6E} | lm loss PPL: 30 |",
        ]
    return "\n".join(lines) + "\n"


def test_arguments_and_evaluations_as_megatron_prints_them(tmp_path: Path) -> None:
    for i, (width, depth) in enumerate([(256, 4), (512, 8), (768, 12)]):
        (tmp_path / f"r{i}.log").write_text(
            printed_by_megatron(width, depth, {1000: 3.75 - i / 10, 2000: 3.5 - i / 10})
        )
    text = sp.architecture({"family": "gpt2", "vocab": 50_304, "seq": 1024, "head_dim": 64})
    runs = sp.read_runs(tmp_path, architecture=text)
    assert runs.observed().tolist() == pytest.approx([3.5, 3.4, 3.3])
    assert runs.values("width").tolist() == [256, 512, 768]
    assert runs.examples is not None
    assert runs.examples.tolist() == [2000 * 512 * 1024] * 3


def test_the_logger_of_keras_beside_a_config(tmp_path: Path) -> None:
    for i, (width, depth) in enumerate([(256, 4), (512, 8), (768, 12)]):
        folder = tmp_path / f"r{i}"
        folder.mkdir()
        config = {"d_model": width, "num_layers": depth, "dff": 4 * width, "tokens": 1e9, "train_flops": 1e18 * (1 + i)}
        (folder / "config.json").write_text(json.dumps(config))
        rows = [f"{epoch},0.1,{4 - epoch / 10},0.1,{3.9 - i / 10 - epoch / 10}" for epoch in range(5)]
        (folder / "training.log").write_text("\n".join(["epoch,accuracy,loss,val_accuracy,val_loss", *rows]) + "\n")
    runs = sp.read_runs(tmp_path, metric="val_loss")
    assert runs.observed().tolist() == pytest.approx([3.5, 3.4, 3.3])
    assert runs.flops.tolist() == [1e18, 2e18, 3e18]


def test_a_flipped_byte_inside_an_event_is_told(tmp_path: Path) -> None:
    file = next(copied("tensorboard", tmp_path).glob("s010/*tfevents*"))
    raw = bytearray(file.read_bytes())
    raw[-20] ^= 255
    file.write_bytes(raw)
    with pytest.raises(InputError, match=r"event \d+ of \d+ is broken: its checksum does not fit"):
        sp.read_runs(tmp_path, metric="val/loss", columns={"flops": "6ND"})


def test_an_evaluation_late_in_a_long_log_is_found(tmp_path: Path) -> None:
    log = copied("nanochat", tmp_path) / "s003" / "train.log"
    train = "".join(f"step {i:05d}/00100 | loss: 5.00 | mfu: 40.01 | {'x' * 60}\n" for i in range(8000))
    log.write_text(re.sub(r"(?m)^Step 00000 \| Validation.*$", train, log.read_text()))
    assert len(sp.read_runs(log.parent.parent).run_names) == 12


@pytest.mark.parametrize(
    ("name", "at", "message"),
    [("tensorboard", 0.5, "ends before its last event does"), ("wandb_offline", 0.9, "a checksum does not fit")],
)
def test_a_broken_copy_is_an_error(tmp_path: Path, name: str, at: float, message: str) -> None:
    pytest.importorskip(name.split("_")[0])
    folder = copied(name, tmp_path)
    (file, *_) = sorted(path for path in folder.rglob("*") if "tfevents" in path.name or path.suffix == ".wandb")
    raw = bytearray(file.read_bytes())
    place = int(at * len(raw))
    raw[place] ^= 1
    file.write_bytes(raw if name == "wandb_offline" else raw[:place])
    with pytest.raises(InputError, match=message):
        sp.read_runs(folder, metric="val/loss")


def test_hyperparameters_may_lie_in_a_folder_inside_the_run(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    folder = copied("tensorboard", tmp_path)
    for file in sorted(folder.rglob("*tfevents*")):
        if b"_hparams_" in file.read_bytes():
            file.parent.rename(file.parent.parent / "hp")
    options = {"metric": "val/loss", "columns": {"flops": "6ND"}}
    runs, same = sp.read_runs(folder, **options), sp.read_runs(LOGS / "tensorboard", **options)
    np.testing.assert_array_equal(runs.shape, same.shape)


def test_frames_of_every_make(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame, plain = pandas.DataFrame(rows()), sp.read_runs(LOGS / "plain.csv")
    levels = pandas.DataFrame(
        [list(row.values()) for row in rows()],
        columns=pandas.MultiIndex.from_tuples(
            [("model", name) if name in ("width", "depth") else (name, "") for name in frame.columns]
        ),
    )
    for given in (frame.set_index(["run", "width"]), frame.to_dict("list"), levels):
        runs = sp.read_runs(given)
        np.testing.assert_array_equal(runs.shape, plain.shape)
        assert len(runs.run_names) == len(plain.run_names)
    twice = pandas.concat([frame, frame["loss"]], axis=1)
    with pytest.raises(InputError, match="column 'loss': has 2 columns of that name"):
        sp.read_runs(twice)
    with pytest.raises(InputError, match="has no columns; give a DataFrame"):
        sp.read_runs(frame["loss"])


@pytest.mark.parametrize(
    ("entries", "losses"),
    [
        (
            [{"step": 9, "split": "val", "loss": 2.5}, {"step": 9, "split": "train", "loss": 9.0}],
            ("val_loss", "train_loss"),
        ),
        ([{"step": 9, "mode": "eval", "loss": 2.5}, {"step": 12, "mode": "train", "lr": 0.1}], ("eval_loss",)),
        ([{"global_step": 9, "val/loss": 2.5}], ("val/loss",)),
        ([{"iter": 9, "best_val_loss": 2.5, "loss": 9.0}], ("best_val_loss", "train_loss")),
    ],
)
def test_what_was_measured_on_what_is_told(
    tmp_path: Path, entries: list[dict[str, object]], losses: tuple[str, ...]
) -> None:
    entries[0] |= {"tokens": 10**9, "total_flops": 7.2e16}
    folder = history(tmp_path / "a", entries)
    if len(losses) > 1:
        with pytest.raises(InputError, match=" or ".join(f"`metric={re.escape(loss)}`" for loss in losses)):
            sp.read_runs(folder)
    assert sp.read_runs(folder, metric=losses[0]).observed().tolist() == [2.5]


def test_a_table_beside_a_config_is_the_log_of_a_run(tmp_path: Path) -> None:
    for name in ("version_0", "version_1"):
        history(tmp_path / name, [])
        (tmp_path / name / "metrics.jsonl").unlink()
        (tmp_path / name / "metrics.csv").write_text(
            "epoch,step,train_loss,val_loss,tokens,total_flops\n0,50,9,,,\n0,99,,2.5,1000000000,7.2e16\n"
        )
    runs = sp.read_runs(tmp_path, metric="val_loss")
    assert runs.run_names == ("version_0", "version_1")
    assert runs.observed().tolist() == [2.5, 2.5]


def test_writers_of_one_run_are_one_run(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    folder = copied("tensorboard", tmp_path)
    for place in sorted(folder.iterdir()):
        for writer in ("train", "val"):
            (place / writer).mkdir()
            for file in place.glob("*tfevents*"):
                shutil.copy(file, place / writer)
        for file in place.glob("*tfevents*"):
            file.unlink()
    runs = sp.read_runs(folder, metric="val/val/loss", columns={"flops": "6ND", "tokens": "val/tokens"})
    assert len(runs.run_names) == 12


@pytest.mark.parametrize("make", ["columns", "by run", "pandas", "split", "results", "under runs", "lines"])
def test_json_of_every_make(tmp_path: Path, make: str) -> None:
    table, plain = rows(), sp.read_runs(LOGS / "plain.csv")
    columns = {name: [row[name] for row in table] for name in table[0]}
    named = {row["run"]: {key: cell for key, cell in row.items() if key != "run"} for row in table}
    made: object = {
        "columns": columns,
        "by run": named,
        "pandas": {name: {str(i): cell for i, cell in enumerate(cells)} for name, cells in columns.items()},
        "split": {"columns": list(columns), "index": [0], "data": [list(row.values()) for row in table]},
        "results": {"flops_convention": "training", "results": table},
        "under runs": {"runs": named},
        "lines": None,
    }[make]
    body = json.dumps(made, indent=1) if made else "\n".join(map(json.dumps, table))
    (tmp_path / "log.json").write_text(body)
    runs = sp.read_runs(tmp_path / "log.json")
    np.testing.assert_array_equal(runs.shape, plain.shape)
    np.testing.assert_array_equal(runs.observed(), plain.observed())
    assert runs.run_names == plain.run_names


def test_lists_of_keys_with_values_are_columns(tmp_path: Path) -> None:
    """As the service of MLflow answers a search, whose place `data` is no data of a model."""
    runs = [
        {
            "info": {"run_id": f"r{k}", "status": "FINISHED", "start_time": 1_700_000_000_000 + k},
            "data": {
                "metrics": [{"key": "val_loss", "value": 4 - k / 10, "timestamp": 1, "step": 900}],
                "params": [{"key": "d_model", "value": str(64 * k)}, {"key": "n_layer", "value": str(2 + k % 3)}],
                "tags": [{"key": "mlflow.user", "value": "me"}, {"key": "flops", "value": f"{k}e15"}],
            },
        }
        for k in range(1, 6)
    ]
    path = tmp_path / "runs.json"
    path.write_text(json.dumps({"runs": runs}))
    read = sp.read_runs(path)
    assert read.values("width").tolist() == [64 * k for k in range(1, 6)]
    assert read.flops.tolist() == [k * 1e15 for k in range(1, 6)]
    assert list(read.run_names) == [f"r{k}" for k in range(1, 6)]
    assert read.metric == "metrics.val_loss"


@pytest.mark.parametrize("write", [json.dumps, repr])
def test_cells_that_hold_mappings_are_columns(tmp_path: Path, write: object) -> None:
    assert callable(write)
    lines = ["summary,config,name"]
    for row in rows():
        summary = {"eval/loss": row["loss"], "total_flops": row["flops"], "tokens": row["tokens"]}
        config = {
            "model": {name: row[name] for name in ("width", "depth", "mlp_dim")},
            "lr": None if write is repr else 1,
        }
        cells = [str(write(cell)).replace('"', '""') for cell in (summary, config)]
        lines.append(",".join([*(f'"{cell}"' for cell in cells), str(row["run"])]))
    (tmp_path / "log.csv").write_text("\n".join(lines))
    runs, plain = sp.read_runs(tmp_path / "log.csv"), sp.read_runs(LOGS / "plain.csv")
    np.testing.assert_array_equal(runs.shape, plain.shape)
    np.testing.assert_array_equal(runs.observed(), plain.observed())


def test_a_workbook_may_have_a_title_units_and_a_total(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["see the other sheet"])
    sheet = book.create_sheet("Runs")
    sheet.append(["Scaling sweep", None, None])
    sheet.append(["Run", "Width", "Depth", "MLP", "Tokens", "FLOPs", "Loss"])
    sheet.append([None, None, None, None, "billion", "PFLOPs", "nats"])
    for row in rows():
        cells = [row["run"], *(int(row[name]) for name in ("width", "depth", "mlp_dim"))]
        sheet.append([*cells, row["tokens"] / 1e9, row["flops"] / 1e15, row["loss"]])
    book.save(tmp_path / "log.xlsx")
    runs, plain = sp.read_runs(tmp_path / "log.xlsx"), sp.read_runs(LOGS / "plain.csv")
    np.testing.assert_array_equal(runs.shape, plain.shape)
    np.testing.assert_allclose(runs.flops, plain.flops, rtol=1e-12)
    sheet.append(["Mean", None, None, None, None, None, 3.0])
    book.save(tmp_path / "log.xlsx")
    with pytest.raises(InputError, match=r"cells of the row are empty; is it a total\? `where='Width!='`"):
        sp.read_runs(tmp_path / "log.xlsx")
    assert len(sp.read_runs(tmp_path / "log.xlsx", selection=sp.Selection(where=("Width!=",)))) == len(plain)


@pytest.mark.parametrize("key", ["results", "my_sweep"])
def test_settings_beside_rows_under_another_word_hold(tmp_path: Path, key: str) -> None:
    (tmp_path / "log.json").write_text(json.dumps({"flops_convention": "forward", key: rows()}))
    assert sp.read_runs(tmp_path / "log.json").flops_convention == "forward"


@pytest.mark.parametrize(("last", "share"), [(101, 1.0), (400, 0.25)])
def test_totals_that_are_logged_at_the_end_are_those_of_the_evaluation_before(last: int, share: float) -> None:
    entries = [
        {"step": 50, "val_loss": 4.0},
        {"step": 100, "val_loss": 3.5, "tokens": 1e6},
        {"step": last, "total_flops": 8e15, "tokens": 9e9, "note": "done"},
    ]
    run = RunLog("r", "f", {"width": 64}, entries)
    (row,), points = records_of(run, all_points=False)
    assert points == 2
    assert row.cells["total_flops"] == 8e15 * share
    assert row.cells["tokens"] == 1e6
    first, second = records_of(run, all_points=True)[0]
    assert (first.cells["tokens"], second.cells["total_flops"]) == (5e5, 8e15 * share)


@pytest.mark.parametrize(("factor", "told"), [(1.0, False), (1.05, False), (2.0, True)])
def test_runs_that_went_on_after_their_last_evaluation_are_told(tmp_path: Path, factor: float, told: bool) -> None:
    folder = tmp_path / "trainer"
    shutil.copytree(LOGS / "trainer", folder)
    (path, *_) = sorted(folder.rglob("trainer_state.json"))
    state = json.loads(path.read_text())
    step = max(entry["step"] for entry in state["log_history"])
    state["log_history"].append({"step": int(factor * step), "loss": 2.0})
    path.write_text(json.dumps(state))
    found = [one.message for one in sp.read_runs(folder).cautions if one.code == "mid-run-rows"]
    assert bool(found) is told
    assert not told or found[0].startswith(f"1 of {len(list(folder.rglob('trainer_state.json')))} runs went on")


METRIC = {"big_vision": {"metric": "val/loss"}}


@pytest.mark.parametrize(("name", "log"), [("trainer", "trainer_state.json"), ("big_vision", "big_vision_metrics.txt")])
def test_folders_of_runs_without_a_log_are_told(tmp_path: Path, name: str, log: str) -> None:
    folder = tmp_path / name
    shutil.copytree(LOGS / name, folder)
    assert not [
        note for note in sp.read_runs(folder, **METRIC.get(name, {})).notes if "hold" in note and "no log" in note
    ]
    first, second, *_ = sorted(folder.rglob(log))
    for path in (first, second):
        path.unlink()
    (note,) = [note for note in sp.read_runs(folder, **METRIC.get(name, {})).notes if "no log" in note]
    said = ", ".join(str(path.parent.relative_to(folder)) for path in (first, second))
    assert note == f"2 folders beside those of runs hold no log: left out ({said})"
