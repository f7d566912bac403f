"""The harness of the sweeps of our own: shapes train, go on where they were killed, and log what shapeplan reads."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from campaigns import modules_of
from conftest import SAMPLES

import shapeplan as sp

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
SHAPES = ({"width": 48, "depth": 2, "mlp_dim": 128}, {"width": 48, "depth": 2, "mlp_dim": 192})
CENTER = {"width": 160, "depth": 8, "mlp_dim": 640}
STEPS = (10, 20)


def small_corpus(code: SimpleNamespace, folder: Path) -> Any:
    """The modules of the standard library that are no packages, as a task."""
    for path in Path(sysconfig.get_path("stdlib")).glob("*.py"):
        (folder / path.name).write_bytes(path.read_bytes())
    return code.task.Bytes(code.corpus.read_corpus(folder), torch.device("cpu"))


def blobs(code: SimpleNamespace, _: Path) -> Any:
    """A task of glyphs whose pictures are random blots, one a class and face."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 2, (120, 8, 8)).repeat(5, 1).repeat(5, 2)
    pictures = np.repeat(coarse, 3, axis=0).astype(np.uint8) * 255
    first = np.arange(120) * 3
    pool = code.glyphs.Pool(
        100,
        tuple(map(chr, range(200, 320))),
        pictures,
        np.stack([first, first + 2]),
        np.stack([first * 0 + 2, first * 0 + 1]),
    )
    return code.task.Glyphs(pool, torch.device("cpu"))


CAMPAIGNS = {
    "stdlib_lm": (small_corpus, ("corpus",)),
    "vit_glyphs": (blobs, ("glyphs",)),
}


@pytest.fixture(scope="module", params=CAMPAIGNS)
def code(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The modules of a campaign and of the harness, and a small task of its kind."""
    if request.param == "vit_glyphs":
        pytest.importorskip("PIL", reason="drawing needs the extra `train`")
        pytest.importorskip("fontTools", reason="drawing needs the extra `train`")
    build, names = CAMPAIGNS[request.param]
    with ExitStack() as stack:
        found = stack.enter_context(modules_of(request.param, "model", "task", "sweep", *names))
        harness = stack.enter_context(modules_of(request.param, "harness.training", "harness.work"))
        torch.set_num_threads(1)
        found.training = getattr(harness, "harness.training")
        found.work = getattr(harness, "harness.work")
        found.folder = SAMPLES / request.param
        found.small = build(found, tmp_path_factory.mktemp("data"))
        yield found


def run_of(code: SimpleNamespace, shape: dict[str, int], seed: int = 0) -> Any:
    durations = tuple(step * code.small.step_units for step in STEPS)
    return code.training.Run(f"run-{shape['mlp_dim']}-seed{seed}", shape, seed, durations)


def test_the_model_has_the_parameters_that_shapeplan_counts(
    code: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    cost = code.sweep.CAMPAIGN.architecture
    monkeypatch.setattr(code.small, "classes", 1000, raising=False)
    for shape in (*SHAPES, CENTER):
        built = code.small.build(shape)
        assert sum(parameter.numel() for parameter in built.parameters()) == cost.model(shape).params


def test_the_loss_falls(code: SimpleNamespace, tmp_path: Path) -> None:
    for shape in SHAPES:
        run = run_of(code, shape)
        before = code.small.metrics(code.training.State(code.small, run).model)
        rows = list(code.training.train(code.small, run, tmp_path / run.name))
        assert [row[code.small.unit] for row in rows] == list(run.durations)
        assert before["loss"] > rows[0]["loss"] > rows[1]["loss"] > 0
        assert all(0 <= row[name] <= 1 for row in rows for name in before if name.endswith("error"))


def test_a_run_that_was_killed_gives_the_same_numbers(
    code: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, run, task = code.training, run_of(code, SHAPES[0]), code.small
    whole = [row["loss"] for row in training.train(task, run, tmp_path / "whole")]
    monkeypatch.setattr(training, "SAVE_EVERY", 0.0)
    real, steps = task.loss, 0

    def dying(model: Any, step: int) -> Any:
        nonlocal steps
        steps += 1
        if steps in (4, 13, 19, 25):
            raise KeyboardInterrupt
        return real(model, step)

    monkeypatch.setattr(task, "loss", dying)
    found: dict[int, float] = {}
    kills = 0
    while len(found) < len(run.durations):
        try:
            for row in training.train(task, run, tmp_path / "killed", frozenset(found)):
                found[row[task.unit]] = row["loss"]
        except KeyboardInterrupt:
            kills += 1
    assert kills == 4
    assert list(found.values()) == whole
    # A step that was done is not done again, but for the four that were killed.
    trunk, branches = 16, 2 + 4
    assert steps == trunk + branches + kills


def test_the_log_is_read_by_shapeplan(code: SimpleNamespace, tmp_path: Path) -> None:
    campaign = replace(code.sweep.CAMPAIGN, task=lambda device: code.small)
    runs = [run_of(code, shape, seed) for shape in SHAPES for seed in (0, 1)]
    log = tmp_path / "runs.csv"
    code.work.work(campaign, runs[:3], log, tmp_path / "states")
    code.work.work(campaign, runs, log, tmp_path / "states")
    read = sp.read_runs(log)
    assert {caution.code for caution in read.cautions} <= {"implausible-magnitude"}, "so few examples as a test can"
    assert read.flops_convention == "training"
    assert len(read) == len(runs) * len(STEPS)
    assert len(read.run_names) == len(runs)
    assert sp.check(read).runs is not None
    for i in range(len(read)):
        shape = dict(zip(read.dims, map(int, read.shape[i]), strict=True))
        each = campaign.architecture.model(shape).flops("training") // campaign.example_units
        assert read.flops[i] == each * int(read.examples[i])


def test_a_duration_that_was_laid_out_later_is_added(code: SimpleNamespace, tmp_path: Path) -> None:
    campaign = replace(code.sweep.CAMPAIGN, task=lambda device: code.small)
    run, log = run_of(code, SHAPES[0]), tmp_path / "runs.csv"
    longest = replace(run, durations=run.durations[-1:])
    code.work.work(campaign, [longest], log, tmp_path / "states")
    code.work.work(campaign, [run], log, tmp_path / "states")
    assert [int(units) for units in sp.read_runs(log).examples] == list(reversed(run.durations))


def test_a_run_that_diverges_is_recorded_and_not_tried_again(
    code: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = replace(code.sweep.CAMPAIGN, task=lambda device: code.small)
    tried = []

    def nothing(model: Any, step: int) -> Any:
        tried.append(step)
        return next(model.parameters()).sum() * torch.nan

    monkeypatch.setattr(code.small, "loss", nothing)
    for _ in range(2):
        code.work.work(campaign, [run_of(code, SHAPES[0])], tmp_path / "runs.csv", tmp_path / "states")
    assert not (tmp_path / "runs.csv").exists()
    assert (tmp_path / "failures.csv").read_text() == "run,reason\nrun-128-seed0,the loss is nan at step 1\n"
    assert tried == [0]


def test_the_designs_are_those_of_the_sweep(code: SimpleNamespace) -> None:
    campaign = code.sweep.CAMPAIGN
    runs = campaign.designed()
    shapes = {tuple(run.shape.values()) for run in runs}
    language = campaign.folder.name == "stdlib_lm"
    assert len(shapes) == (16 + 64 if language else 16 + 36 + 25)
    assert sum(run.name.startswith("center") for run in runs) == 3
    assert {max(run.durations) for run in runs} == (
        {2_000_000, 8_000_000} if language else {48_000, 64_000, 144_000, 432_000}
    )
    rates = {run.shape["width"]: code.small.recipe.rate(run) for run in runs}
    assert rates[48] > rates[160]


@pytest.mark.parametrize("log", ["runs.csv", "tuning.csv", "duel.csv"])
def test_no_log_grows_on_other_data(code: SimpleNamespace, tmp_path: Path, log: str) -> None:
    campaign = replace(code.sweep.CAMPAIGN, folder=tmp_path, provenance=lambda: {"sha256": "new"})
    record = tmp_path / campaign.source
    record.write_text('{"sha256": "old"}')
    (tmp_path / log).write_text("run\n")
    said = f"trained on other data than this machine's (see {record.name}): {log}; move away first"
    with pytest.raises(SystemExit) as refused:
        code.work.check_source(campaign)
    assert refused.value.code == said
    assert record.read_text() == '{"sha256": "old"}'
    (tmp_path / log).unlink()
    code.work.check_source(campaign)
    assert record.read_text() == '{\n  "sha256": "new"\n}\n'
