"""The batch of one device, accumulation and devices: what the whole batch is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import shapeplan as sp
from shapeplan.errors import InputError

STEPS, SEQ = 2000, 1024
TEXT = sp.architecture({"family": "gpt2", "vocab": 32_000, "seq": SEQ, "head_dim": 64, "mlp_ratio": 4})


def rows(**cells: object) -> list[dict[str, Any]]:
    shapes = [(width, depth) for width in (256, 512, 768) for depth in (4, 8, 12)]
    return [
        {"run": f"r{i}", "width": width, "depth": depth, "max_steps": STEPS, **cells, "loss": 3 - i / 50}
        for i, (width, depth) in enumerate(shapes)
    ]


def read(cells: Mapping[str, object]) -> sp.Runs:
    return sp.read_runs(rows(**cells), architecture=TEXT)


@pytest.mark.parametrize(
    ("cells", "batch"),
    [
        ({"per_device_train_batch_size": 8, "gradient_accumulation_steps": 4, "world_size": 16}, 512),
        ({"args.per_device_train_batch_size": 8, "args.world_size": 16}, 128),
        ({"train_micro_batch_size_per_gpu": 4, "grad_accum": 2, "num_gpus": 8}, 64),
        ({"micro_batch_size": 4, "data_parallel_size": 8, "tensor_parallel": 2, "world_size": 16}, 32),
        ({"device_batch_size": 4, "n_devices": 8, "tensor_model_parallel_size": 1}, 32),
        ({"device_batch_size": 4, "n_devices": 8, "num_nodes": 1}, 32),
    ],
)
def test_the_whole_batch_is_that_of_one_device_times_devices_and_accumulation(
    cells: dict[str, object], batch: int
) -> None:
    runs = read(cells)
    assert runs.examples == pytest.approx(np.full(len(runs), STEPS * batch * SEQ))
    assert any(note.startswith("batch_size is ") for note in runs.notes)
    assert "unread-column" not in {caution.code for caution in runs.cautions}


@pytest.mark.parametrize(
    "cells",
    [
        {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 4},
        {"micro_batch_size": 4, "world_size": 16, "pipeline_parallel": 2},
        {"micro_batch_size": 4, "num_nodes": 2, "devices": 8},
        {"micro_batch_size": 4, "num_nodes": 2},
    ],
)
def test_what_does_not_tell_the_devices_is_no_batch(cells: dict[str, object]) -> None:
    name = next(iter(cells))
    with pytest.raises(InputError) as raised:
        read(cells)
    hint = f"{name!r} is the batch of one device: log the whole batch, or its replicas as data_parallel_size; "
    assert hint in (raised.value.details[0].hint or "")


def test_a_batch_that_is_logged_is_the_batch() -> None:
    cells = {"global_batch_size": 64, "micro_batch_size": 4, "gradient_accumulation_steps": 2, "world_size": 8}
    runs = read(cells)
    assert runs.examples == pytest.approx(np.full(len(runs), STEPS * 64 * SEQ))
    assert "unread-column" not in {caution.code for caution in runs.cautions}
