"""The order of the rows of a log is no information: shuffled, it gives the same answers."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program, sweep
from hypothesis import given
from hypothesis import strategies as st

CONFIG = ("--config", SAMPLES / "stdlib_lm" / "config.yaml")


def shuffled(log: Path, folder: Path, seed: int) -> Path:
    """Write a log with its rows in another order, under the same name."""
    header, *rows = log.read_text().splitlines()
    random.Random(seed).shuffle(rows)
    path = folder / log.name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def without_lines(text: str) -> str:
    """Return text without the numbers of lines, which do change, and the blanks that their digits displace."""
    return re.sub(r"[ ─]+", " ", re.sub(r"\blines? [\d, ]+", "line N", text))


@pytest.mark.long
@pytest.mark.parametrize(("log", "options"), [("vit_sweep.csv", ()), ("stdlib_lm/runs.csv", CONFIG)])
def test_a_shuffled_log_prints_the_same(
    program: Program, tmp_path: Path, log: str, options: tuple[str | Path, ...]
) -> None:
    told = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = shuffled(SAMPLES / log, folder, seed)
        done = program("fit", path, *options, "--replicates", "20", "-o", folder / "law.json")
        plan = program("recommend", "--law", folder / "law.json", "--flops", "1e20")
        shown = "\n".join((done.stdout, done.stderr, plan.stdout, plan.stderr))
        told.append(without_lines(shown.replace(str(folder), "")))
    assert told[0] == told[1]
    first, second = (json.loads((tmp_path / seed / "law.json").read_text()) for seed in "12")
    assert first["bootstrap"] == second["bootstrap"]
    assert first["selection"] == second["selection"]


@given(st.integers(0, 1000))
def test_canonical_rows_do_not_depend_on_their_order(seed: int) -> None:
    runs = sweep()
    order = np.random.default_rng(seed).permutation(len(runs))
    one, other = runs.canonical(), runs.take(order).canonical()
    assert one.run_names == other.run_names
    np.testing.assert_array_equal(one.shape, other.shape)
    np.testing.assert_array_equal(one.flops, other.flops)
    np.testing.assert_array_equal(one.lines, other.lines)
