"""The sweep of our own: the two smallest shapes train, go on where they were killed, and log what shapeplan reads."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import SAMPLES

import shapeplan as sp

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
FOLDER = SAMPLES / "stdlib_lm"
SHAPES = ({"width": 48, "depth": 2, "mlp_dim": 128}, {"width": 48, "depth": 2, "mlp_dim": 192})
STEPS = (10, 20)


@pytest.fixture(scope="module")
def code() -> Iterator[Any]:
    """The modules of the sweep, as they import each other."""
    sys.path.insert(0, str(FOLDER))
    import corpus
    import model
    import sweep
    import training

    torch.set_num_threads(1)
    yield {"corpus": corpus, "model": model, "sweep": sweep, "training": training}
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules of the standard library that are no packages."""
    folder = tmp_path_factory.mktemp("stdlib")
    for path in Path(sysconfig.get_path("stdlib")).glob("*.py"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def small(code: Any, folder: Path) -> Any:
    return code["corpus"].read_corpus(folder)


def run_of(code: Any, shape: dict[str, int], steps: tuple[int, ...] = STEPS, seed: int = 0) -> Any:
    training = code["training"]
    tokens = tuple(step * training.BATCH * code["model"].CONTEXT for step in steps)
    return training.Run(f"run-{shape['mlp_dim']}-seed{seed}", shape, seed, tokens)


def test_the_corpus_is_split_by_path_and_no_byte_is_lost(code: Any, small: Any, folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in folder.glob("*.py") if not path.name.startswith("_sysconfig")}
    assert small.files == len(sizes)
    provenance = small.provenance()
    assert provenance["train_bytes"] + provenance["validation_bytes"] == sum(sizes.values())
    assert len(small.train) > 5 * len(small.validation) > 10_000
    # A file more moves no other file to the other side.
    name = "zzz.py"
    (folder / name).write_text("print('more')\n")
    more = code["corpus"].read_corpus(folder)
    (folder / name).unlink()
    assert more.sha256 != small.sha256
    kept = "train" if len(more.train) > len(small.train) else "validation"
    assert getattr(more, kept).tobytes().startswith(getattr(small, kept).tobytes())
    assert code["corpus"].read_corpus(folder).sha256 == small.sha256


def test_the_model_has_the_parameters_that_shapeplan_counts(code: Any) -> None:
    cost = sp.architecture({"family": "gpt2", "vocab": 256, "seq": 128, "head_dim": 16})
    for shape in (*SHAPES, {"width": 160, "depth": 8, "mlp_dim": 640}):
        built = code["model"].Decoder(**shape)
        assert sum(parameter.numel() for parameter in built.parameters()) == cost.model(shape).params


def test_loss_falls(code: Any, small: Any, tmp_path: Path) -> None:
    for shape in SHAPES:
        run = run_of(code, shape)
        before = code["training"].validation_loss(code["training"].State(run).model, small)
        rows = list(code["training"].train(run, small, tmp_path / run.name))
        assert [row["tokens"] for row in rows] == list(run.durations)
        assert before > rows[0]["loss"] > rows[1]["loss"] > 0


def test_a_run_that_was_killed_gives_the_same_numbers(
    code: Any, small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, run = code["training"], run_of(code, SHAPES[0])
    whole = [row["loss"] for row in training.train(run, small, tmp_path / "whole")]
    monkeypatch.setattr(training, "SAVE_EVERY", 0.0)
    real, steps = training.Decoder.loss, 0

    def dying(self: Any, sequences: Any) -> Any:
        nonlocal steps
        steps += torch.is_grad_enabled()
        if torch.is_grad_enabled() and steps in (4, 13, 19, 25):
            raise KeyboardInterrupt
        return real(self, sequences)

    monkeypatch.setattr(training.Decoder, "loss", dying)
    found: dict[int, float] = {}
    kills = 0
    while len(found) < len(run.durations):
        try:
            for row in training.train(run, small, tmp_path / "killed", frozenset(found)):
                found[row["tokens"]] = row["loss"]
        except KeyboardInterrupt:
            kills += 1
    assert kills == 4
    assert list(found.values()) == whole
    # A step that was done is not done again, but for the four that were killed.
    trunk, branches = 16, 2 + 4
    assert steps == trunk + branches + kills


def test_the_log_is_read_by_shapeplan(code: Any, small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = code["sweep"]
    monkeypatch.setattr(sweep, "read_corpus", lambda: small)
    runs = [run_of(code, shape, seed=seed) for shape in SHAPES for seed in (0, 1)]
    log = tmp_path / "runs.csv"
    sweep.work(runs[:3], log, tmp_path / "states")
    sweep.work(runs, log, tmp_path / "states")
    read = sp.read_runs(log)
    assert read.cautions == ()
    assert read.flops_convention == "training"
    assert len(read) == len(runs) * len(STEPS)
    assert len(read.run_names) == len(runs)
    checked = sp.check(read)
    assert checked.runs is not None
    cost = sp.architecture({"family": "gpt2", "vocab": 256, "seq": 128, "head_dim": 16})
    for i in range(len(read)):
        shape = dict(zip(read.dims, map(int, read.shape[i]), strict=True))
        exact = cost.model(shape).flops("training") // 128 * int(read.examples[i])
        assert read.flops[i] == exact


def test_the_designs_are_those_of_the_sweep(code: Any) -> None:
    runs = code["sweep"].designed(FOLDER)
    shapes = {tuple(run.shape.values()) for run in runs}
    assert len(shapes) == 16 + 64
    assert sum(run.name.startswith("center") for run in runs) == 3
    assert max(max(run.durations) for run in runs) == 8_000_000
    rates = {run.shape["width"]: run.rate for run in runs}
    assert rates[48] > rates[160]
