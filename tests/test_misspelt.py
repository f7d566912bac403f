"""A column that is named nearly like a dimension is no reason to plan without that dimension."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SAMPLES

import shapeplan as sp
from shapeplan.errors import InputError

NAMES = ("run", "width", "depth", "mlp_dim", "heads", "params", "examples", "forward_flops", "loss")


def renamed(tmp_path: Path, old: str, new: str) -> Path:
    header, _, rest = (SAMPLES / "vit_sweep.csv").read_text().partition("\n")
    path = tmp_path / "runs.csv"
    path.write_text(",".join(new if name == old else name for name in header.split(",")) + "\n" + rest)
    return path


@pytest.mark.parametrize(
    ("role", "written"),
    [
        ("depth", "depht"),
        ("depth", "dept"),
        ("depth", "DEEPTH"),
        ("depth", "d\u0435pth"),
        ("depth", "d\u00e8pth"),
        ("depth", "n_layrs"),
        ("width", "widht"),
        ("width", "w\u0456dth"),
        ("width", "hiden_size"),
        ("mlp_dim", "mpl_dim"),
        ("mlp_dim", "mlp_d\u0456m"),
    ],
)
def test_a_misspelt_dimension_is_refused(tmp_path: Path, role: str, written: str) -> None:
    path = renamed(tmp_path, role, written)
    with pytest.raises(InputError) as caught:
        sp.read_runs(path)
    (detail,) = caught.value.details
    assert (detail.code, detail.column) == ("misspelt-column", written)
    assert f"and no column is the {role}" in detail.message
    assert f"`columns={role}='{written}'`" in str(detail.hint)
    assert role in sp.read_runs(path, columns={role: written}).dims


@pytest.mark.parametrize("other", ["seed", "model_id", "dropout_of_it", "weight_decay", "lr", "patch"])
def test_other_columns_are_only_ignored(tmp_path: Path, other: str) -> None:
    rows = (SAMPLES / "vit_sweep.csv").read_text().splitlines()
    places = [NAMES.index(name) for name in ("run", "width", "mlp_dim", "examples", "forward_flops", "loss")]
    lines = [",".join(line.split(",")[i] for i in places) + f",{i % 7 + 1}" for i, line in enumerate(rows)]
    lines[0] = lines[0].rpartition(",")[0] + f",{other}"
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines) + "\n")
    assert sp.read_runs(path).dims == ("width", "mlp_dim")
