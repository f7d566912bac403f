"""What trainers print where no other file tells the loss: torchtitan, Megatron, MaxText, loggers, printed objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from conftest import Program

import shapeplan as sp
from shapeplan.errors import InputError, ShapeplanError
from shapeplan.readers.sources.printed_lines import message_of

WIDTHS, DEPTHS, STEPS = (128, 192, 256), (2, 4, 6), (1000, 2000)
SEQUENCES, LENGTH = 64, 512
ARCHITECTURE = "architecture: {family: llama, vocab: 2048, seq: 512, head_dim: 32}\n"
LOGGED = "2026-12-01 12:00:00,123 - trainer - INFO - "
TITAN = "[rank0]:[titan] 2025-11-25 19:44:58,537 - root - INFO - "
ABSL = "I1018 20:27:34.123456 139 max_logging.py:20] "

Print = Callable[[int, int, int, dict[int, float]], list[str]]


def loss(width: int, depth: int, step: int) -> float:
    """Return a loss with as many decimals as every trainer here prints."""
    return round(1.7 + 25 / width**0.7 + 0.9 / depth**0.8 + 30 / step**0.5, 4)


def torchtitan(width: int, depth: int, steps: int, losses: dict[int, float]) -> list[str]:
    built = (
        f"dim={width}, n_layers={depth}, n_heads={width // 32}, n_kv_heads=None, vocab_size=2048, multiple_of=64, "
        "ffn_dim_multiplier=1.3, rope_scaling_args=RoPEScalingArgs(scaling_factor=8.0, dim=16), max_seq_len=2048"
    )
    told = f"local batch size 8, global batch size {SEQUENCES}, gradient accumulation steps 1, sequence length {LENGTH}"
    lines = [
        "[rank0]:NCCL version 2.27.5+cuda12.9",
        f"{TITAN}Building llama3 tiny with TransformerModelArgs(_enforced='a field, no more', {built})",
        f"{TITAN}Trainer is initialized with {told}, total steps {steps} (warmup 2)",
    ]
    for step, value in losses.items():
        line = f"\x1b[31mstep: {step:2}  \x1b[32mloss: {value:8.5f}  \x1b[33mtps: 5,756  \x1b[35mmfu: 0.04%\x1b[39m"
        lines += [TITAN + line] * 2
    return lines


def torchtitan_of_today(width: int, depth: int, steps: int, losses: dict[int, float]) -> list[str]:
    model = {
        "dim": width,
        "n_layers": depth,
        "rope": {"dim": 16, "max_seq_len": 2048},
        "layer": {"attention": {"n_heads": width // 32}, "feed_forward": {"hidden_dim": 4 * width}, "moe": None},
    }
    start = "[2026-02-28 14:29:21,687267][I][ft/trainer:116:__init__] "
    printed = f"{start}Building agpt with {json.dumps(model, indent=4)}".split("\n")
    told = f"global batch size {SEQUENCES}, sequence length {LENGTH}, total steps {steps} (warmup 200)"
    lines = [*printed, f"{start}Trainer is initialized with local batch size 8, {told}"]
    return lines + [
        f"{start}step: {step}  loss:  {value:.5f}  grad_norm:  1.4  mfu: 2.5%" for step, value in losses.items()
    ]


def megatron(width: int, depth: int, steps: int, losses: dict[int, float]) -> list[str]:
    arguments = {"hidden_size": width, "num_layers": depth, "ffn_hidden_size": 4 * width, "seq_length": LENGTH}
    lines = [f"  {key} {'.' * (48 - len(key))} {value}" for key, value in arguments.items()]
    for step, value in losses.items():
        told = f"consumed samples: {SEQUENCES * step:12d} | elapsed time per iteration (ms): 87.0"
        lines.append(
            f" [2024-05-01 10:00:00] iteration {step:8d}/ {steps:8d} | {told} | global batch size:    16 | "
            f"lm loss: {value:.6E} | loss scale: 1.0 | grad norm: 0.1 |"
        )
    return lines


def maxtext(width: int, depth: int, steps: int, losses: dict[int, float]) -> list[str]:
    config = {
        **{"base_emb_dim": width, "base_num_decoder_layers": depth, "base_mlp_dim": 4 * width},
        **{"global_batch_size_to_train_on": SEQUENCES, "max_target_length": LENGTH, "steps": steps},
    }
    lines = [f"{ABSL}Config param {key}: {value}" for key, value in config.items()]
    return lines + [
        f"{ABSL}completed step: {step}, seconds: 2.167, TFLOP/s/device: 36.722, total_weights: 32768, loss: {value:.4f}"
        for step, value in losses.items()
    ]


def logger(width: int, depth: int, steps: int, losses: dict[int, float]) -> list[str]:
    said = {"d_model": width, "num_layers": depth, "d_ff": 4 * width, "tokens per batch": SEQUENCES * LENGTH}
    lines = [f"{LOGGED}{key}: {value}" for key, value in said.items()]
    return lines + [f"{LOGGED}Step {step} - train loss: {value:.4f} - aux loss: 0.01" for step, value in losses.items()]


def arguments(width: int, depth: int, steps: int, losses: dict[int, float]) -> list[str]:
    lines = [
        f"Namespace(d_model={width}, n_layer={depth}, d_ff={4 * width}, lr=0.0003, name='a=1')",
        f"tokens per step: {SEQUENCES * LENGTH:,}",
    ]
    return lines + [
        f"[2026-12-01 12:00:00,123][main][INFO] - step {step}/{steps} | loss {value:.4f} | lr 3e-4"
        for step, value in losses.items()
    ]


def gpt_neox(width: int, depth: int, steps: int, losses: dict[int, float]) -> list[str]:
    said = {"hidden_size": width, "num_layers": depth, "intermediate_size": 4 * width, "seq_length": LENGTH}
    lines = [f"  {key} {'.' * 20} {value}{'.' * 8}updated" for key, value in said.items()]
    lines.append(f"  train_batch_size {'.' * 20} {SEQUENCES}")
    return lines + [
        f" samples/sec: 100.2 | iteration {step:8d}/{steps:8d} | flops per GPU: 100TFLOPS | lm_loss: {value:.6E} |"
        for step, value in losses.items()
    ]


def nemo(width: int, depth: int, steps: int, losses: dict[int, float]) -> list[str]:
    said = {"hidden_size": width, "num_layers": depth, "ffn_hidden_size": 4 * width, "seq_length": LENGTH}
    lines = [f"{key}: {value}" for key, value in said.items()]
    return lines + [
        f"Training epoch 0, iteration {step - 1}/{steps - 1} | global_batch_size: 16 | global_step: {step - 1} | "
        f"reduced_train_loss: {value:.4f} | consumed_samples: {step * SEQUENCES}"
        for step, value in losses.items()
    ]


def deepspeed(width: int, depth: int, steps: int, losses: dict[int, float]) -> list[str]:
    start = "[2026-12-01 12:00:00,000] [INFO] [logging.py:96:log_dist] [Rank 0] "
    lines = [
        f"{start}{key}: {value}" for key, value in {"d_model": width, "n_layers": depth, "d_ff": 4 * width}.items()
    ]
    return lines + [
        f"{start}step={step}, skipped=0, lr=[0.0001], loss={value:.4f}, tokens={step * SEQUENCES * LENGTH:,}, x=1"
        for step, value in losses.items()
    ]


def tokens_of_a_step(width: int, depth: int, steps: int, losses: dict[int, float]) -> list[str]:
    """The same count at every step is not what was seen until then."""
    lines = [f"d_model = {width}", f"n_layers = {depth}", f"d_ff = {4 * width}"]
    return lines + [
        f"step {step} | loss: {value:.4f} | tokens: {SEQUENCES * LENGTH} | tokens/s: 9"
        for step, value in losses.items()
    ]


TRAINERS = (
    gpt_neox,
    nemo,
    deepspeed,
    tokens_of_a_step,
    torchtitan,
    torchtitan_of_today,
    megatron,
    maxtext,
    logger,
    arguments,
)


def written(folder: Path, trainer: Print, name: str = "{}/train.log") -> Path:
    """Write the sweep as a trainer prints it."""
    for width, depth, steps in product(WIDTHS, DEPTHS, STEPS):
        place = folder / name.format(f"w{width}-d{depth}-{steps}")
        place.parent.mkdir(parents=True, exist_ok=True)
        losses = {step: loss(width, depth, step) for step in range(100, steps + 1, 100)}
        place.write_text("\n".join(trainer(width, depth, steps, losses)) + "\n")
    (folder.parent / "lm.yaml").write_text(ARCHITECTURE)
    return folder


@pytest.mark.parametrize("trainer", TRAINERS, ids=lambda trainer: trainer.__name__)
@pytest.mark.parametrize("name", ["{}/train.log", "slurm-{}.out"])
def test_the_end_of_every_run_is_read(tmp_path: Path, trainer: Print, name: str) -> None:
    runs = sp.read_runs(written(tmp_path / "runs", trainer, name), config=tmp_path / "lm.yaml")
    assert runs.examples is not None
    told = {
        (int(width), int(depth), int(tokens)): value
        for width, depth, tokens, value in zip(
            runs.values("width"), runs.values("depth"), runs.examples, runs.observed(), strict=True
        )
    }
    assert told == {
        (width, depth, steps * SEQUENCES * LENGTH): pytest.approx(loss(width, depth, steps), abs=1e-6)
        for width, depth, steps in product(WIDTHS, DEPTHS, STEPS)
    }
    mlp = runs.values("mlp_dim") if "mlp_dim" in runs.dims else runs.values("width") * 4
    expected = {128: 448, 192: 704, 256: 896} if trainer is torchtitan else {width: 4 * width for width in WIDTHS}
    assert all(expected[int(width)] == dim for width, dim in zip(runs.values("width"), mlp, strict=True))


def test_a_loss_at_a_step_of_validation_is_held_out(tmp_path: Path) -> None:
    """It alone is read, and runs that went on are told."""
    folder = written(tmp_path / "runs", torchtitan)
    for log in folder.rglob("*.log"):
        log.write_text(log.read_text() + f"{TITAN}\x1b[33mvalidate step: 1000  \x1b[32mloss:  2.5000  \x1b[34mtps: 9\n")
    runs = sp.read_runs(folder, config=tmp_path / "lm.yaml")
    assert set(runs.observed()) == {2.5}
    assert "scatters" not in " ".join(runs.notes)
    assert "mid-run-rows" in [caution.code for caution in runs.cautions]


def test_a_run_that_stopped_before_its_steps_is_an_error(tmp_path: Path) -> None:
    folder = written(tmp_path / "runs", torchtitan)
    log = folder / "w128-d2-2000" / "train.log"
    log.write_text("\n".join(log.read_text().split("\n")[:12]) + "\n")
    with pytest.raises(InputError, match=r"w128-d2-2000/train\.log:1: .*the run is unfinished"):
        sp.read_runs(folder, config=tmp_path / "lm.yaml")


def test_printed_losses_are_read_where_nothing_else_is(tmp_path: Path) -> None:
    """A table beside them is the log, as it was before they were understood."""
    folder = written(tmp_path / "runs", arguments, "{}.out")
    rows = [f"{width},4,{512 * k},{1e16 * k},{3 - k / 10}" for k, width in enumerate((128, 192, 256), 1)]
    (folder / "sweep.csv").write_text("width,depth,mlp_dim,flops,loss\n" + "\n".join(rows) + "\n")
    assert sp.read_runs(folder).observed().tolist() == [2.9, 2.8, 2.7]


def test_a_design_among_what_its_jobs_print_is_no_log(tmp_path: Path) -> None:
    folder = written(tmp_path / "runs", arguments, "{}.out")
    (folder / "design.csv").write_text("run,width,depth,mlp_dim,flops\nw128-d2-1000,128,2,512,1e15\n")
    (folder / "design.runs.jsonl").write_text('{"run": "w128-d2-1000", "width": 128, "depth": 2, "flops": 1e15}\n')
    (folder / "lm.yaml").write_text(ARCHITECTURE)
    runs = sp.read_runs(folder, config=tmp_path / "lm.yaml")
    assert len(runs) == len(WIDTHS) * len(DEPTHS) * len(STEPS)


def test_modules_that_are_printed_are_no_settings(tmp_path: Path) -> None:
    folder = written(tmp_path / "runs", arguments)
    for log in folder.rglob("*.log"):
        log.write_text("Block(Attention(dim=1024, num_heads=16), Mlp(hidden_dim=4096))\n" + log.read_text())
    assert set(sp.read_runs(folder, config=tmp_path / "lm.yaml").values("width")) == set(WIDTHS)


def test_other_text_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("at step 3 we saw no loss of accuracy\nstep 4: loss of signal\n")
    with pytest.raises(ShapeplanError, match="is a folder without a log"):
        sp.read_runs(tmp_path)


def test_what_loggers_write_is_cut(tmp_path: Path) -> None:
    for before in (LOGGED, TITAN, ABSL, "[2026-12-01 12:00:00,123][__main__][INFO] - ", "INFO:root:"):
        assert message_of(f"{before}step 3 loss 2").strip() == "step 3 loss 2", before
    assert message_of("step 3 | loss 2 | INFORMATION 4") == "step 3 | loss 2 | INFORMATION 4"


def test_a_campaign_is_followed_by_what_its_jobs_print(program: Program, tmp_path: Path) -> None:
    """Slurm's outputs, named as the runs, give their rows what was reached."""
    written(tmp_path / "runs", arguments, "{}.out")
    shapes = product(WIDTHS, DEPTHS, STEPS)
    lines = [f"w{w}-d{d}-{s},{w},{d},{4 * w},{s * SEQUENCES * LENGTH},{6e6 * w * d * s}" for w, d, s in shapes]
    (tmp_path / "design.csv").write_text("run,width,depth,mlp_dim,tokens,flops\n" + "\n".join(lines) + "\n")
    (tmp_path / "runs" / "w256-d6-2000.out").unlink()
    told = program("status", "design.csv", "runs", "--config", "lm.yaml", "--json")
    assert told.returncode == 0, told.stderr
    states = [row["state"] for row in json.loads(told.stdout)["rows"]]
    assert (states.count("done"), states.count("pending")) == (17, 1)


def test_numbers_that_are_none_are_diverged_runs(tmp_path: Path) -> None:
    folder = written(tmp_path / "runs", torchtitan)
    log = folder / "w128-d2-1000" / "train.log"
    log.write_text(log.read_text() + f"{TITAN}step: 1000  loss: nan  grad_norm: nan\n")
    runs = sp.read_runs(folder, config=tmp_path / "lm.yaml", selection=sp.Selection(drop_nonfinite=True))
    assert len(runs) == 17
    assert np.isfinite(runs.observed()).all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("d_ff = 1K\nseq_length = 1024", "column 'd_ff': K may be 1000 or 1024"),
        ("d_ff = 1024\nseq_length = 1K", "the rows say no compute"),
        ('d_ff = 1024\nseq_length = 1024\nconfig {\n "dim": "auto",\n "x": [1]\n}', "the rows say no compute"),
        ('Args(multiple_of=64)\nseq_length = 1024\nconfig {\n "dim": "auto"\n}', "add flops, or an architecture"),
    ],
)
def test_settings_that_leave_something_open_are_errors(tmp_path: Path, settings: str, said: str) -> None:
    (tmp_path / "r1").mkdir()
    text = f"d_model = 256\nn_layer = 4\nglobal_batch_size = 64\n{settings}\nstep 1000 loss 3.5\n"
    (tmp_path / "r1" / "train.log").write_text(text)
    with pytest.raises(InputError, match=said):
        sp.read_runs(tmp_path)


EPOCHS = [(1, 100, 3.5), (1, 200, 3.2), (2, 100, 3.0), (2, 200, 2.9)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.log", "d_model = 64\n" + "".join(f"Epoch {e} step {s}/200 loss {x}\n" for e, s, x in EPOCHS)),
        ("train.log", "d_model = 64\n" + "".join(f"epoch: {e} | step: {s} | val loss: {x}\n" for e, s, x in EPOCHS)),
        ("metrics.jsonl", "".join(json.dumps({"epoch": e, "step": s, "val_loss": x}) + "\n" for e, s, x in EPOCHS)),
        ("metrics.csv", "epoch,step,val_loss\n" + "".join(f"{e},{s},{x}\n" for e, s, x in EPOCHS)),
    ],
)
def test_steps_of_every_epoch_are_refused(tmp_path: Path, name: str, text: str) -> None:
    """The second epoch would be read as the first, at half of what was seen."""
    (tmp_path / "r1").mkdir()
    (tmp_path / "r1" / name).write_text(text)
    (tmp_path / "r1" / "config.json").write_text('{"width": 64, "depth": 2, "mlp_dim": 256, "flops": 1e15}')
    with pytest.raises(
        InputError, match=r"step 100 of epoch 2 comes after step 200 of epoch 1: steps are counted anew"
    ):
        sp.read_runs(tmp_path)
