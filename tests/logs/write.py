"""Writes the logs of this folder: one simulated sweep as exporters, spreadsheets and people write it.

``python tests/logs/write.py`` writes those that need no tool; `plain.csv` is the sweep in plain columns. What W&B's
pages export, and what trainers print or log without a library, is written here in their format;
`write_with_tools.py` writes the rest with the tools themselves.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
FIRST = 12
"""Runs of the logs that have files of their own for every run."""
COLUMNS = ("run", "width", "depth", "mlp_dim", "heads", "params", "tokens", "flops", "loss")


def sweep() -> list[dict[str, str]]:
    """Return the rows: a grid of shapes, three durations each, and noise of 0.2% from seed 7."""
    rng = np.random.default_rng(7)
    rows = []
    shapes = [
        (w, d, m) for w in (192, 320, 512) for d in (3, 6, 12) for m in (2 * w, 4 * w, 6 * w) if m < 6 * w or d < 12
    ]
    for width, depth, mlp_dim in shapes:
        params = depth * (4 * width**2 + 2 * width * mlp_dim) + 8192 * width
        for tokens in (20_000_000, 80_000_000, 320_000_000):
            loss = 1.7 + 60 * width**-0.9 + 2 * depth**-1.2 + 40 * mlp_dim**-0.9 + 900 * tokens**-0.38
            loss *= np.exp(0.002 * rng.standard_normal())
            flops = 6 * params * tokens
            values = (f"s{len(rows):03d}", width, depth, mlp_dim, width // 64, params, tokens, flops, f"{loss:.6f}")
            rows.append(dict(zip(COLUMNS, map(str, values), strict=True)))
    return rows


def table(header: list[str], rows: list[list[str]], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def grouped(number: str, mark: str) -> str:
    return f"{int(number):,}".replace(",", mark)


def main() -> None:
    rows = sweep()
    plain = table(list(COLUMNS), [list(row.values()) for row in rows])
    (FOLDER / "plain.csv").write_text(plain)
    wide = [[row[name] for name in COLUMNS] for row in rows]

    wandb = ["Name", "State", "Tags", "model.dim", "model.n_blocks", "model.ffn", "model.n_heads", "total_params"]
    wandb += ["data/train_tokens", "throughput/total_tflops", "eval/loss", "_step", "_timestamp"]
    finished = [[r[0], "finished", "sweep", *r[1:7], repr(int(r[7]) / 1e12), r[8], "100", "1.7e9"] for r in wide]
    crashed = ["oops", "crashed", "sweep", *wide[0][1:7], "", "", "7", "1.7e9"]
    alive = ["late", "running", "sweep", *wide[1][1:7], "1.0", "9.9", "7", "1.7e9"]
    (FOLDER / "wandb_table.csv").write_text(table(wandb, finished, quoting=csv.QUOTE_ALL))
    (FOLDER / "wandb_crashed.csv").write_text(table(wandb, [*finished[:5], crashed, *finished[5:], alive]))

    with (FOLDER / "wandb_api.jsonl").open("w") as out:
        for r in wide:
            config = {"model": {"emb_dim": int(r[1]), "n_layers": int(r[2]), "d_ff": int(r[3])}, "seed": 1}
            summary = {"valid/loss": float(r[8]), "total_flops": float(r[7]), "num_tokens": int(r[6]), "_runtime": 3.5}
            out.write(json.dumps({"id": r[0], "state": "finished", "config": config, "summary": summary}) + "\n")

    def comma(number: float) -> str:
        return f"{number:.9E}".replace(".", ",")

    europe = [
        [r[0], r[1], r[2], grouped(r[3], "."), r[6], comma(float(r[7])), r[8].replace(".", ","), "Jörg"] for r in wide
    ]
    header = ["Run", "Width", "Depth", "MLP dim", "Tokens", "FLOPs", "Loss", "Läufer"]
    text = "sep=;\n" + table(header, europe, ";").replace("\n", "\r\n")
    (FOLDER / "excel_europe_cp1252.csv").write_bytes(text.encode("cp1252"))

    suffixes = [
        [
            *(r[0], grouped(r[1], ","), r[2], grouped(r[3], ","), f"{int(r[5]) / 1e6:.6f}M"),
            *(f"{int(r[6]) / 1e6:g}M", repr(int(r[7]) / 1e15), r[8]),
        ]
        for r in wide
    ]
    header = ["Model", "Hidden size", "# Layers", "FFN", "Params", "Train tokens", "FLOPs (1e15)", "Val loss (nats)"]
    (FOLDER / "sheet_suffixes_utf16.csv").write_bytes(table(header, suffixes).encode("utf-16"))

    units = ["", "", "", "", "", "M", "", "PFLOPs", "nats"]
    scaled = [[*r[:5], repr(int(r[5]) / 1e6), r[6], repr(int(r[7]) / 1e15), r[8]] for r in wide]
    (FOLDER / "unit_row.tsv").write_text(table(list(COLUMNS), [units, *scaled], "\t"))

    lines = plain.splitlines()
    commented = "\n".join(["# written by hand", "", *lines[:9], "", "# the second half", *lines[9:], ""])
    (FOLDER / "comments.csv.gz").write_bytes(gzip.compress(commented.encode(), mtime=0))
    (FOLDER / "plain.csv.xz").write_bytes(lzma.compress(plain.encode()))

    indexed = table(["", *COLUMNS[:5], "N", "D", "C", "loss"], [[str(i), *r] for i, r in enumerate(wide)])
    (FOLDER / "pandas_index.csv").write_text(indexed)

    days = [[r[0], r[1], r[2], r[3], r[6], repr(int(r[7]) / 86400e15), r[8]] for r in wide]
    (FOLDER / "pf_days.csv").write_text(
        table(["uid", "embedding_dim", "num_blocks", "dim_feedforward", "D", "PF-days", "test_loss"], days)
    )
    half = len(lines) // 2
    (FOLDER / "part1.csv").write_text("\n".join(lines[:half]) + "\n")
    (FOLDER / "part2.csv").write_text("\n".join([lines[0], *lines[half:]]) + "\n")

    drawn(wide)
    histories(wide[:FIRST])


def drawn(wide: list[list[str]]) -> None:
    """Write the sweep as people paste it: a table in Markdown, and what pandas prints."""
    header, *rows = ["| " + " | ".join(cells) + " |" for cells in [list(COLUMNS), *wide]]
    (FOLDER / "notes.md").write_text("\n".join(["# Results", "", header, "|---" * len(COLUMNS) + "|", *rows, ""]))
    width = max(len(cell) for cells in wide for cell in cells) + 2
    printed = [["", *COLUMNS], *([str(i), *cells] for i, cells in enumerate(wide))]
    lines = ["".join(cell.rjust(width) for cell in cells).removeprefix(" " * (width - 2)) for cells in printed]
    (FOLDER / "printed_frame.txt").write_text(
        "\n".join([*lines, "", f"[{len(wide)} rows x {len(COLUMNS)} columns]", ""])
    )


def histories(wide: list[list[str]]) -> None:
    """Write what trainers print and log a step at a time, beside a configuration or not."""
    for r in wide:
        loss, tokens, flops = float(r[8]), int(r[6]), int(r[7])
        run = folder_of("big_vision", r[0])
        config = {"total_steps": 100, "model_name": "vit", "input": {"batch_size": tokens // 100, "seed": 0}}
        config["model"] = {"width": int(r[1]), "depth": int(r[2]), "mlp_dim": int(r[3]), "num_heads": int(r[4])}
        (run / "config.json").write_text(json.dumps(config))
        points = [{"step": 50, "l2_params": 1.5, "loss": 3.0}]
        points += [{"step": s, "tokens_seen": tokens * s // 100, "val/loss": loss * 100 / s} for s in (50, 100)]
        points[-1]["total_training_flops"] = flops
        text = "".join(json.dumps(point) + "\n" for point in points)
        (run / "big_vision_metrics.txt").write_text(text)

        run = folder_of("levanter", r[0])
        model = {"hidden_dim": int(r[1]), "num_layers": int(r[2]), "intermediate_dim": int(r[3])}
        summary = {"eval/loss": loss, "throughput/total_gflops": flops / 1e9, "throughput/total_tokens": tokens}
        line = {
            "config": {"model": model, "trainer": {"seed": 0}},
            "summary": {**summary, "parameter_count": int(r[5])},
        }
        (run / "tracker_metrics.jsonl").write_text(json.dumps(line) + "\n")

        (FOLDER / "nanogpt").mkdir(exist_ok=True)
        lines = ["Overriding config with config/sweep.py:", f"n_embd = {r[1]}", f"n_layer = {r[2]} # layers"]
        lines += [f"d_ff = {r[3]}", "learning_rate = 6e-4", "eval_interval = 50", f"Overriding: n_head = {r[4]}"]
        lines += [f"tokens per iteration will be: {tokens // 100:,}", f"number of parameters: {int(r[5]) / 1e6:.6f}M"]
        lines += ["step 0: train loss 10.9874, val loss 10.9876", "iter 0: loss 10.9, time 9.2ms, mfu -100.00%"]
        lines += [f"step 100: train loss 1.0, val loss {loss}", "iter 100: loss 3.1, time 9.2ms, mfu 31.40%"]
        (FOLDER / "nanogpt" / f"{r[0]}.log").write_text("\n".join(lines) + "\n")

        run = folder_of("nanochat", r[0])
        lines = ["Vocab size: 65,536", f"num_layers: {r[2]}", f"model_dim: {r[1]}", f"num_heads: {r[4]}"]
        lines += [f"mlp_dim: {r[3]}", f"Total batch size {tokens // 100:,} => gradient accumulation steps: 1"]
        lines += [f"Number of parameters: {int(r[5]):,}", f"Estimated FLOPs per token: {flops / tokens!r}"]
        lines += ["Step 00000 | Validation bpb: 3.3049", "step 00000/00100 (0.00%) | loss: 11.09 | mfu: 40.01"]
        lines += [f"Step 00100 | Validation bpb: {loss}", "Minimum validation bpb: 0.8"]
        (run / "train.log").write_text("\n".join(lines) + "\n")


def folder_of(name: str, run: str) -> Path:
    folder = FOLDER / name / run
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
