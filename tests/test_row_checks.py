"""Rows that are doubtful: copies, magnitudes, other scales."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import SAMPLES, Program, fit, sweep

from shapeplan.architectures import architecture
from shapeplan.errors import FitError
from shapeplan.readers.read import read_runs
from shapeplan.readers.row_checks import alike_rows, doubt_copies


@pytest.mark.parametrize("factor", [1e-80, 1e80])
def test_one_row_of_another_world_is_refused(factor: float) -> None:
    runs = sweep()
    loss = runs.observed().copy()
    loss[5] *= factor
    with pytest.raises(FitError, match="which no loss does"):
        fit(replace(runs, loss=loss), replicates=0)


def test_a_metric_at_the_edge_of_floats_is_refused_and_a_huge_one_is_not(program: Program, tmp_path: Path) -> None:
    with pytest.raises(FitError, match="give it in a unit in which it is nearer to 1"):
        fit(replace(sweep(), loss=sweep().observed() * 1e-306), replicates=0)
    header, *lines = (SAMPLES / "vit_sweep.csv").read_text().splitlines()
    at = header.split(",").index("loss")
    rows = [line.split(",") for line in lines]
    huge = [",".join([*row[:at], f"{float(row[at]) * 1e29:.6e}", *row[at + 1 :]]) for row in rows]
    log = tmp_path / "huge.csv"
    log.write_text("\n".join([header, *huge]) + "\n")
    done = program("fit", log, "--law", "separable", "--replicates", "20", "-o", tmp_path / "law.json")
    assert done.returncode == 0, done.stderr
    assert program("predict", tmp_path / "law.json", log).returncode == 0


def test_copies_of_rows_under_other_names_are_doubted() -> None:
    runs = sweep(0.003, 1)
    twice = runs.take(np.tile(np.arange(len(runs)), 2))
    assert [caution.code for caution in doubt_copies(twice, alike_rows(twice)).cautions] == ["copied-rows"]
    assert doubt_copies(runs, alike_rows(runs)).cautions == runs.cautions
    coarse = replace(twice, loss=np.round(twice.observed(), 2))
    assert doubt_copies(coarse, alike_rows(coarse)).cautions == (), "seeds end at the same two digits"


UNITS = "if a column is in another unit, say it in its header: gflops, 'FLOPs (1e18)', 'tokens (B)', 'params (M)'"


@pytest.mark.parametrize(
    ("params", "tokens", "said"),
    [
        (1.0, 1.0, []),
        (1e-6, 1.0, [f"line 2 says 10 parameters, which is little for a model; {UNITS}"]),
        (1e6, 1.0, [f"line 6 says 1e+15 parameters, which is much for a model; {UNITS}"]),
        (1.0, 1e7, [f"line 6 says 2e+17 tokens, which is much for a run; {UNITS}"]),
        (1e-2, 1e3, ["most rows have about 2e+06 tokens per parameter; "]),
        (1e2, 1e-3, ["most rows have about 0.0002 tokens per parameter; "]),
        (1.0, 1e-2, ["every row has fewer tokens than parameters (at most 0.2 per parameter); see whether tokens "]),
    ],
)
def test_counts_in_units_that_the_header_does_not_say(
    tmp_path: Path, params: float, tokens: float, said: list[str]
) -> None:
    rows = [(size * params, 20 * size * tokens) for size in np.geomspace(1e7, 1e9, 5)]
    body = "\n".join(f"{n:.6g},{d:.6g},{6 * n * d:.6g},{3 - i / 10}" for i, (n, d) in enumerate(rows))
    (tmp_path / "log.csv").write_text(f"params,tokens,flops,loss\n{body}\n")
    found = [one for one in read_runs(tmp_path / "log.csv").cautions if one.code == "implausible-magnitude"]
    assert len(found) == len(said)
    for caution, start in zip(found, said, strict=True):
        assert f"{caution.message}; {caution.hint}".startswith(start)


@pytest.mark.parametrize(
    ("columns", "mend"),
    [
        ({"examples": 1.0}, "`columns=tokens=examples`"),
        ({"steps": 1 / 524288, "batch_size": 0.0}, "`columns=batch_tokens=batch_size`"),
    ],
)
def test_sequences_that_may_be_tokens_already_are_told(columns: dict[str, float], mend: str) -> None:
    gpt2 = architecture({"family": "gpt2", "vocab": 50304, "seq": 2048, "head_dim": 64, "mlp_ratio": 4})

    def messages(per_batch: int) -> list[str]:
        rows = [
            {"width": w, "depth": d, "loss": 1.7 + 150 / w + 6 / d}
            | {name: 20 * 12 * w**2 * d * factor if factor else per_batch for name, factor in columns.items()}
            for w in (256, 512, 1024)
            for d in (4, 8, 12)
        ]
        found = read_runs(rows, architecture=gpt2).cautions
        return [f"{one.message}; {one.hint}" for one in found if "read as sequences" in one.message]

    (said,) = messages(524288)
    assert mend in said
    if "steps" in columns:
        assert messages(256) == []
