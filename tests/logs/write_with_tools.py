"""Writes the logs of this folder that only a tool's own library can write: the sweep of `write.py`, or its first runs.

``pip install wandb mlflow-skinny sqlalchemy alembic pandas tensorboardX transformers openpyxl pyarrow zstandard`` and
``python tests/logs/write_with_tools.py``. Last run with wandb 0.31.0, mlflow-skinny 3.17.2, tensorboardX 2.6.5,
transformers 5.24.0.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from write import FIRST, FOLDER, sweep

END = 200
NOWHERE = "artifacts"
"""In place of the folder on this machine where artifacts would be."""


def fresh(name: str) -> Path:
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def wandb_offline(rows: list[dict[str, str]]) -> None:
    """Half of compute and tokens at half of the steps, a loss for training and, at the end, one that is held out."""
    os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_CONSOLE": "off"}
    import wandb

    folder = fresh("wandb_offline")
    for row in rows:
        model = {"d_model": int(row["width"]), "n_layers": int(row["depth"]), "ffn_dim": int(row["mlp_dim"])}
        with tempfile.TemporaryDirectory() as place:
            run = wandb.init(
                project="demo",
                name=row["run"],
                dir=place,
                config={"model": model, "lr": 0.001, "tags": ["a", "b"]},
                settings=wandb.Settings(x_disable_stats=True, x_disable_meta=True),
            )
            for share in (0.5, 1.0):
                counts = {"throughput/total_gflops": float(row["flops"]) * share / 1e9}
                counts["throughput/total_tokens"] = int(int(row["tokens"]) * share)
                run.log({"train/loss": 3.0, **counts}, step=int(END * share))
            run.log({"eval/loss": float(row["loss"])}, step=END)
            run.summary["parameter_count"] = int(row["params"])
            run.finish()
            wandb.teardown()  # Only then the file is whole.
            (file,) = Path(place).rglob("*.wandb")
            shutil.copy(file, folder / f"run-{row['run']}.wandb")


def mlflow_store(rows: list[dict[str, str]], uri: str) -> None:
    """Two evaluations a run, the last at the end, and a run that was deleted."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("demo")
    for row in rows:
        with mlflow.start_run(run_name=row["run"]):
            names = {"d_model": "width", "num_layers": "depth", "ffn_dim": "mlp_dim"}
            mlflow.log_params({**{word: row[name] for word, name in names.items()}, "lr": 0.001})
            for step, share in ((END // 2, 0.5), (END, 1.0)):
                metrics: dict[str, Any] = {name: float(row[name]) * share for name in ("flops", "tokens")}
                metrics["eval_loss"] = float(row["loss"]) / share
                mlflow.log_metrics(
                    {f"total_{name}" if name == "flops" else name: v for name, v in metrics.items()}, step
                )
    with mlflow.start_run(run_name="deleted") as deleted:
        mlflow.log_metric("eval_loss", 9.0)
    mlflow.delete_run(deleted.info.run_id)


def mlflow_stores(rows: list[dict[str, str]]) -> None:
    """The store of SQLite, what `search_runs` finds in it, and a store of files."""
    import mlflow

    with tempfile.TemporaryDirectory() as place:
        mlflow_store(rows, f"sqlite:///{place}/mlflow.db")
        found = mlflow.search_runs(experiment_names=["demo"]).assign(artifact_uri=NOWHERE)
        found.to_csv(FOLDER / "mlflow_search_runs.csv", index=False)
        with closing(sqlite3.connect(f"{place}/mlflow.db")) as database:
            # Most of the file is one page for each of a hundred tables.
            database.execute("update runs set artifact_uri = ?", (NOWHERE,))
            database.execute("update experiments set artifact_location = ?", (NOWHERE,))
            database.commit()
            database.execute("pragma page_size = 512")
            database.execute("vacuum")
        shutil.copy(f"{place}/mlflow.db", FOLDER / "mlflow.db")
    store = fresh("mlruns")
    mlflow_store(rows[: FIRST // 2], store.as_uri())
    for meta in store.rglob("meta.yaml"):
        meta.write_text(re.sub(r"(artifact_\w+:) .*", rf"\1 {NOWHERE}", meta.read_text()))


def tensorboard(rows: list[dict[str, str]]) -> None:
    """The configuration in a file for the first half of the runs, as hyperparameters for the second."""
    from tensorboardX import SummaryWriter

    folder = fresh("tensorboard")
    for i, row in enumerate(rows):
        place = folder / row["run"]
        writer = SummaryWriter(str(place))
        for step, loss in ((END // 2, 9.0), (END, float(row["loss"]))):
            writer.add_scalar("val/loss", loss, step)
            writer.add_scalar("train/loss", loss - 0.1, step)
            writer.add_scalar("tokens", int(row["tokens"]) * step // END, step)
        config = {"n_embd": int(row["width"]), "n_layer": int(row["depth"]), "n_inner": int(row["mlp_dim"])}
        config["params"] = int(row["params"])
        if i < len(rows) // 2:
            (place / "config.json").write_text(json.dumps(config))
        else:
            writer.add_hparams(config, {"hparam/val_loss": float(row["loss"])})
        writer.close()


def trainer(rows: list[dict[str, str]]) -> None:
    """What the Trainer of Hugging Face saves, by its own classes; nothing is trained."""
    from transformers import GPT2Config
    from transformers.trainer_callback import TrainerState

    folder = fresh("trainer")
    for row in rows:
        place = folder / row["run"]
        sizes = {"n_embd": int(row["width"]), "n_layer": int(row["depth"]), "n_inner": int(row["mlp_dim"])}
        GPT2Config(**sizes, n_head=int(row["heads"])).save_pretrained(place)
        state = TrainerState(
            global_step=END,
            max_steps=END,
            total_flos=float(row["flops"]),
            num_input_tokens_seen=int(row["tokens"]),
            log_history=[
                {"epoch": 0.5, "loss": 5.0, "learning_rate": 1e-3, "step": END // 2},
                {"epoch": 1.0, "eval_loss": float(row["loss"]), "eval_runtime": 1.0, "step": END},
            ],
        )
        state.save_to_json(str(place / "trainer_state.json"))


def tables(rows: list[dict[str, str]]) -> None:
    """A workbook, Parquet, and a compressed table, by the libraries that others write them with."""
    import openpyxl
    import pyarrow
    import zstandard
    from pyarrow import parquet

    typed = [{name: cell if name == "run" else float(cell) for name, cell in row.items()} for row in rows]
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(rows[0]))
    for row in typed:
        sheet.append(list(row.values()))
    book.save(FOLDER / "plain.xlsx")
    parquet.write_table(pyarrow.Table.from_pylist(typed), FOLDER / "plain.parquet")
    plain = (FOLDER / "plain.csv").read_bytes()
    (FOLDER / "plain.csv.zst").write_bytes(zstandard.ZstdCompressor().compress(plain))


def main() -> None:
    rows = sweep()
    tables(rows)
    trainer(rows)
    wandb_offline(rows[:FIRST])
    mlflow_stores(rows)
    tensorboard(rows[:FIRST])


if __name__ == "__main__":
    main()
