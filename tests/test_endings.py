"""How a run ended, where only its log tells; and what runs that a launcher started are called."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import pytest
from conftest import Program

from shapeplan import Selection, read_runs
from shapeplan.errors import InputError
from shapeplan.readers.sources.ending import state_of


def entries(losses: list[float], **measured: float) -> list[dict[str, float]]:
    """Return an evaluation a loss, with what was measured at the last of them in equal steps."""
    count = len(losses)
    return [
        {"step": 10.0 * i, "val/loss": loss, **{key: value * i / count for key, value in measured.items()}}
        for i, loss in enumerate(losses, 1)
    ]


@pytest.mark.parametrize(
    ("config", "logged", "is_cut", "state"),
    [
        ({}, entries([4, 3, 2]), False, None),
        ({}, entries([4, 3, 2]), True, "cut off"),
        ({"tokens": 1e9}, entries([4, 3, 2], tokens=5e8), True, "cut off"),
        ({"tokens": 1e9}, entries([4, 3, 2], tokens=1e9), True, "finished"),
        ({"tokens": 1e9}, entries([4, 3, 2], tokens=8.9e8), False, "unfinished"),
        ({"tokens": 1e9}, entries([4, 3, 2], tokens=9.1e8), False, "finished"),
        ({"tokens": "1e9"}, entries([4, 3, 2], tokens_seen=5e8), False, "unfinished"),
        ({"config.examples": 64_000_000}, entries([4, 3, 2], images_seen=3.2e7), False, "unfinished"),
        ({"trainer.max_steps": 100}, entries([4, 3, 2]), False, "unfinished"),
        ({"max_steps": 30}, entries([4, 3, 2]), False, "finished"),
        # The size of a corpus is no plan.
        ({"data.tokens": 1e12}, entries([4, 3, 2], tokens=1e9), False, None),
        # By one measure the run is done, so the other is none of its length.
        ({"tokens": 1e12, "max_steps": 30}, entries([4, 3, 2], tokens=1e9), False, "finished"),
        ({"tokens": 0, "max_steps": "auto"}, entries([4, 3, 2], tokens=1e9), False, None),
        ({}, entries([4, 3, 50]), False, "diverged"),
        ({"max_steps": 30}, entries([4, 3, 4.1]), False, "diverged"),
        ({}, entries([4, 5]), False, None),
        ({}, [{"step": i, "loss": loss} for i, loss in enumerate([7.7, 5.9, 15.0])], False, "diverged"),
        ({}, [{"step": i, "loss": loss} for i, loss in enumerate([3.1, 3.0, 3.2])], False, None),
        ({}, [{"step": i, "loss": -1.0 - i / 100} for i in range(3)], False, None),
        ({}, [{"step": i, "loss": 4 - i, "aux_loss": i + 1} for i in range(3)], False, None),
        ({}, [{"step": i, "val/loss": 4 - i, "eval/acc": i, "train_loss": i} for i in range(3)], False, None),
        ({}, [{"step": i, "val/loss": i, "test_loss": 4 - i} for i in range(3)], False, None),
        ({}, [], False, None),
    ],
)
def test_a_log_tells_how_its_run_ended(
    config: dict[str, object], logged: list[dict[str, float]], is_cut: bool, state: str | None
) -> None:
    assert state_of(config, logged, is_cut=is_cut) == state


def write_run(root: Path, name: str, config: dict[str, object], text: str) -> None:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"width": 64, "depth": 2, "training_flops": 1e15, **config}))
    (folder / "metrics.jsonl").write_text(text)


def lines(logged: list[dict[str, float]]) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in logged)


def test_a_killed_run_is_not_read_as_one_that_ended(tmp_path: Path) -> None:
    for i in range(3):
        config = {"tokens": 10**9 + i, "depth": 2 + i}
        write_run(tmp_path, f"whole{i}", config, lines(entries([4, 3, 2 + i / 10], tokens=1e9 + i)))
    write_run(tmp_path, "killed", {"tokens": 10**9}, lines(entries([4, 3, 2], tokens=1e9))[:-40])
    with pytest.raises(InputError) as refused:
        read_runs(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}/killed/metrics.jsonl:1: column 'state': the run is cut off: its loss is not final; "
        "`where='state=finished'` leaves such rows out, `where='state!='` keeps them"
    )
    runs = read_runs(tmp_path, selection=Selection(where=("state=finished",)))
    assert list(runs.run_names) == ["whole0", "whole1", "whole2"]
    assert f"left out 1 row: not state=finished ({tmp_path}/killed/metrics.jsonl)" in runs.notes


def test_what_a_trainer_says_of_the_end_goes_first_unless_the_run_diverged(tmp_path: Path) -> None:
    config = {"tokens": 10**9, "status": "finished"}
    write_run(tmp_path, "early", config, lines(entries([4, 3, 2], tokens=5e8)))
    assert list(read_runs(tmp_path).run_names) == ["early"]
    write_run(tmp_path, "diverged", config, lines(entries([4, 3, 9], tokens=1e9)))
    with pytest.raises(
        InputError, match=r"diverged/metrics.jsonl:1: column 'state': the run is diverged: .*; `where='st"
    ):
        read_runs(tmp_path)
    kept = read_runs(tmp_path, selection=Selection(where=("state!=diverged",)))
    assert list(kept.run_names) == ["early"]


@pytest.mark.parametrize(
    ("plan", "early", "whole"),
    [
        ({}, {"tokens": 4e8}, {"tokens": 1e9}),
        ({}, {"tokens_seen": 4e8}, {"tokens_seen": 1e9}),
        ({"max_steps": 75}, {}, {}),
        ({"max_steps": 75, "data.tokens": 1e12}, {"tokens": 4e8}, {"tokens": 1e9}),
    ],
)
def test_compute_that_the_config_plans_counts_as_far_as_a_run_came(
    tmp_path: Path, plan: dict[str, float], early: dict[str, float], whole: dict[str, float]
) -> None:
    config = {"tokens": 10**9, **plan}
    write_run(tmp_path, "early", {**config, "state": "failed"}, lines(entries([4, 3, 2], **early)))
    ended = {"max_steps": 30} if "max_steps" in plan else {}
    write_run(tmp_path, "whole", {**config, **ended, "state": "finished"}, lines(entries([4, 3, 2], **whole)))
    runs = read_runs(tmp_path, selection=Selection(where=("state!=",)))
    assert runs.examples is not None
    assert dict(zip(runs.run_names, runs.flops.tolist(), strict=True)) == {"early": 4e14, "whole": 1e15}
    assert dict(zip(runs.run_names, runs.examples.tolist(), strict=True)) == {"early": 4e8, "whole": 1e9}


def test_metrics_without_a_step_beside_a_config_are_those_of_a_run(tmp_path: Path) -> None:
    for i in range(3):
        logged = [{"tokens": 1e8 * j, "val_loss": 5.0 - j - i / 10} for j in range(1, 4)]
        write_run(tmp_path, f"run{i}", {"tokens": 3 * 10**8, "depth": 2 + i}, lines(logged))
    runs = read_runs(tmp_path)
    assert list(runs.run_names) == ["run0", "run1", "run2"]
    assert runs.observed().tolist() == pytest.approx([2.0, 1.9, 1.8])


def test_a_run_of_hydra_is_called_as_its_row(tmp_path: Path) -> None:
    row = "{run: center-1M, width: 64, depth: 2, tokens: 1.0e+9, training_flops: 1.0e+15}"
    home = tmp_path / "0" / ".hydra"
    home.mkdir(parents=True)
    (home / "config.yaml").write_text(f"model: {{width: '${{design.width}}', depth: 2}}\ndesign: {row}\n")
    (tmp_path / "0" / "metrics.jsonl").write_text(lines(entries([4, 3, 2], tokens=1e9)))
    runs = read_runs(tmp_path)
    assert (list(runs.run_names), runs.dims, runs.shape.tolist()) == (["center-1M"], ("width", "depth"), [[64, 2]])


def test_a_config_of_hydra_with_a_design_of_another_kind_is_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a" / ".hydra").mkdir(parents=True)
    settings = "design: {layers: tall}\nmodel: {width: 64, depth: 2}\ntraining_flops: 1.0e+15\n"
    (tmp_path / "a" / ".hydra" / "config.yaml").write_text(settings)
    (tmp_path / "a" / "metrics.jsonl").write_text(lines(entries([4, 3, 2])))
    assert read_runs(tmp_path).shape.tolist() == [[64, 2]]


def test_a_run_of_a_wandb_sweep_is_called_as_its_row(tmp_path: Path) -> None:
    protocol = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    started, ended = protocol.Record(), protocol.Record()
    started.run.run_id = "u7r358f0"
    ended.exit.exit_code = 0
    config = {"run": "center-1M", "width": 64, "depth": 2, "training_flops": 1e15, "val/loss": 2.5}
    for key, value in config.items():
        started.run.config.update.add(key=key, value_json=json.dumps(value))
    chunks = [record.SerializeToString() for record in (started, ended)]
    # A checksum of kind and content, the length, the kind: whole records in the first block.
    framed = [struct.pack("<IHB", zlib.crc32(chunk, zlib.crc32(b"\1")), len(chunk), 1) + chunk for chunk in chunks]
    (tmp_path / "run-u7r358f0.wandb").write_bytes(b":W&B" + bytes(3) + b"".join(framed))
    assert list(read_runs(tmp_path).run_names) == ["center-1M"]


DESIGN = "run,width,depth,mlp_dim,tokens,training_flops\n" + "".join(
    f"r{i},{width},4,512,1000000000,1e15\n" for i, width in enumerate((128, 192, 256, 320))
)


def test_a_campaign_tells_runs_that_go_on_from_those_that_were_killed(program: Program, tmp_path: Path) -> None:
    """Both are shorter than planned, and no line of either says how it ended."""
    (tmp_path / "design.csv").write_text(DESIGN)
    (tmp_path / "runs").mkdir()
    done = lines(entries([4, 3, 2], tokens=1e9))
    for i, log in enumerate((done, done.rsplit("\n", 2)[0] + "\n", done[:-20], lines([{"step": 0, "val/loss": 9.0}]))):
        config = {"width": 128 + 64 * i, "depth": 4, "mlp_dim": 512, "tokens": 10**9}
        write_run(tmp_path / "runs", f"r{i}", config, log)
    told = program("status", "design.csv", "runs/", "--json")
    assert told.returncode == 0, told.stderr
    rows = json.loads(told.stdout)["rows"]
    assert [row["state"] for row in rows] == ["done", "running", "crashed", "pending"]
    assert "1 run is shorter than planned, and not said to have ended: counted as running" in told.stderr
    assert "counted as running" not in program("status", "design.csv", "design.csv").stderr


def test_a_campaign_whose_runs_are_all_at_step_0_has_not_begun(program: Program, tmp_path: Path) -> None:
    (tmp_path / "design.csv").write_text(DESIGN)
    for i in range(4):
        config = {"width": 128 + 64 * i, "depth": 4, "mlp_dim": 512, "tokens": 10**9}
        write_run(tmp_path / "runs", f"r{i}", config, lines([{"step": 0, "tokens": 0, "val/loss": 9.0}]))
    told = program("status", "design.csv", "runs/", "--json")
    assert told.returncode == 0, told.stderr
    assert [row["state"] for row in json.loads(told.stdout)["rows"]] == ["pending"] * 4
    assert "no run has trained yet" in told.stderr
